// Writes aperture.json: what gopkg.in/macaroon.v2 and Aperture's l402 package make of tokens, headers and
// caveats. Everything in it comes from fixed seeds, so that a second run writes the same bytes.
//
//	cd test/interop/go && go run ../../vectors/l402/generate.go > ../../vectors/l402/aperture.json
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"math/rand"
	"net/http"
	"os"
	"time"

	"github.com/lightninglabs/aperture/l402"
	"github.com/lightningnetwork/lnd/lntypes"
	"gopkg.in/macaroon.v2"
)

const now = 1_800_000_000

type token struct {
	RootKey     string   `json:"rootKey"`
	Preimage    string   `json:"preimage"`
	PaymentHash string   `json:"paymentHash"`
	TokenID     string   `json:"tokenId"`
	Caveats     []string `json:"caveats"`
	Identifier  string   `json:"identifier"`
	V2          string   `json:"v2"`
	V1          string   `json:"v1"`
}

type verdict struct {
	Caveats  []string `json:"caveats"`
	Service  string   `json:"service"`
	Accepted bool     `json:"accepted"`
}

type parsed struct {
	Bytes      string   `json:"bytes"`
	Accepted   bool     `json:"accepted"`
	Identifier string   `json:"identifier,omitempty"`
	Caveats    []string `json:"caveats,omitempty"`
	Signature  string   `json:"signature,omitempty"`
	Locations  []string `json:"locations,omitempty"`
	// Again is what the library writes for what it read: other bytes when the encoding had leeway.
	Again string `json:"again,omitempty"`
}

