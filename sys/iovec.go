// SPDX-License-Identifier: Apache-2.0

package sys

import (
	"lodger/abi"
	"lodger/kernel"
)

// vector begins a transfer over an array of iovecs.
func vector(t *kernel.Task, a Args) (transfer, error) {
	v, err := userIovec(t, a[1], a[2])
	if err != nil {
		return transfer{}, err
	}
	x := transfer{vec: v, off: atPos}
	for _, s := range v {
		x.total += s.len
	}
	if len(v) == 1 { // the common short cut
		x.one, x.vec = v[0], nil
	}
	return x, nil
}

func (h *fileIO) readv(t *kernel.Task, a Args) (uint64, error) {
	return h.vectored(t, a, atPos, 0, h.startRead)
}

func (h *fileIO) writev(t *kernel.Task, a Args) (uint64, error) {
	return h.vectored(t, a, atPos, 0, h.startWrite)
}

// On 64-bit processors pos_l holds the whole offset; pos_h is shifted out.
func (h *fileIO) preadv(t *kernel.Task, a Args) (uint64, error) {
	if a.Int64(3) < 0 {
		return 0, abi.EINVAL
	}
	return h.vectored(t, a, a.Int64(3), 0, h.startRead)
}

func (h *fileIO) pwritev(t *kernel.Task, a Args) (uint64, error) {
	if a.Int64(3) < 0 {
		return 0, abi.EINVAL
	}
	return h.vectored(t, a, a.Int64(3), 0, h.startWrite)
}

func (h *fileIO) preadv2(t *kernel.Task, a Args) (uint64, error) {
	if a.Int64(3) < atPos {
		return 0, abi.EINVAL
	}
	return h.vectored(t, a, a.Int64(3), a.Uint(5), h.startRead)
}

func (h *fileIO) pwritev2(t *kernel.Task, a Args) (uint64, error) {
	if a.Int64(3) < atPos {
		return 0, abi.EINVAL
	}
	return h.vectored(t, a, a.Int64(3), a.Uint(5), h.startWrite)
}

func (h *fileIO) vectored(t *kernel.Task, a Args, off int64, flags uint32, start func(*kernel.Task, int, transfer) (uint64, error)) (uint64, error) {
	// A bad descriptor is told before bad memory.
	f, err := t.Files.Get(a.Int(0))
	if err != nil {
		return 0, err
	}
	f.DecRef()
	x, err := vector(t, a)
	if err != nil {
		return 0, err
	}
	if flags&^uint32(rwfKnown) != 0 {
		return 0, abi.EOPNOTSUPP
	}
	if flags&(rwfAPPEND|rwfNOAPPEND) == rwfAPPEND|rwfNOAPPEND {
		return 0, abi.EINVAL
	}
	x.off, x.flags = off, flags
	return start(t, a.Int(0), x)
}

func lseek(t *kernel.Task, a Args) (uint64, error) {
	f, err := t.Files.Get(a.Int(0))
	if err != nil {
		return 0, err
	}
	defer f.DecRef()
	n, err := f.Seek(t.Context(), a.Int64(1), a.Int(2))
	return uint64(n), err
}
