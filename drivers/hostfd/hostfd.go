// SPDX-License-Identifier: Apache-2.0

// Package hostfd makes descriptors that Lodger was started with (standard input,
// output and error: pipes, files, sockets) into files of the guest. It has no
// counterpart in Linux; UML's fd channel is nearest.
//
// The descriptors are shared with other programs of the host, so they are never
// made non-blocking: readiness is asked with poll, and a write is never larger
// than a ready pipe takes (PIPE_BUF).
//
// Locks: File.mu guards the arming only and is a leaf but for the Watcher's own.
package hostfd

import (
	"sync"

	"lodger/abi"
	"lodger/fs"
	"lodger/host"
	"lodger/lib/wait"
)

// File is one host descriptor as the operations of an open guest file. It does
// not own the descriptor.
type File struct {
	FD int
	// always: the host cannot poll it; it is always ready (a regular file).
	always bool

	w     *host.Watcher
	queue *wait.Queue
	mu    sync.Mutex
	armed uint32 // events that the host watches for; guarded by mu
}

// New wraps fd.
func New(w *host.Watcher, fd int) *File { return newFile(w, fd, &wait.Queue{}) }

func newFile(w *host.Watcher, fd int, q *wait.Queue) *File {
	f := &File{FD: fd, w: w, queue: q}
	f.always = w.Arm(fd, 0, func(uint32) {}) == abi.EPERM
	return f
}

const ready = abi.POLLIN | abi.POLLOUT | abi.POLLPRI

// Poll implements fs.Poller.
func (f *File) Poll() wait.Mask {
	if f.always {
		return abi.POLLIN | abi.POLLOUT | abi.POLLRDNORM | abi.POLLWRNORM
	}
	m := wait.Mask(uint16(host.PollNow(f.FD, ready)))
	if m&(abi.POLLIN|abi.POLLOUT) != abi.POLLIN|abi.POLLOUT && !f.queue.Empty() {
		f.arm() // an epoll entry stays on the queue and only polls again
	}
	if m&abi.POLLIN != 0 {
		m |= abi.POLLRDNORM
	}
	if m&abi.POLLOUT != 0 {
		m |= abi.POLLWRNORM
	}
	return m
}

// WaitQueue implements fs.Poller. Asking for it arms the host's watch: whoever
// asks is about to sleep and looks again after adding himself.
func (f *File) WaitQueue() *wait.Queue {
	f.arm()
	return f.queue
}

func (f *File) arm() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.always {
		return
	}
	events := uint32(abi.POLLIN | abi.POLLPRI)
	if host.PollNow(f.FD, abi.POLLOUT)&abi.POLLOUT == 0 {
		events |= abi.POLLOUT
	}
	if events&^f.armed != 0 {
		f.watch(events | f.armed)
	}
}

// watch asks the host for events; the caller holds f.mu.
func (f *File) watch(events uint32) {
	f.armed = 0
	if f.w.Arm(f.FD, events, f.fired) == nil {
		f.armed = events
	}
}

func (f *File) fired(events uint32) {
	f.mu.Lock()
	rest := f.armed &^ events
	f.armed = 0
	f.mu.Unlock()
	f.queue.Notify(wait.Mask(events) | abi.POLLRDNORM | abi.POLLWRNORM)
	if events&(abi.POLLHUP|abi.POLLERR) == 0 && !f.queue.Empty() {
		// Somebody may go on waiting for the other direction. Whoever waits for
		// this one again asks for it again.
		f.mu.Lock()
		f.watch(rest | f.armed)
		f.mu.Unlock()
	}
}

// Read implements fs.StreamReader.
func (f *File) Read(_ *fs.Context, p []byte) (int, error) {
	if !f.always && host.PollNow(f.FD, abi.POLLIN)&(abi.POLLIN|abi.POLLHUP|abi.POLLERR) == 0 {
		f.arm()
		return 0, abi.EAGAIN
	}
	return host.Read(f.FD, p)
}

// Write implements fs.StreamWriter.
func (f *File) Write(_ *fs.Context, p []byte) (int, error) {
	const pipeBuf = 4096
	if f.always || len(p) == 0 {
		return host.Write(f.FD, p)
	}
	total := 0
	for len(p) > 0 {
		ev := host.PollNow(f.FD, abi.POLLOUT)
		if ev&(abi.POLLOUT|abi.POLLERR|abi.POLLHUP) == 0 {
			f.arm()
			break
		}
		n, err := host.Write(f.FD, p[:min(len(p), pipeBuf)])
		if err != nil {
			if total > 0 {
				break
			}
			return 0, err
		}
		p, total = p[n:], total+n
	}
	if total == 0 {
		return 0, abi.EAGAIN
	}
	return total, nil
}

// Release implements fs.Releaser.
func (f *File) Release() { f.w.Forget(f.FD) }
