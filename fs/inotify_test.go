// SPDX-License-Identifier: Apache-2.0

package fs_test

import (
	"encoding/binary"
	"fmt"
	"strings"
	"sync"
	"testing"

	"lodger/abi"
	"lodger/fs"
	"lodger/fs/fstest"
)

type inEvent struct {
	wd   int32
	mask uint32
	name string
}

func inotify(e *fstest.Env) *fs.File {
	f, err := fs.NewInotify(e.Ctx, abi.IN_NONBLOCK)
	e.Must(err)
	return f
}

// drain reads all events.
func drain(t *testing.T, ctx *fs.Context, f *fs.File) (l []inEvent) {
	buf := make([]byte, 4096)
	for {
		n, err := f.Read(ctx, buf)
		if err == abi.EAGAIN {
			return l
		}
		if err != nil {
			t.Fatal(err)
		}
		for b := buf[:n]; len(b) > 0; {
			size := 16 + binary.NativeEndian.Uint32(b[12:])
			name, _, _ := strings.Cut(string(b[16:size]), "\x00")
			l = append(l, inEvent{int32(binary.NativeEndian.Uint32(b)), binary.NativeEndian.Uint32(b[4:]), name})
			b = b[size:]
		}
	}
}

// TestInotifyRaces has files come, go and move while watches do: each watch that ended
// says so once, and nothing after that.
func TestInotifyRaces(t *testing.T) {
	e := fstest.New(t, mk)
	v := e.Ctx.VFS()
	v.Notify.QueuedEvents.Store(1 << 20) // nothing is lost
	const workers, rounds = 4, 300
	for w := range workers {
		e.Must(fs.Mkdir(e.Ctx, here, fmt.Sprint(w), 0o755))
	}
	files := []*fs.File{inotify(e), inotify(e)}
	var wg sync.WaitGroup
	for w := range workers {
		ctx := *e.Ctx
		wg.Go(func() {
			for i := range rounds {
				a, b := fmt.Sprintf("%d/a%d", w, i%3), fmt.Sprintf("%d/b", (w+1)%workers)
				f, err := fs.Open(&ctx, here, a, abi.OpenHow{Flags: abi.O_CREAT | abi.O_RDWR, Mode: 0o644})
				if err != nil {
					continue
				}
				_, _ = f.Write(&ctx, []byte("x"))
				if i%2 == 0 {
					_ = fs.Unlink(&ctx, here, a)
				} else {
					_ = fs.Rename(&ctx, here, a, here, b, 0)
				}
				f.DecRef()
			}
		})
		wg.Go(func() {
			for i := range rounds {
				f := files[i%2]
				mask := uint32(abi.IN_ALL_EVENTS)
				if i%5 == 0 {
					mask |= abi.IN_ONESHOT
				}
				for _, name := range []string{fmt.Sprint(w), fmt.Sprintf("%d/a%d", w, i%3), fmt.Sprintf("%d/b", w)} {
					wd, err := fs.InotifyAdd(&ctx, f, name, mask)
					if err == nil && i%7 == 0 {
						_ = fs.InotifyRemove(f, wd)
					}
				}
			}
		})
	}
	wg.Wait()
	for w := range workers {
		for _, n := range []string{"a0", "a1", "a2", "b"} {
			_ = fs.Unlink(e.Ctx, here, fmt.Sprintf("%d/%s", w, n))
		}
		e.Must(fs.Rmdir(e.Ctx, here, fmt.Sprint(w)))
	}
	for _, f := range files {
		ended := map[int32]bool{}
		for _, ev := range drain(t, e.Ctx, f) {
			if ev.mask == abi.IN_Q_OVERFLOW {
				t.Fatal("the queue overflowed")
			}
			if ended[ev.wd] {
				t.Fatalf("watch %d: event %#x %q after its end", ev.wd, ev.mask, ev.name)
			}
			ended[ev.wd] = ev.mask == abi.IN_IGNORED
		}
		for wd, is := range ended {
			if !is {
				t.Errorf("watch %d did not end though its file is gone", wd)
			}
		}
		if s := f.Ops().(fs.FDInfoer).FDInfo(); s != "" {
			t.Errorf("watches are left:\n%s", s)
		}
		f.DecRef()
	}
}

// TestInotifyUmount: a watch does not keep a file system from being unmounted, which
// ends it.
func TestInotifyUmount(t *testing.T) {
	e := fstest.New(t, mk)
	e.Must(fs.Mkdir(e.Ctx, here, "m", 0o755))
	e.Must(fs.DoMount(e.Ctx, "x", "/m", "tmpfs", 0, ""))
	e.Write("/m/f", "x")
	f := inotify(e)
	wd, err := fs.InotifyAdd(e.Ctx, f, "/m/f", abi.IN_OPEN)
	e.Must(err)
	e.Must(fs.Umount(e.Ctx, "/m", 0))
	got := drain(t, e.Ctx, f)
	want := []inEvent{{wd, abi.IN_UNMOUNT, ""}, {wd, abi.IN_IGNORED, ""}}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	f.DecRef()
}

// TestInotifyLimits: what a user may have is bounded, and given back.
func TestInotifyLimits(t *testing.T) {
	e := fstest.New(t, mk)
	v := e.Ctx.VFS()
	v.Notify.UserInstances.Store(2)
	v.Notify.UserWatches.Store(3)
	a, b := inotify(e), inotify(e)
	_, err := fs.NewInotify(e.Ctx, 0)
	e.Want(err, abi.EMFILE, "third instance")
	var wd int32
	for i := range 3 {
		e.Write(fmt.Sprint("/", i), "")
		wd, err = fs.InotifyAdd(e.Ctx, []*fs.File{a, b}[i%2], fmt.Sprint("/", i), abi.IN_OPEN)
		e.Must(err)
	}
	e.Write("/3", "")
	_, err = fs.InotifyAdd(e.Ctx, a, "/3", abi.IN_OPEN)
	e.Want(err, abi.ENOSPC, "fourth watch")
	e.Must(fs.InotifyRemove(a, wd))
	_, err = fs.InotifyAdd(e.Ctx, a, "/3", abi.IN_OPEN)
	e.Must(err)
	b.DecRef()
	c := inotify(e)
	_, err = fs.InotifyAdd(e.Ctx, c, "/0", abi.IN_OPEN)
	e.Must(err)
	a.DecRef()
	c.DecRef()
}
