package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"net/http"

	"github.com/coder/websocket"
	"github.com/lightninglabs/lightning-node-connect/hashmailrpc"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
)

// Relays under load have certificates that they signed themselves.
var tlsConfig = &tls.Config{InsecureSkipVerify: true}

const maxTextBytes = 8 << 20

type grpcRelay struct {
	conn   *grpc.ClientConn
	client hashmailrpc.HashMailClient
}

func dialRelay(address string) (*grpcRelay, error) {
	conn, err := grpc.NewClient(
		"passthrough:///"+address,
		grpc.WithTransportCredentials(credentials.NewTLS(tlsConfig)),
	)
	if err != nil {
		return nil, err
	}
	return &grpcRelay{conn, hashmailrpc.NewHashMailClient(conn)}, nil
}

func boxAuth(id []byte) *hashmailrpc.CipherBoxAuth {
	return &hashmailrpc.CipherBoxAuth{
		Desc: &hashmailrpc.CipherBoxDesc{StreamId: id},
		Auth: &hashmailrpc.CipherBoxAuth_LndAuth{
			LndAuth: &hashmailrpc.LndAuth{},
		},
	}
}

func (r *grpcRelay) create(ctx context.Context, id []byte) error {
	_, err := r.client.NewCipherBox(ctx, boxAuth(id))
	return err
}

func (r *grpcRelay) remove(ctx context.Context, id []byte) error {
	_, err := r.client.DelCipherBox(ctx, boxAuth(id))
	return err
}

type grpcSender struct {
	desc   *hashmailrpc.CipherBoxDesc
	stream hashmailrpc.HashMail_SendStreamClient
}

func (r *grpcRelay) sender(ctx context.Context, id []byte) (sender, error) {
	stream, err := r.client.SendStream(ctx)
	return &grpcSender{
		&hashmailrpc.CipherBoxDesc{StreamId: id}, stream,
	}, err
}

func (s *grpcSender) send(message []byte) error {
	return s.stream.Send(&hashmailrpc.CipherBox{Desc: s.desc, Msg: message})
}

type grpcReceiver struct {
	stream hashmailrpc.HashMail_RecvStreamClient
}

func (r *grpcRelay) receiver(ctx context.Context, id []byte) (receiver, error) {
	stream, err := r.client.RecvStream(
		ctx, &hashmailrpc.CipherBoxDesc{StreamId: id},
	)
	return &grpcReceiver{stream}, err
}

func (r *grpcReceiver) receive() ([]byte, error) {
	got, err := r.stream.Recv()
	return got.GetMsg(), err
}

// The JSON of the WebSocket face is written and cut by hand, so that the load
// comes cheaper than what it loads.
type webSocket struct {
	ctx    context.Context //nolint:containedctx
	conn   *websocket.Conn
	prefix []byte
}

func dialWebSocket(ctx context.Context, relay, end string) (*websocket.Conn,
	error) {

	conn, _, err := websocket.Dial(
		ctx, fmt.Sprintf(
			"wss://%s/v1/lightning-node-connect/hashmail/%s?method=POST",
			relay, end,
		), &websocket.DialOptions{HTTPClient: &http.Client{
			Transport: &http.Transport{TLSClientConfig: tlsConfig},
		}},
	)
	if err == nil {
		conn.SetReadLimit(maxTextBytes)
	}
	return conn, err
}

func websocketSender(ctx context.Context, relay string,
	id []byte) (sender, error) {

	conn, err := dialWebSocket(ctx, relay, "send")
	if err != nil {
		return nil, err
	}
	// Read, so that pings are answered and an error ends the connection.
	conn.CloseRead(ctx)
	text := base64.StdEncoding.EncodeToString(id)
	return &webSocket{
		ctx, conn, []byte(`{"desc":{"stream_id":"` + text + `"},"msg":"`),
	}, nil
}

func (w *webSocket) send(message []byte) error {
	size := len(w.prefix) + base64.StdEncoding.EncodedLen(len(message)) + 2
	text := make([]byte, 0, size)
	text = append(text, w.prefix...)
	text = base64.StdEncoding.AppendEncode(text, message)
	text = append(text, `"}`...)
	return w.conn.Write(w.ctx, websocket.MessageText, text)
}

func websocketReceiver(ctx context.Context, relay string,
	id []byte) (receiver, error) {

	conn, err := dialWebSocket(ctx, relay, "receive")
	if err != nil {
		return nil, err
	}
	text := base64.StdEncoding.EncodeToString(id)
	err = conn.Write(
		ctx, websocket.MessageText, []byte(`{"stream_id":"`+text+`"}`),
	)
	return &webSocket{ctx, conn, nil}, err
}

var msgKey = []byte(`"msg":`)

func (w *webSocket) receive() ([]byte, error) {
	_, text, err := w.conn.Read(w.ctx)
	if err != nil {
		return nil, err
	}
	at := bytes.Index(text, msgKey)
	if at < 0 {
		return nil, fmt.Errorf("no message in %.200q", text)
	}
	value := bytes.TrimLeft(text[at+len(msgKey):], " ")
	end := -1
	if len(value) > 0 && value[0] == '"' {
		value = value[1:]
		end = bytes.IndexByte(value, '"')
	}
	if end < 0 {
		return nil, fmt.Errorf("no message in %.200q", text)
	}
	return base64.StdEncoding.AppendDecode(nil, value[:end])
}
