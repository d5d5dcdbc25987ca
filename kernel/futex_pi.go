// SPDX-License-Identifier: Apache-2.0

package kernel

import (
	"encoding/binary"
	"slices"
	"sync"

	"lodger/abi"
	"lodger/host"
	"lodger/host/notify"
)

// Futexes with priority inheritance, as kernel/futex/pi.c has them, without the
// inheritance: host threads keep their own priorities. The host cannot do them,
// since the futex word holds a guest thread id.
//
// The word is shared with user space's fast paths, which exchange 0 and the
// owner's id. Both fail while FUTEX_WAITERS is set, so every operation first has
// the caller's stub set that bit atomically (FUTEX_WAKE_OP, which ORs); from then
// on only the kernel changes the word, under piTable.mu. The bit is cleared only
// when nobody waits and no other operation is on its way.
//
// FUTEX_WAIT_REQUEUE_PI and FUTEX_CMP_REQUEUE_PI are left out; the C libraries do
// without them.
type piTable struct {
	mu sync.Mutex // outside Kernel.mu
	m  map[piKey]*piState
}

// piKey names a futex: by address space, or by the shared object.
type piKey struct {
	space any    // *mm.AddressSpace, nil for a shared object
	ino   uint64 // of the shared object
	off   uint64 // address or offset
}

// piState is a futex that somebody waits for or works on.
type piState struct {
	waiters []*piWaiter // first come, first served
	intents int         // operations that have begun and not read the word
	owner   *Task       // while there are waiters
}

type piWaiter struct {
	t    *Task
	addr uint64
}

// FutexPI describes one operation.
type FutexPI struct {
	Addr     uint64
	Shared   bool
	Deadline int64 // monotonic nanoseconds; 0: none
}

// piOp is what an operation does with the stable word. It returns the new word,
// without FUTEX_WAITERS, and Again when the caller must wait.
type piOp func(t *Task, st *piState, word uint32) (uint64, error)

// piCall performs op on the futex once the stub has set FUTEX_WAITERS in it.
func (t *Task) piCall(f FutexPI, op piOp) (uint64, error) {
	if f.Addr%4 != 0 {
		return 0, abi.EINVAL
	}
	var b [4]byte
	if err := t.CopyIn(f.Addr, b[:]); err != nil {
		return 0, err
	}
	had := binary.LittleEndian.Uint32(b[:]) & futexWaiters
	key, err := t.piKey(f)
	if err != nil {
		return 0, err
	}
	return t.WithFrame(func() (uint64, error) {
		const wakeOpPrivate, orBit31, never = 5 | 128, (2 | 8) << 28, 31<<12 | 0xfff
		var batch notify.Batch
		batch.AddLoose(notify.NrFutex, t.header, wakeOpPrivate, 0, 0, f.Addr, orBit31|never)
		if batch.Write(t.proc()) != nil {
			return 0, abi.EFAULT
		}
		t.piBegin(key)
		t.afterBatch = func() (uint64, error) { return t.piFinish(f, key, had, op) }
		t.act(notify.ActBatch)
		return 0, errAnswered
	})
}

// piBegin announces an operation: FUTEX_WAITERS stays set until it has come.
func (t *Task) piBegin(key piKey) {
	p := &t.k.pi
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.m == nil {
		p.m = map[piKey]*piState{}
	}
	st := p.m[key]
	if st == nil {
		st = &piState{}
		p.m[key] = st
	}
	st.intents++
	t.piIntent = &key
}

// piFinish runs op with the word.
func (t *Task) piFinish(f FutexPI, key piKey, had uint32, op piOp) (uint64, error) {
	p := &t.k.pi
	p.mu.Lock()
	st := p.m[key]
	t.piIntent = nil
	st.intents--
	var b [4]byte
	err := t.CopyIn(f.Addr, b[:])
	word := binary.LittleEndian.Uint32(b[:])
	var next uint64
	if err == nil && word&futexWaiters == 0 {
		err = abi.EFAULT // read-only memory, or somebody scribbles there
	}
	if err == nil {
		next, err = op(t, st, word&^futexWaiters)
	}
	if err != nil && err != Again {
		next = uint64(word &^ futexWaiters)
		if had != 0 {
			next = uint64(word)
		}
	}
	t.piStore(f.Addr, st, uint32(next))
	st.noteOwner(t.k, uint32(next))
	p.forget(key, st)
	p.mu.Unlock()
	if err != Again {
		return 0, err
	}
	return t.piWait(f, key)
}

// piStore writes the word; the caller holds piTable.mu.
func (t *Task) piStore(addr uint64, st *piState, word uint32) {
	if len(st.waiters) > 0 || st.intents > 0 {
		word |= futexWaiters
	}
	var b [4]byte
	binary.LittleEndian.PutUint32(b[:], word)
	_ = t.CopyOut(addr, b[:])
}

// noteOwner remembers who must hand the futex on when he dies.
func (st *piState) noteOwner(k *Kernel, word uint32) {
	st.owner = nil
	if len(st.waiters) > 0 {
		st.owner = k.taskByTID(int32(word & futexTIDMask))
	}
}

