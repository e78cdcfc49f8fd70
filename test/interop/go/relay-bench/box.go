package main

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// A message is its number, its size, and filling.
const headerBytes = 16

type sender interface {
	send(message []byte) error
}

type receiver interface {
	receive() ([]byte, error)
}

// box is one cipher box with both of its ends held.
type box struct {
	id       []byte
	sender   sender
	receiver receiver
	close    func()
}

// open creates the boxes and takes their ends.
func (l *load) open(ctx context.Context) ([]*box, error) {
	creator, err := dialRelay(l.relay)
	if err != nil {
		return nil, err
	}
	boxes := make([]*box, 0, l.boxes)
	for range l.boxes {
		id := make([]byte, 64)
		if _, err := rand.Read(id); err != nil {
			return nil, err
		}
		if err := creator.create(ctx, id); err != nil {
			closeAll(boxes)
			return nil, err
		}
		one, err := l.take(ctx, creator, id)
		if err != nil {
			closeAll(boxes)
			return nil, fmt.Errorf("box %d: %w", len(boxes), err)
		}
		boxes = append(boxes, one)
	}
	return boxes, nil
}

func (l *load) take(ctx context.Context, shared *grpcRelay,
	id []byte) (*box, error) {

	ctx, cancel := context.WithCancel(ctx)
	closers := []func(){cancel}
	one := &box{id: id, close: sync.OnceFunc(func() {
		for _, closer := range closers {
			closer()
		}
		deletion, done := context.WithTimeout(
			context.Background(), time.Second,
		)
		defer done()
		_ = shared.remove(deletion, id)
	})}

	grpcEnd := func() (*grpcRelay, error) {
		if !l.apart {
			return shared, nil
		}
		own, err := dialRelay(l.relay)
		if err == nil {
			closers = append(closers, func() { _ = own.conn.Close() })
		}
		return own, err
	}
	var err error
	switch l.receive {
	case "grpc":
		var relay *grpcRelay
		if relay, err = grpcEnd(); err == nil {
			one.receiver, err = relay.receiver(ctx, id)
		}
	case "websocket":
		one.receiver, err = websocketReceiver(ctx, l.relay, id)
	default:
		err = fmt.Errorf("unknown face %q", l.receive)
	}
	if err != nil {
		cancel()
		return nil, err
	}
	switch l.send {
	case "grpc":
		var relay *grpcRelay
		if relay, err = grpcEnd(); err == nil {
			one.sender, err = relay.sender(ctx, id)
		}
	case "websocket":
		one.sender, err = websocketSender(ctx, l.relay, id)
	default:
		err = fmt.Errorf("unknown face %q", l.send)
	}
	if err != nil {
		cancel()
		return nil, err
	}
	return one, nil
}

func closeAll(boxes []*box) {
	var group sync.WaitGroup
	for _, one := range boxes {
		group.Add(1)
		go func() {
			defer group.Done()
			one.close()
		}()
	}
	group.Wait()
}

func (b *box) sendAll(ctx context.Context, size int) error {
	for number := uint64(0); ctx.Err() == nil; number++ {
		if err := b.sender.send(message(number, size)); err != nil {
			return err
		}
	}
	return nil
}

func (b *box) receiveAll(size int, received *atomic.Int64) error {
	for number := uint64(0); ; number++ {
		got, err := b.receiver.receive()
		if err != nil {
			return err
		}
		if err := check(got, number, size); err != nil {
			return err
		}
		received.Add(1)
	}
}

func (b *box) receiveWithin(limit time.Duration, size int) error {
	got := make(chan error, 1)
	go func() {
		one, err := b.receiver.receive()
		if err == nil {
			err = check(one, 0, size)
		}
		got <- err
	}()
	select {
	case err := <-got:
		return err
	case <-time.After(limit):
		return errors.New("nothing arrived")
	}
}

func message(number uint64, size int) []byte {
	one := make([]byte, size)
	binary.BigEndian.PutUint64(one, number)
	binary.BigEndian.PutUint64(one[8:], uint64(size))
	for i := headerBytes; i < size; i++ {
		one[i] = byte(i)
	}
	return one
}

func check(got []byte, number uint64, size int) error {
	if len(got) != size {
		return fmt.Errorf("message of %d bytes where %d were sent",
			len(got), size)
	}
	if is := binary.BigEndian.Uint64(got); is != number {
		return fmt.Errorf("message %d where %d was due", is, number)
	}
	if size > headerBytes && got[size-1] != byte(size-1) {
		return errors.New("message with other contents")
	}
	return nil
}
