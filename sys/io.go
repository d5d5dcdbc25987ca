// SPDX-License-Identifier: Apache-2.0

package sys

import (
	"math"

	"lodger/abi"
	"lodger/fs"
	"lodger/host"
	"lodger/kernel"
	"lodger/lib/wait"
)

// Flags of preadv2(2), include/uapi/linux/fs.h.
const (
	rwfHIPRI     = 0x01
	rwfDSYNC     = 0x02
	rwfSYNC      = 0x04
	rwfNOWAIT    = 0x08
	rwfAPPEND    = 0x10
	rwfNOAPPEND  = 0x20
	rwfDONTCACHE = 0x80
	rwfKnown     = rwfHIPRI | rwfDSYNC | rwfSYNC | rwfNOWAIT | rwfAPPEND | rwfNOAPPEND
)

// atPos as a transfer's offset means the file's own position.
const atPos = -1

// transfer is one call of the read or write family. It is passed by value on the
// way that does not sleep, so that it stays on the stack.
type transfer struct {
	t     *kernel.Task
	f     *fs.File
	one   span   // the memory, when vec is nil
	vec   []span // the memory
	total uint64
	off   int64 // atPos or an offset
	flags uint32
	done  uint64 // bytes moved so far
}

// Events that make a sleeping reader or writer look again.
const (
	readEvents  = wait.Mask(abi.POLLIN | abi.POLLRDNORM | abi.POLLPRI | abi.POLLHUP | abi.POLLERR | abi.POLLRDHUP)
	writeEvents = wait.Mask(abi.POLLOUT | abi.POLLWRNORM | abi.POLLHUP | abi.POLLERR)
)

func (x *transfer) nonblock() bool {
	return x.f.Nonblock() || x.flags&rwfNOWAIT != 0 || x.f.Queue() == nil
}

// copyOut stores b at position at of the transfer's memory. It returns how much
// went there: less than all with EFAULT.
func (x *transfer) copyOut(at uint64, b []byte) (int, error) {
	if x.vec == nil {
		return copyOutSome(x.t, x.one.addr+at, b)
	}
	var some [maxPieces]host.Piece
	n := x.t.CopyOutPieces(pieces(some[:0], x.vec, at, b))
	rest := b[n:]
	err := eachPiece(x.vec, at+uint64(n), len(rest), func(addr uint64, from, to int) error {
		c, err := copyOutSome(x.t, addr, rest[from:to])
		n += c
		return err
	})
	return n, err
}

// copyOutSome is Task.CopyOut that tells how much went there before a page that
// cannot be written.
func copyOutSome(t *kernel.Task, addr uint64, b []byte) (int, error) {
	err := t.CopyOut(addr, b)
	if err == nil {
		return len(b), nil
	}
	n := 0
	for n < len(b) {
		page := min(len(b)-n, int(pageSize-(addr+uint64(n))%pageSize))
		if t.CopyOut(addr+uint64(n), b[n:n+page]) != nil {
			break
		}
		n += page
	}
	return n, err
}

// copyIn fills b from position at of the transfer's memory and returns how much
// could be read, with EFAULT if nothing.
func (x *transfer) copyIn(at uint64, b []byte) (int, error) {
	if x.vec == nil {
		return x.t.CopyInSome(x.one.addr+at, b)
	}
	var some [maxPieces]host.Piece
	return x.t.CopyInPieces(pieces(some[:0], x.vec, at, b))
}

// maxPieces is how many pieces of a vector need no allocation.
const maxPieces = 8

// pieces appends what of vec positions at to at+len(b) fall on, with their parts
// of b.
func pieces(p []host.Piece, vec []span, at uint64, b []byte) []host.Piece {
	_ = eachPiece(vec, at, len(b), func(addr uint64, from, to int) error {
		p = append(p, host.Piece{Addr: addr, Buf: b[from:to]})
		return nil
	})
	return p
}

// eachPiece calls f for the pieces of vec that positions at to at+n fall on; from
// and to count from at.
func eachPiece(vec []span, at uint64, n int, f func(addr uint64, from, to int) error) error {
	from := 0
	for _, s := range vec {
		if at >= s.len {
			at -= s.len
			continue
		}
		if from == n {
			break
		}
		to := from + int(min(s.len-at, uint64(n-from)))
		if err := f(s.addr+at, from, to); err != nil {
			return err
		}
		from, at = to, 0
	}
	return nil
}

func (h *fileIO) read(t *kernel.Task, a Args) (uint64, error) {
	return h.startRead(t, a.Int(0), transfer{one: span{a[1], a[2]}, total: a[2], off: atPos})
}

func (h *fileIO) pread64(t *kernel.Task, a Args) (uint64, error) {
	if a.Int64(3) < 0 {
		return 0, abi.EINVAL
	}
	return h.startRead(t, a.Int(0), transfer{one: span{a[1], a[2]}, total: a[2], off: a.Int64(3)})
}

