// Command l402-buyer calls gRPC methods behind a paywall with the interceptors
// of Aperture's l402 package, which pay from an lnd, and prints a line for each
// call. The messages are bytes; what comes back must be what was sent.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/btcsuite/btcd/btcutil"
	"github.com/lightninglabs/aperture/l402"
	"github.com/lightninglabs/lndclient"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"pinhole.invalid/interop/lines"
)

const callTimeout = 30 * time.Second

type buyer struct {
	target, method, lnd, tls, macaroon, store string
	maxSats                                   int64
	calls                                     int
}

func main() {
	var b buyer
	flag.StringVar(&b.target, "target", "", "host:port of the paywall, cleartext")
	flag.StringVar(&b.method, "method", "", "path of the method")
	flag.StringVar(&b.lnd, "lnd", "", "host:port of the lnd that pays")
	flag.StringVar(&b.tls, "tls", "", "its certificate")
	flag.StringVar(&b.macaroon, "macaroon", "", "its admin macaroon")
	flag.StringVar(&b.store, "store", "", "folder for the token")
	flag.Int64Var(&b.maxSats, "max-sats", 100, "the most that is paid")
	flag.IntVar(&b.calls, "calls", 2, "calls of each kind")
	flag.Parse()
	if err := b.run(context.Background()); err != nil {
		lines.Event("failed", lines.Fields{"error": err.Error()})
		os.Exit(1)
	}
	lines.Event("done", nil)
}

func (b *buyer) run(ctx context.Context) error {
	services, err := lndclient.NewLndServices(&lndclient.LndServicesConfig{
		LndAddress:         b.lnd,
		Network:            lndclient.NetworkSimnet,
		CustomMacaroonPath: b.macaroon,
		TLSPath:            b.tls,
	})
	if err != nil {
		return fmt.Errorf("lnd: %w", err)
	}
	defer services.Close()
	store, err := l402.NewFileStore(b.store)
	if err != nil {
		return err
	}
	interceptor := l402.NewInterceptor(
		&services.LndServices, store, callTimeout,
		btcutil.Amount(b.maxSats), btcutil.Amount(b.maxSats), true,
	)
	conn, err := grpc.NewClient(
		b.target,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithUnaryInterceptor(interceptor.UnaryInterceptor),
		grpc.WithStreamInterceptor(interceptor.StreamInterceptor),
	)
	if err != nil {
		return err
	}
	defer conn.Close()
	for n := 0; n < b.calls; n++ {
		if err := b.unary(ctx, conn, n); err != nil {
			return fmt.Errorf("unary call %d: %w", n, err)
		}
		if err := b.stream(ctx, conn, n); err != nil {
			return fmt.Errorf("streaming call %d: %w", n, err)
		}
	}
	tokens, err := store.AllTokens()
	if err != nil {
		return err
	}
	for name, token := range tokens {
		lines.Event("token", lines.Fields{
			"file": name, "preimage": token.Preimage.String(),
			"paidMsat": uint64(token.AmountPaid),
		})
	}
	return nil
}

func (b *buyer) unary(ctx context.Context, conn *grpc.ClientConn, n int) error {
	sent := wrapperspb.Bytes([]byte(fmt.Sprintf("unary %d", n)))
	answer := &wrapperspb.BytesValue{}
	if err := conn.Invoke(ctx, b.method, sent, answer); err != nil {
		return err
	}
	return b.check("unary", sent.Value, answer.Value)
}

func (b *buyer) stream(ctx context.Context, conn *grpc.ClientConn, n int) error {
	desc := &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}
	call, err := conn.NewStream(ctx, desc, b.method)
	if err != nil {
		return err
	}
	sent := wrapperspb.Bytes([]byte(fmt.Sprintf("stream %d", n)))
	if err := call.SendMsg(sent); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if err := call.CloseSend(); err != nil {
		return err
	}
	answer := &wrapperspb.BytesValue{}
	if err := call.RecvMsg(answer); err != nil {
		return err
	}
	return b.check("stream", sent.Value, answer.Value)
}

func (b *buyer) check(kind string, sent, got []byte) error {
	if !bytes.Equal(sent, got) {
		return fmt.Errorf("%q came back for %q", got, sent)
	}
	lines.Event("call", lines.Fields{"kind": kind})
	return nil
}
