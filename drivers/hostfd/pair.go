// SPDX-License-Identifier: Apache-2.0

package hostfd

import (
	"lodger/abi"
	"lodger/fs"
	"lodger/host"
	"lodger/lib/wait"
)

// Pair is a console on two descriptors, one to read and one to write: UML's
// con0=fd:0,fd:1 where neither is a terminal. A missing one is at its end, or
// swallows what is written. It is no terminal: tty ioctls give ENOTTY.
type Pair struct {
	in, out *File // nil: missing
	queue   wait.Queue
}

// NewPair makes one of descriptors in and out; -1: missing.
func NewPair(w *host.Watcher, in, out int) *Pair {
	p := &Pair{}
	if in >= 0 {
		p.in = newFile(w, in, &p.queue)
	}
	switch {
	case out == in:
		p.out = p.in
	case out >= 0:
		p.out = newFile(w, out, &p.queue)
	}
	return p
}

const (
	readBits  = abi.POLLIN | abi.POLLRDNORM | abi.POLLPRI | abi.POLLHUP
	writeBits = abi.POLLOUT | abi.POLLWRNORM | abi.POLLERR
)

// Poll implements fs.Poller.
func (p *Pair) Poll() wait.Mask {
	m := wait.Mask(abi.POLLIN | abi.POLLRDNORM | abi.POLLOUT | abi.POLLWRNORM)
	if p.in != nil {
		m = m&^readBits | p.in.Poll()&readBits
	}
	if p.out != nil {
		m = m&^writeBits | p.out.Poll()&writeBits
	}
	return m
}

// WaitQueue implements fs.Poller.
func (p *Pair) WaitQueue() *wait.Queue {
	for _, f := range []*File{p.in, p.out} {
		if f != nil {
			f.arm()
		}
	}
	return &p.queue
}

// Read implements fs.StreamReader.
func (p *Pair) Read(ctx *fs.Context, b []byte) (int, error) {
	if p.in == nil {
		return 0, nil
	}
	return p.in.Read(ctx, b)
}

// Write implements fs.StreamWriter.
func (p *Pair) Write(ctx *fs.Context, b []byte) (int, error) {
	if p.out == nil {
		return len(b), nil
	}
	return p.out.Write(ctx, b)
}
