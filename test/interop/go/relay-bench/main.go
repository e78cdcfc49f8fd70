// Command relay-bench loads a hashmail relay, whoever wrote it, over gRPC or
// WebSocket, and prints what it took as one JSON line.
//
//	relay-bench throughput --relay HOST:PORT [--send grpc|websocket] [--receive …] --boxes N --size BYTES
//	relay-bench lone       …  one message at a time: p50 and p99 from send to receipt
//	relay-bench idle       …  N receivers that get nothing, until stdin ends
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"sort"
	"sync"
	"sync/atomic"
	"time"
)

type load struct {
	relay    string
	send     string
	receive  string
	boxes    int
	size     int
	duration time.Duration
	warmUp   time.Duration
	count    int
	apart    bool
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "relay-bench:", err)
		os.Exit(1)
	}
}

func run() error {
	if len(os.Args) < 2 {
		return errors.New("throughput, lone or idle?")
	}
	var l load
	set := flag.NewFlagSet(os.Args[1], flag.ContinueOnError)
	set.StringVar(&l.relay, "relay", "", "host:port of the relay, TLS")
	set.StringVar(&l.send, "send", "grpc", "grpc or websocket")
	set.StringVar(&l.receive, "receive", "", "as --send if not given")
	set.IntVar(&l.boxes, "boxes", 1, "boxes at once")
	set.IntVar(&l.size, "size", 256, "bytes of a message, 16 at least")
	set.DurationVar(&l.duration, "duration", 5*time.Second, "measured time")
	set.DurationVar(&l.warmUp, "warm-up", time.Second, "before that")
	set.IntVar(&l.count, "count", 2000, "lone messages")
	set.BoolVar(&l.apart, "apart", false,
		"a connection of its own for each end of each box (gRPC)")
	if err := set.Parse(os.Args[2:]); err != nil {
		return err
	}
	if l.receive == "" {
		l.receive = l.send
	}
	if l.size < headerBytes || l.boxes < 1 {
		return errors.New("size below 16 or no box")
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()

	switch os.Args[1] {
	case "throughput":
		return l.throughput(ctx)
	case "lone":
		return l.lone(ctx)
	case "idle":
		return l.idle(ctx)
	default:
		return fmt.Errorf("unknown command %q", os.Args[1])
	}
}

func report(fields map[string]any) error {
	return json.NewEncoder(os.Stdout).Encode(fields)
}

// throughput sends as fast as the relay takes it, through all boxes at once, and
// checks that each message arrives once and in order.
func (l *load) throughput(ctx context.Context) error {
	boxes, err := l.open(ctx)
	if err != nil {
		return err
	}
	defer closeAll(boxes)

	var (
		received atomic.Int64
		failed   = make(chan error, 2*len(boxes))
		stopping atomic.Bool
		group    sync.WaitGroup
	)
	for _, box := range boxes {
		group.Add(2)
		go func() {
			defer group.Done()
			err := box.sendAll(ctx, l.size)
			if err != nil && !stopping.Load() {
				failed <- fmt.Errorf("send: %w", err)
			}
		}()
		go func() {
			defer group.Done()
			err := box.receiveAll(l.size, &received)
			if err != nil && !stopping.Load() {
				failed <- fmt.Errorf("receive: %w", err)
			}
		}()
	}

	wait := func(d time.Duration) error {
		select {
		case err := <-failed:
			return err
		case <-time.After(d):
			return nil
		}
	}
	if err := wait(l.warmUp); err != nil {
		return err
	}
	before, start := received.Load(), time.Now()
	if err := wait(l.duration); err != nil {
		return err
	}
	messages := float64(received.Load() - before)
	seconds := time.Since(start).Seconds()
	stopping.Store(true)
	closeAll(boxes)
	group.Wait()

	return report(map[string]any{
		"send": l.send, "receive": l.receive, "boxes": l.boxes,
		"size": l.size, "seconds": seconds,
		"messagesPerSecond": messages / seconds,
		"mbPerSecond":       messages * float64(l.size) / seconds / 1e6,
	})
}

// lone measures single messages through idle boxes, each in its turn.
func (l *load) lone(ctx context.Context) error {
	boxes, err := l.open(ctx)
	if err != nil {
		return err
	}
	defer closeAll(boxes)

	took := make([]time.Duration, 0, l.count)
	for i := range l.count {
		box := boxes[i%len(boxes)]
		number := uint64(i / len(boxes))
		start := time.Now()
		if err := box.sender.send(message(number, l.size)); err != nil {
			return err
		}
		got, err := box.receiver.receive()
		if err != nil {
			return err
		}
		if err := check(got, number, l.size); err != nil {
			return err
		}
		took = append(took, time.Since(start))
	}
	sort.Slice(took, func(i, j int) bool { return took[i] < took[j] })
	at := func(share float64) float64 {
		one := took[min(len(took)-1, int(float64(len(took))*share))]
		return float64(one.Microseconds()) / 1000
	}
	return report(map[string]any{
		"send": l.send, "receive": l.receive, "boxes": l.boxes,
		"size": l.size, "count": len(took),
		"p50Ms": at(0.5), "p99Ms": at(0.99), "maxMs": at(1),
	})
}

// idle holds receivers open, so that the relay's memory can be read. It reports
// when all are served, which one message through each shows.
func (l *load) idle(ctx context.Context) error {
	boxes, err := l.open(ctx)
	if err != nil {
		return err
	}
	defer closeAll(boxes)

	served := 0
	for _, box := range boxes {
		if err := box.sender.send(message(0, l.size)); err != nil {
			break
		}
		if box.receiveWithin(5*time.Second, l.size) != nil {
			break
		}
		served++
	}
	err = report(map[string]any{
		"receive": l.receive, "boxes": l.boxes, "served": served,
	})
	if err != nil {
		return err
	}
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
	}
	return nil
}
