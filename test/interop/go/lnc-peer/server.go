package main

import (
	"fmt"
	"strings"

	"github.com/lightninglabs/lightning-node-connect/mailbox"
	"google.golang.org/grpc"
	"pinhole.invalid/interop/echo"
	"pinhole.invalid/interop/lines"
)

var serverStates = map[mailbox.ServerStatus]string{
	mailbox.ServerStatusNotConnected: "not connected",
	mailbox.ServerStatusInUse:        "in use",
	mailbox.ServerStatusIdle:         "idle",
}

// runServer serves the echo service behind a pairing phrase or stored keys until
// stdin ends or says stop; then the boxes are deleted.
func runServer(args []string) error {
	var s session
	if err := s.flags("server").Parse(args); err != nil {
		return err
	}
	s.useDebug()
	if s.phrase == "" {
		words, _, err := mailbox.NewPassphraseEntropy()
		if err != nil {
			return err
		}
		s.phrase = strings.Join(words[:], " ")
	}

	var authData []byte
	if s.macaroon != "" {
		authData = []byte("Macaroon: " + s.macaroon)
	}
	connData, err := s.connData(authData, nil)
	if err != nil {
		return err
	}

	listener, err := mailbox.NewServer(
		s.relay, connData, func(status mailbox.ServerStatus) {
			lines.Event("state", lines.Fields{
				"state": serverStates[status],
			})
		}, relayDialOption(),
	)
	if err != nil {
		return err
	}

	service := &echo.Server{Macaroon: s.macaroon}
	options := append(
		service.Options(), grpc.Creds(mailbox.NewNoiseGrpcConn(connData)),
	)
	server := grpc.NewServer(options...)
	service.Register(server)

	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()

	lines.Event("ready", lines.Fields{"phrase": s.phrase})

	stop := make(chan struct{})
	stdin := make(chan error, 1)
	go func() {
		stdin <- lines.Read(func(command lines.Command) {
			if command.Cmd == "stop" {
				close(stop)
			}
		})
	}()

	select {
	case err := <-served:
		return fmt.Errorf("serving ended: %w", err)
	case err = <-stdin:
	case <-stop:
	}
	server.Stop()
	lines.Event("stopped", nil)
	return err
}
