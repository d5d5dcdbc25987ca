// SPDX-License-Identifier: Apache-2.0

package kernel

import (
	"lodger/abi"
	"lodger/fs"
	"lodger/host"
	"lodger/host/notify"
)

// Flags of mremap(2) and mmap(2).
const (
	mremapMayMove  = 1
	mremapFixed    = 2
	fixedNoReplace = 0x100000
	noReserve      = 0x4000
)

// Remap performs mremap(2) where the host may not at once. A file that is mapped whole
// (hostfs, memfds) is all that a mapping of it can grow into; one that is mapped from
// its place in a disk image has other files behind it, so that what it grows by is
// mapped as mmap(2) would.
func (t *Task) Remap(old, oldLen, newLen, flags, newAddr uint64) (uint64, error) {
	return t.WithFrame(func() (uint64, error) {
		if newLen > oldLen {
			// Another thread can put a piece of a disk image at old before the host looks,
			// now or as long as it was allowed to, and what lies behind that would be shown.
			raced := !t.alone()
			g, err := t.growing(old, oldLen, newLen, raced)
			if err != nil {
				return 0, err
			}
			if g != nil {
				g.flags, g.newAddr = flags, newAddr
				defer g.q.f.DecRef()
				return t.withRuns(g.q, func(runs []fs.MapRun) (uint64, error) { return t.grow(g, runs) })
			}
			if raced || t.MM.Pieced.Load() {
				head, prot, err := t.ownArea(old, oldLen)
				if raced && err != nil {
					return 0, err
				}
				if head != nil && oldLen == 0 {
					return 0, abi.EINVAL // only what is shared can be duplicated
				}
				if raced && head != nil || len(head) > 1 {
					return t.growOwn(head, prot, old, oldLen, newLen, flags, newAddr)
				}
			}
			if raced {
				return 0, abi.ENOMEM // what it grows by cannot be mapped by hand
			}
		}
		var b notify.Batch
		b.AddLoose(notify.NrMremap, old, oldLen, newLen, flags, newAddr, 0)
		if b.Write(t.proc()) != nil {
			return 0, abi.EFAULT
		}
		t.allowMaps(&b)
		t.act(notify.ActBatchRes)
		return 0, errAnswered
	})
}

// growing is an mremap that makes a mapping longer: q is all of the new one, head what
// there is of the old one on the host.
type growing struct {
	q              *mapping
	head           []host.Mapping
	old, oldLen    uint64
	flags, newAddr uint64
}

// growing looks at what file lies at old; nil: none that needs the kernel's care, which
// are those of disk images or, where raced is set, all. The caller drops q.f.
func (t *Task) growing(old, oldLen, newLen uint64, raced bool) (g *growing, err error) {
	var files []*fs.File
	defer func() {
		for _, f := range files {
			f.DecRef()
		}
	}()
	for _, f := range t.MM.Mapped() {
		if _, ok := f.RunMapper(); ok || raced {
			files = append(files, f)
		} else {
			f.DecRef()
		}
	}
	if len(files) == 0 {
		return nil, nil
	}
	maps, err := host.Mappings(t.hostTID)
	if err != nil {
		return nil, abi.ENOMEM
	}
	next, ids := old, mapIDs{}
	for _, m := range maps {
		if m.End <= next || m.Start > next {
			continue
		}
		if g == nil {
			f, off, ok := ids.fileAt(files, m, next)
			if !ok {
				return nil, nil
			}
			q := &mapping{f: f.IncRef(), length: newLen, prot: protOf(m), flags: flagsOf(m) &^ mapFixed, off: off, grows: true}
			if m.Shared {
				if q.stores, err = (&storing{pid: t.hostTID}).may(m); err != nil {
					f.DecRef()
					return nil, abi.ENOMEM
				}
			}
			g = &growing{q: q, old: old, oldLen: oldLen}
			if oldLen == 0 {
				if !m.Shared {
					f.DecRef()
					return nil, abi.EINVAL
				}
				return g, nil
			}
		} else if f, off, ok := ids.fileAt(files, m, next); !ok || f != g.q.f || off != g.q.off+(next-old) || protOf(m) != g.q.prot || m.Shared != g.q.shared() {
			break // another mapping
		}
		end := min(m.End, old+oldLen)
		g.head = append(g.head, host.Mapping{Start: next, End: end})
		if next = end; next == old+oldLen {
			return g, nil
		}
	}
	if g != nil {
		g.q.f.DecRef()
		return nil, abi.EFAULT
	}
	return nil, nil
}