func (h *fileIO) write(t *kernel.Task, a Args) (uint64, error) {
	return h.startWrite(t, a.Int(0), transfer{one: span{a[1], a[2]}, total: a[2], off: atPos})
}

func (h *fileIO) pwrite64(t *kernel.Task, a Args) (uint64, error) {
	if a.Int64(3) < 0 {
		return 0, abi.EINVAL
	}
	return h.startWrite(t, a.Int(0), transfer{one: span{a[1], a[2]}, total: a[2], off: a.Int64(3)})
}

// startRead performs a read, and sleeps if it must.
func (h *fileIO) startRead(t *kernel.Task, fd int, x transfer) (uint64, error) {
	f, err := t.Files.Get(fd)
	if err != nil {
		return 0, err
	}
	x.t, x.f = t, f
	if err := x.check(f.Readable()); err != nil {
		f.DecRef()
		return 0, err
	}
	n, err := h.tryRead(x)
	if err == abi.EAGAIN && !x.nonblock() {
		return h.sleepRead(x)
	}
	f.DecRef()
	return n, err
}

// check is what vfs_read and vfs_write check of the memory, after the mode.
func (x *transfer) check(mode bool) error {
	if !mode || x.f.IsPath() {
		return abi.EBADF
	}
	if x.vec == nil {
		if !userRange(x.one.addr, x.one.len) {
			return abi.EFAULT
		}
		x.total = min(x.total, maxRW)
		x.one.len = x.total
	}
	if x.off >= 0 && x.total > uint64(math.MaxInt64-x.off) {
		return abi.EINVAL
	}
	if x.vec == nil {
		return x.f.CheckDirect(x.off, x.total)
	}
	for _, s := range x.vec {
		if err := x.f.CheckDirect(x.off, s.len); err != nil {
			return err
		}
	}
	return nil
}

func (h *fileIO) sleepRead(x transfer) (uint64, error) {
	return x.t.Sleep(kernel.Sleep{
		Try:     func() (uint64, error) { return again(h.tryRead(x)) },
		On:      []kernel.Source{{Queue: queueOf(x.t, x.f), Mask: readEvents}},
		Cleanup: func(bool) { x.f.DecRef() },
		Tried:   true,
	})
}

// again makes a stream's EAGAIN a reason to sleep on.
func again(n uint64, err error) (uint64, error) {
	if err == abi.EAGAIN {
		err = kernel.Again
	}
	return n, err
}

// tryRead reads once from a stream, or chunk by chunk from a file.
func (h *fileIO) tryRead(x transfer) (uint64, error) {
	loan, buf := h.get(int(x.total))
	defer h.put(loan)
	for {
		b := buf[:min(uint64(len(buf)), x.total-x.done)]
		n, err := x.readOnce(b)
		if n > 0 {
			out, cerr := x.copyOut(x.done, b[:n])
			if out < n {
				x.giveBack(n - out)
			}
			x.done += uint64(out)
			if cerr != nil {
				return x.result(cerr)
			}
		}
		if err != nil || n < len(b) || x.done == x.total || isStream(x.f) {
			return x.result(err)
		}
	}
}

func (x *transfer) readOnce(b []byte) (int, error) {
	if x.off == atPos {
		return x.f.Read(x.t.Context(), b)
	}
	return x.f.Pread(x.t.Context(), b, x.off+int64(x.done))
}

// giveBack undoes the move of the position over bytes that had nowhere to go.
func (x *transfer) giveBack(n int) {
	if x.off == atPos {
		_, _ = x.f.Seek(x.t.Context(), -int64(n), abi.SEEK_CUR)
	}
}

// result is what the call returns: an error only if nothing was moved.
func (x *transfer) result(err error) (uint64, error) {
	if x.done > 0 {
		return x.done, nil
	}
	return 0, err
}

// isStream reports whether f is a pipe, socket, terminal or the like, whose
// reads end at the first piece of data.
func isStream(f *fs.File) bool {
	switch f.Kind() {
	case abi.S_IFREG, abi.S_IFDIR, abi.S_IFBLK:
		return false
	}
	return true
}

// startWrite performs a write, and sleeps if it must.
func (h *fileIO) startWrite(t *kernel.Task, fd int, x transfer) (uint64, error) {
	f, err := t.Files.Get(fd)
	if err != nil {
		return 0, err
	}
	x.t, x.f = t, f
	if err := x.check(f.Writable()); err != nil {
		f.DecRef()
		return 0, err
	}
	if k := f.Kind(); k == abi.S_IFREG || k == abi.S_IFBLK {
		n, err := h.writeFile(x)
		f.DecRef()
		return n, err
	}
	n, err := h.writeStream(&x)
	if err == abi.EAGAIN && !x.nonblock() {
		return h.sleepWrite(x)
	}
	f.DecRef()
	if n == 0 {
		return x.result(err)
	}
	return n, nil
}
