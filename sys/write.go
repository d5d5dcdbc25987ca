// SPDX-License-Identifier: Apache-2.0

package sys

import (
	"math"

	"lodger/abi"
	"lodger/fs"
	"lodger/kernel"
)

// writeFile writes to a regular file, chunk by chunk, within RLIMIT_FSIZE, or to a
// block device.
func (h *fileIO) writeFile(x transfer) (uint64, error) {
	if err := x.limitSize(); err != nil {
		return 0, err
	}
	loan, buf := h.get(int(x.total))
	defer h.put(loan)
	for {
		b := buf[:min(uint64(len(buf)), x.total-x.done)]
		got, err := x.copyIn(x.done, b)
		if err != nil {
			return x.result(err)
		}
		n, err := x.writeOnce(b[:got])
		x.done += uint64(max(n, 0))
		if err == abi.EFBIG && x.off == atPos && x.f.Pos() > math.MaxInt64-int64(x.total) {
			err = abi.EINVAL // rw_verify_area
		}
		if err != nil || n < len(b) || x.done == x.total {
			return x.written(err)
		}
	}
}

// written ends a write to a file, synchronously if that was asked for: beside the
// receiver where it reaches the host's disk.
func (x *transfer) written(err error) (uint64, error) {
	sync := x.flags&(rwfSYNC|rwfDSYNC) != 0 || x.f.Flags()&abi.O_DSYNC != 0
	if !sync || x.done == 0 {
		return x.result(err)
	}
	data := x.flags&rwfSYNC == 0 && x.f.Flags()&abi.O_SYNC != abi.O_SYNC
	done := x.done
	return flushing(x.t, x.f.IncRef(), func(ctx *fs.Context, f *fs.File) (uint64, error) {
		if err := f.Fsync(ctx, data); err != nil {
			return 0, err
		}
		return done, nil
	})
}

func (x *transfer) writeOnce(b []byte) (int, error) {
	ctx := x.t.Context()
	switch {
	case x.flags&rwfAPPEND != 0:
		return x.f.Append(ctx, b)
	case x.off == atPos:
		return x.f.Write(ctx, b)
	}
	return x.f.Pwrite(ctx, b, x.off+int64(x.done))
}

// limitSize is generic_write_check_limits: RLIMIT_FSIZE cuts a write short, or
// refuses it with SIGXFSZ and EFBIG.
func (x *transfer) limitSize() error {
	limit := x.t.Rlimit(abi.RLIMIT_FSIZE).Cur
	if limit == abi.RLIM_INFINITY || x.total == 0 || x.f.Kind() == abi.S_IFBLK {
		return nil
	}
	pos := x.off
	if x.f.Flags()&abi.O_APPEND != 0 || x.flags&rwfAPPEND != 0 {
		a, err := x.f.Stat()
		if err != nil {
			return err
		}
		pos = a.Size
	} else if pos == atPos {
		pos = x.f.Pos()
	}
	if uint64(pos) >= limit {
		return fileTooBig(x.t)
	}
	x.total = min(x.total, limit-uint64(pos))
	return nil
}

// fileTooBig sends SIGXFSZ and gives EFBIG.
func fileTooBig(t *kernel.Task) error {
	t.Kernel().SendTask(t, signalFromSelf(t, abi.SIGXFSZ))
	return abi.EFBIG
}

// brokenPipe sends SIGPIPE and gives EPIPE.
func brokenPipe(t *kernel.Task) error {
	t.Kernel().SendTask(t, signalFromSelf(t, abi.SIGPIPE))
	return abi.EPIPE
}

// signalFromSelf is what send_sig(sig, current, 0) sends.
func signalFromSelf(t *kernel.Task, sig int) *abi.Siginfo {
	return abi.NewSiginfo(sig, abi.SI_USER).SetSender(t.PID(), t.Creds().UID)
}

// writeStream writes as much as the stream takes now and counts it in x. EAGAIN
// means that more should be written later.
func (h *fileIO) writeStream(x *transfer) (uint64, error) {
	loan, buf := h.get(int(x.total))
	defer h.put(loan)
	for {
		room, err := x.room(len(buf))
		if err != nil {
			return 0, err
		}
		b := buf[:min(uint64(room), x.total-x.done)]
		got, err := x.copyIn(x.done, b)
		if err == nil && got < len(b) && isPipe(x.f) {
			// A page that cannot be read as a whole is left out (pipe_write).
			if got &^= pageSize - 1; got == 0 {
				err = abi.EFAULT
			}
		}
		if err != nil {
			return x.result(err)
		}
		n, err := x.writeOnce(b[:got])
		x.done += uint64(max(n, 0))
		switch {
		case err == abi.EPIPE:
			return x.result(brokenPipe(x.t))
		case err == abi.EAGAIN:
			return 0, err
		case err != nil || got < len(b) || x.done == x.total || !writesAll(x.f):
			return x.result(err)
		}
	}
}

// room is how many bytes, at most most, to fetch from the guest for the next
// piece: fetching what a nearly full pipe does not take is wasted.
func (x *transfer) room(most int) (int, error) {
	switch {
	case x.f.Kind() == abi.S_IFSOCK: // a datagram goes as a whole
		return most, nil
	case !isPipe(x.f) || x.total-x.done <= abi.PIPE_BUF || x.f.Poll()&abi.POLLERR != 0:
		return min(most, smallIO), nil
	}
	n, err := pipeRoom(x.t, x.f, int(x.total-x.done), min(most, smallIO))
	return int(n), err
}

// writesAll reports whether a blocking write to f goes on until all is written.
func writesAll(f *fs.File) bool {
	switch f.Kind() {
	case abi.S_IFIFO, abi.S_IFSOCK, abi.S_IFCHR:
		return true
	}
	return false
}

// sleepWrite waits until the rest can be written. A signal after some progress
// ends the call with what was written.
func (h *fileIO) sleepWrite(y transfer) (uint64, error) {
	x := &y
	return x.t.Sleep(kernel.Sleep{
		Try:         func() (uint64, error) { return again(h.writeStream(x)) },
		On:          []kernel.Source{{Queue: queueOf(x.t, x.f), Mask: writeEvents}},
		OnInterrupt: func() (uint64, error) { return x.result(abi.ERESTARTSYS) },
		Cleanup:     func(bool) { x.f.DecRef() },
	})
}
