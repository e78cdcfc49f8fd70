package echo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// Client makes the calls and checks what comes back.
type Client struct {
	Conn grpc.ClientConnInterface
}

// Unary sends the bytes and demands them back.
func (c *Client) Unary(ctx context.Context, payload []byte,
	opts ...grpc.CallOption) error {

	answer := &wrapperspb.BytesValue{}
	err := c.Conn.Invoke(
		ctx, path("Unary"), wrapperspb.Bytes(payload), answer, opts...,
	)
	if err != nil {
		return err
	}
	if !bytes.Equal(answer.Value, payload) {
		return errors.New("the answer differs from the request")
	}
	return nil
}

// Stream asks for count messages and demands 0 … count-1.
func (c *Client) Stream(ctx context.Context, count uint32) error {
	call, err := c.serverStream(ctx, "Stream", wrapperspb.UInt32(count))
	if err != nil {
		return err
	}
	for i := uint32(0); ; i++ {
		message := &wrapperspb.UInt32Value{}
		err := call.RecvMsg(message)
		switch {
		case errors.Is(err, io.EOF) && i == count:
			return nil
		case errors.Is(err, io.EOF):
			return fmt.Errorf("stream ended after %d of %d", i, count)
		case err != nil:
			return err
		case message.Value != i:
			return fmt.Errorf("message %d where %d was due", message.Value, i)
		}
	}
}

// Ticks receives count ticks, each in its turn, and calls onTick for each.
func (c *Client) Ticks(ctx context.Context, interval time.Duration,
	count uint32, onTick func(uint32)) error {

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	call, err := c.serverStream(ctx, "Ticks", durationpb.New(interval))
	if err != nil {
		return err
	}
	for i := uint32(0); i < count; i++ {
		message := &wrapperspb.UInt32Value{}
		if err := call.RecvMsg(message); err != nil {
			return err
		}
		if message.Value != i {
			return fmt.Errorf("tick %d where %d was due", message.Value, i)
		}
		onTick(i)
	}
	return nil
}

// Upload sends n bytes of the pattern and wants the server to have got `want`,
// which is PatternDigest(n).
func (c *Client) Upload(ctx context.Context, n uint64, want string) error {
	call, err := c.Conn.NewStream(
		ctx, &grpc.StreamDesc{ClientStreams: true}, path("Upload"),
	)
	if err != nil {
		return err
	}
	err = eachChunk(n, func(chunk []byte) error {
		return call.SendMsg(wrapperspb.Bytes(chunk))
	})
	// io.EOF says that the server ended the call; RecvMsg tells why.
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if err := call.CloseSend(); err != nil {
		return err
	}
	answer := &wrapperspb.StringValue{}
	if err := call.RecvMsg(answer); err != nil {
		return err
	}
	if answer.Value != want {
		return fmt.Errorf("server got %q, %q was sent", answer.Value, want)
	}
	return nil
}

// Download fetches n bytes and compares them with `want`, PatternDigest(n).
func (c *Client) Download(ctx context.Context, n uint64, want string) error {
	call, err := c.serverStream(ctx, "Download", wrapperspb.UInt64(n))
	if err != nil {
		return err
	}
	digest := NewDigest()
	for {
		chunk := &wrapperspb.BytesValue{}
		err := call.RecvMsg(chunk)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		digest.Add(chunk.Value)
	}
	if got := digest.String(); got != want {
		return fmt.Errorf("got %q, %q was due", got, want)
	}
	return nil
}

func (c *Client) serverStream(ctx context.Context, method string,
	request proto.Message) (grpc.ClientStream, error) {

	call, err := c.Conn.NewStream(
		ctx, &grpc.StreamDesc{ServerStreams: true}, path(method),
	)
	if err != nil {
		return nil, err
	}
	if err := call.SendMsg(request); err != nil {
		return nil, err
	}
	return call, call.CloseSend()
}

func path(method string) string {
	return "/" + ServiceName + "/" + method
}
