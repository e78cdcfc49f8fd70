package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

const (
	windowBytes = 1 << 30
	bufferBytes = 64 * 1024
)

// http2Flags is load by HTTP/2 written on its frames, for Go's client takes more
// of the processor than what is measured.
type http2Flags struct {
	address, path, authorization string
	grpc                         int
	secure                       bool
	connections, streams         int
	duration, warmUp             time.Duration
}

func http2Load(set *flag.FlagSet) func() error {
	var f http2Flags
	set.StringVar(&f.address, "address", "", "host:port")
	set.StringVar(&f.path, "path", "/", "what is asked for")
	set.StringVar(&f.authorization, "authorization", "", "the header of this name")
	set.IntVar(&f.grpc, "grpc", 0, "unary calls with so many bytes each")
	set.BoolVar(&f.secure, "tls", false, "TLS, any certificate")
	set.IntVar(&f.connections, "connections", 4, "connections")
	set.IntVar(&f.streams, "streams", 8, "requests at once on each")
	set.DurationVar(&f.duration, "duration", 5*time.Second, "measured time")
	set.DurationVar(&f.warmUp, "warm-up", time.Second, "before that")
	return f.run
}

type counter struct {
	measuring atomic.Bool
	failed    atomic.Int64
	mu        sync.Mutex
	took      []time.Duration
}

func (f *http2Flags) run() error {
	var count counter
	stopped := make(chan error, f.connections)
	for range f.connections {
		conn, err := f.dial()
		if err != nil {
			return err
		}
		go func() { stopped <- f.drive(conn, &count) }()
	}
	select {
	case err := <-stopped:
		return err
	case <-time.After(f.warmUp):
	}
	count.measuring.Store(true)
	began := time.Now()
	select {
	case err := <-stopped:
		return err
	case <-time.After(f.duration):
	}
	count.measuring.Store(false)
	seconds := time.Since(began).Seconds()
	count.mu.Lock()
	defer count.mu.Unlock()
	sortDurations(count.took)
	return report(map[string]any{
		"perSecond": float64(len(count.took)) / seconds,
		"p50":       quantile(count.took, 0.5),
		"p99":       quantile(count.took, 0.99),
		"failed":    count.failed.Load(),
	})
}

func (f *http2Flags) dial() (net.Conn, error) {
	if !f.secure {
		return net.Dial("tcp", f.address)
	}
	return tls.Dial("tcp", f.address, &tls.Config{
		InsecureSkipVerify: true, NextProtos: []string{"h2"},
	})
}

func (f *http2Flags) headers() []hpack.HeaderField {
	fields := []hpack.HeaderField{
		{Name: ":method", Value: "GET"}, {Name: ":scheme", Value: "http"},
		{Name: ":path", Value: f.path}, {Name: ":authority", Value: f.address},
	}
	if f.secure {
		fields[1].Value = "https"
	}
	if f.grpc > 0 {
		fields[0].Value = "POST"
		fields = append(fields,
			hpack.HeaderField{Name: "content-type", Value: "application/grpc"},
			hpack.HeaderField{Name: "te", Value: "trailers"},
			hpack.HeaderField{Name: "user-agent", Value: "proxy-bench"})
	}
	if f.authorization != "" {
		fields = append(fields, hpack.HeaderField{
			Name: "authorization", Value: f.authorization,
		})
	}
	return fields
}

func (f *http2Flags) message() ([]byte, error) {
	if f.grpc == 0 {
		return nil, nil
	}
	body, err := proto.Marshal(wrapperspb.Bytes(make([]byte, f.grpc)))
	if err != nil {
		return nil, err
	}
	frame := binary.BigEndian.AppendUint32([]byte{0}, uint32(len(body)))
	return append(frame, body...), nil
}

// client is one connection with its requests.
type client struct {
	framer  *http2.Framer
	out     *bufio.Writer
	encoder *hpack.Encoder
	block   *bytes.Buffer
	fields  []hpack.HeaderField
	message []byte
	next    uint32
	began   map[uint32]time.Time
	good    map[uint32]bool
	taken   uint32
}

