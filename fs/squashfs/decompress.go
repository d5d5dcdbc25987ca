// SPDX-License-Identifier: Apache-2.0

package squashfs

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/anchore/go-lzo"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"

	"lodger/lib/lz4"
)

// decompressor fills dst with what src holds, and gives how much it was; more than
// dst can hold is an error.
type decompressor func(dst, src []byte) (int, error)

var errTooLong = errors.New("decompressed block is too long")

// newDecompressor is squashfs_lookup_decompressor. blockSize bounds the dictionary.
func newDecompressor(id uint16, blockSize int) (decompressor, error) {
	switch id {
	case 1:
		return guard(newZlib()), nil
	case 3:
		return guard(func(dst, src []byte) (int, error) { return lzo.Decompress(src, dst) }), nil
	case 4:
		return guard(func(dst, src []byte) (int, error) { return unxz(dst, src, max(blockSize, metaSize)) }), nil
	case 5:
		return guard(func(dst, src []byte) (int, error) { return lz4.Decode(dst, src, false) }), nil
	case 6:
		return newZstd(blockSize)
	}
	return nil, fmt.Errorf("compression %d is not supported: only gzip (1), lzo (3), xz (4), lz4 (5) and zstd (6) are", id)
}

// guard makes a panic of a library an error, and checks what it says.
func guard(d decompressor) decompressor {
	return func(dst, src []byte) (n int, err error) {
		defer func() {
			if r := recover(); r != nil {
				n, err = 0, fmt.Errorf("decompressor: %v", r)
			}
		}()
		if n, err = d(dst, src); err == nil && (n < 0 || n > len(dst)) {
			err = errTooLong
		}
		return n, err
	}
}

func newZlib() decompressor {
	pool := &sync.Pool{}
	return func(dst, src []byte) (int, error) {
		in := bytes.NewReader(src)
		r, _ := pool.Get().(io.ReadCloser)
		var err error
		if r == nil {
			r, err = zlib.NewReader(in)
		} else {
			err = r.(zlib.Resetter).Reset(in, nil)
		}
		if err != nil {
			return 0, err
		}
		n, err := readAll(r, dst)
		pool.Put(r)
		return n, err
	}
}

// readAll reads what r has into dst.
func readAll(r io.Reader, dst []byte) (int, error) {
	n, err := io.ReadFull(r, dst)
	switch {
	case err == io.EOF || err == io.ErrUnexpectedEOF && n < len(dst):
		// ReadFull says the same of a stream that is cut off; whoever knows how much
		// must come compares.
		return n, nil
	case err != nil:
		return n, err
	}
	var more [1]byte
	if m, err := io.ReadFull(r, more[:]); m > 0 {
		return n, errTooLong
	} else if err != io.EOF {
		return n, err
	}
	return n, nil
}

// unxz decodes an xz stream of one block, as mksquashfs makes it. The dictionary that
// the stream asks for is looked at first: the library would allocate any.
func unxz(dst, src []byte, maxDict int) (int, error) {
	const streamHeader = 12
	if len(src) < streamHeader+8 {
		return 0, io.ErrUnexpectedEOF
	}
	h := src[streamHeader:]
	size := (int(h[0]) + 1) * 4
	if h[0] == 0 || size > len(h) || h[1]&0x3f != 0 {
		return 0, errors.New("xz: unknown block header or branch filter")
	}
	f := h[2:size]
	for _, has := range []byte{0x40, 0x80} { // optional sizes
		if h[1]&has != 0 {
			for len(f) > 0 && f[0]&0x80 != 0 {
				f = f[1:]
			}
			if len(f) > 0 {
				f = f[1:]
			}
		}
	}
	if len(f) < 3 || f[0] != 0x21 || f[1] != 1 || f[2] > 40 {
		return 0, errors.New("xz: the filter is not LZMA2")
	}
	if dict := (2 | int64(f[2]&1)) << (f[2]/2 + 11); dict > int64(maxDict) {
		return 0, fmt.Errorf("xz: dictionary of %d bytes", dict)
	}
	r, err := xz.ReaderConfig{DictCap: maxDict, SingleStream: true}.NewReader(bytes.NewReader(src))
	if err != nil {
		return 0, err
	}
	return readAll(r, dst)
}

func newZstd(blockSize int) (decompressor, error) {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxWindow(uint64(max(blockSize, metaSize))), zstd.WithDecodeAllCapLimit(true))
	if err != nil {
		return nil, err
	}
	return guard(func(dst, src []byte) (int, error) {
		out, err := d.DecodeAll(src, dst[:0:len(dst)])
		if err != nil {
			return 0, err
		}
		if len(out) > 0 && &out[0] != &dst[0] {
			return 0, errTooLong
		}
		return len(out), nil
	}), nil
}
