// SPDX-License-Identifier: Apache-2.0

package ext4_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"lodger/abi"
	"lodger/block/blocktest"
	"lodger/fs"
	"lodger/fs/ext4"
	"lodger/lib/printk"
)

// slow is a device whose flushes take a moment, and are counted.
type slow struct {
	*blocktest.Mem
	mu      sync.Mutex
	flushes int
	wait    time.Duration
}

func (s *slow) Flush() error {
	time.Sleep(s.wait)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flushes++
	return nil
}

func (s *slow) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.flushes
}

// patient does an operation as a guest's system call is done: without waiting, and
// once more with, when that is what the file system asks for.
func patient(ctx *fs.Context, waits *int, op func() error) error {
	err := op()
	if err != fs.ErrMustWait {
		return err
	}
	*waits++
	ctx.MayWait = true
	defer func() { ctx.MayWait = false }()
	if err = op(); err == fs.ErrMustWait {
		return fmt.Errorf("an operation that may wait: %w", err)
	}
	return err
}

// TestParallel: tasks change files at the same time in a journal that is too small
// for it, those on a receiver's goroutine never wait for it, and syncs and commits
// by age come in between.
func TestParallel(t *testing.T) {
	for _, data := range []string{"ordered", "journal"} {
		t.Run(data, func(t *testing.T) {
			d := mkfs(t, "32M", "-t", "ext4", "-b", "1024", "-J", "size=1", "-N", "2048")
			dev := &slow{Mem: blocktest.NewMem(d.data)}
			v := fs.New(0)
			timer := &stepTimer{}
			sb, err := ext4.New(v, dev, ext4.Options{Data: data, Timer: timer, Log: func(l printk.Level, s string) { told(t, l, s) }})
			if err != nil {
				t.Fatal(err)
			}
			e := env(t, v, sb)
			var wg sync.WaitGroup
			waits := make([]int, 6)
			for w := range 6 {
				ctx := *e.Ctx
				ctx.MayWait = false
				wg.Go(func() { busy(t, &ctx, w, &waits[w]) })
			}
			stop := make(chan struct{})
			var bg sync.WaitGroup
			bg.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
						timer.fire()
						if err := sb.Ops.(*ext4.FS).Sync(); err != nil {
							t.Error(err)
						}
						time.Sleep(time.Millisecond)
					}
				}
			})
			wg.Wait()
			close(stop)
			bg.Wait()
			t.Log("waits:", waits)
			after := &disk{data: nil}
			if err := sb.Ops.(*ext4.FS).Close(); err != nil {
				t.Error(err)
			}
			after.data = dev.Bytes()
			fsck(t, after)
		})
	}
}

func busy(t *testing.T, ctx *fs.Context, w int, waits *int) {
	rng := rand.New(rand.NewPCG(uint64(w), 1))
	var z fs.Path
	steps := 150
	for i := range steps {
		name := fmt.Sprint("/w", w, "-", rng.IntN(8))
		var f *fs.File
		err := patient(ctx, waits, func() (err error) {
			f, err = fs.Open(ctx, z, name, abi.OpenHow{Flags: abi.O_CREAT | abi.O_RDWR, Mode: 0o644})
			return err
		})
		if err != nil {
			t.Error(err)
			return
		}
		p := bytes.Repeat([]byte{byte(w + 1)}, 1+rng.IntN(60000))
		off := int64(rng.IntN(100000))
		err = patient(ctx, waits, func() error { _, err := f.Pwrite(ctx, p, off); return err })
		got := make([]byte, len(p))
		if err == nil {
			if _, err = f.Pread(ctx, got, off); err == nil && !bytes.Equal(got, p) {
				t.Errorf("task %d, step %d: read back something else", w, i)
			}
		}
		if err == nil && rng.IntN(3) == 0 {
			err = f.Fsync(ctx, rng.IntN(2) == 0)
		}
		f.DecRef()
		if err == nil && rng.IntN(3) == 0 {
			err = patient(ctx, waits, func() error { return fs.Rename(ctx, z, name, z, fmt.Sprint("/w", w, "-", rng.IntN(8)), 0) })
		}
		if err == nil && rng.IntN(4) == 0 {
			name := fmt.Sprint("/w", w, "-", rng.IntN(8))
			err = patient(ctx, waits, func() error { return fs.Unlink(ctx, z, name) })
			if err == abi.ENOENT {
				err = nil
			}
		}
		if err != nil && err != abi.ENOSPC {
			t.Errorf("task %d, step %d: %v", w, i, err)
			return
		}
	}
}

