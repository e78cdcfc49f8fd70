package main

import (
	"bytes"
	"crypto/tls"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"pinhole.invalid/interop/echo"
)

const (
	bodyBytes     = 900
	transferChunk = 256 * 1024
	maxHeadBytes  = 64 * 1024
)

// upstream serves 900 bytes of JSON on one port, large bodies on another and gRPC
// over TLS on a third.
func upstream(set *flag.FlagSet) func() error {
	cert := set.String("cert", "", "certificate of the gRPC port")
	key := set.String("key", "", "its key")
	return func() error {
		small, err := listen(serveSmall)
		if err != nil {
			return err
		}
		large, err := listen(func(l net.Listener) error {
			return http.Serve(l, http.HandlerFunc(serveLarge))
		})
		if err != nil {
			return err
		}
		pair, err := tls.LoadX509KeyPair(*cert, *key)
		if err != nil {
			return err
		}
		server := grpc.NewServer(
			grpc.Creds(credentials.NewServerTLSFromCert(&pair)),
		)
		(&echo.Server{}).Register(server)
		calls, err := listen(server.Serve)
		if err != nil {
			return err
		}
		err = report(map[string]any{
			"small": small, "large": large, "grpc": calls,
		})
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, os.Stdin)
		return err
	}
}

func listen(serve func(net.Listener) error) (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	go func() {
		fmt.Fprintln(os.Stderr, "proxy-bench:", serve(listener))
	}()
	return listener.Addr().(*net.TCPAddr).Port, nil
}

// serveSmall knows requests without a body only, and so costs next to nothing.
func serveSmall(listener net.Listener) error {
	body := `{"filling":"` + strings.Repeat("x", bodyBytes-14) + `"}`
	answer := []byte("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" +
		"Date: Sat, 21 Nov 2026 12:00:00 GMT\r\nContent-Length: " +
		strconv.Itoa(len(body)) + "\r\n\r\n" + body)
	for {
		conn, err := listener.Accept()
		if err != nil {
			return err
		}
		go answerAll(conn, answer)
	}
}

func answerAll(conn net.Conn, answer []byte) {
	defer conn.Close()
	head := make([]byte, maxHeadBytes)
	held := 0
	for held < len(head) {
		n, err := conn.Read(head[held:])
		if err != nil {
			return
		}
		held += n
		for {
			end := bytes.Index(head[:held], []byte("\r\n\r\n"))
			if end < 0 {
				break
			}
			held = copy(head, head[end+4:held])
			if _, err := conn.Write(answer); err != nil {
				return
			}
		}
	}
}

// serveLarge gives as many bytes as the path says, or takes what there is.
func serveLarge(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		n, err := io.Copy(io.Discard, r.Body)
		if err == nil {
			fmt.Fprint(w, n)
		}
		return
	}
	last := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	left, err := strconv.Atoi(last)
	if err != nil {
		http.Error(w, "how many bytes?", http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Length", last)
	chunk := make([]byte, transferChunk)
	for left > 0 {
		n, err := w.Write(chunk[:min(left, len(chunk))])
		if err != nil {
			return
		}
		left -= n
	}
}
