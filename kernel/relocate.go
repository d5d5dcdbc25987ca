// SPDX-License-Identifier: Apache-2.0

package kernel

import (
	"fmt"
	"slices"
	"sort"
	"time"

	"lodger/abi"
	"lodger/fs"
	"lodger/host"
	"lodger/host/notify"
	"lodger/mm"
)

// places are the pieces of host files that a move empties, in an order to search.
type places struct {
	from []fs.MapRun
	ids  map[host.MapID][]int // indices into from, by offset
}

func newPlaces(from []fs.MapRun) (*places, error) {
	p := &places{from: from, ids: map[host.MapID][]int{}}
	byFD := map[int]host.MapID{}
	for i, r := range from {
		id, ok := byFD[r.FD]
		if !ok {
			var err error
			if id, err = host.MapIDOf(r.FD); err != nil {
				return nil, err
			}
			byFD[r.FD] = id
		}
		p.ids[id] = append(p.ids[id], i)
	}
	for _, l := range p.ids {
		sort.Slice(l, func(a, b int) bool { return from[l[a]].Off < from[l[b]].Off })
	}
	return p, nil
}

// remapping is a piece of memory that shows an old place.
type remapping struct {
	m     host.Mapping
	addr  uint64
	len   uint64
	piece int    // of places.from
	off   uint64 // in that piece
}

// find lists what process pid maps of the places.
func (p *places) find(pid int32) ([]remapping, error) {
	maps, err := host.Mappings(pid)
	if err != nil {
		return nil, err
	}
	var out []remapping
	for _, m := range maps {
		l := p.ids[m.ID]
		end := m.Off + (m.End - m.Start)
		first := sort.Search(len(l), func(i int) bool { r := p.from[l[i]]; return uint64(r.Off+r.Len) > m.Off })
		for _, i := range l[first:] {
			r := p.from[i]
			lo, hi := max(m.Off, uint64(r.Off)), min(end, uint64(r.Off+r.Len))
			if lo >= hi {
				break
			}
			out = append(out, remapping{m, m.Start + (lo - m.Off), hi - lo, i, lo - uint64(r.Off)})
		}
	}
	return out, nil
}

// mayMap reports whether a thread of process pid shows any of the places.
func (p *places) mayMap(pid int32) bool {
	for _, tid := range host.Threads(pid) {
		if l, err := p.find(tid); err != nil || len(l) > 0 {
			return true
		}
	}
	return false
}

// relocate does a move's work while everybody is stopped. It reports whether nobody
// maps any of the places, nor what came of them.
func (k *Kernel) relocate(m *move, p *places, move func() ([]fs.Moved, error)) (unmapped bool, err error) {
	for a := range m.mms {
		a.Stores.Lock()
		defer a.Stores.Unlock()
	}
	k.sweepStrays(p)
	found := false
	for a := range m.mms {
		if t := k.mapperOf(m, a); t != nil {
			l, err := p.find(t.thread())
			if err != nil {
				return false, err
			}
			found = found || len(l) > 0
		}
	}
	if !found {
		return true, nil
	}
	if move == nil {
		k.killMappers(m, p)
		return true, nil
	}
	to, err := move()
	if err != nil {
		return false, err
	}
	if len(to) != len(p.from) {
		return false, fmt.Errorf("a move of %d pieces gave %d places", len(p.from), len(to))
	}
	for a := range m.mms {
		for {
			t := k.mapperOf(m, a)
			if t == nil {
				break // it is dying: killMappers waits for its end
			}
			err := k.remap(m, t, p, to)
			if err == abi.ESRCH {
				continue
			}
			if err != nil {
				k.Log.Warn("a process cannot be given the new place of a file that it maps: it is killed", "task", t.String(), "error", err)
			}
			break
		}
	}
	k.killMappers(m, p)
	return false, nil
}

// mapperOf finds a held thread of an address space.
func (k *Kernel) mapperOf(m *move, a *mm.AddressSpace) *Task {
	for _, t := range k.tasksIn(m) {
		if t.MM != a {
			continue
		}
		t.callMu.Lock()
		ok := t.held.on && !t.dying.Load()
		t.callMu.Unlock()
		if ok {
			return t
		}
	}
	return nil
}

// thread is t's host thread. Memory is looked at by it and not by its process, since
// /proc shows none for a process whose first thread has ended.
func (t *Task) thread() int32 {
	t.k.mu.Lock()
	defer t.k.mu.Unlock()
	return t.hostTID
}

