// SPDX-License-Identifier: Apache-2.0

package ext4

import (
	"lodger/abi"
	"lodger/fs"
	"lodger/lib/printk"
)

// Where a regular file is mapped from. One of three things is true of an inode, as a
// whole:
//
//   - nobody maps it;
//   - direct: processes map its blocks where they lie, in the image or a COW file.
//     The blocks may be neither freed nor used for anything else, and what is mapped
//     from a COW disk's base (inode.given) moves before it is written (copyup.go);
//   - copied (inode.mem): processes map a memfd, reads come from it too, writes go
//     to both.
//
// What does not agree with direct turns the inode into a copied one first (undirect),
// by fs.Mappings: the kernel stops the processes, and what they had mapped is the
// copy when they go on. From there sizes, holes and SIGBUS are the host's work. It
// goes back when its last user has closed it.

const (
	pageSize = 4096
	// mostRuns is how many pieces a mapping may have before a copy is better.
	mostRuns = 1024
	// copyAtOnce is the size up to which a copy is made while others wait.
	copyAtOnce = 256 << 10
)

// place is a piece of a file on the host.
type place struct {
	fs.MapRun
	logical int64 // offset in the file
}

// openFile makes an open file.
func (i *inode) openFile(flags int) (*file, error) {
	write := flags&abi.O_ACCMODE != abi.O_RDONLY
	switch {
	case write && i.is(flImmutable):
		return nil, abi.EPERM
	case write && i.is(flAppend) && flags&abi.O_APPEND == 0, i.is(flAppend) && flags&abi.O_TRUNC != 0:
		return nil, abi.EPERM
	}
	return &file{i: i, write: write, sync: flags&abi.O_SYNC == abi.O_SYNC, dsync: flags&abi.O_DSYNC != 0, told: i.lostSample()}, nil
}

// MapFD is MapRuns for whoever wants one piece.
func (f *file) MapFD(offset, length int64, write, shared, _ bool) (int, int64, error) {
	runs, err := f.MapRuns(&fs.Context{}, offset, length, write, shared)
	if err != nil {
		return -1, 0, err
	}
	if len(runs) != 1 {
		return -1, 0, abi.EINVAL
	}
	return runs[0].FD, runs[0].Off, nil
}

// MapRuns implements fs.RunMapper: pieces of the device's own host file where the
// blocks allow it, else a memory copy.
func (f *file) MapRuns(ctx *fs.Context, offset, length int64, write, shared bool) ([]fs.MapRun, error) {
	i := f.i
	s := i.s
	s.mu.Lock()
	defer s.mu.Unlock()
	length = (length + pageSize - 1) &^ (pageSize - 1)
	store := write && shared
	for {
		if err := i.settled(ctx); err != nil {
			return nil, err
		}
		if store && i.showsBase(offset, offset+length) {
			if err := i.copyUp(ctx, offset, offset+length); err != nil {
				return nil, err
			}
			continue
		}
		i.mapped++
		if i.mem != nil {
			break
		}
		if runs, ok, err := i.direct(ctx, offset, length, store); ok || err != nil {
			return runs, err
		}
		if !i.isDirect {
			if err := i.copyNow(ctx); err != nil {
				return nil, err
			}
			break
		}
		if err := i.undirect(ctx); err != nil {
			return nil, err
		}
	}
	if !store {
		return []fs.MapRun{{FD: i.mem.ro, Off: offset, Len: length}}, nil
	}
	i.mem.store(i)
	return []fs.MapRun{{FD: i.mem.fd, Off: offset, Len: length}}, nil
}

// FindRun implements fs.RunMapper.
func (f *file) FindRun(same func(fd int) bool, at int64) (int64, bool) {
	i := f.i
	i.s.mu.RLock()
	defer i.s.runlock()
	if i.mem != nil {
		return at, same(i.mem.fd)
	}
	if !i.isDirect {
		return 0, false
	}
	l, err := i.places()
	if err != nil {
		return 0, false
	}
	last, is := -1, false
	for _, p := range l {
		if at < p.Off || at >= p.Off+p.Len {
			continue
		}
		if p.FD != last {
			last, is = p.FD, same(p.FD)
		}
		if is {
			return p.logical + at - p.Off, true
		}
	}
	return 0, false
}

