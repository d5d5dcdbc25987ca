// SPDX-License-Identifier: Apache-2.0

package sys

import "sync"

// Sizes of the buffers that bytes pass through between guest and file system.
const (
	smallIO = 64 << 10
	bigIO   = 1 << 20
)

// fileIO holds the handlers that move data, and their buffers: reads and writes
// up to 64 KiB do not allocate.
type fileIO struct {
	small sync.Pool // *[smallIO]byte
	big   sync.Pool // *[bigIO]byte
}

func newFileIO() *fileIO {
	return &fileIO{
		small: sync.Pool{New: func() any { return new([smallIO]byte) }},
		big:   sync.Pool{New: func() any { return new([bigIO]byte) }},
	}
}

// buffer is a buffer on loan.
type buffer struct {
	small *[smallIO]byte
	big   *[bigIO]byte
}

// get lends a buffer for n bytes; it holds fewer if n is above 1 MiB.
func (f *fileIO) get(n int) (buffer, []byte) {
	if n <= smallIO {
		b := f.small.Get().(*[smallIO]byte)
		return buffer{small: b}, b[:n]
	}
	b := f.big.Get().(*[bigIO]byte)
	return buffer{big: b}, b[:min(n, bigIO)]
}

func (f *fileIO) put(b buffer) {
	if b.small != nil {
		f.small.Put(b.small)
	} else {
		f.big.Put(b.big)
	}
}
