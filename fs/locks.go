// SPDX-License-Identifier: Apache-2.0

package fs

import (
	"math"
	"sort"

	"lodger/abi"
	"lodger/lib/wait"
)

// Lock is a record lock; End is inclusive, math.MaxInt64 means to the end.
type Lock struct {
	Type       int16 // abi.F_RDLCK, F_WRLCK, F_UNLCK
	Start, End int64
	PID        int32 // of the owner; -1 for OFD locks
}

// heldLock is a lock that somebody has.
type heldLock struct {
	Lock
	owner any
}

// fileLocks are all locks on one inode; guarded by VFS.inodeMu. It exists while
// there are locks or sleepers.
type fileLocks struct {
	posix []heldLock // POSIX and OFD locks, by start; those of one owner never overlap
	flock map[*File]int
	queue wait.Queue
	// waited is set when a *WouldBlock names queue, whose receiver may not be on
	// it yet: tidy then spares it once.
	waited bool
}

// lockGraph says on which owner a blocked owner waits, to find deadlocks.
type lockGraph map[any]any

func (v *VFS) locksOf(i Inode) *fileLocks {
	l := v.locks[i]
	if l == nil {
		l = &fileLocks{}
		v.locks[i] = l
	}
	return l
}

// tidy forgets l when nothing needs it; inodeMu is held.
func (v *VFS) tidy(i Inode, l *fileLocks) {
	if len(l.posix) != 0 || len(l.flock) != 0 {
		return
	}
	if l.waited {
		l.waited = false
		return
	}
	if l.queue.Empty() {
		delete(v.locks, i)
	}
}

// LockRange turns a struct flock into a Lock (EINVAL, EOVERFLOW).
func (f *File) LockRange(fl abi.Flock) (Lock, error) {
	base := int64(0)
	switch fl.Whence {
	case abi.SEEK_SET:
	case abi.SEEK_CUR:
		base = f.Pos()
	case abi.SEEK_END:
		a, err := f.inode.Getattr()
		if err != nil {
			return Lock{}, err
		}
		base = a.Size
	default:
		return Lock{}, abi.EINVAL
	}
	if fl.Start > math.MaxInt64-base {
		return Lock{}, abi.EOVERFLOW
	}
	lk := Lock{Type: fl.Type, Start: base + fl.Start, End: math.MaxInt64}
	if lk.Start < 0 {
		return Lock{}, abi.EINVAL
	}
	switch {
	case fl.Len > 0:
		if fl.Len-1 > math.MaxInt64-lk.Start {
			return Lock{}, abi.EOVERFLOW
		}
		lk.End = lk.Start + fl.Len - 1
	case fl.Len < 0:
		if lk.Start+fl.Len < 0 {
			return Lock{}, abi.EINVAL
		}
		lk.End = lk.Start - 1
		lk.Start += fl.Len
	}
	if fl.Type != abi.F_RDLCK && fl.Type != abi.F_WRLCK && fl.Type != abi.F_UNLCK {
		return Lock{}, abi.EINVAL
	}
	return lk, nil
}

// SetLock is F_SETLK(W). owner is any comparable key: the descriptor table for
// POSIX locks, f itself for OFD locks. On conflict EAGAIN, or with block
// *WouldBlock (whose Cancel must be heeded), or EDEADLK.
func (f *File) SetLock(owner any, lk Lock, block bool) error {
	if f.IsPath() || lk.Type == abi.F_RDLCK && !f.read || lk.Type == abi.F_WRLCK && !f.write {
		return abi.EBADF
	}
	v := f.Path.Dentry.sb.VFS
	ofd := owner == any(f)
	if ofd {
		f.flocked.Store(true)
	}
	v.inodeMu.Lock()
	defer v.inodeMu.Unlock()
	l := v.locksOf(f.inode)
	defer v.tidy(f.inode, l)
	delete(v.posix, owner)
	if c := l.conflict(owner, lk); c != nil {
		if !block {
			return abi.EAGAIN
		}
		return v.waitForLock(l, owner, c.owner, ofd)
	}
	l.set(owner, lk)
	l.queue.Notify(abi.POLLOUT)
	return nil
}

// waitForLock notes who waits for whom; inodeMu is held. OFD locks take no part
// in deadlock detection (posix_locks_deadlock).
func (v *VFS) waitForLock(l *fileLocks, owner, holder any, ofd bool) error {
	if !ofd {
		for h, n := holder, 0; n < 10; n++ {
			if h == owner {
				return abi.EDEADLK
			}
			next, ok := v.posix[h]
			if !ok {
				break
			}
			h = next
		}
		if v.posix == nil {
			v.posix = lockGraph{}
		}
		v.posix[owner] = holder
	}
	l.waited = true
	return &WouldBlock{Queue: &l.queue, Mask: abi.POLLOUT, Cancel: func() {
		v.inodeMu.Lock()
		defer v.inodeMu.Unlock()
		delete(v.posix, owner)
	}}
}

