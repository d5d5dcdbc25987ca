// SPDX-License-Identifier: Apache-2.0

package sys

import (
	"lodger/abi"
	"lodger/fs"
	"lodger/kernel"
)

// Flags of splice(2).
const (
	spliceNonblock = 2
	spliceKnown    = 0xf // MOVE, NONBLOCK, MORE, GIFT
)

// copyMost bounds the bytes that one call copies between files: other tasks wait
// meanwhile.
const copyMost = 64 << 20

// twoFiles gets the files of two descriptors.
func twoFiles(t *kernel.Task, fd1, fd2 int) (f, g *fs.File, err error) {
	if f, err = t.Files.Get(fd1); err != nil {
		return nil, nil, err
	}
	if g, err = t.Files.Get(fd2); err != nil {
		f.DecRef()
		return nil, nil, err
	}
	return f, g, nil
}

// userOffset reads the offset that a call takes by reference; nil without one.
func userOffset(t *kernel.Task, addr uint64) (*int64, error) {
	if addr == 0 {
		return nil, nil
	}
	w, err := getWords(t, addr, 1)
	if err != nil {
		return nil, err
	}
	off := int64(w[0])
	if off < 0 {
		return nil, abi.EINVAL
	}
	return &off, nil
}

// putOffset stores the offset again.
func putOffset(t *kernel.Task, addr uint64, off *int64) error {
	if off == nil {
		return nil
	}
	return putWords(t, addr, uint64(*off))
}

// moving is a sendfile or splice on its way. Its bytes pass through Go memory.
type moving struct {
	t       *kernel.Task
	in, out *fs.File
	inOff   *int64
	outOff  *int64
	inAddr  uint64 // where the offsets go
	outAddr uint64
	left    int64
	done    uint64
	held    []byte // read, but not written yet
	once    bool   // splice: return after the first piece
	block   bool
}

// result ends the call: offsets and count.
func (m *moving) result(err error) (uint64, error) {
	if m.done == 0 && err != nil {
		return 0, err
	}
	if err := putOffset(m.t, m.inAddr, m.inOff); err != nil {
		return 0, err
	}
	return m.done, putOffset(m.t, m.outAddr, m.outOff)
}

func (m *moving) release() {
	if m.done > 0 {
		m.in.ReadDone()
		m.out.WriteDone()
	}
	m.in.DecRef()
	m.out.DecRef()
}

// run moves bytes until all are moved or the input ends.
func (m *moving) run() (uint64, error) {
	val, err := m.try()
	if err != abi.EAGAIN || !m.block {
		if err == abi.EAGAIN {
			val, err = m.result(err)
		}
		m.release()
		return val, err
	}
	return m.t.Sleep(kernel.Sleep{
		Try:         func() (uint64, error) { return again(m.try()) },
		On:          m.sources(),
		OnInterrupt: func() (uint64, error) { return m.result(abi.ERESTARTSYS) },
		Cleanup:     func(bool) { m.release() },
	})
}

func (m *moving) sources() (s []kernel.Source) {
	if q := queueOf(m.t, m.in); q != nil {
		s = append(s, kernel.Source{Queue: q, Mask: readEvents})
	}
	if q := queueOf(m.t, m.out); q != nil {
		s = append(s, kernel.Source{Queue: q, Mask: writeEvents})
	}
	return s
}

// try moves what can be moved now; EAGAIN when it must wait.
func (m *moving) try() (uint64, error) {
	for {
		if err := m.flush(); err != nil {
			if err == abi.EAGAIN {
				return 0, err
			}
			return m.result(err)
		}
		if m.left == 0 || m.once && m.done > 0 {
			return m.result(nil)
		}
		n, err := m.fill()
		switch {
		case err == abi.EAGAIN && m.done > 0 && m.once:
			return m.result(nil)
		case err == abi.EAGAIN:
			return 0, err
		case err != nil || n == 0:
			return m.result(err)
		}
	}
}