func (k *Kernel) taskByTID(tid int32) *Task {
	k.mu.Lock()
	defer k.mu.Unlock()
	if t := k.tasks[tid]; t != nil && !t.dying.Load() {
		return t
	}
	return nil
}

// forget drops state that nobody uses.
func (p *piTable) forget(key piKey, st *piState) {
	if len(st.waiters) == 0 && st.intents == 0 {
		delete(p.m, key)
	}
}

// LockPI is FUTEX_LOCK_PI, without waiting when try is set (FUTEX_TRYLOCK_PI).
func (t *Task) LockPI(f FutexPI, try bool) (uint64, error) {
	return t.piCall(f, func(t *Task, st *piState, word uint32) (uint64, error) {
		owner := int32(word & futexTIDMask)
		switch {
		case owner == t.tid:
			return 0, abi.EDEADLK
		case owner == 0 && len(st.waiters) == 0:
			return uint64(word&futexOwnerDied | uint32(t.tid)), nil
		case owner != 0 && t.k.taskByTID(owner) == nil && len(st.waiters) == 0:
			return 0, abi.ESRCH
		case try:
			return 0, abi.EAGAIN
		}
		st.waiters = append(st.waiters, &piWaiter{t: t, addr: f.Addr})
		if owner == 0 {
			return uint64(st.grant(t.k) | word&futexOwnerDied), Again
		}
		return uint64(word), Again
	})
}

// grant gives the futex to its first waiter and returns its id.
func (st *piState) grant(k *Kernel) uint32 {
	w := st.waiters[0]
	st.waiters = st.waiters[1:]
	w.t.piGranted.Store(true)
	k.ready(w.t)
	return uint32(w.t.tid)
}

// UnlockPI is FUTEX_UNLOCK_PI. EPERM: the caller is not the owner.
func (t *Task) UnlockPI(f FutexPI) (uint64, error) {
	return t.piCall(f, func(t *Task, st *piState, word uint32) (uint64, error) {
		switch {
		case int32(word&futexTIDMask) != t.tid:
			return 0, abi.EPERM
		case len(st.waiters) > 0:
			return uint64(st.grant(t.k)), nil
		}
		return 0, nil
	})
}

// piWait sleeps until t has been granted the futex.
func (t *Task) piWait(f FutexPI, key piKey) (uint64, error) {
	return t.Sleep(Sleep{
		Try: func() (uint64, error) {
			if t.piGranted.Swap(false) {
				return 0, nil
			}
			return 0, Again
		},
		Deadline: f.Deadline,
		Restart:  abi.ERESTARTNOINTR,
		// A signal or the deadline may have met the grant: then it is ours.
		OnInterrupt: func() (uint64, error) {
			if t.piGranted.Swap(false) {
				return 0, nil
			}
			return 0, abi.ERESTARTNOINTR
		},
		Timeout: func() (uint64, error) {
			if t.piGranted.Swap(false) {
				return 0, nil
			}
			return 0, abi.ETIMEDOUT
		},
		Cleanup: func(bool) { t.piLeave(key) },
	})
}

// piLeave takes t off the queue, if it is still there.
func (t *Task) piLeave(key piKey) {
	p := &t.k.pi
	p.mu.Lock()
	defer p.mu.Unlock()
	if st := p.m[key]; st != nil {
		st.remove(t)
		p.forget(key, st)
	}
}

func (st *piState) remove(t *Task) {
	st.waiters = slices.DeleteFunc(st.waiters, func(w *piWaiter) bool { return w.t == t })
}

// piExit ends a dead task's part in futexes: what it owned goes to the next
// waiter, marked FUTEX_OWNER_DIED. The caller holds no lock.
func (k *Kernel) piExit(t *Task) {
	p := &k.pi
	p.mu.Lock()
	defer p.mu.Unlock()
	if t.piIntent != nil {
		if st := p.m[*t.piIntent]; st != nil {
			st.intents--
			p.forget(*t.piIntent, st)
		}
		t.piIntent = nil
	}
	for key, st := range p.m {
		st.remove(t)
		if st.owner != t || len(st.waiters) == 0 {
			continue
		}
		w := st.waiters[0]
		word := st.grant(k) | futexOwnerDied
		w.t.piStore(w.addr, st, word)
		st.noteOwner(k, word)
		p.forget(key, st)
	}
}

// piKey finds out what the futex is: shared memory is the same futex in every
// process that maps it.
func (t *Task) piKey(f FutexPI) (piKey, error) {
	private := piKey{space: t.MM, off: f.Addr}
	if !f.Shared {
		return private, nil
	}
	maps, err := host.Maps(t.hostTID)
	if err != nil {
		return piKey{}, abi.EFAULT
	}
	for _, v := range maps {
		if f.Addr >= v.Start && f.Addr < v.End {
			if len(v.Perms) == 4 && v.Perms[3] == 's' {
				return piKey{ino: v.Ino, off: v.Off + f.Addr - v.Start}, nil
			}
			return private, nil
		}
	}
	return piKey{}, abi.EFAULT
}
