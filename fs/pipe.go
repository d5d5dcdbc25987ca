// SPDX-License-Identifier: Apache-2.0

package fs

import (
	"encoding/binary"
	"sync"

	"lodger/abi"
	"lodger/lib/wait"
)

const (
	pipeDefault = 64 << 10 // bytes, man 7 pipe
	pipeMax     = 1 << 20  // /proc/sys/fs/pipe-max-size
	pageSize    = 4096
)

// pipe is the buffer that pipes and FIFOs share. As in Linux its capacity is
// counted in slots, each of which holds up to a page: a write that does not fit
// into what is left of the last slot takes new ones.
type pipe struct {
	queue wait.Queue

	mu       sync.Mutex
	buf      []byte // ring; grows up to size. All below guarded by mu
	head     int    // first byte
	used     int    // bytes
	size     int    // capacity
	readers  int
	writers  int
	rcounter uint64 // readers that ever opened
	wcounter uint64
	slots    []slot  // what is in buf, oldest first
	few      [4]slot // what slots begins with when the pipe was empty
}

// slot is struct pipe_buffer.
type slot struct {
	n      int  // bytes, not 0
	room   int  // bytes that a small write may add
	packet bool // written in packet mode (O_DIRECT)
}

func (p *pipe) full() bool { return len(p.slots) >= p.size/pageSize }

// pipeEnd is one open file on a pipe.
type pipeEnd struct {
	p           *pipe
	read, write bool
	packet      bool
	wseen       uint64 // wcounter at open: POLLHUP only after a writer came
	rseen       uint64
	gone        func() // told of Release
}

// NewPipe is pipe2(2); flags O_NONBLOCK, O_DIRECT.
func NewPipe(ctx *Context, flags int) (r, w *File, err error) {
	v := ctx.VFS()
	p := &pipe{size: pipeDefault, readers: 1, writers: 1, rcounter: 1, wcounter: 1}
	i := v.NewAnonInode(ctx, "pipe:[%d]", abi.S_IFIFO|0o600)
	i.pipe = p
	flags &= abi.O_NONBLOCK | abi.O_DIRECT
	pk := flags&abi.O_DIRECT != 0
	r = v.NewAnonFile(ctx, "", abi.S_IFIFO, i, &pipeEnd{p: p, read: true}, flags|abi.O_RDONLY)
	w = v.NewAnonFile(ctx, "", abi.S_IFIFO, i, &pipeEnd{p: p, write: true, packet: pk}, flags|abi.O_WRONLY)
	return r, w, nil
}

// Read takes what is there.
func (e *pipeEnd) Read(_ *Context, b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	p := e.p
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.used == 0 {
		if p.writers == 0 {
			return 0, nil
		}
		return 0, abi.EAGAIN
	}
	wasFull, n := p.full(), 0
	for n < len(b) && len(p.slots) > 0 {
		q := &p.slots[0]
		c := min(len(b)-n, q.n)
		p.copyOut(b[n:n+c], 0)
		n += c
		drop := c
		if q.packet { // a read gets one packet at most, the rest of it is lost
			drop = q.n
		}
		packet := q.packet
		p.consume(drop)
		if packet {
			break
		}
	}
	if wasFull && !p.full() {
		p.queue.Notify(abi.POLLOUT | abi.POLLWRNORM)
	}
	return n, nil
}

// copyOut copies the bytes from position at on, which are there; mu is held.
func (p *pipe) copyOut(b []byte, at int) {
	at = (p.head + at) % len(p.buf)
	c := copy(b, p.buf[at:])
	copy(b[c:], p.buf)
}

// consume drops n bytes of the first slot; mu is held.
func (p *pipe) consume(n int) {
	p.head = (p.head + n) % len(p.buf)
	p.used -= n
	if p.slots[0].n -= n; p.slots[0].n == 0 {
		p.slots = p.slots[1:]
	}
	if p.used == 0 {
		p.head, p.slots = 0, p.few[:0]
	}
}

// Write puts in what fits: all or nothing up to PIPE_BUF. The odd bytes of a
// write come first, so that they may join the last slot (pipe_write).
func (e *pipeEnd) Write(_ *Context, b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	p := e.p
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.readers == 0 {
		return 0, abi.EPIPE
	}
	n := 0
	if odd := p.joins(len(b)); odd > 0 {
		p.put(b[:odd])
		last := &p.slots[len(p.slots)-1]
		last.n += odd
		last.room -= odd
		n = odd
	}
	for n < len(b) && !p.full() {
		c := min(len(b)-n, pageSize)
		p.put(b[n : n+c])
		q := slot{n: c, room: pageSize - c, packet: e.packet}
		if e.packet {
			q.room = 0
		}
		p.slots = append(p.slots, q)
		n += c
	}
	if n == 0 {
		return 0, abi.EAGAIN
	}
	p.queue.Notify(abi.POLLIN | abi.POLLRDNORM)
	return n, nil
}

// joins is how many bytes of a write of n the last slot takes; mu is held.
func (p *pipe) joins(n int) int {
	odd := n % pageSize
	if len(p.slots) == 0 || p.slots[len(p.slots)-1].room < odd {
		return 0
	}
	return odd
}

// put appends bytes to the ring; mu is held.
func (p *pipe) put(b []byte) {
	p.reserve(len(b))
	at := (p.head + p.used) % len(p.buf)
	c := copy(p.buf[at:], b)
	copy(p.buf, b[c:])
	p.used += len(b)
}

