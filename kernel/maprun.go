// SPDX-License-Identifier: Apache-2.0

package kernel

import (
	"sync/atomic"

	"lodger/abi"
	"lodger/fs"
	"lodger/host/notify"
	"lodger/lib/wait"
)

// mapping is what an mmap(2) of a file asks for.
type mapping struct {
	f                         *fs.File
	addr, length, prot, flags uint64
	off                       uint64

	// grows: what is there is mapped already, and says whether it stores.
	grows, stores bool
}

func (q *mapping) shared() bool { const shared = 1; return q.flags&shared != 0 }

// write tells that the mapping is, or may be made, one that stores.
func (q *mapping) write() bool {
	if q.grows {
		return q.stores
	}
	return q.prot&protW != 0 || q.f.Writable() && q.shared()
}

// runs asks where the bytes lie. They stay there only as long as t has not returned to
// guest code since: a move waits for that.
func (q *mapping) runs(t *Task, ctx *fs.Context) ([]fs.MapRun, error) {
	t.MM.AddMapping(q.f)
	if m, ok := q.f.RunMapper(); ok && q.grows {
		return m.MapRuns(ctx, int64(q.off), int64(q.length), q.write(), q.shared())
	}
	if m, ok := q.f.Ops().(fs.Mapper); ok && q.grows {
		fd, off, err := m.MapFD(int64(q.off), int64(q.length), q.write(), q.shared(), q.prot&protX != 0)
		return []fs.MapRun{{FD: fd, Off: off, Len: int64(q.length)}}, err
	}
	runs, _, err := q.f.MapRuns(ctx, int64(q.off), int64(q.length), q.write(), q.shared(), q.prot&protX != 0)
	return runs, err
}

// mapMoving maps a file whose bytes may move: where they lie is asked for when the stub
// stands ready to map them.
func (t *Task) mapMoving(q *mapping) (uint64, error) {
	if err := q.f.MayMap(q.write(), q.shared(), q.prot&protX != 0); err != nil {
		return 0, err
	}
	q.f.IncRef()
	return t.WithFrame(func() (uint64, error) {
		defer q.f.DecRef()
		return t.withRuns(q, func(runs []fs.MapRun) (uint64, error) {
			if len(runs) == 1 {
				return t.mapOne(q, runs[0])
			}
			return t.mapPieces(q, runs)
		})
	})
}

// withRuns calls use with the pieces of a mapping, in a framed call; it sleeps while
// they move or are made ready.
func (t *Task) withRuns(q *mapping, use func([]fs.MapRun) (uint64, error)) (uint64, error) {
	var (
		queue wait.Queue
		busy  atomic.Bool
		made  error
	)
	q.f.IncRef()
	return t.Sleep(Sleep{
		On:              []Source{{Queue: &queue}},
		Uninterruptible: true,
		Cleanup:         func(bool) { q.f.DecRef() },
		Try: func() (uint64, error) {
			if busy.Load() {
				return 0, Again
			}
			if made != nil {
				return 0, made
			}
			if t.call.kind != callFrame {
				// It has slept so long that it does so in the stub.
				q.f.IncRef()
				return t.WithFrame(func() (uint64, error) {
					defer q.f.DecRef()
					return t.withRuns(q, use)
				})
			}
			runs, err := q.runs(t, t.Context())
			switch {
			case err == fs.ErrMustWait:
				busy.Store(true)
				t.prepareRuns(q, func(err error) {
					made = err
					busy.Store(false)
					queue.Notify(0)
				})
				return 0, Again
			case err != nil:
				return 0, err
			}
			return use(runs)
		},
	})
}

// prepareRuns makes the pieces ready on a goroutine that may wait, and then calls done.
func (t *Task) prepareRuns(q *mapping, done func(error)) {
	ctx := *t.Context()
	ctx.MayWait = true
	q.f.IncRef()
	go func() {
		defer t.k.catch(t, "preparing a mapping", notify.NrMmap)
		defer q.f.DecRef()
		_, err := q.runs(t, &ctx)
		t.k.Do(func() { done(err) })
	}()
}

// mapPieces maps several pieces side by side: room is reserved for all, so that the
// host chooses the place, and then filled. It is a framed call.
func (t *Task) mapPieces(q *mapping, runs []fs.MapRun) (uint64, error) {
	const none, low32 = 0, 0x40
	var b notify.Batch
	b.Add(notify.NrMmap, q.addr, q.length, none, q.flags&(mapFixed|fixedNoReplace|low32)|mapPrivate|mapAnonymous|noReserve, ^uint64(0), 0)
	return t.runBatch(&b, func(at uint64, err error) (uint64, error) {
		if err != nil {
			return 0, err
		}
		if at%pageSize != 0 || !t.StubSafe(at, q.length) {
			return 0, abi.EFAULT // not what the host said
		}
		return t.fillPieces(q, runs, at, at, at)
	})
}

// fillPieces maps pieces from address next on; the call's result is at. Should it
// fail, what was reserved from first on is unmapped.
func (t *Task) fillPieces(q *mapping, runs []fs.MapRun, at, first, next uint64) (uint64, error) {
	var b notify.Batch
	var fds []int // descriptors of ours, and their numbers there
	var numbers []uint64
	for len(runs) > 0 && b.Len() < mapsInBatch {
		r := runs[0]
		n := -1
		for i, fd := range fds {
			if fd == r.FD {
				n = i
			}
		}
		if n < 0 {
			if n = len(fds); n == 2 {
				break // a third file: in the next batch
			}
			number, err := t.inject(t.call.id, r.FD)
			if err != nil {
				return 0, abi.ENOMEM
			}
			fds, numbers = append(fds, r.FD), append(numbers, number)
		}
		b.Add(notify.NrMmap, next, uint64(r.Len), q.prot, q.flags&^fixedNoReplace|mapFixed, numbers[n], uint64(r.Off))
		runs, next = runs[1:], next+uint64(r.Len)
	}
	for _, n := range numbers {
		b.AddLoose(notify.NrClose, n)
	}
	return t.runBatch(&b, func(_ uint64, err error) (uint64, error) {
		if err != nil || len(runs) > 0 {
			if err == nil {
				return t.fillPieces(q, runs, at, first, next)
			}
			var u notify.Batch
			for _, n := range numbers {
				u.AddLoose(notify.NrClose, n)
			}
			u.AddLoose(notify.NrMunmap, first, at+q.length-first)
			return t.runBatch(&u, func(uint64, error) (uint64, error) { return 0, err })
		}
		return at, nil
	})
}

// runBatch has the stub run a batch and goes on with the call then: next is given the
// last call's result. A call whose failure matters ends the batch.
func (t *Task) runBatch(b *notify.Batch, next func(last uint64, err error) (uint64, error)) (uint64, error) {
	if b.Write(t.proc()) != nil {
		return 0, abi.EFAULT
	}
	t.allowMaps(b)
	t.afterBatch = func() (uint64, error) {
		left, last := t.call.args[0], t.call.args[1]
		if e := -int64(last); left != 0 && e > 0 && e < 4096 {
			return next(0, abi.Errno(e))
		}
		return next(last, nil)
	}
	t.act(notify.ActBatch)
	return 0, errAnswered
}