// fill reads the next piece, no more than the output has room for.
func (m *moving) fill() (int, error) {
	n := min(m.left, smallIO)
	if m.out.Kind() == abi.S_IFIFO {
		room, err := pipeRoom(m.t, m.out, int(n), smallIO)
		if err != nil {
			return 0, err
		}
		n = min(n, room)
	} else if m.out.Pollable() && m.out.Poll()&(abi.POLLOUT|abi.POLLERR|abi.POLLHUP) == 0 {
		return 0, abi.EAGAIN
	}
	if cap(m.held) == 0 {
		m.held = make([]byte, smallIO)
	}
	b := m.held[:n:cap(m.held)]
	var got int
	var err error
	got, err = m.in.ReadPart(m.t.Context(), b, m.inOff)
	m.held = b[:max(got, 0)]
	m.left -= int64(len(m.held))
	if got > 0 {
		err = nil
	}
	return got, err
}

// flush writes what was read.
func (m *moving) flush() error {
	for b := m.held; len(b) > 0; {
		var n int
		var err error
		n, err = m.out.WritePart(m.t.Context(), b, m.outOff)
		m.done += uint64(max(n, 0))
		b = b[max(n, 0):]
		if err == abi.EPIPE {
			err = brokenPipe(m.t)
		}
		if err != nil {
			// Only streams can make us wait with bytes in hand; files get them back.
			m.held = m.held[:copy(m.held[:cap(m.held)], b)]
			if err != abi.EAGAIN {
				m.giveBack()
			}
			return err
		}
	}
	m.held = m.held[:0]
	return nil
}

// giveBack undoes the reading of bytes that could not be written.
func (m *moving) giveBack() {
	n := int64(len(m.held))
	m.held = m.held[:0]
	if m.inOff != nil {
		*m.inOff -= n
	} else if !isStream(m.in) {
		_, _ = m.in.Seek(m.t.Context(), -n, abi.SEEK_CUR)
	}
}

// pipeRoom is how much of a write of n bytes, in pieces of up to most, a pipe takes
// without waiting; EAGAIN when nothing, EPIPE without readers.
func pipeRoom(t *kernel.Task, f *fs.File, n, most int) (int64, error) {
	if f.Poll()&abi.POLLERR != 0 {
		return 0, brokenPipe(t)
	}
	room, err := fs.PipeRoom(f, n, most)
	if room == 0 && err == nil {
		err = abi.EAGAIN
	}
	return int64(room), err
}

func sendfile(t *kernel.Task, a Args) (uint64, error) {
	off, err := userOffset(t, a[2])
	if err != nil {
		return 0, err
	}
	out, in, err := twoFiles(t, a.Int(0), a.Int(1))
	if err != nil {
		return 0, err
	}
	m := &moving{t: t, in: in, out: out, inOff: off, inAddr: a[2], left: int64(min(a[3], maxRW)), block: !out.Nonblock(),
		once: isPipe(out)} // splice_file_to_pipe fills the pipe once
	if err := m.checkSendfile(); err != nil {
		m.release()
		return 0, err
	}
	if in.Kind() == abi.S_IFREG && out.Kind() == abi.S_IFREG {
		m.left = min(m.left, copyMost)
	}
	return m.run()
}

// checkSendfile is do_sendfile's list of checks.
func (m *moving) checkSendfile() error {
	switch {
	case m.in.IsPath() || m.out.IsPath() || !m.in.Readable() || !m.out.Writable():
		return abi.EBADF
	case isStream(m.in) && m.inOff != nil:
		return abi.ESPIPE
	case isAnon(m.in) || isAnon(m.out):
		return abi.EINVAL
	case m.in.Kind() == abi.S_IFIFO, m.in.Kind() == abi.S_IFSOCK, m.in.Kind() == abi.S_IFDIR:
		return abi.EINVAL
	case m.out.Flags()&abi.O_APPEND != 0:
		return abi.EINVAL
	}
	return nil
}