// direct finds the pieces of whole pages on the host. What a mapping stores behind the
// file's end, in its last block, is made zero when the file grows (zeroTail).
func (i *inode) direct(ctx *fs.Context, offset, length int64, store bool) ([]fs.MapRun, bool, error) {
	dev, is := i.s.dev.(HostRanger)
	bs := int64(i.s.es.blockSize)
	if !is || i.is(flInlineData) || i.logged() || bs < pageSize || length <= 0 || offset > roundTo(i.size, pageSize)-length {
		return nil, false, nil
	}
	var runs []fs.MapRun
	var base []place
	for at := offset; at < offset+length; {
		pos, n, err := i.onDevice(at, offset+length-at)
		if err != nil || n == 0 {
			return nil, false, err
		}
		fd, host, have, ok := dev.HostRange(pos, n, store)
		if !ok && store {
			// In a COW disk's base: it must be where stores may go from now on.
			o, can := i.s.dev.(Owner)
			if !can {
				return nil, false, nil
			}
			if !i.mayWait(ctx) {
				return nil, false, fs.ErrMustWait
			}
			if err := o.Own(pos, n); err != nil {
				return nil, false, nil
			}
			fd, host, have, ok = dev.HostRange(pos, n, store)
		}
		have = min(have, n) &^ (pageSize - 1)
		if !ok || have == 0 || host%pageSize != 0 {
			return nil, false, nil
		}
		if !store {
			if _, _, w, ok := dev.HostRange(pos, have, true); !ok || w < have {
				base = append(base, place{fs.MapRun{FD: fd, Off: host, Len: have}, at})
			}
		}
		if k := len(runs) - 1; k >= 0 && runs[k].FD == fd && runs[k].Off+runs[k].Len == host {
			runs[k].Len += have
		} else if runs = append(runs, fs.MapRun{FD: fd, Off: host, Len: have}); len(runs) > mostRuns {
			return nil, false, nil
		}
		at += have
	}
	if ok, err := i.cleanTail(offset + length); !ok {
		return nil, false, err
	}
	i.isDirect = true
	if store {
		i.stored = true
		i.s.storing.Store(true)
	}
	i.give(base)
	return runs, true, nil
}

// onDevice gives where on the device the run begins that bytes at of the file are in, and
// how much of the n that are asked for it holds: 0 of a hole or what is unwritten.
func (i *inode) onDevice(at, n int64) (pos, have int64, err error) {
	bs := int64(i.s.es.blockSize)
	r, err := i.mapBlocks(uint32(at/bs), uint32(divUp(uint64(at%bs+n), uint64(bs))))
	if err != nil || r.Physical == noPhys || r.Unwritten {
		return 0, 0, err
	}
	return int64(r.Physical)*bs + at%bs, min(int64(r.Len)*bs-at%bs, n), nil
}

func roundTo(n, unit int64) int64 { return (n + unit - 1) / unit * unit }

// cleanTail reports whether what a mapping up to end shows behind the file's end is
// zero, or was stored there by one.
func (i *inode) cleanTail(end int64) (bool, error) {
	if end <= i.size || i.stored {
		return true, nil
	}
	bs := int64(i.s.es.blockSize)
	r, err := i.mapBlocks(uint32(i.size/bs), 1)
	if err != nil || r.Physical == noPhys {
		return err == nil, err
	}
	tail := make([]byte, end-i.size)
	if err := readFull(i.s.dev, tail, int64(r.Physical)*bs+i.size%bs); err != nil {
		return false, abi.EIO
	}
	return allZero(tail), nil
}

