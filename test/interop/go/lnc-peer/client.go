package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/lightninglabs/lightning-node-connect/mailbox"
	"google.golang.org/grpc"
	"pinhole.invalid/interop/echo"
	"pinhole.invalid/interop/lines"
)

const (
	maxAnswerBytes   = 200 * 1024 * 1024
	defaultTimeoutMs = 120_000
)

// client is one LNC client, which may connect and disconnect many times.
type client struct {
	session  session
	connData *mailbox.ConnData

	mu     sync.Mutex
	conn   *grpc.ClientConn
	status func() mailbox.ClientStatus
	cancel context.CancelFunc
}

func newClient(s session) (*client, error) {
	if s.transport != "websocket" && s.transport != "grpc" {
		return nil, fmt.Errorf("unknown transport %q", s.transport)
	}
	trustAnyRelay()
	connData, err := s.connData(nil, func(data []byte) error {
		lines.Event("authData", lines.Fields{"text": string(data)})
		return nil
	})
	if err != nil {
		return nil, err
	}
	lines.Event("ready", nil)
	return &client{session: s, connData: connData}, nil
}

// connect dials as lnc-web and aperture do and waits for the connection.
func (c *client) connect(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.conn != nil {
		return errors.New("already connected")
	}
	lifetime, cancel := context.WithCancel(context.Background())
	mailboxClient, err := c.mailboxClient(lifetime)
	if err != nil {
		cancel()
		return err
	}
	noise := mailbox.NewNoiseGrpcConn(c.connData)
	c.status = mailboxClient.ConnStatus
	conn, err := grpc.DialContext( //nolint:staticcheck
		ctx, c.session.relay,
		grpc.WithContextDialer(mailboxClient.Dial),
		grpc.WithTransportCredentials(noise),
		grpc.WithPerRPCCredentials(noise),
		grpc.WithDefaultCallOptions(
			grpc.MaxCallRecvMsgSize(maxAnswerBytes),
		),
		grpc.WithBlock(), //nolint:staticcheck
	)
	if err != nil {
		cancel()
		return fmt.Errorf("%w (%s)", err, c.status())
	}
	c.conn, c.cancel = conn, cancel
	return nil
}

func (c *client) mailboxClient(ctx context.Context) (*mailbox.Client, error) {
	if c.session.transport == "grpc" {
		return mailbox.NewGrpcClient(
			ctx, c.session.relay, c.connData, relayDialOption(),
		)
	}
	return mailbox.NewWebsocketsClient(ctx, c.session.relay, c.connData)
}

func (c *client) disconnect() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.conn == nil {
		return errors.New("not connected")
	}
	err := c.conn.Close()
	c.cancel()
	c.conn = nil
	return err
}

func (c *client) echo() (*echo.Client, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.conn == nil {
		return nil, errors.New("not connected")
	}
	return &echo.Client{Conn: c.conn}, nil
}

// runClient does what stdin says. A command need not wait for the one before it.
func runClient(args []string) error {
	var s session
	if err := s.flags("client").Parse(args); err != nil {
		return err
	}
	s.useDebug()
	c, err := newClient(s)
	if err != nil {
		return err
	}
	return lines.Read(func(command lines.Command) { go c.answer(command) })
}

func (c *client) answer(command lines.Command) {
	timeout := command.TimeoutMs
	if timeout == 0 {
		timeout = defaultTimeoutMs
	}
	ctx, cancel := context.WithTimeout(
		context.Background(), time.Duration(timeout)*time.Millisecond,
	)
	defer cancel()
	fields, err := c.do(ctx, command)
	lines.Answer(command.ID, fields, err)
}