func splice(t *kernel.Task, a Args) (uint64, error) {
	if a[4] == 0 {
		return 0, nil
	}
	if a.Uint(5)&^spliceKnown != 0 {
		return 0, abi.EINVAL
	}
	in, out, err := twoFiles(t, a.Int(0), a.Int(2))
	if err != nil {
		return 0, err
	}
	m := &moving{t: t, in: in, out: out, inAddr: a[1], outAddr: a[3], left: int64(min(a[4], maxRW)), once: true}
	if err := m.checkSplice(); err != nil {
		m.release()
		return 0, err
	}
	if m.inOff, err = userOffset(t, a[1]); err == nil {
		m.outOff, err = userOffset(t, a[3])
	}
	if err != nil {
		m.release()
		return 0, err
	}
	pipeNonblock := isPipe(in) && in.Nonblock() || isPipe(out) && out.Nonblock()
	m.block = a.Uint(5)&spliceNonblock == 0 && !pipeNonblock
	return m.run()
}

// isAnon: an eventfd and the like, which nothing is spliced from or to: eight bytes at
// a time, two gibibytes would keep the kernel for minutes.
func isAnon(f *fs.File) bool { return f.Kind() == 0 }

func isPipe(f *fs.File) bool { return f.Kind() == abi.S_IFIFO }

func (m *moving) checkSplice() error {
	in, out := m.in, m.out
	switch {
	case in.IsPath() || out.IsPath() || !in.Readable() || !out.Writable():
		return abi.EBADF
	case isPipe(in) && m.inAddr != 0, isPipe(out) && m.outAddr != 0:
		return abi.ESPIPE
	case !isPipe(in) && !isPipe(out), isAnon(in), isAnon(out):
		return abi.EINVAL
	case isPipe(in) && isPipe(out) && in.Inode() == out.Inode():
		return abi.EINVAL
	case isStream(in) && m.inAddr != 0 || isStream(out) && m.outAddr != 0:
		return abi.EINVAL
	case out.Flags()&abi.O_APPEND != 0 && !isPipe(out):
		return abi.EINVAL
	}
	return nil
}

// vmsplice copies: it is writev or readv on a pipe.
func (h *fileIO) vmsplice(t *kernel.Task, a Args) (uint64, error) {
	if a.Uint(3)&^spliceKnown != 0 {
		return 0, abi.EINVAL
	}
	flags := uint32(0)
	if a.Uint(3)&spliceNonblock != 0 {
		flags = rwfNOWAIT
	}
	f, err := t.Files.Get(a.Int(0))
	if err != nil {
		return 0, err
	}
	defer f.DecRef()
	switch {
	case !isPipe(f):
		return 0, abi.EBADF
	case f.Writable():
		return h.vectored(t, a, atPos, flags, h.startWrite)
	}
	return h.vectored(t, a, atPos, flags, h.startRead)
}

func tee(t *kernel.Task, a Args) (uint64, error) {
	if a.Uint(3)&^spliceKnown != 0 {
		return 0, abi.EINVAL
	}
	if a[2] == 0 {
		return 0, nil
	}
	in, out, err := twoFiles(t, a.Int(0), a.Int(1))
	if err != nil {
		return 0, err
	}
	release := func() { in.DecRef(); out.DecRef() }
	if in.IsPath() || out.IsPath() || !in.Readable() || !out.Writable() {
		release()
		return 0, abi.EBADF
	}
	try := func() (uint64, error) {
		n, err := fs.Tee(in, out, int(min(a[2], maxRW)))
		if err == abi.EPIPE {
			err = brokenPipe(t)
		}
		return uint64(n), err
	}
	n, err := try()
	if err != abi.EAGAIN || a.Uint(3)&spliceNonblock != 0 || in.Nonblock() || out.Nonblock() {
		release()
		return n, err
	}
	return t.Sleep(kernel.Sleep{
		Try:     func() (uint64, error) { return again(try()) },
		On:      []kernel.Source{{Queue: queueOf(t, in), Mask: readEvents}, {Queue: queueOf(t, out), Mask: writeEvents}},
		Cleanup: func(bool) { release() },
	})
}