// drive keeps f.streams requests running; one goroutine does it all.
func (f *http2Flags) drive(conn net.Conn, count *counter) error {
	message, err := f.message()
	if err != nil {
		return err
	}
	in := bufio.NewReaderSize(conn, bufferBytes)
	out := bufio.NewWriterSize(conn, bufferBytes)
	block := &bytes.Buffer{}
	c := &client{
		framer: http2.NewFramer(out, in), out: out, block: block,
		encoder: hpack.NewEncoder(block), fields: f.headers(), message: message,
		next: 1, began: map[uint32]time.Time{}, good: map[uint32]bool{},
	}
	c.framer.SetReuseFrames()
	if _, err := out.WriteString(http2.ClientPreface); err != nil {
		return err
	}
	err = errors.Join(
		c.framer.WriteSettings(http2.Setting{
			ID: http2.SettingInitialWindowSize, Val: windowBytes,
		}, http2.Setting{ID: http2.SettingEnablePush}),
		c.framer.WriteWindowUpdate(0, windowBytes))
	for range f.streams {
		err = errors.Join(err, c.send())
	}
	if err = errors.Join(err, out.Flush()); err != nil {
		return err
	}
	return c.readAll(in, f.grpc > 0, count)
}

func (c *client) readAll(in *bufio.Reader, isGrpc bool, count *counter) error {
	wanted := hpack.HeaderField{Name: ":status", Value: "200"}
	if isGrpc {
		wanted = hpack.HeaderField{Name: "grpc-status", Value: "0"}
	}
	var stream uint32
	decoder := hpack.NewDecoder(4096, func(field hpack.HeaderField) {
		if field.Name == wanted.Name && field.Value == wanted.Value {
			c.good[stream] = true
		}
	})
	for {
		frame, err := c.framer.ReadFrame()
		if err != nil {
			return err
		}
		head := frame.Header()
		stream = head.StreamID
		switch frame := frame.(type) {
		case *http2.SettingsFrame:
			if !frame.IsAck() {
				err = c.framer.WriteSettingsAck()
			}
		case *http2.PingFrame:
			if !frame.IsAck() {
				err = c.framer.WritePing(true, frame.Data)
			}
		case *http2.HeadersFrame:
			if !frame.HeadersEnded() {
				return errors.New("headers in several frames")
			}
			if _, err = decoder.Write(frame.HeaderBlockFragment()); err == nil {
				err = decoder.Close()
			}
		case *http2.DataFrame:
			c.taken += head.Length
		case *http2.RSTStreamFrame:
			return fmt.Errorf("stream reset: %v", frame.ErrCode)
		case *http2.GoAwayFrame:
			return fmt.Errorf("goodbye: %v", frame.ErrCode)
		}
		ended := (head.Type == http2.FrameData || head.Type == http2.FrameHeaders) &&
			head.Flags.Has(http2.FlagDataEndStream)
		if err == nil && ended {
			err = c.done(stream, count)
		}
		// What is at hand already is answered together.
		if err == nil && in.Buffered() == 0 {
			err = c.out.Flush()
		}
		if err != nil {
			return err
		}
	}
}

func (c *client) done(stream uint32, count *counter) error {
	took := time.Since(c.began[stream])
	if !c.good[stream] {
		count.failed.Add(1)
	}
	delete(c.began, stream)
	delete(c.good, stream)
	if count.measuring.Load() {
		count.mu.Lock()
		count.took = append(count.took, took)
		count.mu.Unlock()
	}
	if c.taken > windowBytes/2 {
		if err := c.framer.WriteWindowUpdate(0, c.taken); err != nil {
			return err
		}
		c.taken = 0
	}
	return c.send()
}

func (c *client) send() error {
	c.block.Reset()
	for _, field := range c.fields {
		if err := c.encoder.WriteField(field); err != nil {
			return err
		}
	}
	stream := c.next
	c.next += 2
	c.began[stream] = time.Now()
	err := c.framer.WriteHeaders(http2.HeadersFrameParam{
		StreamID: stream, BlockFragment: c.block.Bytes(), EndHeaders: true,
		EndStream: c.message == nil,
	})
	if err != nil || c.message == nil {
		return err
	}
	return c.framer.WriteData(stream, true, c.message)
}