// TestGroupCommit: those who fsync at the same time share commits, and an fsync
// with nothing to do leaves the device alone.
func TestGroupCommit(t *testing.T) {
	d := mkfs(t, "16M", "-t", "ext4")
	dev := &slow{Mem: blocktest.NewMem(d.data), wait: 2 * time.Millisecond}
	v := fs.New(0)
	sb, err := ext4.New(v, dev, ext4.Options{Timer: &stepTimer{}})
	if err != nil {
		t.Fatal(err)
	}
	e := env(t, v, sb)
	const n, rounds = 8, 10
	before := dev.count()
	var wg sync.WaitGroup
	for w := range n {
		ctx := *e.Ctx
		wg.Go(func() {
			f, err := fs.Open(&ctx, fs.Path{}, fmt.Sprint("/f", w), abi.OpenHow{Flags: abi.O_CREAT | abi.O_RDWR, Mode: 0o644})
			for range rounds {
				if err == nil {
					_, err = f.Write(&ctx, make([]byte, 5000))
				}
				if err == nil {
					err = f.Fsync(&ctx, false)
				}
			}
			if err != nil {
				t.Error(err)
			}
			f.DecRef()
		})
	}
	wg.Wait()
	alone := 2 * n * rounds // each commit needs two flushes
	if got := dev.count() - before; got > alone*3/4 {
		t.Errorf("%d flushes for %d fsyncs: commits are not shared", got, n*rounds)
	}
	f, err := e.Open("/f0", abi.O_RDWR, 0)
	e.Must(err)
	before = dev.count()
	e.Must(f.Fsync(e.Ctx, false))
	if got := dev.count() - before; got != 0 {
		t.Errorf("%d flushes by the fsync of an unchanged file", got)
	}
	_, err = f.Pwrite(e.Ctx, []byte("x"), 0)
	e.Must(err)
	e.Must(f.Fsync(e.Ctx, true))
	if got := dev.count() - before; got != 1 {
		t.Errorf("%d flushes by the fdatasync of a write in place, want 1", got)
	}
	f.DecRef()
	if err := sb.Ops.(*ext4.FS).Close(); err != nil {
		t.Error(err)
	}
}

// told fails the test when the file system has something to complain of.
func told(t *testing.T, level printk.Level, line string) {
	t.Helper()
	if level <= printk.Warning {
		t.Error(line)
	}
}

// gate is a device whose flushes wait to be let through.
type gate struct {
	*blocktest.Mem
	closed   atomic.Bool
	at, open chan struct{}
}

func (g *gate) Flush() error {
	if g.closed.Load() {
		g.at <- struct{}{}
		<-g.open
	}
	return nil
}

// TestFlushStallsNobody: while the disk is flushed for one's fsync, others look at files,
// make, write and remove them. Without a journal everybody waited.
func TestFlushStallsNobody(t *testing.T) {
	for _, k := range []kind{{"ext4", []string{"-t", "ext4"}}, {"ext2", []string{"-t", "ext2"}}, {"no journal", []string{"-t", "ext4", "-O", "^has_journal"}}} {
		t.Run(k.name, func(t *testing.T) {
			g := &gate{Mem: blocktest.NewMem(mkfs(t, "16M", k.args...).data), at: make(chan struct{}), open: make(chan struct{})}
			v := fs.New(0)
			sb, err := ext4.New(v, g, ext4.Options{Timer: &stepTimer{}, Log: func(_ printk.Level, s string) { t.Log(s) }})
			if err != nil {
				t.Fatal(err)
			}
			e := env(t, v, sb)
			e.Write("/synced", "contents")
			f, err := e.Open("/synced", abi.O_RDWR, 0)
			e.Must(err)
			g.closed.Store(true)
			done := make(chan error)
			go func() { done <- f.Fsync(&fs.Context{MayWait: true}, false) }()
			flushes := 0
			for ended := false; !ended; {
				select {
				case <-g.at:
					flushes++
					e.Write("/other", "contents")
					if e.Read("/other") != "contents" {
						t.Error("another file is not what was written")
					}
					e.Must(fs.Unlink(e.Ctx, e.Ctx.Cwd, "/other"))
					g.open <- struct{}{}
				case err := <-done:
					e.Must(err)
					ended = true
				}
			}
			if flushes == 0 {
				t.Error("no flush")
			}
			g.closed.Store(false)
			f.DecRef()
			e.Must(sb.Ops.(*ext4.FS).Close())
			fsck(t, &disk{data: g.Bytes()})
		})
	}
}
