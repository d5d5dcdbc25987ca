// SPDX-License-Identifier: Apache-2.0

package fs

import (
	"errors"

	"lodger/abi"
)

// fifo is the pipe of a FIFO inode while somebody has it open.
type fifo struct {
	pipe
	users int // open files and opens under way; guarded by VFS.inodeMu
}

// openFIFO is fifo_open of fs/pipe.c. With *WouldBlock the end is made already:
// two blocking openers must see each other.
func (v *VFS) openFIFO(i Inode, flags int) (FileOps, error) {
	if a, ok := i.(*AnonInode); ok && a.pipe != nil {
		// Through /proc/PID/fd: a pipe's ends do not wait for each other
		// (is_pipe in fifo_open).
		ops, err := openPipe(a.pipe, flags, func() {})
		var wb *WouldBlock
		if errors.As(err, &wb) {
			err = nil
		}
		return ops, err
	}
	v.inodeMu.Lock()
	f := v.fifos[i]
	if f == nil {
		f = &fifo{pipe: pipe{size: pipeDefault}}
		v.fifos[i] = f
	}
	f.users++
	v.inodeMu.Unlock()
	gone := func() {
		v.inodeMu.Lock()
		defer v.inodeMu.Unlock()
		if f.users--; f.users == 0 {
			delete(v.fifos, i)
		}
	}
	return openPipe(&f.pipe, flags, gone)
}

func openPipe(p *pipe, flags int, gone func()) (FileOps, error) {
	acc := flags & abi.O_ACCMODE
	e := &pipeEnd{p: p, read: acc != abi.O_WRONLY, write: acc != abi.O_RDONLY, gone: gone}
	if acc == abi.O_ACCMODE {
		gone()
		return nil, abi.EINVAL
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	nonblock := flags&abi.O_NONBLOCK != 0
	if acc == abi.O_WRONLY && nonblock && p.readers == 0 {
		gone()
		return nil, abi.ENXIO
	}
	e.rseen, e.wseen = p.rcounter, p.wcounter
	if e.read {
		p.readers++
		p.rcounter++
	}
	if e.write {
		p.writers++
		p.wcounter++
	}
	p.queue.Notify(abi.POLLIN | abi.POLLOUT)
	if p.writers > 0 {
		e.wseen = p.wcounter - 1
	}
	if nonblock || p.readers > 0 && p.writers > 0 {
		return e, nil
	}
	return e, e.wouldBlock()
}

func (e *pipeEnd) wouldBlock() error {
	return &WouldBlock{Queue: &e.p.queue, Mask: abi.POLLIN | abi.POLLOUT}
}

// OpenReady reports whether the other side has come, or came and went.
func (e *pipeEnd) OpenReady() error {
	p := e.p
	p.mu.Lock()
	defer p.mu.Unlock()
	if e.read && (p.writers > 0 || p.wcounter != e.wseen) || e.write && (p.readers > 0 || p.rcounter != e.rseen) {
		return nil
	}
	return e.wouldBlock()
}
