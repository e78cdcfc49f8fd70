package echo

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"sync"
)

const (
	// ChunkBytes is the size of every message of a transfer but the last.
	ChunkBytes = 32 * 1024

	// periodBytes is where the pattern starts again.
	periodBytes = 1 << 24
)

// Byte at of the pattern. No two blocks of a power of two below the period are
// alike, so a block that is lost, doubled or moved shows.
func patternByte(at int) byte {
	return byte(at*167 + (at>>8)*59 + (at>>16)*113)
}

// One period, made once, so that timed transfers do not pay for it.
var period = sync.OnceValue(func() []byte {
	bytes := make([]byte, periodBytes)
	for at := range bytes {
		bytes[at] = patternByte(at)
	}
	return bytes
})

// Digest sums a transfer as it passes.
type Digest struct {
	sum   hash.Hash
	bytes uint64
}

// NewDigest starts a sum.
func NewDigest() *Digest {
	return &Digest{sum: sha256.New()}
}

// Add takes the next block.
func (d *Digest) Add(block []byte) {
	d.sum.Write(block)
	d.bytes += uint64(len(block))
}

// String is "<length> <SHA-256 in hex>", what Upload answers.
func (d *Digest) String() string {
	return fmt.Sprintf("%d %s", d.bytes, hex.EncodeToString(d.sum.Sum(nil)))
}

// PatternDigest is the digest of the first n bytes of the pattern.
func PatternDigest(n uint64) string {
	digest := NewDigest()
	_ = eachChunk(n, func(chunk []byte) error {
		digest.Add(chunk)
		return nil
	})
	return digest.String()
}

func eachChunk(n uint64, use func([]byte) error) error {
	for offset := uint64(0); offset < n; offset += ChunkBytes {
		start := offset % periodBytes
		chunk := period()[start : start+min(ChunkBytes, n-offset)]
		if err := use(chunk); err != nil {
			return err
		}
	}
	return nil
}
