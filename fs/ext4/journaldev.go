// SPDX-License-Identifier: Apache-2.0

package ext4

import (
	"sync"
	"time"

	"lodger/abi"
	"lodger/fs/jbd2"
	"lodger/lib/printk"
)

// What the journal gets of the file system: its device and its goroutines.

// journalDev is the device as the journal sees it: its flushes count for files,
// and barrier=0 leaves them out.
type journalDev struct{ s *FS }

func (d journalDev) ReadAt(p []byte, off int64) (int, error)  { return d.s.dev.ReadAt(p, off) }
func (d journalDev) WriteAt(p []byte, off int64) (int, error) { return d.s.dev.WriteAt(p, off) }
func (d journalDev) Flush() error                             { return d.s.barrier() }

// fuaDev is the same for devices that can write through their cache.
type fuaDev struct {
	journalDev
	fua jbd2.FUAWriter
}

func (d fuaDev) WriteFUA(p []byte, off int64) error {
	if d.s.noBarrier.Load() {
		return writeFull(d.s.dev, p, off)
	}
	return d.fua.WriteFUA(p, off)
}

func (s *FS) journalDevice() jbd2.Device {
	d := journalDev{s}
	if f, ok := s.dev.(jbd2.FUAWriter); ok {
		return fuaDev{d, f}
	}
	return d
}

// barrier makes what was written so far survive a power cut, unless barrier=0
// says that nobody minds.
func (s *FS) barrier() error {
	if s.noBarrier.Load() {
		return nil
	}
	return s.flushDevice()
}

func (s *FS) flushDevice() error {
	upTo := s.wrote.Load()
	if err := s.dev.Flush(); err != nil {
		return err
	}
	for {
		old := s.flushed.Load()
		if old >= upTo || s.flushed.CompareAndSwap(old, upTo) {
			return nil
		}
	}
}

// unflushed reports whether file data was written that no flush covers yet.
func (s *FS) unflushed() bool { return s.wrote.Load() != s.flushed.Load() }

// flush is barrier with the guest's error.
func (s *FS) flush() error {
	if err := s.barrier(); err != nil {
		s.log(printk.Err, "flush: %v", err)
		return abi.EIO
	}
	return nil
}

// crew counts the goroutines and timers that work for a file system, so that
// none is left after the unmount.
type crew struct {
	mu     sync.Mutex
	idle   *sync.Cond
	n      int  // at work; guarded by mu
	closed bool // nobody starts any more; guarded by mu
}

// enter reports whether work may begin; then leave must follow.
func (c *crew) enter() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return false
	}
	c.n++
	return true
}

func (c *crew) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n--; c.n == 0 && c.idle != nil {
		c.idle.Broadcast()
	}
}

// dismiss waits for those at work and lets nobody begin.
func (c *crew) dismiss() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	if c.idle == nil {
		c.idle = sync.NewCond(&c.mu)
	}
	for c.n > 0 {
		c.idle.Wait()
	}
}

// spawn runs f on a goroutine, unless the file system is going away: then here.
func (c *crew) spawn(f func()) {
	if !c.enter() {
		f()
		return
	}
	go func() {
		defer c.leave()
		f()
	}()
}

// hostTimer is the Timer of who gives none: the host's clock.
type hostTimer struct{}

func (hostTimer) Realtime() int64 { return time.Now().UnixNano() }
func (hostTimer) After(d int64, f func()) func() bool {
	return time.AfterFunc(time.Duration(d), f).Stop
}

// crewTimer is a Timer whose functions belong to a crew.
type crewTimer struct {
	jbd2.Timer
	c *crew
}

// After makes crewTimer a jbd2.Timer.
func (t crewTimer) After(d int64, f func()) func() bool {
	return t.Timer.After(d, func() {
		if t.c.enter() {
			defer t.c.leave()
			f()
		}
	})
}
