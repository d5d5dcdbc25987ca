// SPDX-License-Identifier: Apache-2.0

package ext4_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"lodger/abi"
	"lodger/fs"
	"lodger/fs/ext4"
	"lodger/fs/fstest"
	"lodger/lib/printk"
)

// resizeTo asks for blocks as resize2fs does.
func resizeTo(e *fstest.Env, blocks uint64) error {
	root, err := e.Open("/", abi.O_RDONLY, 0)
	e.Must(err)
	defer root.DecRef()
	var m memory
	binary.LittleEndian.PutUint64(m[8:], blocks)
	_, err = root.Ioctl(e.Ctx, abi.EXT4_IOC_RESIZE_FS, 8, &m)
	return err
}

// larger makes an image in a sparse file whose file system leaves most of it free.
func larger(t testing.TB, size string, disk int64, args ...string) *hostDisk {
	t.Helper()
	img := filepath.Join(t.TempDir(), "img")
	writeImage(t, img, mkfs(t, size, args...).data)
	if err := os.Truncate(img, disk); err != nil {
		t.Fatal(err)
	}
	return openDisk(t, img)
}

func openDisk(t testing.TB, img string) *hostDisk {
	t.Helper()
	f, err := os.OpenFile(img, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	st, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	return &hostDisk{f, st.Size()}
}

type resizeKind struct {
	name  string
	size  string
	args  []string
	disk  int64
	sizes []uint64 // in blocks, one after the other
}

func resizeKinds() []resizeKind {
	return []resizeKind{
		{"4k", "16M", []string{"-t", "ext4", "-b", "4096"}, 600 << 20, []uint64{5000, 32768, 32769, 150000}},
		{"4k csum off", "16M", []string{"-t", "ext4", "-b", "4096", "-O", "^metadata_csum,^uninit_bg"}, 300 << 20, []uint64{70000}},
		{"gdt_csum", "16M", []string{"-t", "ext4", "-b", "4096", "-O", "^metadata_csum,uninit_bg"}, 300 << 20, []uint64{70000}},
		{"1k", "4M", []string{"-t", "ext4", "-b", "1024"}, 300 << 20, []uint64{8000, 8193, 8194, 20000, 100000, 300000}},
		{"1k, 32 bit", "4M", []string{"-t", "ext4", "-b", "1024", "-O", "^64bit", "-E", "resize=100000"}, 200 << 20, []uint64{50000, 200000}},
		{"2k", "8M", []string{"-t", "ext4", "-b", "2048"}, 300 << 20, []uint64{100000}},
		{"meta_bg", "4M", []string{"-t", "ext4", "-b", "1024", "-O", "meta_bg,^resize_inode"}, 300 << 20, []uint64{100000, 300000}},
		{"no resize_inode", "4M", []string{"-t", "ext4", "-b", "1024", "-O", "^resize_inode"}, 300 << 20, []uint64{120000, 300000}},
		{"few reserved", "4M", []string{"-t", "ext4", "-b", "1024", "-E", "resize=200000"}, 500 << 20, []uint64{500000}},
		{"no flex_bg", "4M", []string{"-t", "ext4", "-b", "1024", "-O", "^flex_bg"}, 100 << 20, []uint64{100000}},
		{"ext3", "16M", []string{"-t", "ext3", "-b", "4096"}, 300 << 20, []uint64{70000}},
		{"ext2", "16M", []string{"-t", "ext2", "-b", "4096"}, 300 << 20, []uint64{70000}},
	}
}

// TestResize grows mounted file systems of many layouts, and fills them.
func TestResize(t *testing.T) {
	for _, k := range resizeKinds() {
		t.Run(k.name, func(t *testing.T) {
			mem := larger(t, k.size, k.disk, k.args...)
			v := fs.New(0)
			sb, err := ext4.New(v, mem, ext4.Options{Log: func(_ printk.Level, s string) { t.Log(s) }})
			if err != nil {
				t.Fatal(err)
			}
			e := env(t, v, sb)
			e.Write("/before", strings.Repeat("contents", 1000))
			for _, n := range k.sizes {
				was, err := fs.Statfs(e.Ctx, placeOf(e, "/"))
				e.Must(err)
				if err := resizeTo(e, n); err != nil {
					t.Fatalf("to %d: %v", n, err)
				}
				now, err := fs.Statfs(e.Ctx, placeOf(e, "/"))
				e.Must(err)
				if n != 32769 && n != 8194 && (now.Blocks <= was.Blocks || now.Bfree <= was.Bfree || now.Files < was.Files) {
					t.Errorf("to %d: %+v, was %+v", n, now, was)
				}
				e.Must(sb.Ops.(*ext4.FS).Sync())
				fsckCopy(t, mem)
			}
			if e.Read("/before") != strings.Repeat("contents", 1000) {
				t.Error("a file has changed")
			}
			// The new room can be used, by data and by directories.
			chunk := strings.Repeat("x", 1<<20)
			for i := range min(k.disk>>22, 40) {
				dir := fmt.Sprint("/d", i)
				e.Must(fs.Mkdir(e.Ctx, fs.Path{}, dir, 0o755))
				e.Write(dir+"/file", chunk)
			}
			e.Must(sb.Ops.(*ext4.FS).Close())
			fsckCopy(t, mem)
			sb, err = ext4.New(fs.New(0), mem, ext4.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if got := env(t, sb.VFS, sb).Read("/d3/file"); got != chunk {
				t.Error("a file in the new room has changed")
			}
			e.Must(sb.Ops.(*ext4.FS).Close())
		})
	}
}

// fsckCopy looks at a disk that may be mounted: what the journal holds is replayed in
// a copy.
func fsckCopy(t *testing.T, d *hostDisk) {
	t.Helper()
	img := filepath.Join(t.TempDir(), "copy")
	defer os.Remove(img)
	if out, err := exec.Command("cp", "--sparse=always", d.Name(), img).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	sb, err := ext4.New(fs.New(0), openDisk(t, img), ext4.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := sb.Ops.(*ext4.FS).Close(); err != nil {
		t.Error(err)
	}
	if out, err := exec.Command("e2fsck", "-fn", img).CombinedOutput(); err != nil {
		t.Errorf("e2fsck: %v\n%s", err, out)
	}
}

// TestResizeRefused: sizes and callers that Linux refuses.
func TestResizeRefused(t *testing.T) {
	mem := larger(t, "16M", 64<<20, "-b", "4096")
	v := fs.New(0)
	sb, err := ext4.New(v, mem, ext4.Options{})
	if err != nil {
		t.Fatal(err)
	}
	e := env(t, v, sb)
	e.Want(resizeTo(e, 4095), abi.EINVAL, "a smaller size")
	e.Want(resizeTo(e, 4096), 0, "the same size")
	e.Want(resizeTo(e, 16385), abi.ENOSPC, "more than the device has")
	e.Want(resizeTo(e, 1<<60), abi.ENOSPC, "far more")
	root := e.Ctx
	e.Ctx = e.As(1000, 1000)
	e.Want(resizeTo(e, 8192), abi.EPERM, "a user")
	e.Ctx = root
	e.Must(sb.Ops.(*ext4.FS).Remount(abi.MS_RDONLY, ""))
	e.Want(resizeTo(e, 8192), abi.EROFS, "a read-only mount")
	e.Must(sb.Ops.(*ext4.FS).Close())
}

// TestResizeCrash cuts the power while file systems grow.
func TestResizeCrash(t *testing.T) {
	for _, k := range resizeKinds() {
		if slices.Contains([]string{"ext2", "2k", "4k csum off"}, k.name) {
			continue
		}
		t.Run(k.name, func(t *testing.T) {
			rec, sb, e := recorded(t, larger(t, k.size, k.disk/4, k.args...))
			e.Write("/before", "contents")
			e.Must(sb.Ops.(*ext4.FS).Sync())
			start := rec.Log().Len()
			bs := int64(4096)
			if slices.Contains(k.args, "1024") {
				bs = 1024
			}
			e.Must(resizeTo(e, uint64(k.disk/4/bs)))
			e.Write("/after", "contents")
			e.Must(sb.Ops.(*ext4.FS).Sync())
			rng, cuts := rand.New(rand.NewPCG(1, 2)), 12
			if testing.Short() {
				cuts = 4
			}
			for range cuts {
				at := start + rng.IntN(rec.Log().Len()-start+1)
				d := &disk{data: rec.Crash(at, rng)}
				sb, err := ext4.New(fs.New(0), d, ext4.Options{})
				if err != nil {
					t.Fatalf("cut at %d: %v", at, err)
				}
				if got := env(t, sb.VFS, sb).Read("/before"); got != "contents" {
					t.Errorf("cut at %d: %q", at, got)
				}
				e.Must(sb.Ops.(*ext4.FS).Close())
				fsck(t, d)
				if t.Failed() {
					t.Fatalf("cut at %d of %d", at, rec.Log().Len())
				}
			}
		})
	}
}

// TestResizeUnderLoad grows while others write.
func TestResizeUnderLoad(t *testing.T) {
	mem := larger(t, "16M", 256<<20, "-b", "1024")
	v := fs.New(0)
	sb, err := ext4.New(v, mem, ext4.Options{})
	if err != nil {
		t.Fatal(err)
	}
	e := env(t, v, sb)
	var done sync.WaitGroup
	stop := make(chan struct{})
	for w := range 3 {
		done.Go(func() {
			e := *e
			ctx := *e.Ctx
			e.Ctx = &ctx
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				name := fmt.Sprintf("/w%d-%d", w, i%20)
				e.Write(name, strings.Repeat("y", 1000*(i%50)))
				if i%3 == 0 {
					e.Must(fs.Unlink(e.Ctx, fs.Path{}, name))
				}
				_, err := fs.Statfs(e.Ctx, placeOf(&e, "/"))
				e.Must(err)
			}
		})
	}
	for n := uint64(20000); n <= 250000; n += 20000 {
		e.Must(resizeTo(e, n))
	}
	close(stop)
	done.Wait()
	e.Must(sb.Ops.(*ext4.FS).Close())
	fsckCopy(t, mem)
}
