// SPDX-License-Identifier: Apache-2.0

package jbd2

import (
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"lodger/abi"
	"lodger/lib/wait"
)

func v3() Features {
	return Features{Incompat: FeatureIncompatRevoke | FeatureIncompatCsumV3 | FeatureIncompat64Bit}
}

// change makes one handle that sets blocks to a number.
func change(t *testing.T, j *Journal, v uint64, bufs ...*Buffer) TID {
	t.Helper()
	h, err := j.Start(nil, len(bufs), 0)
	must(t, err)
	for _, b := range bufs {
		must(t, h.GetWriteAccess(b))
		fill(b.Data, v)
		must(t, h.DirtyMetadata(b))
	}
	tid := h.TID()
	must(t, h.Stop())
	return tid
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (l layout) buffer(block uint64) *Buffer { return NewBuffer(block, make([]byte, l.bs)) }

// replayed recovers a copy of a disk and gives its contents.
func replayed(t *testing.T, l layout, d *disk) []byte {
	t.Helper()
	c := &disk{data: append([]byte(nil), d.data...)}
	l.load(t, c)
	return c.data
}

func (l layout) at(data []byte, block uint64) []byte { return data[int(block)*l.bs:][:l.bs] }

// TestSteps walks through a commit by hand.
func TestSteps(t *testing.T) {
	l := small(v3())
	d := l.format()
	j := l.load(t, d)
	if s, ok := j.Step(); ok || s != TNone {
		t.Fatalf("idle journal made a step: %v", s)
	}
	b := l.buffer(5)
	h, err := j.Start(nil, 2, 0)
	must(t, err)
	must(t, h.GetWriteAccess(b))
	fill(b.Data, 1)
	must(t, h.DirtyMetadata(b))
	tid := h.TID()
	if s, ok := j.Step(); ok || s != TRunning {
		t.Fatalf("nobody asked, and the commit is in state %v", s)
	}
	j.request(tid)
	if s, ok := j.Step(); !ok || s != TLocked {
		t.Fatalf("state %v", s)
	}
	if s, ok := j.Step(); ok || s != TLocked {
		t.Fatalf("with an open handle the state is %v", s)
	}
	if ok, err := h.Extend(1, 0); ok || err != nil {
		t.Fatal("a locked transaction was extended")
	}
	must(t, h.Stop())
	for _, want := range []State{TFlush, TCommit, TCommitDFlush, TCommitJFlush} {
		if s, ok := j.Step(); !ok || s != want {
			t.Fatalf("state %v, want %v", s, want)
		}
		if j.TransCommitted(tid) {
			t.Fatal("committed already")
		}
		if holds(l.at(replayed(t, l, d), 5), 1) {
			t.Fatalf("in state %v a crash shows the change", want)
		}
		// A new transaction does not disturb the one that commits.
		if want == TFlush {
			change(t, j, 2, b)
		}
	}
	if s, ok := j.Step(); !ok || s != TFinished || !j.TransCommitted(tid) {
		t.Fatalf("state %v", s)
	}
	if !holds(l.at(replayed(t, l, d), 5), 1) {
		t.Fatal("not committed, or with the later change")
	}
	must(t, j.ForceCommit())
	if !holds(l.at(replayed(t, l, d), 5), 2) {
		t.Fatal("the second change is not there")
	}
	if !j.Busy(b) {
		t.Fatal("not checkpointed, and not busy")
	}
	must(t, j.Destroy())
	if j.Busy(b) || !holds(l.at(d.data, 5), 2) {
		t.Fatal("not in its place after unmount")
	}
	if _, err := j.Start(nil, 1, 0); !errors.Is(err, abi.EROFS) {
		t.Fatalf("start after unmount: %v", err)
	}
}

// TestGroupCommit: many waiters share few commits, and each is told by either
// form.
func TestGroupCommit(t *testing.T) {
	l := layout{bs: 1024, blocks: 1000, journal: 400, feat: v3(), seq: 1}
	d := l.format()
	j := l.load(t, d)
	first := j.nextTID
	entered, release := make(chan bool), make(chan bool)
	var once sync.Once
	d.hook = func(off int64, p []byte) {
		if parseHeader(p).blocktype == commitBlock {
			once.Do(func() { close(entered); <-release })
		}
	}
	var wg sync.WaitGroup
	a := l.buffer(1)
	wg.Go(func() { must(t, j.CompleteTransaction(change(t, j, 1, a))) })
	<-entered
	var told atomic.Int32
	for i := range 20 {
		tid := change(t, j, uint64(i), l.buffer(uint64(10+i)), a)
		if i%2 == 0 {
			wg.Add(1)
			j.OnCommit(tid, func(err error) {
				if err == nil {
					told.Add(1)
				}
				wg.Done()
			})
			continue
		}
		wg.Go(func() {
			if j.CompleteTransaction(tid) == nil {
				told.Add(1)
			}
		})
	}
	close(release)
	wg.Wait()
	if told.Load() != 20 {
		t.Errorf("%d of 20 were told", told.Load())
	}
	if n := j.nextTID - first; n > 3 {
		t.Errorf("20 waiters made %d transactions", n)
	}
	must(t, j.Destroy())
}

// TestRevoke: the cases of one transaction and of several.
func TestRevoke(t *testing.T) {
	l := small(v3())
	d := l.format()
	j := l.load(t, d)
	b, c, e := l.buffer(5), l.buffer(6), l.buffer(7)
	must(t, j.CompleteTransaction(change(t, j, 1, b, c, e)))

	h, err := j.Start(nil, 3, 3)
	must(t, err)
	for _, b := range []*Buffer{b, c, e} {
		must(t, h.Revoke(b.Block, b))
	}
	must(t, h.Revoke(5, b)) // twice is once
	must(t, h.GetCreateAccess(c))
	fill(c.Data, 2)
	must(t, h.DirtyMetadata(c))
	h.CancelRevoke(7)
	if err := h.Revoke(8, nil); !errors.Is(err, abi.ENOSPC) {
		t.Errorf("a revoke beyond the credits: %v", err)
	}
	must(t, h.Stop())
	must(t, j.ForceCommit())
	data := replayed(t, l, d)
	for block, v := range map[uint64]uint64{5: 0, 6: 2, 7: 1} {
		if !holds(l.at(data, block), v) {
			t.Errorf("block %d does not hold %d", block, v)
		}
	}
	if j.Busy(b) {
		t.Error("a freed block is still to be written")
	}
	must(t, j.Destroy())
}

// TestForget: a block that was made and freed in one transaction leaves nothing.
func TestForget(t *testing.T) {
	l := small(v3())
	d := l.format()
	j := l.load(t, d)
	b := l.buffer(5)
	h, err := j.Start(nil, 1, 0)
	must(t, err)
	for range 3 { // each forget gives the credit back
		must(t, h.GetCreateAccess(b))
		fill(b.Data, 1)
		must(t, h.DirtyMetadata(b))
		must(t, h.Forget(b))
	}
	if j.Busy(b) {
		t.Error("busy")
	}
	if err := h.DirtyMetadata(b); !errors.Is(err, abi.EINVAL) {
		t.Errorf("dirty without access: %v", err)
	}
	must(t, h.Stop())
	must(t, j.Destroy())
	if !holds(l.at(d.data, 5), 0) {
		t.Error("written")
	}
}

// TestCredits: what is too much is refused; nested handles share.
func TestCredits(t *testing.T) {
	l := small(v3())
	j := l.load(t, l.format())
	if _, err := j.Start(nil, 1000, 0); !errors.Is(err, abi.ENOSPC) {
		t.Errorf("1000 credits: %v", err)
	}
	h, err := j.Start(nil, 1, 0)
	must(t, err)
	in, err := j.Start(h, 5, 0)
	must(t, err)
	if in != h {
		t.Error("a nested start made its own handle")
	}
	must(t, in.Stop())
	must(t, h.GetWriteAccess(l.buffer(1)))
	if err := h.GetWriteAccess(l.buffer(2)); !errors.Is(err, abi.ENOSPC) {
		t.Errorf("a second block on one credit: %v", err)
	}
	off, _ := l.mapping(3)
	for _, block := range []uint64{l.blocks, 1 << 60, uint64(off) / uint64(l.bs)} {
		if err := h.GetWriteAccess(l.buffer(block)); !errors.Is(err, EFSCORRUPTED) {
			t.Errorf("block %d: %v", block, err)
		}
	}
	if ok, err := h.Extend(1000, 0); ok || err != nil {
		t.Errorf("extended without limit: %v", err)
	}
	old := h.TID()
	j.request(old)
	if s, ok := j.Step(); !ok || s != TLocked {
		t.Errorf("state %v", s)
	}
	must(t, h.Restart(3, 0))
	if h.TID() == old || h.Credits() != 3 {
		t.Error("restart stayed in the transaction that is to commit")
	}
	must(t, h.Stop())
	must(t, j.Destroy())
}

// TestTryStart: what would wait says so, and its queue tells when.
func TestTryStart(t *testing.T) {
	l := small(v3())
	j := l.load(t, l.format())
	woken := make(chan bool, 100)
	e := &wait.Entry{Callback: func(wait.Mask) {
		select {
		case woken <- true:
		default:
		}
	}}
	j.Room().Add(e)
	defer j.Room().Remove(e)
	refused := 0
	for i := range 100 {
		h, err := j.TryStart(nil, 12, 0)
		for errors.Is(err, abi.EAGAIN) {
			refused++
			<-woken
			h, err = j.TryStart(nil, 12, 0)
		}
		must(t, err)
		for k := range 12 {
			b := l.buffer(uint64(10 + (i*12+k)%100))
			if !t.Failed() {
				must(t, h.GetCreateAccess(b))
				must(t, h.DirtyMetadata(b))
			}
		}
		must(t, h.Stop())
		must(t, j.ForceCommit()) // so that the next write has no other buffer in flight
		if i%8 == 7 {
			must(t, j.Checkpoint())
		}
	}
	if refused == 0 {
		t.Error("a log of 69 blocks never was short of room")
	}
	must(t, j.Destroy())
}

// TestOrdered: data goes before the commit record, with a barrier between.
func TestOrdered(t *testing.T) {
	for _, abort := range []bool{false, true} {
		l := small(v3())
		d := l.format()
		d.record = true
		o := l.options(d)
		o.AbortOnDataError = abort
		j, err := Load(o)
		must(t, err)
		f := &orderedFile{d: d}
		for i := range 2 {
			h, err := j.Start(nil, 1, 0)
			must(t, err)
			b := l.buffer(5)
			if i == 1 {
				f.err = errBroken
			}
			must(t, h.GetWriteAccess(b))
			must(t, h.DirtyMetadata(b))
			h.Order(f, 100, 200)
			h.Order(f, 50, 120)
			must(t, h.Stop())
			err = j.ForceCommit()
			if fails := abort && i == 1; fails != (err != nil) {
				t.Errorf("abort %v, commit %d: %v", abort, i, err)
			}
			must(t, j.checkErr(abort && i == 1))
		}
		if f.start != 50 || f.end != 200 {
			t.Errorf("range %d to %d", f.start, f.end)
		}
		order := ""
		for _, e := range d.events {
			switch {
			case e.kind == evFlush:
				order += "f"
			case e.off == orderedAt:
				order += "D"
			case parseHeader(e.data).blocktype == commitBlock:
				order += "C"
			}
		}
		if !strings.HasPrefix(order, "fDfCf") {
			t.Errorf("order of writes: %s", order)
		}
	}
}

const orderedAt = 9 * 1024

type orderedFile struct {
	d          *disk
	start, end int64
	err        error
}

func (f *orderedFile) SubmitData(start, end int64) error {
	f.start, f.end = start, end
	if f.err != nil {
		return f.err
	}
	_, err := f.d.WriteAt([]byte("data"), orderedAt)
	return err
}

func (j *Journal) checkErr(want bool) error {
	if (j.Aborted() != nil) != want {
		return errors.New("abort state is wrong")
	}
	return nil
}

// TestAbort: an I/O error at any write of a history ends the journal, records
// it, and loses nothing that was acknowledged.
func TestAbort(t *testing.T) {
	for n := 1; n < 80; n++ {
		l := small(v3())
		d := l.format()
		var aborted atomic.Int32
		o := l.options(d)
		o.OnAbort = func(error) { aborted.Add(1) }
		j, err := Load(o)
		must(t, err)
		writes := 0
		d.fail = func(off int64, p []byte) error {
			if writes++; writes == n {
				return errBroken
			}
			return nil
		}
		good, told := uint64(0), error(nil)
		b := l.buffer(5)
		for v := uint64(1); v < 40 && told == nil; v++ {
			h, err := j.Start(nil, 6, 0)
			if err != nil {
				told = err
				break
			}
			err = h.GetWriteAccess(b)
			if err == nil {
				fill(b.Data, v)
				err = h.DirtyMetadata(b)
			}
			tid := h.TID()
			told = errors.Join(err, h.Stop(), j.CompleteTransaction(tid))
			if told == nil {
				good = v
			}
		}
		if told == nil || j.Aborted() == nil || aborted.Load() != 1 {
			t.Fatalf("write %d failed: %v, aborted %d times", n, told, aborted.Load())
		}
		if _, err := j.Start(nil, 1, 0); !errors.Is(err, abi.EROFS) {
			t.Errorf("start after abort: %v", err)
		}
		if err := j.ForceCommit(); !errors.Is(err, abi.EIO) {
			t.Errorf("sync after abort: %v", err)
		}
		if err := j.Destroy(); !errors.Is(err, abi.EIO) {
			t.Errorf("unmount after abort: %v", err)
		}
		d.fail = nil
		again := l.load(t, d)
		if !errors.Is(again.Errno(), abi.EIO) {
			t.Errorf("the superblock says %v", again.Errno())
		}
		if !holds(l.at(d.data, 5), good) && !holds(l.at(d.data, 5), good+1) {
			t.Errorf("write %d failed: transaction with %d is lost", n, good)
		}
		must(t, again.ClearErr())
		if l.load(t, d).Errno() != nil {
			t.Error("the error stays")
		}
	}
}

// realTimer is the bubble's time.
type realTimer struct{ armed atomic.Int32 }

func (r *realTimer) Realtime() int64 { return time.Now().UnixNano() }
func (r *realTimer) After(d int64, f func()) func() bool {
	r.armed.Add(1)
	return time.AfterFunc(time.Duration(d), f).Stop
}

// TestDestroyCallbacks: a journal is not gone before what was to be done after its last
// commit is done. A callback wrote to the disk when that was somebody else's already.
func TestDestroyCallbacks(t *testing.T) {
	l := small(v3())
	j := l.load(t, l.format())
	var over atomic.Bool
	entered, release := make(chan bool), make(chan bool)
	tid := change(t, j, 1, l.buffer(5))
	j.OnCommit(tid, func(error) {
		close(entered)
		<-release
		over.Store(true)
	})
	<-entered
	time.AfterFunc(20*time.Millisecond, func() { close(release) })
	must(t, j.Destroy())
	if !over.Load() {
		t.Error("destroyed before the last commit's callbacks were over")
	}
}

// TestInterval: the timer commits what runs, and an idle journal has none.
func TestInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := small(v3())
		d := l.format()
		o, timer := l.options(d), &realTimer{}
		o.Timer, o.CommitInterval = timer, 5e9
		j, err := Load(o)
		must(t, err)
		time.Sleep(time.Hour)
		if timer.armed.Load() != 0 {
			t.Error("an idle journal armed a timer")
		}
		tid := change(t, j, 1, l.buffer(5))
		time.Sleep(4 * time.Second)
		synctest.Wait()
		if j.TransCommitted(tid) {
			t.Error("committed before the interval")
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if !j.TransCommitted(tid) {
			t.Error("not committed after the interval")
		}
		time.Sleep(time.Hour)
		if n := timer.armed.Load(); n != 1 {
			t.Errorf("%d timers for one transaction", n)
		}
		must(t, j.Destroy())
	})
}

