package main

import (
	"context"
	"fmt"
	"time"

	"pinhole.invalid/interop/lines"
)

// runBench connects to a server that runs already, and prints a line per figure:
// connect (first pairing with a phrase, paired with keys), unary calls, parallel
// calls, transfers both ways, and then so many reconnects, all paired.
func runBench(args []string) error {
	var (
		s           session
		calls       uint
		parallel    int
		duration    time.Duration
		bytes       uint64
		reconnects  int
		pauseBefore time.Duration
	)
	set := s.flags("bench-client")
	set.UintVar(&calls, "calls", 1000, "unary calls, one after the other")
	set.IntVar(&parallel, "parallel", 64, "calls at once")
	set.DurationVar(&duration, "duration", 3*time.Second, "of parallel calls")
	set.Uint64Var(&bytes, "bytes", 16<<20, "of each transfer")
	set.IntVar(&reconnects, "reconnects", 10, "paired connects at the end")
	set.DurationVar(&pauseBefore, "pause", 0, "before each reconnect")
	if err := set.Parse(args); err != nil {
		return err
	}
	s.useDebug()
	c, err := newClient(s)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()

	step := func(name string, command lines.Command) error {
		fields, err := c.do(ctx, command)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if took, ok := fields["ms"].(float64); ok && command.Bytes >= 1<<20 {
			fields["mbPerSecond"] = float64(command.Bytes) / 1000 / took
		}
		lines.Event(name, fields)
		return nil
	}
	steps := []struct {
		name    string
		command lines.Command
	}{
		{"connect", lines.Command{Cmd: "connect"}},
		{"unary", lines.Command{Cmd: "unary", Count: uint32(calls), Bytes: 64}},
		{"parallel", lines.Command{
			Cmd: "parallel", Parallel: parallel, Bytes: 64,
			DurationMs: int(duration.Milliseconds()),
		}},
		{"download", lines.Command{Cmd: "download", Bytes: bytes}},
		{"upload", lines.Command{Cmd: "upload", Bytes: bytes}},
	}
	for _, one := range steps {
		if err := step(one.name, one.command); err != nil {
			return err
		}
	}
	for range reconnects {
		if err := c.disconnect(); err != nil {
			return err
		}
		time.Sleep(pauseBefore)
		if err := step("reconnect", lines.Command{Cmd: "connect"}); err != nil {
			return err
		}
	}
	return c.disconnect()
}
