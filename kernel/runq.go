// SPDX-License-Identifier: Apache-2.0

package kernel

import (
	"sync"
	"sync/atomic"
)

// runq is the list of tasks whose sleep may be over, and of work that must be
// done without locks.
type runq struct {
	some atomic.Bool // something may be there; set with mu held
	mu   sync.Mutex
	list []*Task  // guarded by mu
	work []func() // guarded by mu
}

// ready puts t on the run list. It may be called with any lock held.
func (k *Kernel) ready(t *Task) {
	k.run.mu.Lock()
	defer k.run.mu.Unlock()
	if t.queued {
		return
	}
	t.queued = true
	k.run.list = append(k.run.list, t)
	k.run.some.Store(true)
}

// later has f run from the run list: for work that a holder of k.mu finds but
// must not do itself (closing files, shutting down).
func (k *Kernel) later(f func()) {
	k.run.mu.Lock()
	defer k.run.mu.Unlock()
	k.run.work = append(k.run.work, f)
	k.run.some.Store(true)
}

// next takes the first entry.
func (q *runq) next() (t *Task, f func(), ok bool) {
	if !q.some.Load() {
		return nil, nil, false // after most calls
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case len(q.work) > 0:
		f = q.work[0]
		n := copy(q.work, q.work[1:]) // short, and keeps its buffer
		q.work[n] = nil
		q.work = q.work[:n]
		return nil, f, true
	case len(q.list) > 0:
		t = q.list[0]
		n := copy(q.list, q.list[1:])
		q.list[n] = nil
		q.list = q.list[:n]
		t.queued = false
		return t, nil, true
	}
	q.some.Store(false)
	return nil, nil, false
}

// drain works off the run list. The caller holds no lock.
func (k *Kernel) drain() {
	for {
		t, f, ok := k.run.next()
		switch {
		case !ok:
			return
		case f != nil:
			k.guarded("the run list", f)
		default:
			t.resume()
		}
	}
}
