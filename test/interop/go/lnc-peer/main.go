// Command lnc-peer is one end of an LNC connection on the official Go modules.
//
//	lnc-peer server --relay HOST:PORT [--phrase WORDS] [--local-key HEX] [--remote-key HEX] [--macaroon HEX]
//	lnc-peer client --relay HOST:PORT --transport websocket|grpc [--phrase WORDS] [--local-key HEX] [--remote-key HEX]
//	lnc-peer bench-client, as client, with the bounds of the run
//
// Commands come as lines on stdin, answers and events go to stdout; ../README.md
// lists them. The process ends when its stdin does.
package main

import (
	"crypto/tls"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btclog/v2"
	"github.com/lightninglabs/lightning-node-connect/gbn"
	"github.com/lightninglabs/lightning-node-connect/mailbox"
	"github.com/lightningnetwork/lnd/keychain"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"pinhole.invalid/interop/lines"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "lnc-peer:", err)
		os.Exit(1)
	}
}

func run() error {
	if len(os.Args) < 2 {
		return errors.New("server, client or bench-client?")
	}
	switch os.Args[1] {
	case "server":
		return runServer(os.Args[2:])
	case "client":
		return runClient(os.Args[2:])
	case "bench-client":
		return runBench(os.Args[2:])
	default:
		return fmt.Errorf("unknown command %q", os.Args[1])
	}
}

// session is what both ends are told on the command line.
type session struct {
	relay     string
	transport string
	phrase    string
	localKey  string
	remoteKey string
	macaroon  string
	debug     bool
}

func (s *session) flags(name string) *flag.FlagSet {
	set := flag.NewFlagSet(name, flag.ContinueOnError)
	set.StringVar(&s.relay, "relay", "", "host:port of the relay")
	set.StringVar(&s.transport, "transport", "websocket",
		"websocket or grpc (client)")
	set.StringVar(&s.phrase, "phrase", "", "pairing phrase")
	set.StringVar(&s.localKey, "local-key", "", "own static key, hex")
	set.StringVar(&s.remoteKey, "remote-key", "", "peer's static key, hex")
	set.StringVar(&s.macaroon, "macaroon", "",
		"hex, given as auth data and demanded with each call (server)")
	set.BoolVar(&s.debug, "debug", false, "logs of the modules to stderr")
	return set
}

// keys parses the two static keys; a missing own key is drawn.
func (s *session) keys() (*btcec.PrivateKey, *btcec.PublicKey, error) {
	var remote *btcec.PublicKey
	if s.remoteKey != "" {
		raw, err := hex.DecodeString(s.remoteKey)
		if err != nil {
			return nil, nil, err
		}
		if remote, err = btcec.ParsePubKey(raw); err != nil {
			return nil, nil, err
		}
	}
	if s.localKey == "" {
		local, err := btcec.NewPrivateKey()
		return local, remote, err
	}
	raw, err := hex.DecodeString(s.localKey)
	if err != nil {
		return nil, nil, err
	}
	local, _ := btcec.PrivKeyFromBytes(raw)
	return local, remote, nil
}

func (s *session) entropy() []byte {
	var words [mailbox.NumPassphraseWords]string
	copy(words[:], strings.Split(s.phrase, " "))
	entropy := mailbox.PassphraseMnemonicToEntropy(words)
	return entropy[:]
}

// connData is what the module keeps of a session. The keys are told when the
// handshake has shown the peer's.
func (s *session) connData(authData []byte,
	onAuth func([]byte) error) (*mailbox.ConnData, error) {

	local, remote, err := s.keys()
	if err != nil {
		return nil, err
	}
	onRemote := func(key *btcec.PublicKey) error {
		lines.Event("paired", lines.Fields{
			"localKey":  hex.EncodeToString(local.Serialize()),
			"remoteKey": hex.EncodeToString(key.SerializeCompressed()),
		})
		return nil
	}
	return mailbox.NewConnData(
		&keychain.PrivKeyECDH{PrivKey: local}, remote, s.entropy(),
		authData, onRemote, onAuth,
	), nil
}

func (s *session) useDebug() {
	if !s.debug {
		return
	}
	logger := btclog.NewSLogger(btclog.NewDefaultHandler(os.Stderr))
	logger.SetLevel(btclog.LevelDebug)
	mailbox.UseLogger(logger)
	gbn.UseLogger(logger)
}

// Relays under test have certificates that they signed themselves.
func relayDialOption() grpc.DialOption {
	return grpc.WithTransportCredentials(
		credentials.NewTLS(&tls.Config{InsecureSkipVerify: true}),
	)
}

// The module's WebSocket client takes http.DefaultTransport as it is.
func trustAnyRelay() {
	if transport, ok := http.DefaultTransport.(*http.Transport); ok {
		transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: true}
	}
}