// conflict gives the first lock of another owner that forbids lk, or nil.
func (l *fileLocks) conflict(owner any, lk Lock) *heldLock {
	if lk.Type == abi.F_UNLCK {
		return nil
	}
	for i := range l.posix {
		h := &l.posix[i]
		if h.owner != owner && h.Start <= lk.End && lk.Start <= h.End &&
			(h.Type == abi.F_WRLCK || lk.Type == abi.F_WRLCK) {
			return h
		}
	}
	return nil
}

// set replaces the owner's locks in the range by lk, splitting and merging.
func (l *fileLocks) set(owner any, lk Lock) {
	var out []heldLock
	for _, h := range l.posix {
		if h.owner != owner {
			out = append(out, h)
			continue
		}
		if h.Type == lk.Type && touches(h.Lock, lk) {
			lk.Start, lk.End = min(lk.Start, h.Start), max(lk.End, h.End)
			continue
		}
		if h.End < lk.Start || lk.End < h.Start {
			out = append(out, h)
			continue
		}
		if h.Start < lk.Start {
			left := h
			left.End = lk.Start - 1
			out = append(out, left)
		}
		if h.End > lk.End {
			h.Start = lk.End + 1
			out = append(out, h)
		}
	}
	if lk.Type != abi.F_UNLCK {
		out = append(out, heldLock{lk, owner})
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].Start < out[j].Start })
	l.posix = out
}

// touches reports whether a and b overlap or are neighbours.
func touches(a, b Lock) bool {
	return (b.End == math.MaxInt64 || a.Start <= b.End+1) && (a.End == math.MaxInt64 || b.Start <= a.End+1)
}

// GetLock is F_GETLK: the lock that lk conflicts with, or Type F_UNLCK.
func (f *File) GetLock(owner any, lk Lock) (Lock, error) {
	if f.IsPath() {
		return Lock{}, abi.EBADF
	}
	v := f.Path.Dentry.sb.VFS
	v.inodeMu.Lock()
	defer v.inodeMu.Unlock()
	l := v.locks[f.inode]
	if l != nil {
		if c := l.conflict(owner, lk); c != nil {
			return c.Lock, nil
		}
	}
	lk.Type = abi.F_UNLCK
	return lk, nil
}

// dropPosixLocks removes owner's locks on i: some descriptor of it was closed.
func (v *VFS) dropPosixLocks(i Inode, owner any) {
	v.inodeMu.Lock()
	defer v.inodeMu.Unlock()
	l := v.locks[i]
	if l == nil {
		return
	}
	l.set(owner, Lock{Type: abi.F_UNLCK, End: math.MaxInt64})
	l.queue.Notify(abi.POLLOUT)
	v.tidy(i, l)
}

// dropFileLocks removes what a released file held: flock and OFD locks.
func (v *VFS) dropFileLocks(f *File) {
	v.inodeMu.Lock()
	defer v.inodeMu.Unlock()
	l := v.locks[f.inode]
	if l == nil {
		return
	}
	delete(l.flock, f)
	l.set(any(f), Lock{Type: abi.F_UNLCK, End: math.MaxInt64})
	l.queue.Notify(abi.POLLOUT)
	v.tidy(f.inode, l)
}

// Flock is flock(2) with LOCK_SH, LOCK_EX or LOCK_UN; on conflict EAGAIN with
// LOCK_NB, else *WouldBlock. As on Linux a conversion first gives up the old
// lock.
func (f *File) Flock(op int) error {
	if f.IsPath() {
		return abi.EBADF
	}
	v := f.Path.Dentry.sb.VFS
	v.inodeMu.Lock()
	defer v.inodeMu.Unlock()
	l := v.locksOf(f.inode)
	defer v.tidy(f.inode, l)
	kind := op &^ abi.LOCK_NB
	switch kind {
	case abi.LOCK_SH, abi.LOCK_EX, abi.LOCK_UN:
	default:
		return abi.EINVAL
	}
	if had, ok := l.flock[f]; ok {
		if had == kind {
			return nil
		}
		delete(l.flock, f)
		l.queue.Notify(abi.POLLOUT)
	}
	if kind == abi.LOCK_UN {
		return nil
	}
	for _, k := range l.flock {
		if k == abi.LOCK_EX || kind == abi.LOCK_EX {
			if op&abi.LOCK_NB != 0 {
				return abi.EAGAIN
			}
			l.waited = true
			return &WouldBlock{Queue: &l.queue, Mask: abi.POLLOUT}
		}
	}
	if l.flock == nil {
		l.flock = map[*File]int{}
	}
	l.flock[f] = kind
	f.flocked.Store(true)
	return nil
}