type header struct {
	Lines    [][2]string `json:"lines"`
	Accepted bool        `json:"accepted"`
	Macaroon string      `json:"macaroon,omitempty"`
	Preimage string      `json:"preimage,omitempty"`
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func random(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	must(io.ReadFull(r, b))
	return b
}

func encode(rootKey, id []byte, version macaroon.Version, caveats []string) *macaroon.Macaroon {
	// The library refuses to make a version 1 with an identifier that is no UTF-8, but reads one: libmacaroons
	// makes them. Take the version 2, which has the same signature, and write its packets.
	mac := must(macaroon.New(rootKey, id, "lsat", macaroon.V2))
	for _, c := range caveats {
		if err := mac.AddFirstPartyCaveat([]byte(c)); err != nil {
			panic(err)
		}
	}
	return mac
}

func packetV1(field string, data []byte) []byte {
	const digits = "0123456789abcdef"
	size := 4 + len(field) + 1 + len(data) + 1
	out := []byte{digits[size>>12], digits[size>>8&15], digits[size>>4&15], digits[size&15]}
	out = append(append(out, field...), ' ')
	return append(append(out, data...), '\n')
}

func v1(mac *macaroon.Macaroon) []byte {
	out := append(packetV1("location", []byte(mac.Location())), packetV1("identifier", mac.Id())...)
	for _, c := range mac.Caveats() {
		out = append(out, packetV1("cid", c.Id)...)
		if len(c.VerificationId) > 0 {
			out = append(out, packetV1("vid", c.VerificationId)...)
			out = append(out, packetV1("cl", []byte(c.Location))...)
		}
	}
	out = append(out, packetV1("signature", mac.Signature())...)
	var again macaroon.Macaroon
	if err := again.UnmarshalBinary(out); err != nil {
		panic(err)
	}
	if !bytes.Equal(must(again.MarshalBinary()), out) {
		panic("version 1 comes back otherwise")
	}
	return out
}

func newToken(r *rand.Rand, caveats ...string) token {
	rootKey, preimage := random(r, 32), random(r, 32)
	hash := sha256.Sum256(preimage)
	var id l402.TokenID
	copy(id[:], random(r, 32))
	identifier := l402.EncodeIdentifierBytes(lntypes.Hash(hash), id)
	mac := encode(rootKey, identifier, macaroon.V2, caveats)
	return token{
		RootKey: hex.EncodeToString(rootKey), Preimage: hex.EncodeToString(preimage),
		PaymentHash: hex.EncodeToString(hash[:]), TokenID: id.String(), Caveats: caveats,
		Identifier: hex.EncodeToString(identifier),
		V2:         hex.EncodeToString(must(mac.MarshalBinary())), V1: hex.EncodeToString(v1(mac)),
	}
}

func tokens(r *rand.Rand) []token {
	services := must(l402.NewServicesCaveat(l402.Service{Name: "paid"})).String()
	at := func() time.Time { return time.Unix(now, 0) }
	long := make([]byte, 300)
	for i := range long {
		long[i] = 'x'
	}
	return []token{
		newToken(r),
		newToken(r, services),
		newToken(r, services, l402.NewCapabilitiesCaveat("paid", "").String(),
			l402.NewTimeoutCaveat("paid", 31557600, at).String()),
		newToken(r, services, l402.NewCapabilitiesCaveat("paid", "read,write").String(), "region=eu", "plan=gold=1",
			l402.NewTimeoutCaveat("paid", 3600, at).String(), "paid_valid_until=1800000100"),
		newToken(r, services, "", "nothing", "=", "größe=ü€😀", "long="+string(long)),
	}
}

func judge(caveats []string, service string) verdict {
	var decoded []l402.Caveat
	for _, c := range caveats {
		if caveat, err := l402.DecodeCaveat(c); err == nil {
			decoded = append(decoded, caveat)
		}
	}
	err := l402.VerifyCaveats(decoded, l402.NewServicesSatisfier(service),
		l402.NewTimeoutSatisfier(service, func() time.Time { return time.Unix(now, 0) }))
	return verdict{Caveats: caveats, Service: service, Accepted: err == nil}
}

func verdicts(r *rand.Rand) []verdict {
	pool := []string{
		"services=paid:0", "services=paid:0", "services=paid:0,other:0", "services=other:0", "services=paid:0,other:0,third:0",
		"services=", "services=paid", "services=paid:x", "services=paid:0:0", "services=:0", "services=paid:0,", "services=Paid:0",
		"services= paid:0", "paid_valid_until=1800000001", "paid_valid_until=1800000001", "paid_valid_until=1800000000",
		"paid_valid_until=1799999999", "paid_valid_until=1900000000", "paid_valid_until=1900000000", "paid_valid_until=+1800000050",
		"paid_valid_until=01800000050", "paid_valid_until=-1", "paid_valid_until=", "paid_valid_until=soon", "paid_valid_until=1e10",
		"paid_valid_until= 1900000000", "paid_valid_until=9223372036854775807", "paid_valid_until=9223372036854775808",
		"other_valid_until=1", "valid_until=1", "region=eu", "plain", "=", "", "SERVICES=other:0", "paid_valid_until =1",
	}
	var out []verdict
	for _, c := range pool {
		out = append(out, judge([]string{"services=paid:0", c}, "paid"), judge([]string{c}, "paid"))
	}
	for range 300 {
		list := []string{"services=paid:0,other:0", "paid_valid_until=1900000000"}
		for range r.Intn(5) {
			list = append(list, pool[r.Intn(len(pool))])
		}
		out = append(out, judge(list, []string{"paid", "paid", "paid", "other"}[r.Intn(4)]))
	}
	return out
}

func parse(data []byte) parsed {
	var mac macaroon.Macaroon
	out := parsed{Bytes: hex.EncodeToString(data)}
	if err := mac.UnmarshalBinary(data); err != nil {
		return out
	}
	out.Accepted = true
	out.Identifier = hex.EncodeToString(mac.Id())
	out.Signature = hex.EncodeToString(mac.Signature())
	out.Again = hex.EncodeToString(must(mac.MarshalBinary()))
	out.Caveats = []string{}
	out.Locations = []string{hex.EncodeToString([]byte(mac.Location()))}
	for _, c := range mac.Caveats() {
		if len(c.VerificationId) > 0 {
			out.Locations = append(out.Locations, hex.EncodeToString([]byte(c.Location)))
			out.Caveats = append(out.Caveats, "third party")
			continue
		}
		out.Caveats = append(out.Caveats, hex.EncodeToString(c.Id))
	}
	return out
}

func parsings(r *rand.Rand, from []token) []parsed {
	var out []parsed
	third := must(macaroon.New([]byte("key"), []byte("id"), "lsat", macaroon.V2))
	if err := third.AddThirdPartyCaveat([]byte("shared"), []byte("ask them"), "https://third.example"); err != nil {
		panic(err)
	}
	// The nonce of a third party's caveat is random: keep its length, not its bytes.
	fixed := bytes.Replace(must(third.MarshalBinary()), third.Caveats()[0].VerificationId, make([]byte, 72), 1)
	fixed = append(fixed[:len(fixed)-32], make([]byte, 32)...)
	var again macaroon.Macaroon
	if err := again.UnmarshalBinary(fixed); err != nil {
		panic(err)
	}
	seeds := [][]byte{fixed, v1(&again)}
	for _, t := range from[:4] {
		seeds = append(seeds, must(hex.DecodeString(t.V2)), must(hex.DecodeString(t.V1)))
	}
	for _, seed := range seeds {
		out = append(out, parse(seed))
	}
	for range 250 {
		seed := append([]byte(nil), seeds[r.Intn(len(seeds))]...)
		for range 1 + r.Intn(2) {
			at := r.Intn(len(seed))
			switch r.Intn(5) {
			case 0:
				seed[at] = byte(r.Intn(256))
			case 1:
				seed[at] = []byte{0, 1, 2, 4, 6}[r.Intn(5)]
			case 2:
				seed = append(seed[:at], seed[at+1:]...)
			case 3:
				seed = append(seed[:at], append([]byte{byte(r.Intn(8))}, seed[at:]...)...)
			case 4:
				seed = seed[:at+1]
			}
		}
		out = append(out, parse(seed))
	}
	return out
}

func read(lines ...[2]string) header {
	h := http.Header{}
	for _, line := range lines {
		h.Add(line[0], line[1])
	}
	out := header{Lines: lines}
	mac, preimage, err := l402.FromHeader(&h)
	if err != nil {
		return out
	}
	out.Accepted = true
	out.Macaroon = hex.EncodeToString(must(mac.MarshalBinary()))
	out.Preimage = preimage.String()
	return out
}

func headers(t token) []header {
	mac := must(hex.DecodeString(t.V2))
	b64 := base64.StdEncoding.EncodeToString(mac)
	var carrying macaroon.Macaroon
	if err := carrying.UnmarshalBinary(mac); err != nil {
		panic(err)
	}
	for _, preimage := range []string{"00", t.Preimage} {
		err := l402.AddFirstPartyCaveats(&carrying, l402.NewCaveat(l402.PreimageKey, preimage))
		if err != nil {
			panic(err)
		}
	}
	inHex := hex.EncodeToString(must(carrying.MarshalBinary()))
	const auth = "Authorization"
	return []header{
		read([2]string{auth, "L402 " + b64 + ":" + t.Preimage}),
		read([2]string{auth, "LSAT " + b64 + ":" + t.Preimage}),
		read([2]string{auth, "LSAT " + b64 + ":" + t.Preimage}, [2]string{auth, "L402 " + b64 + ":" + t.Preimage}),
		read([2]string{auth, "Basic YTpi"}, [2]string{auth, "L402 " + b64 + ":" + t.Preimage}),
		read([2]string{"Grpc-Metadata-Macaroon", inHex}),
		read([2]string{"Macaroon", inHex}),
		read([2]string{"Macaroon", t.V2}),
		read([2]string{auth, "Basic YTpi"}),
		read([2]string{auth, "L402 " + b64}),
		read([2]string{auth, "L402 " + b64 + ":" + t.Preimage[:62]}),
		read([2]string{auth, "L402 " + b64[:40] + ":" + t.Preimage}),
		read([2]string{auth, "L402 :" + t.Preimage}),
		read(),
	}
}

func main() {
	r := rand.New(rand.NewSource(402))
	made := tokens(r)
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	if err := out.Encode(map[string]any{
		"description": "gopkg.in/macaroon.v2 v2.1.0 and github.com/lightninglabs/aperture/l402 v0.5.0, by generate.go beside this file; now = 1800000000 s",
		"now":         now,
		"tokens":      made,
		"verdicts":    verdicts(r),
		"parsings":    parsings(r, made),
		"headers":     headers(made[2]),
	}); err != nil {
		panic(err)
	}
}
