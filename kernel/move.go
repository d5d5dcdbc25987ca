// SPDX-License-Identifier: Apache-2.0

package kernel

import (
	"fmt"
	"sync"

	"lodger/abi"
	"lodger/fs"
	"lodger/host/notify"
	"lodger/mm"
)

// Moves: what stands for unmap_mapping_range and the page cache's own consistency where
// files are mapped from a disk image. Their bytes cannot be taken from under a mapping
// as Linux takes pages, because page tables are the host's; so before a block is freed
// or copied elsewhere every process that may map it is stopped, maps the new place and
// goes on.
//
// A thread has stopped when it cannot run guest code before the kernel lets it:
//
//   - it has announced its frame (OpKick) and gets no answer;
//   - it sleeps in a call, and nothing wakes it (resume, park);
//   - it waits in the host for its vfork child, which has stopped;
//   - it is in an exec and waits for the move itself.
//
// So everybody else is kicked. Calls that are under way end or go to sleep as always,
// clones end with a child that announces itself and is one of those to stop, native
// futex waits are broken off by the kick and issued again afterwards, so that they
// wait on the new page. Who takes the kernel's kick and does not come is the kick
// watchdog's.
//
// Threads that sleep in a notification cannot be told to map anything. When a process
// has no other, one of its sleepers is parked (Task.park), which announces itself.
type move struct {
	mu   sync.Mutex
	mms  map[*mm.AddressSpace]bool // who is stopped; guarded by mu
	held []*Task                   // whose OpKick waits for an answer; guarded by mu
	over bool                      // nobody is held any more; guarded by mu
	news chan struct{}             // has an element when something changed
}

func (m *move) has(a *mm.AddressSpace) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.mms[a]
}

func (m *move) add(a *mm.AddressSpace) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mms[a] = true
}

func (m *move) poke() {
	select {
	case m.news <- struct{}{}:
	default:
	}
}

// pokeMove has a move under way look again.
func (k *Kernel) pokeMove() {
	if m := k.moving.Load(); m != nil {
		m.poke()
	}
}

// heldKick is the announcement of a thread that a move has stopped. Guarded by
// Task.callMu.
type heldKick struct {
	on bool
	ev notify.Event
	// mapper: the thread has run a batch since, so that its stub must announce
	// itself once more to get an answer to its kick.
	mapper bool
	done   chan batchEnd // a batch under way tells its end here
	// The move that has kicked it, and when.
	kicked   *move
	kickedAt int64
}

// batchEnd is what a stub says of a batch: calls left, and the last result.
type batchEnd struct{ left, result uint64 }