// fileAt finds the file that mapping m shows at addr, and the offset in it.
func (ids mapIDs) fileAt(files []*fs.File, m host.Mapping, addr uint64) (*fs.File, uint64, bool) {
	at := int64(m.Off + (addr - m.Start))
	for _, f := range files {
		if rm, ok := f.RunMapper(); ok {
			if off, ok := rm.FindRun(ids.same(m.ID), at); ok {
				return f, uint64(off), true
			}
			continue
		}
		fd, base, err := f.MapFD(0, pageSize, false, false, false)
		if err == nil && ids.same(m.ID)(fd) && at >= base {
			return f, uint64(at - base), true
		}
	}
	return nil, 0, false
}

// grow makes room, at the place of the old mapping where that is free, takes the old
// one there and maps the rest from runs.
func (t *Task) grow(g *growing, runs []fs.MapRun) (uint64, error) {
	tail := cutRuns(runs, g.oldLen)
	reserve := func(addr, length, flags uint64) *notify.Batch {
		var b notify.Batch
		b.Add(notify.NrMmap, addr, length, 0, flags|mapPrivate|mapAnonymous|noReserve, ^uint64(0), 0)
		return &b
	}
	if g.flags&mremapFixed == 0 && g.oldLen > 0 {
		end := g.old + g.oldLen
		if !t.StubSafe(end, g.q.length-g.oldLen) {
			return t.growElsewhere(g, tail, reserve)
		}
		return t.runBatch(reserve(end, g.q.length-g.oldLen, fixedNoReplace), func(at uint64, err error) (uint64, error) {
			if err != nil || at != end {
				return t.growElsewhere(g, tail, reserve)
			}
			return t.fillPieces(g.q, tail, g.old, end, end)
		})
	}
	return t.growElsewhere(g, tail, reserve)
}

func (t *Task) growElsewhere(g *growing, tail []fs.MapRun, reserve func(addr, length, flags uint64) *notify.Batch) (uint64, error) {
	if g.flags&mremapMayMove == 0 {
		return 0, abi.ENOMEM
	}
	addr, flags := uint64(0), uint64(0)
	if g.flags&mremapFixed != 0 {
		addr, flags = g.newAddr, mapFixed
		if addr%pageSize != 0 {
			return 0, abi.EINVAL
		}
		if g.newAddr < g.old+max(g.oldLen, 1) && g.old < g.newAddr+g.q.length {
			return 0, abi.EINVAL
		}
	}
	return t.runBatch(reserve(addr, g.q.length, flags), func(at uint64, err error) (uint64, error) {
		if err != nil {
			return 0, err
		}
		if at%pageSize != 0 || !t.StubSafe(at, g.q.length) {
			return 0, abi.EFAULT // not what the host said
		}
		return t.moveHead(g, g.head, tail, at)
	})
}

// moveHead takes the old mapping to its new place, in as many pieces as it has.
func (t *Task) moveHead(g *growing, head []host.Mapping, tail []fs.MapRun, at uint64) (uint64, error) {
	if len(head) == 0 && g.q.f == nil {
		return at, nil // the rest of the new place is what it grows by
	}
	if len(head) == 0 {
		return t.fillPieces(g.q, tail, at, at+g.oldLen, at+g.oldLen)
	}
	var b notify.Batch
	n := min(len(head), notify.MaxBatch)
	for _, m := range head[:n] {
		l := m.End - m.Start
		b.Add(notify.NrMremap, m.Start, l, l, mremapMayMove|mremapFixed, at+(m.Start-g.old), 0)
	}
	return t.runBatch(&b, func(_ uint64, err error) (uint64, error) {
		if err != nil {
			return 0, err
		}
		return t.moveHead(g, head[n:], tail, at)
	})
}

// cutRuns gives what is left of runs behind the first n bytes.
func cutRuns(runs []fs.MapRun, n uint64) (out []fs.MapRun) {
	skip := int64(n)
	for _, r := range runs {
		c := min(skip, r.Len)
		skip -= c
		if r.Len > c {
			out = append(out, fs.MapRun{FD: r.FD, Off: r.Off + c, Len: r.Len - c})
		}
	}
	return out
}