// killMappers makes sure that nobody maps an old place: who still does is killed, and
// is gone when it returns.
func (k *Kernel) killMappers(m *move, p *places) {
	for _, t := range k.tasksIn(m) {
		tid := t.thread()
		if l, err := p.find(tid); err == nil && len(l) == 0 {
			continue
		}
		k.mu.Lock()
		if !t.dying.Load() && t.hostTID == tid {
			k.Log.Warn("a process maps a file's old place: it is killed", "task", t.String())
			k.exitGroup(t.tg, int32(abi.SIGKILL))
		}
		k.mu.Unlock()
	}
	k.sweepEnding(p)
	k.sweepStrays(p)
}

// mapsInBatch leaves room for the closing of two descriptors.
const mapsInBatch = notify.MaxBatch - 2

// Bounds of what is remapped in one step, in bytes, for the sake of what is kept of it
// in memory meanwhile.
const (
	mostPiece = 8 << 20
	mostOwn   = 64 << 20
)

// split cuts large pieces.
func split(l []remapping) (out []remapping) {
	for _, r := range l {
		for r.len > mostPiece {
			part := r
			part.len = mostPiece
			out = append(out, part)
			r.addr, r.off, r.len = r.addr+mostPiece, r.off+mostPiece, r.len-mostPiece
		}
		out = append(out, r)
	}
	return out
}

// remap has t's address space map the new places. What a private mapping has of its
// own is kept: those pages are read before, and written to the new mapping.
func (k *Kernel) remap(m *move, t *Task, p *places, to []fs.Moved) error {
	pid := t.thread()
	list, err := p.find(pid)
	if err != nil {
		return err
	}
	list = split(list)
	stores := storing{pid: pid}
	for first := 0; first < len(list); {
		part := list[first:min(first+mapsInBatch, len(list))]
		var fds []int // one or two, mostly
		index := make([]int, len(part))
		for i, r := range part {
			fd := to[r.piece].FD
			if r.m.Shared {
				if store, err := stores.may(r.m); err != nil {
					return err
				} else if store {
					fd = to[r.piece].WriteFD
				}
			}
			n := slices.Index(fds, fd)
			if n < 0 {
				if n = len(fds); n == 2 { // in batches of their own
					part = part[:i]
					break
				}
				fds = append(fds, fd)
			}
			index[i] = n
		}
		var own []host.Piece
		kept := uint64(0)
		for i, r := range part {
			if r.m.Shared {
				continue
			}
			if kept += r.len; kept > mostOwn && i > 0 {
				part = part[:i]
				break
			}
			l, err := ownPages(pid, r)
			if err != nil {
				return err
			}
			own = append(own, l...)
		}
		end, err := t.batch(m, fds, func(b *notify.Batch, numbers []uint64) {
			for i, r := range part {
				b.Add(notify.NrMmap, r.addr, r.len, protOf(r.m), flagsOf(r.m), numbers[index[i]], uint64(to[r.piece].Off)+r.off)
			}
		})
		if err != nil {
			return err
		}
		if end.left != 0 {
			return fmt.Errorf("mapping the new place: %w", abi.Errno(-int64(end.result)))
		}
		if err := putPages(pid, own); err != nil {
			return err
		}
		first += len(part)
	}
	return nil
}

func protOf(m host.Mapping) (prot uint64) {
	if m.R {
		prot |= protR
	}
	if m.W {
		prot |= protW
	}
	if m.X {
		prot |= protX
	}
	return prot
}

func flagsOf(m host.Mapping) uint64 {
	const shared = 1
	if m.Shared {
		return shared | mapFixed
	}
	return mapPrivate | mapFixed
}

// storing tells which shared mappings of a process are, or can be made, writable.
type storing struct {
	pid  int32
	asks map[uint64]bool // nil: not looked at yet
}

func (s *storing) may(m host.Mapping) (store bool, err error) {
	if m.W {
		return true, nil
	}
	if s.asks == nil {
		if s.asks, err = host.MayWrite(s.pid); err != nil {
			return false, err
		}
	}
	store, known := s.asks[m.Start]
	if !known {
		return false, abi.ENOENT
	}
	return store, nil
}