// give remembers what was mapped from a base: after a copy-up for another file's sake
// nobody else knows.
func (i *inode) give(base []place) {
next:
	for _, p := range base {
		for _, q := range i.given {
			if q.FD == p.FD && q.Off <= p.Off && p.Off+p.Len <= q.Off+q.Len {
				continue next
			}
		}
		i.given = append(i.given, p)
	}
}

// places lists where processes may map a direct inode from: nothing twice.
func (i *inode) places() ([]place, error) {
	dev := i.s.dev.(HostRanger)
	bs := int64(i.s.es.blockSize)
	all := append([]place(nil), i.given...)
	err := i.runs(0, i.s.es.blocksIn(i.size), func(r Run) bool {
		if r.Unwritten {
			return true
		}
		for done := int64(0); done < int64(r.Len)*bs; {
			fd, host, n, ok := dev.HostRange(int64(r.Physical)*bs+done, int64(r.Len)*bs-done, false)
			if n = min(n, int64(r.Len)*bs-done); !ok || n <= 0 {
				break
			}
			if n&^(pageSize-1) > 0 && host%pageSize == 0 {
				all = append(all, place{fs.MapRun{FD: fd, Off: host, Len: n &^ (pageSize - 1)}, int64(r.Logical)*bs + done})
			}
			done += n
		}
		return true
	})
	return disjoint(all), err
}

// settled waits until an inode whose mappings are on the move has arrived; FS.mu is
// held for writing, and let go meanwhile.
func (i *inode) settled(ctx *fs.Context) error {
	for i.arrival != nil {
		if !i.mayWait(ctx) {
			return &fs.WouldBlock{Queue: &i.s.arrivals}
		}
		ch := i.arrival
		i.s.mu.Unlock()
		<-ch
		i.s.mu.Lock()
	}
	return nil
}

// mayWait: without a kernel that runs processes nothing waits.
func (i *inode) mayWait(ctx *fs.Context) bool {
	return mayWait(ctx) || i.s.mappings() == nil
}

func (s *FS) mappings() fs.Mappings {
	if s.sb == nil || s.sb.VFS == nil {
		return nil
	}
	return s.sb.VFS.Mappings
}

// undirect ends direct mappings before something that they do not stand. FS.mu is held
// for writing and let go meanwhile, so it comes first in an operation. ErrMustWait.
func (i *inode) undirect(ctx *fs.Context) error {
	return i.vacate(ctx, func() bool { return i.isDirect }, i.relocate)
}

// vacate has move called when it is true of i, whose mappings rest, that direct mappings
// are in the way. FS.mu is held for writing and let go meanwhile. ErrMustWait.
func (i *inode) vacate(ctx *fs.Context, inTheWay func() bool, move func(maps fs.Mappings) error) error {
	s := i.s
	for i.arrival != nil || inTheWay() {
		if i.arrival != nil {
			if !i.mayWait(ctx) {
				return fs.ErrMustWait
			}
			if err := i.settled(ctx); err != nil {
				return err
			}
			continue
		}
		maps := s.mappings()
		if maps == nil {
			i.isDirect, i.given = false, nil
			return i.copyNow(nil)
		}
		seen := i.mapped
		s.mu.Unlock()
		unused := maps.Unused(i)
		s.mu.Lock()
		if i.mapped != seen || !inTheWay() || i.arrival != nil {
			continue
		}
		if unused {
			i.isDirect, i.given = false, nil
			return nil
		}
		if !i.mayWait(ctx) {
			return fs.ErrMustWait
		}
		if err := move(maps); err != nil {
			return err
		}
	}
	return nil
}

