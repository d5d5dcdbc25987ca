// SPDX-License-Identifier: Apache-2.0

package fs

import (
	"encoding/binary"
	"fmt"
	"math"
	"sync"

	"lodger/abi"
	"lodger/lib/wait"
)

// eventfd is fs/eventfd.c.
type eventfd struct {
	queue     wait.Queue
	semaphore bool

	mu    sync.Mutex
	count uint64 // guarded by mu
}

// NewEventFD is eventfd2(2).
func NewEventFD(ctx *Context, initval uint32, flags int) (*File, error) {
	if flags&^(abi.EFD_SEMAPHORE|abi.EFD_CLOEXEC|abi.EFD_NONBLOCK) != 0 {
		return nil, abi.EINVAL
	}
	e := &eventfd{count: uint64(initval), semaphore: flags&abi.EFD_SEMAPHORE != 0}
	return ctx.VFS().NewAnonFile(ctx, "anon_inode:[eventfd]", 0o600, nil, e, flags&abi.EFD_NONBLOCK|abi.O_RDWR), nil
}

// Read gives the count and clears it, or counts down in semaphore mode.
func (e *eventfd) Read(_ *Context, p []byte) (int, error) {
	if len(p) < 8 {
		return 0, abi.EINVAL
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.count == 0 {
		return 0, abi.EAGAIN
	}
	n := e.count
	if e.semaphore {
		n = 1
	}
	e.count -= n
	binary.NativeEndian.PutUint64(p, n)
	e.queue.Notify(abi.POLLOUT | abi.POLLWRNORM)
	return 8, nil
}

// Write adds to the count.
func (e *eventfd) Write(_ *Context, p []byte) (int, error) {
	if len(p) < 8 {
		return 0, abi.EINVAL
	}
	n := binary.NativeEndian.Uint64(p)
	if n == math.MaxUint64 {
		return 0, abi.EINVAL
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if n >= math.MaxUint64-e.count {
		return 0, abi.EAGAIN
	}
	e.count += n
	if n > 0 {
		e.queue.Notify(abi.POLLIN | abi.POLLRDNORM)
	}
	return 8, nil
}

// Poll gives the ready events.
func (e *eventfd) Poll() wait.Mask {
	e.mu.Lock()
	defer e.mu.Unlock()
	var m wait.Mask
	if e.count > 0 {
		m |= abi.POLLIN
	}
	if e.count < math.MaxUint64-1 {
		m |= abi.POLLOUT
	}
	return m
}

// WaitQueue announces changes of Poll.
func (e *eventfd) WaitQueue() *wait.Queue { return &e.queue }

// FDInfo gives the lines of /proc/PID/fdinfo.
func (e *eventfd) FDInfo() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return fmt.Sprintf("eventfd-count: %16x\n", e.count)
}

// Seek does nothing (noop_llseek).
func (e *eventfd) Seek(_ *Context, pos, _ int64, _ int) (int64, error) { return pos, nil }
