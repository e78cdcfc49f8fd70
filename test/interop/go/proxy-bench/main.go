// Command proxy-bench is what a bench of a paywall needs beside the paywall: the
// upstream behind it, and load that an HTTP/1.1 generator cannot make. It reports
// one JSON line.
//
//	proxy-bench upstream --cert FILE --key FILE   until stdin ends; prints its ports
//	proxy-bench http2    --address HOST:PORT …    as fast as it goes, HTTP/2 or gRPC
//	proxy-bench rate     --url URL …              so many requests each second
//	proxy-bench transfer --url URL …              one large body, up or down
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"sort"
	"time"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "proxy-bench:", err)
		os.Exit(1)
	}
}

func run() error {
	if len(os.Args) < 2 {
		return errors.New("upstream, http2, rate or transfer?")
	}
	set := flag.NewFlagSet(os.Args[1], flag.ContinueOnError)
	commands := map[string]func(*flag.FlagSet) func() error{
		"upstream": upstream,
		"http2":    http2Load,
		"rate":     rateLoad,
		"transfer": transferLoad,
	}
	command, ok := commands[os.Args[1]]
	if !ok {
		return fmt.Errorf("unknown command %q", os.Args[1])
	}
	start := command(set)
	if err := set.Parse(os.Args[2:]); err != nil {
		return err
	}
	return start()
}

func report(fields map[string]any) error {
	return json.NewEncoder(os.Stdout).Encode(fields)
}

// quantile takes sorted durations and gives milliseconds.
func quantile(sorted []time.Duration, share float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	at := min(len(sorted)-1, int(share*float64(len(sorted))))
	return float64(sorted[at].Microseconds()) / 1000
}

func sortDurations(all []time.Duration) {
	sort.Slice(all, func(i, j int) bool { return all[i] < all[j] })
}
