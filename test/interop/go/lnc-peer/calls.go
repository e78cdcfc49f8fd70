package main

import (
	"context"
	"fmt"
	"sort"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"pinhole.invalid/interop/echo"
	"pinhole.invalid/interop/lines"
)

// do makes what one command asks for and says how long it took.
func (c *client) do(ctx context.Context, command lines.Command) (lines.Fields,
	error) {

	switch command.Cmd {
	case "connect":
		return timed(func() error { return c.connect(ctx) })
	case "disconnect":
		return timed(c.disconnect)
	case "status":
		return c.connStatus(), nil
	}

	calls, err := c.echo()
	if err != nil {
		return nil, err
	}
	switch command.Cmd {
	case "unary":
		return unaryCalls(ctx, calls, command)
	case "wait":
		return timed(func() error {
			return untilAnswered(ctx, calls)
		})
	case "parallel":
		return parallelCalls(ctx, calls, command)
	case "stream":
		return timed(func() error {
			return calls.Stream(ctx, command.Count)
		})
	case "ticks":
		interval := time.Duration(command.IntervalMs) * time.Millisecond
		return timed(func() error {
			return calls.Ticks(ctx, interval, command.Count,
				func(tick uint32) {
					lines.Event("tick", lines.Fields{"tick": tick})
				})
		})
	case "upload":
		want := echo.PatternDigest(command.Bytes)
		return timed(func() error {
			return calls.Upload(ctx, command.Bytes, want)
		})
	case "download":
		want := echo.PatternDigest(command.Bytes)
		return timed(func() error {
			return calls.Download(ctx, command.Bytes, want)
		})
	default:
		return nil, fmt.Errorf("unknown command %q", command.Cmd)
	}
}

// connStatus is what the module says of the connection.
func (c *client) connStatus() lines.Fields {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.status == nil {
		return lines.Fields{"status": "never connected"}
	}
	return lines.Fields{"status": c.status().String()}
}

func timed(action func() error) (lines.Fields, error) {
	start := time.Now()
	err := action()
	return lines.Fields{"ms": milliseconds(time.Since(start))}, err
}

func milliseconds(d time.Duration) float64 {
	return float64(d.Microseconds()) / 1000
}

// unaryCalls makes count calls, one after the other.
func unaryCalls(ctx context.Context, calls *echo.Client,
	command lines.Command) (lines.Fields, error) {

	payload := make([]byte, command.Bytes)
	for i := range payload {
		payload[i] = byte(i)
	}
	took := make([]time.Duration, 0, max(command.Count, 1))
	pause := time.Duration(command.IntervalMs) * time.Millisecond
	for range max(command.Count, 1) {
		start := time.Now()
		if err := calls.Unary(ctx, payload); err != nil {
			return spread(took), err
		}
		took = append(took, time.Since(start))
		if pause > 0 {
			time.Sleep(pause)
		}
	}
	return spread(took), nil
}

// spread is what is told of many timings.
func spread(took []time.Duration) lines.Fields {
	if len(took) == 0 {
		return lines.Fields{"count": 0}
	}
	sort.Slice(took, func(i, j int) bool { return took[i] < took[j] })
	var sum time.Duration
	for _, one := range took {
		sum += one
	}
	return lines.Fields{
		"count": len(took),
		"ms":    milliseconds(sum),
		"p50Ms": milliseconds(took[len(took)/2]),
		"p99Ms": milliseconds(took[len(took)*99/100]),
		"maxMs": milliseconds(took[len(took)-1]),
	}
}

// untilAnswered calls until one call is answered, as a client does through an
// outage; each attempt waits for the connection.
func untilAnswered(ctx context.Context, calls *echo.Client) error {
	for {
		attempt, cancel := context.WithTimeout(ctx, 30*time.Second)
		err := calls.Unary(attempt, []byte("there?"), grpc.WaitForReady(true))
		cancel()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return err
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// parallelCalls keeps so many calls running for so long.
func parallelCalls(ctx context.Context, calls *echo.Client,
	command lines.Command) (lines.Fields, error) {

	var (
		done    atomic.Int64
		failure atomic.Value
		group   sync.WaitGroup
	)
	payload := make([]byte, command.Bytes)
	start := time.Now()
	end := start.Add(time.Duration(command.DurationMs) * time.Millisecond)
	for range max(command.Parallel, 1) {
		group.Add(1)
		go func() {
			defer group.Done()
			for time.Now().Before(end) {
				if err := calls.Unary(ctx, payload); err != nil {
					failure.CompareAndSwap(nil, err.Error())
					return
				}
				done.Add(1)
			}
		}()
	}
	group.Wait()
	seconds := time.Since(start).Seconds()
	fields := lines.Fields{
		"count":     done.Load(),
		"perSecond": float64(done.Load()) / seconds,
	}
	if text, failed := failure.Load().(string); failed {
		return fields, fmt.Errorf("%s", text)
	}
	return fields, nil
}
