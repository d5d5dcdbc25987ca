// SPDX-License-Identifier: Apache-2.0

package fs

import (
	"sync/atomic"
	"time"

	"lodger/abi"
)

// Time stamps of files: Linux's multigrain time stamps
// (Documentation/filesystems/multigrain-ts.rst). A change is stamped with the
// time of the last tick, so that most changes need not write the inode; unless
// somebody has looked at the last stamp, who must be able to tell: then with the
// time to the nanosecond. No stamp is older than one given before.

// tick is how long a coarse time lasts, in nanoseconds: a jiffy at 250 Hz.
const tick = 4e6

// Multigrain is the ability of inodes to know whether their stamps were looked at.
type Multigrain interface {
	// StatAttr is Getattr for stat: the change time counts as looked at until it
	// changes.
	StatAttr() (Attr, error)
	// Queried reports whether it was (I_CTIME_QUERIED).
	Queried() bool
}

// StatAttr gives an inode's attributes for stat (vfs_getattr).
func StatAttr(i Inode) (Attr, error) {
	if m, ok := i.(Multigrain); ok {
		return m.StatAttr()
	}
	return i.Getattr()
}

// stampFloor is the newest stamp that was given to the nanosecond, in
// nanoseconds (ctime_floor).
type stampFloor struct{ ns atomic.Int64 }

// fine gives the stamp now.
func (s *stampFloor) fine(now int64) int64 {
	for {
		old := s.ns.Load()
		if old >= now && old-now < tick || s.ns.CompareAndSwap(old, now) {
			return now
		}
	}
}

// coarse gives the stamp of now's tick. A floor in the future is from before
// somebody set the clock back, and means nothing.
func (s *stampFloor) coarse(now int64) int64 {
	t := now - now%tick
	if f := s.ns.Load(); f > t && f <= now {
		return f
	}
	return t
}

// floor gives the guest's; nil for a context without a place.
func (c *Context) floor() *stampFloor {
	if c == nil || c.Root.Dentry == nil {
		return nil
	}
	return &c.Root.Dentry.sb.VFS.floor
}

func (c *Context) now() int64 {
	if c != nil && c.Now != nil {
		return c.Now().Nano()
	}
	return time.Now().UnixNano()
}

// Time gives the time for time stamps, to the nanosecond.
func (c *Context) Time() abi.Timespec {
	now := c.now()
	if f := c.floor(); f != nil {
		now = f.fine(now)
	}
	return abi.NanoTimespec(now)
}

// TimeFor gives the stamp of a change of i (inode_set_ctime_current).
func (c *Context) TimeFor(i Inode) abi.Timespec {
	m, ok := i.(Multigrain)
	f := c.floor()
	if !ok || f == nil || m.Queried() {
		return c.Time()
	}
	return abi.NanoTimespec(f.coarse(c.now()))
}

// accessTime gives the stamp of a read, which is always coarse.
func (c *Context) accessTime() abi.Timespec {
	f := c.floor()
	if f == nil {
		return c.Time()
	}
	return abi.NanoTimespec(f.coarse(c.now()))
}