// TestLockUpdates keeps handles out.
func TestLockUpdates(t *testing.T) {
	l := small(v3())
	j := l.load(t, l.format())
	h, err := j.Start(nil, 1, 0)
	must(t, err)
	locked := make(chan bool)
	go func() { j.LockUpdates(); close(locked) }()
	for {
		if x, err := j.TryStart(nil, 1, 0); errors.Is(err, abi.EAGAIN) {
			break
		} else if must(t, err); x != nil {
			must(t, x.Stop())
		}
	}
	select {
	case <-locked:
		t.Error("locked with an open handle")
	default:
	}
	must(t, h.Stop())
	<-locked
	done := make(chan TID)
	go func() { done <- change(t, j, 1, l.buffer(1)) }()
	j.UnlockUpdates()
	must(t, j.CompleteTransaction(<-done))
	must(t, j.Destroy())
}

// TestAllocs: the usual path does not allocate per block.
func TestAllocs(t *testing.T) {
	l := layout{bs: 1024, blocks: 4000, journal: 2000, feat: v3(), seq: 1}
	j := l.load(t, l.format())
	bufs := make([]*Buffer, 100)
	for i := range bufs {
		bufs[i] = l.buffer(uint64(i))
	}
	per := testing.AllocsPerRun(20, func() {
		must(t, j.CompleteTransaction(change(t, j, 3, bufs...)))
	})
	if per > 60 {
		t.Errorf("%v allocations for a transaction of 100 blocks", per)
	}
	must(t, j.Destroy())
}