// hold stops t, whose kick has just been announced, when it is to stop.
func (t *Task) hold(ev *notify.Event) bool {
	m := t.k.moving.Load()
	if m == nil || t.execC != nil || !m.has(t.MM) {
		return false
	}
	t.k.mu.Lock()
	ends := t.inLastRites()
	t.k.mu.Unlock()
	if ends {
		return false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.over {
		return false
	}
	m.held = append(m.held, t)
	t.kicked.Store(false)
	t.held.on, t.held.ev, t.held.mapper = true, *ev, false
	m.poke()
	return true
}

// frozen reports whether t must not run for a move.
func (t *Task) frozen() bool {
	m := t.k.moving.Load()
	return m != nil && m.has(t.MM)
}

// unhold lets t go on. The caller holds t.callMu.
func (t *Task) unhold() {
	h := &t.held
	if !h.on || t.dying.Load() {
		return
	}
	h.on = false
	if !h.mapper {
		t.dispatch(&h.ev)
		return
	}
	h.mapper = false
	t.call = call{kind: callParked, id: h.ev.ID}
	_ = t.k.p.Answer(h.ev.ID, int64(notify.ActPark))
	t.k.mu.Lock()
	t.hostKick()
	t.k.mu.Unlock()
}

// Relocate implements fs.Mappings.
func (k *Kernel) Relocate(inode fs.Inode, from []fs.MapRun, move func() ([]fs.Moved, error)) error {
	return k.relocateFile(inode, from, true, move)
}

// RelocatePart implements fs.Mappings.
func (k *Kernel) RelocatePart(inode fs.Inode, from []fs.MapRun, move func() ([]fs.Moved, error)) error {
	return k.relocateFile(inode, from, false, move)
}

// relocateFile does a move of inode's mappings; whole: from is all that can be mapped.
func (k *Kernel) relocateFile(inode fs.Inode, from []fs.MapRun, whole bool, move func() ([]fs.Moved, error)) error {
	k.moveMu.Lock()
	defer k.moveMu.Unlock()
	if k.dead.Load() || k.p == nil {
		return nil // no guest process is left
	}
	p, err := newPlaces(from)
	if err != nil {
		return fmt.Errorf("moving mapped bytes of a file: %w", err)
	}
	k.sweepEnding(p)
	m := k.beginMove(inode)
	k.stopAll(m)
	unmapped, err := k.relocate(m, p, move)
	k.endMove(m)
	if unmapped && whole {
		for a := range m.mms {
			a.Forget(inode)
		}
	}
	return err
}

// beginMove marks the address spaces that may map inode, and those of clones that will.
func (k *Kernel) beginMove(inode fs.Inode) *move {
	m := &move{mms: map[*mm.AddressSpace]bool{}, news: make(chan struct{}, 1)}
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, t := range k.tasks {
		if mayMap(t, inode) {
			m.mms[t.MM] = true
		}
	}
	k.moving.Store(m)
	return m
}

// endMove lets everybody go on.
func (k *Kernel) endMove(m *move) {
	k.moving.Store(nil)
	m.mu.Lock()
	held := m.held
	m.held, m.over = nil, true
	m.mu.Unlock()
	k.Do(func() {
		for _, t := range held {
			t.callMu.Lock()
			t.unhold()
			t.callMu.Unlock()
		}
		for _, t := range k.tasksIn(m) {
			k.ready(t) // a wake-up that came meanwhile
		}
	})
}

// tasksIn lists the live tasks of stopped address spaces.
func (k *Kernel) tasksIn(m *move) []*Task {
	k.mu.Lock()
	defer k.mu.Unlock()
	var l []*Task
	for _, t := range k.tasks {
		if t.MM != nil && !t.dying.Load() && m.has(t.MM) {
			l = append(l, t)
		}
	}
	return l
}

// lookAgain is how long a move that waits for threads trusts that it is told, in
// nanoseconds: a thread may have gone to sleep or died.
const lookAgain = 5e6

// stopAll returns when every thread of m has stopped, and one of each address space
// can be told what to map.
func (k *Kernel) stopAll(m *move) {
	for !k.dead.Load() && !k.stopped(m) {
		timer := k.Clock.After(lookAgain, m.poke)
		<-m.news
		timer.Stop()
	}
}

// standing is how a thread is found by a move.
type standing uint8

const (
	standRuns   standing = iota
	standHeld            // and can be told to map
	standSleeps          // in a call
	standWaits           // for its vfork child
	standOut             // does not count: it is dying, never was, or maps nothing yet
)

// stopped looks at all threads once and kicks who runs.
func (k *Kernel) stopped(m *move) bool {
	tasks := k.tasksIn(m)
	stands := make(map[*Task]standing, len(tasks))
	mappers := map[*mm.AddressSpace]bool{}
	sleepers := map[*mm.AddressSpace]*Task{}
	for _, t := range tasks {
		s := t.stand(m)
		stands[t] = s
		switch s {
		case standHeld:
			mappers[t.MM] = true
		case standSleeps:
			sleepers[t.MM] = t
		}
	}
	all := true
	for _, t := range tasks {
		switch stands[t] {
		case standWaits:
			// Its child has to be seen standing: it may be in an exec.
			if c := t.vforked.Load(); c == nil || stands[c] != standHeld && stands[c] != standSleeps {
				all = false
			}
		case standRuns:
			all = false
		}
	}
	if !all {
		return false
	}
	for a, t := range sleepers {
		if !mappers[a] {
			all = false
			t.parkFor(m)
		}
	}
	return all
}

// stand says how t stands, and kicks it when it runs.
func (t *Task) stand(m *move) standing {
	t.callMu.Lock()
	defer t.callMu.Unlock()
	k := t.k
	k.mu.Lock()
	tid, cloner := t.hostTID, t.cloner
	k.mu.Unlock()
	switch {
	case t.dying.Load():
		return standOut
	case tid == 0:
		if cloner != nil && cloner.clonesInVain(t) {
			return standOut
		}
		return standRuns
	case t.held.on:
		return standHeld
	case t.execC != nil:
		if t.execC.waits {
			return standOut
		}
		return standRuns
	case t.sleep != nil && (t.call.kind == callPlain || t.call.kind == callFrame || t.call.kind == callBatch):
		return standSleeps
	case t.vforked.Load() != nil:
		return standWaits
	}
	// Once more after a while: a kick can be lost in one that delivers a signal.
	if now := k.Clock.Monotonic(); t.held.kicked != m || now-t.held.kickedAt > lookAgain {
		t.held.kicked, t.held.kickedAt = m, now
		k.mu.Lock()
		t.hostKick()
		k.mu.Unlock()
	}
	return standRuns
}

// clonesInVain reports whether t stands without having had the host make child: guest
// code that began a clone and did something else.
func (t *Task) clonesInVain(child *Task) bool {
	// Whoever looks holds the child's callMu, so this one must not be waited for.
	if !t.callMu.TryLock() {
		return false
	}
	defer t.callMu.Unlock()
	return t.held.on && t.cloneC != nil && t.cloneC.child == child && !t.cloneC.started
}

// parkFor has a sleeper go on sleeping in the stub, where it announces itself. One
// that waits in an exec has nothing mapped yet that matters.
func (t *Task) parkFor(m *move) {
	t.callMu.Lock()
	defer t.callMu.Unlock()
	if t.sleep != nil && t.execC == nil {
		t.held.kicked = m
		t.parkNow()
	}
}

// batch has the held thread t run b, once fill has added to it with the numbers that
// descriptors have in t's process. ESRCH: t is dying.
func (t *Task) batch(m *move, fds []int, fill func(b *notify.Batch, numbers []uint64)) (batchEnd, error) {
	t.callMu.Lock()
	if !t.held.on || t.dying.Load() {
		t.callMu.Unlock()
		return batchEnd{}, abi.ESRCH
	}
	var b notify.Batch
	var numbers []uint64
	for _, fd := range fds {
		n, err := t.inject(t.held.ev.ID, fd)
		if err != nil {
			t.callMu.Unlock()
			return batchEnd{}, err
		}
		numbers = append(numbers, n)
	}
	fill(&b, numbers)
	for _, n := range numbers {
		b.AddLoose(notify.NrClose, n)
	}
	if err := b.Write(t.proc()); err != nil {
		t.callMu.Unlock()
		return batchEnd{}, abi.EFAULT
	}
	done := make(chan batchEnd, 1)
	t.held.on, t.held.done = false, done
	t.allowMaps(&b)
	t.call = call{kind: callKick, id: t.held.ev.ID}
	t.act(notify.ActBatch)
	t.callMu.Unlock()
	for {
		select {
		case end := <-done:
			return end, nil
		case <-m.news:
			if t.dying.Load() || t.k.dead.Load() {
				return batchEnd{}, abi.ESRCH
			}
		}
	}
}

// batchRun takes the end of a batch of a move's; it reports whether it was one.
func (t *Task) batchRun(ev *notify.Event) bool {
	h := &t.held
	if h.done == nil {
		return false
	}
	h.done <- batchEnd{ev.Args[0], ev.Args[1]}
	h.on, h.ev, h.mapper, h.done = true, *ev, true, nil
	return true
}