// relocate moves all mappings to a copy.
func (i *inode) relocate(maps fs.Mappings) error {
	from, err := i.places()
	if err != nil {
		return err
	}
	return i.depart(func() error {
		return maps.Relocate(i, mapRuns(from), func() ([]fs.Moved, error) {
			i.s.mu.Lock()
			defer i.s.mu.Unlock()
			if err := i.makeCopy(); err != nil {
				return nil, err
			}
			to := make([]fs.Moved, len(from))
			for k, p := range from {
				to[k] = fs.Moved{FD: i.mem.ro, WriteFD: i.mem.fd, Off: p.logical}
			}
			return to, nil
		})
	}, func() { i.isDirect, i.given = false, nil })
}

// depart runs move, which has mappings of i moved, without FS.mu, while everybody else
// waits for their arrival; then is for its success. FS.mu is held for writing.
func (i *inode) depart(move func() error, then func()) error {
	s := i.s
	arrival := make(chan struct{})
	i.arrival = arrival
	s.mu.Unlock()
	err := move()
	s.mu.Lock()
	if err == nil {
		then()
	} else {
		s.log(printk.Err, "inode %d: %v", i.ino, err)
	}
	i.arrival = nil
	close(arrival)
	maps := s.mappings()
	s.mu.Unlock()
	maps.Do(func() { s.arrivals.Notify(0) })
	s.mu.Lock()
	return err
}

func mapRuns(l []place) []fs.MapRun {
	out := make([]fs.MapRun, len(l))
	for k, p := range l {
		out[k] = p.MapRun
	}
	return out
}

// modifyUnmapped is modify for an operation that direct mappings do not stand when bad
// says so; FS.mu is held when it is asked.
func (i *inode) modifyUnmapped(ctx *fs.Context, bad func() bool, f func() error) error {
	return i.modifyMapped(ctx, func() bool { return (i.isDirect || i.arrival != nil) && bad() }, i.undirect, f)
}

// modifyMapped is modify for an operation that calls for mend when it is true that
// mappings are in its way; FS.mu is held for both.
func (i *inode) modifyMapped(ctx *fs.Context, inTheWay func() bool, mend func(*fs.Context) error, f func() error) error {
	s := i.s
	for {
		s.mu.Lock()
		var err error
		if inTheWay() {
			err = mend(ctx)
		}
		s.mu.Unlock()
		if err != nil {
			return err
		}
		again := false
		err = s.modify(ctx, func() error {
			if again = inTheWay(); again {
				return nil // somebody has mapped it meanwhile
			}
			return f()
		})
		if !again {
			return err
		}
	}
}

// forgetMapped notes that a file which nobody has open is not mapped either, where that
// is certain. FS.mu is held for writing and let go meanwhile.
func (i *inode) forgetMapped() {
	s := i.s
	maps := s.mappings()
	if !i.isDirect || maps == nil {
		return
	}
	seen := i.mapped
	s.mu.Unlock()
	unused := maps.Unused(i)
	s.mu.Lock()
	if unused && i.mapped == seen && i.arrival == nil {
		i.isDirect, i.given = false, nil
	}
}

// evictUnmapped frees an inode that was claimed, once no process that is about to end
// can see its blocks any more. FS.mu is held for writing.
func (s *FS) evictUnmapped(i *inode) error {
	maps := s.mappings()
	if !i.isDirect || maps == nil {
		return s.evict(i)
	}
	from, err := i.places()
	if err != nil {
		return err // its blocks stay orphans
	}
	s.evictions.Add(1)
	go func() {
		defer s.evictions.Done()
		if err := maps.Relocate(i, mapRuns(from), nil); err != nil {
			s.log(printk.Err, "inode %d: %v", i.ino, err)
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.writable() == nil && !s.closed {
			if err := s.evict(i); err != nil {
				s.log(printk.Err, "inode %d: freeing: %v", i.ino, err)
			}
		}
	}()
	return nil
}

// zeroTail clears what mappings may have stored behind the end of a file that is
// about to grow.
func (i *inode) zeroTail(h *handle) error {
	if i.mem != nil {
		i.mem.zeroTail(i.size)
	}
	if !i.stored {
		return nil
	}
	return i.zeroRange(h, i.size, i.roundUp(i.size))
}
