// SPDX-License-Identifier: Apache-2.0

package ext4_test

import (
	"bytes"
	"fmt"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"lodger/abi"
	"lodger/block/blocktest"
	"lodger/fs"
	"lodger/fs/ext4"
	"lodger/lib/printk"
)

// faultLoad does a little of everything; it gives the files whose fsync returned
// without an error, with their contents. Errors of a broken disk are no failures.
func faultLoad(t *testing.T, sb *fs.SuperBlock, v *fs.VFS) map[string][]byte {
	ctx := env(t, v, sb).Ctx
	var z fs.Path
	acked := map[string][]byte{}
	for i := range 12 {
		fs.Mkdir(ctx, z, fmt.Sprint("/dir", i), 0o755)
		name := fmt.Sprint("/dir", i, "/file")
		f, err := fs.Open(ctx, z, name, abi.OpenHow{Flags: abi.O_CREAT | abi.O_RDWR, Mode: 0o644})
		if err != nil {
			continue
		}
		p := bytes.Repeat([]byte{byte(i + 1)}, 3000+i*2500)
		n, err := f.Pwrite(ctx, p, 0)
		if err == nil && n == len(p) && f.Fsync(ctx, i%2 == 0) == nil {
			acked[name] = p
		}
		f.DecRef()
		if i%3 == 2 {
			fs.Unlink(ctx, z, fmt.Sprint("/dir", i-1, "/file"))
			delete(acked, fmt.Sprint("/dir", i-1, "/file"))
			fs.Rename(ctx, z, name, z, "/moved", 0)
			delete(acked, name)
			fs.Link(ctx, z, "/moved", z, fmt.Sprint("/link", i), 0)
			fs.Rmdir(ctx, z, fmt.Sprint("/dir", i-1))
		}
	}
	return acked
}

// TestFaults lets each write and flush of a load fail in turn. Nothing panics or
// hangs, what fsync acknowledged is there after a repair, and the error is
// noted.
func TestFaults(t *testing.T) {
	for _, k := range []crashKind{
		{"remount-ro", "8M", []string{"-t", "ext4", "-b", "1024"}, "ordered"},
		{"continue", "8M", []string{"-t", "ext4", "-b", "1024"}, "ordered"},
		{"panic", "8M", []string{"-t", "ext4", "-b", "1024"}, "journal"},
		{"remount-ro-ext2", "8M", []string{"-t", "ext2", "-b", "1024"}, ""},
	} {
		t.Run(k.name, func(t *testing.T) {
			image := mkfs(t, k.size, k.args...)
			step := 5
			if testing.Short() {
				step = 29
			}
			for n := 0; ; n += step {
				if !faultRun(t, k, image, n) || t.Failed() {
					t.Logf("%d faults", n/step)
					break
				}
			}
		})
	}
}

// faultRun lets the nth write or flush fail; false when there is none.
func faultRun(t *testing.T, k crashKind, image *disk, n int) bool {
	mem := blocktest.NewMem(bytes.Clone(image.data))
	dev := blocktest.NewFaulty(mem)
	var mu sync.Mutex
	said, died := "", false
	v := fs.New(0)
	policy := k.name[:min(len(k.name), len("remount-ro"))]
	sb, err := ext4.New(v, dev, ext4.Options{Errors: policy, Data: k.data, Timer: &stepTimer{},
		Log: func(l printk.Level, s string) {
			if l <= printk.Err {
				mu.Lock()
				said += s + "\n"
				mu.Unlock()
			}
		},
		Panic: func(string) { mu.Lock(); died = true; mu.Unlock() }})
	if err != nil {
		t.Fatal(err)
	}
	// Every third fault goes away again, every third is a full disk.
	fault := blocktest.Fault{Ops: blocktest.Write | blocktest.Flush, Skip: n, Short: n%2 == 1}
	switch n / 5 % 3 {
	case 1:
		fault.Times = 1
	case 2:
		fault.Err = abi.ENOSPC
	}
	dev.Add(fault)
	acked := faultLoad(t, sb, v)
	f := sb.Ops.(*ext4.FS)
	f.Sync()
	f.Close()
	mu.Lock()
	hit := said != ""
	mu.Unlock()
	if k.name == "panic" && bytes.Contains([]byte(said), []byte("Remounting")) && !died {
		t.Errorf("fault %d: no panic", n)
	}
	d := &disk{data: mem.Bytes()}
	if !ext4.SuperIntact(d.data) {
		return hit // a super block that stays half written is lost on Linux too, but for its copies
	}
	journaled := k.data != ""
	repaired := repair(t, d, !journaled)
	v2, sb2 := mount(t, repaired, ext4.Options{})
	e := env(t, v2, sb2)
	for name, want := range acked {
		f, err := e.Open(name, abi.O_RDONLY, 0)
		if err != nil {
			t.Errorf("fault %d: %s was synced: %v\n%s", n, name, err, said)
			continue
		}
		if got := contents(e, f); !bytes.Equal(got, want) {
			t.Errorf("fault %d: %s was synced, and differs at %d\n%s", n, name, differAt(got, want), said)
		}
		f.DecRef()
	}
	closed(t, sb2, repaired)
	return hit
}

// repair has e2fsck replay, and repair where errors are allowed.
func repair(t *testing.T, d *disk, any bool) *disk {
	t.Helper()
	img := filepath.Join(t.TempDir(), "img")
	writeImage(t, img, d.data)
	cmd := exec.Command("e2fsck", "-fy", img)
	out, _ := cmd.CombinedOutput()
	if c := cmd.ProcessState.ExitCode(); c > 1 || !any && wrong(string(out), false) {
		t.Errorf("e2fsck: %d\n%s", c, out)
	}
	return readImage(t, img)
}