// PipeRoom is how many bytes of a write of n the pipe f takes now, when they are
// handed over in pieces of up to most (a multiple of the page size); EBADF when f
// is no pipe.
func PipeRoom(f *File, n, most int) (int, error) {
	e, ok := f.ops.(*pipeEnd)
	if !ok {
		return 0, abi.EBADF
	}
	p := e.p
	p.mu.Lock()
	defer p.mu.Unlock()
	free := max(p.size/pageSize-len(p.slots), 0) * pageSize
	odd := p.joins(n)
	if n > most {
		n = most
		if odd > 0 {
			n = most - pageSize + odd
		}
	}
	return min(n, free+odd), nil
}

// Tee is tee(2) as far as it goes at once: it copies up to n bytes of the pipe in
// to the pipe out and leaves them in in. EAGAIN when in is empty or out is full,
// EPIPE without readers, EINVAL.
func Tee(in, out *File, n int) (int, error) {
	from, ok1 := in.ops.(*pipeEnd)
	to, ok2 := out.ops.(*pipeEnd)
	if !ok1 || !ok2 || from.p == to.p {
		return 0, abi.EINVAL
	}
	parts, ended := from.p.peek(n)
	p := to.p
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.readers == 0:
		return 0, abi.EPIPE
	case len(parts) == 0 && ended:
		return 0, nil
	case len(parts) == 0 || p.full():
		return 0, abi.EAGAIN
	}
	done := 0
	for _, b := range parts {
		if p.full() {
			break
		}
		p.put(b)
		p.slots = append(p.slots, slot{n: len(b)})
		done += len(b)
	}
	p.queue.Notify(abi.POLLIN | abi.POLLRDNORM)
	return done, nil
}

// peek copies up to n bytes, slot by slot; ended: there will be no more.
func (p *pipe) peek(n int) (parts [][]byte, ended bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := 0
	for _, q := range p.slots {
		if n == 0 {
			break
		}
		b := make([]byte, min(n, q.n))
		p.copyOut(b, at)
		parts = append(parts, b)
		at += q.n
		n -= len(b)
	}
	return parts, p.writers == 0
}

// reserve makes room for n more bytes; mu is held.
func (p *pipe) reserve(n int) {
	if p.used+n <= len(p.buf) {
		return
	}
	size := max(len(p.buf), pageSize)
	for size < p.used+n {
		size *= 2
	}
	p.rebuild(min(size, p.size))
}

// rebuild moves the contents into a new ring of size bytes; mu is held.
func (p *pipe) rebuild(size int) {
	nb := make([]byte, size)
	if p.used > 0 {
		c := copy(nb[:p.used], p.buf[p.head:])
		copy(nb[c:p.used], p.buf)
	}
	p.buf, p.head = nb, 0
}

// Poll gives the ready events.
func (e *pipeEnd) Poll() wait.Mask {
	p := e.p
	p.mu.Lock()
	defer p.mu.Unlock()
	var m wait.Mask
	if e.read {
		if p.used > 0 {
			m |= abi.POLLIN | abi.POLLRDNORM
		}
		if p.writers == 0 && p.wcounter != e.wseen {
			m |= abi.POLLHUP
		}
	}
	if e.write {
		if !p.full() {
			m |= abi.POLLOUT | abi.POLLWRNORM
		}
		if p.readers == 0 {
			m |= abi.POLLERR
		}
	}
	return m
}

// WaitQueue announces changes of Poll.
func (e *pipeEnd) WaitQueue() *wait.Queue { return &e.p.queue }

// Ioctl answers FIONREAD.
func (e *pipeEnd) Ioctl(_ *Context, cmd uint32, arg uint64, mem UserMemory) (uint64, error) {
	if cmd != abi.FIONREAD {
		return 0, abi.ENOTTY
	}
	e.p.mu.Lock()
	n := e.p.used
	e.p.mu.Unlock()
	return 0, mem.CopyOut(arg, binary.LittleEndian.AppendUint32(nil, uint32(n)))
}

// Release closes the end.
func (e *pipeEnd) Release() {
	p := e.p
	p.mu.Lock()
	if e.read {
		p.readers--
	}
	if e.write {
		p.writers--
	}
	if p.readers == 0 && p.writers == 0 {
		p.buf, p.head, p.used, p.slots = nil, 0, 0, nil
	} else if p.readers == 0 || p.writers == 0 {
		p.queue.Notify(abi.POLLIN | abi.POLLRDNORM | abi.POLLOUT | abi.POLLWRNORM | abi.POLLHUP | abi.POLLERR)
	}
	p.mu.Unlock()
	if e.gone != nil {
		e.gone()
	}
}

// PipeSize is F_GETPIPE_SZ; EBADF when f is no pipe.
func PipeSize(f *File) (int, error) {
	e, ok := f.ops.(*pipeEnd)
	if !ok {
		return 0, abi.EBADF
	}
	e.p.mu.Lock()
	defer e.p.mu.Unlock()
	return e.p.size, nil
}

// SetPipeSize is F_SETPIPE_SZ; it gives the size that was set. privileged
// lifts the limit of 1 MiB (CAP_SYS_RESOURCE).
func SetPipeSize(f *File, size int, privileged bool) (int, error) {
	e, ok := f.ops.(*pipeEnd)
	switch {
	case !ok:
		return 0, abi.EBADF
	case size < 0 || size > 1<<30: // 0 gives the least
		return 0, abi.EINVAL
	}
	n := pageSize
	for n < size {
		n *= 2
	}
	p := e.p
	p.mu.Lock()
	defer p.mu.Unlock()
	if n > p.size && n > pipeMax && !privileged {
		return 0, abi.EPERM
	}
	if n/pageSize < len(p.slots) {
		return 0, abi.EBUSY
	}
	p.size = n
	if len(p.buf) > n {
		p.rebuild(n)
	}
	p.queue.Notify(abi.POLLOUT | abi.POLLWRNORM)
	return n, nil
}