// ownPages reads the pages of a private mapping that the process has written to.
func ownPages(pid int32, r remapping) (out []host.Piece, err error) {
	own, err := host.PrivatePages(pid, r.addr, int(r.len/pageSize))
	if err != nil {
		return nil, err
	}
	for i := 0; i < len(own); i++ {
		n := 0
		for i+n < len(own) && own[i+n] && n < 256 {
			n++
		}
		if n == 0 {
			continue
		}
		b := make([]byte, n*pageSize)
		addr := r.addr + uint64(i)*pageSize
		if got, err := host.ReadMem(pid, host.Piece{Addr: addr, Buf: b}); err != nil || got < len(b) {
			if got, err = host.ReadMemForce(pid, addr, b); err != nil || got < len(b) {
				return nil, fmt.Errorf("reading %d pages at %#x: %w", n, addr, abi.EFAULT)
			}
		}
		out = append(out, host.Piece{Addr: addr, Buf: b})
		i += n - 1
	}
	return out, nil
}

// putPages gives a private mapping its own pages back, whatever its protection.
func putPages(pid int32, pieces []host.Piece) error {
	for _, q := range pieces {
		if n, err := host.WriteMem(pid, q); err == nil && n == len(q.Buf) {
			continue
		}
		if n, err := host.WriteMemForce(pid, q.Addr, q.Buf); err != nil || n < len(q.Buf) {
			return fmt.Errorf("writing pages back at %#x: %w", q.Addr, abi.EFAULT)
		}
	}
	return nil
}

// ending is a host process whose end the guest has been told of already, while the
// host may still be at it. Guarded by Kernel.mu.
type ending struct {
	pid int32
	fd  int // tells its end
}

// mostEnding bounds the descriptors that wait for somebody to ask.
const mostEnding = 16

// noteEnding keeps g's host process in mind: until it is gone it may run guest code.
// The caller holds k.mu.
func (k *Kernel) noteEnding(g *ThreadGroup) {
	if g.deathFD < 0 {
		return
	}
	k.p.Detach(g.deathFD)
	k.ending = append(k.ending, ending{g.hostPID, g.deathFD})
	g.deathFD = -1
	if len(k.ending) >= mostEnding {
		k.pruneEnding()
	}
}

// pruneEnding forgets processes that are gone. The caller holds k.mu.
func (k *Kernel) pruneEnding() {
	k.ending = slices.DeleteFunc(k.ending, func(e ending) bool {
		gone := k.p.Ended(e.fd)
		if gone {
			k.p.Unwatch(e.fd)
		}
		return gone
	})
}

// sweepEnding returns when no ended process maps any of the places.
func (k *Kernel) sweepEnding(p *places) {
	for !k.dead.Load() {
		k.mu.Lock()
		k.pruneEnding()
		list := slices.Clone(k.ending)
		k.mu.Unlock()
		wait := false
		for _, e := range list {
			if p.mayMap(e.pid) {
				_ = host.Kill(e.pid, abi.SIGKILL) // its descriptor keeps the number
				wait = true
			}
		}
		if !wait {
			return
		}
		time.Sleep(200 * time.Microsecond)
	}
}

// sweepStrays returns when no stray maps any of the places. Everybody else has
// stopped: a child that has not announced itself yet is no stray.
func (k *Kernel) sweepStrays(p *places) {
	for !k.dead.Load() && k.straying.Load() {
		wait := false
		for _, s := range k.strays() {
			if l, err := p.find(s.TID); err == nil && len(l) == 0 || k.bindsProcess(s.PID) {
				continue
			}
			host.KillChild(k.p.ZygotePID(), s)
			wait = true
		}
		if !wait {
			return
		}
		time.Sleep(200 * time.Microsecond)
	}
}

// bindsProcess reports whether host process pid is one of the guest's: what all of
// its threads map is found by those that have stopped.
func (k *Kernel) bindsProcess(pid int32) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, t := range k.tasks {
		if t.hostTID != 0 && !t.dying.Load() && t.tg.hostPID == pid {
			return true
		}
	}
	return false
}

// Unused implements fs.Mappings.
func (k *Kernel) Unused(inode fs.Inode) bool {
	if k.dead.Load() {
		return true
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.pruneEnding()
	if len(k.ending) > 0 || k.straying.Load() || k.p == nil {
		return false
	}
	for _, t := range k.tasks {
		if mayMap(t, inode) {
			return false
		}
	}
	return true
}

// mayMap reports whether t, or what its cloner has mapped meanwhile, may map inode.
// The caller holds k.mu.
func mayMap(t *Task, inode fs.Inode) bool {
	if t.MM == nil || t.dying.Load() {
		return false
	}
	return t.MM.MayMap(inode) || t.hostTID == 0 && t.cloner != nil && t.cloner.MM.MayMap(inode)
}
