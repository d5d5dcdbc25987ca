// SPDX-License-Identifier: Apache-2.0

package ext4_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lodger/abi"
	"lodger/fs"
	"lodger/fs/ext4"
	"lodger/fs/fstest"
	"lodger/internal/need"
)

// TestFeatures: what is not known is refused by its name, or mounted read-only.
func TestFeatures(t *testing.T) {
	base := mkfs(t, "2M", "-t", "ext4", "-O", "^metadata_csum,^uninit_bg,^has_journal")
	for _, c := range []struct {
		off  int // of the feature word in the super block
		bit  byte
		at   int
		want string
	}{
		{0x60, 0x1, 0, "compression"}, {0x60, 0x4, 0, "needs_recovery"}, {0x60, 0x8, 0, "journal"},
		{0x60, 0x10, 1, "dirdata"}, {0x60, 0x1, 2, "encrypt"}, {0x60, 0x2, 2, "casefold"}, {0x60, 0x40, 3, "FEATURE_I30"},
		{0x64, 0x80, 1, "verity"}, {0x64, 0x2, 1, "ro"}, {0x64, 0x1, 1, "ro"}, {0x64, 0x20, 1, "ro"}, {0x64, 0x40, 3, "ro"},
		{0x64, 0x80, 0, "ro"},
	} {
		d := &disk{data: bytes.Clone(base.data)}
		d.data[1024+c.off+c.at] |= c.bit
		if c.want == "ro" && c.bit == 2 { // bigalloc: the cluster size must fit
			d.data[1024+0x1c] = d.data[1024+0x18]
		}
		sb, err := ext4.New(fs.New(0), d, ext4.Options{})
		switch {
		case c.want == "ro":
			if err != nil || !sb.ReadOnly() {
				t.Errorf("%#x byte %d bit %#x: %v", c.off, c.at, c.bit, err)
			}
		case err == nil || !strings.Contains(err.Error(), c.want) || !errors.Is(err, abi.EINVAL):
			t.Errorf("%s: %v", c.want, err)
		}
	}
	clean := mkfs(t, "32M", "-t", "ext4", "-b", "65536", "-N", "256")
	if sb, err := ext4.New(fs.New(0), clean, ext4.Options{}); err != nil {
		t.Error("64 KiB blocks:", err)
	} else {
		e := env(t, sb.VFS, sb)
		e.Write("/x", "y")
		closed(t, sb, clean)
	}
}

// TestErrors: the state machine of errors=.
func TestErrors(t *testing.T) {
	base := mkfs(t, "4M", "-t", "ext4")
	v, sb := mount(t, base, ext4.Options{})
	e := env(t, v, sb)
	e.Must(fs.Mkdir(e.Ctx, fs.Path{}, "/d", 0o755))
	e.Write("/d/f", "x")
	a := e.Stat("/d")
	closed(t, sb, base)
	for _, policy := range []string{"continue", "remount-ro", "panic"} {
		d := &disk{data: bytes.Clone(base.data)}
		for k := 0; k+1024 <= len(d.data); k += 1024 { // the directory's block: "." leads to it
			if d.data[k] == byte(a.Ino) && d.data[k+1] == byte(a.Ino>>8) && d.data[k+8] == '.' && d.data[k+7] == 2 && d.data[k+6] == 1 {
				d.data[k+16] ^= 1 // ".." of it
			}
		}
		panicked := ""
		sb, err := ext4.New(fs.New(0), d, ext4.Options{Errors: policy, Panic: func(s string) { panicked = s }})
		if err != nil {
			t.Fatal(err)
		}
		e := env(t, sb.VFS, sb)
		_, err = fs.Stat(e.Ctx, fs.Path{}, "/d/f", 0)
		e.Want(err, abi.EBADMSG, "broken directory")
		f := sb.Ops.(*ext4.FS)
		if n, ino, block := f.Errors(); n != 1 || ino != uint32(a.Ino) || block == 0 {
			t.Errorf("%s: %d errors, inode %d block %d", policy, n, ino, block)
		}
		if sb.ReadOnly() != (policy != "continue") || (panicked != "") != (policy == "panic") {
			t.Errorf("%s: read-only %v, panic %q", policy, sb.ReadOnly(), panicked)
		}
		err = fs.Mkdir(e.Ctx, fs.Path{}, "/new", 0o755)
		e.Want(err, map[bool]abi.Errno{true: abi.EROFS}[policy != "continue"], "%s: mkdir", policy)
		if policy == "continue" {
			e.Must(f.Close())
			img := filepath.Join(t.TempDir(), "img")
			os.WriteFile(img, d.data, 0o600)
			if out := run(t, 0, "dumpe2fs", "-h", img); !strings.Contains(out, "with errors") || !strings.Contains(out, "FS Error count:           1") {
				t.Error(out)
			}
		}
	}
}

// strict is a disk that notes accesses outside of it.
type strict struct {
	disk
	outside int
}

func (s *strict) ReadAt(p []byte, off int64) (int, error) {
	n, err := s.disk.ReadAt(p, off)
	if err != nil {
		s.outside++
	}
	return n, err
}

func (s *strict) WriteAt(p []byte, off int64) (int, error) {
	n, err := s.disk.WriteAt(p, off)
	if err != nil {
		s.outside++
	}
	return n, err
}

// fuzzBase makes a small image with one of everything.
func fuzzBase(f testing.TB, args ...string) []byte { return fuzzBaseOf(f, "512k", args...) }

func fuzzBaseOf(f testing.TB, size string, args ...string) []byte {
	need.Program(f, "mke2fs")
	dir := f.TempDir()
	for i := range 60 {
		os.MkdirAll(filepath.Join(dir, "d"), 0o755)
		os.WriteFile(filepath.Join(dir, "d", fmt.Sprintf("a name of some length %d", i)), nil, 0o644)
	}
	os.WriteFile(filepath.Join(dir, "file"), bytes.Repeat([]byte("x"), 30000), 0o644)
	os.WriteFile(filepath.Join(dir, "tiny"), []byte("inline?"), 0o644)
	os.Symlink(strings.Repeat("t", 100), filepath.Join(dir, "link"))
	os.Symlink("short", filepath.Join(dir, "fast"))
	sp, _ := os.Create(filepath.Join(dir, "sparse"))
	for i := range int64(30) {
		sp.WriteAt([]byte("hole"), i*7000)
	}
	sp.Close()
	d := mkfs(f, size, append(args, "-b", "1024", "-N", "96", "-d", dir)...)
	img := filepath.Join(f.TempDir(), "img")
	os.WriteFile(img, d.data, 0o600)
	run(f, 1, "e2fsck", "-fyD", img)
	b, _ := os.ReadFile(img)
	return b
}

// use does what a guest does with a file system, all errors accepted.
func use(t *testing.T, d ext4.Device) {
	sb, err := ext4.New(fs.New(0), d, ext4.Options{Errors: "continue"})
	if err != nil {
		return
	}
	e := fstest.New(t, func(*testing.T) (*fs.VFS, *fs.SuperBlock) { return sb.VFS, sb })
	var zero fs.Path
	left := 400
	var walk func(n string, depth int)
	walk = func(n string, depth int) {
		if left--; left < 0 || depth > 6 {
			return
		}
		a, err := fs.Stat(e.Ctx, zero, n, abi.AT_SYMLINK_NOFOLLOW)
		if err != nil {
			return
		}
		if p, err := fs.Lookup(e.Ctx, zero, n, 0); err == nil {
			if x, ok := p.Inode().(fs.Xattrs); ok {
				l, _ := x.Listxattr(e.Ctx)
				for _, name := range l {
					x.Getxattr(e.Ctx, name)
				}
				x.Setxattr(e.Ctx, "user.f", []byte("v"), 0)
				fs.Getxattr(e.Ctx, p, "system.posix_acl_access")
				fs.Access(e.As(7, 7), zero, n, abi.R_OK, 0)
				fs.Setxattr(e.Ctx, p, "user.big", make([]byte, 3000), 0)
			}
		}
		switch a.Type() {
		case abi.S_IFLNK:
			fs.Readlink(e.Ctx, zero, n)
		case abi.S_IFREG:
			if f, err := e.Open(n, abi.O_RDWR, 0); err == nil {
				p := make([]byte, 5000)
				f.Pread(e.Ctx, p, 0)
				f.Pread(e.Ctx, p, a.Size-100)
				f.Seek(e.Ctx, 0, abi.SEEK_HOLE)
				var m memory
				m[8], m[15], m[24] = 0xff, 0x7f, 4 // all of it, four extents
				f.Ioctl(e.Ctx, abi.FS_IOC_FIEMAP, 0, &m)
				f.Pwrite(e.Ctx, p, 3000)
				f.Fallocate(e.Ctx, 0, 0, 20000)
				f.Fallocate(e.Ctx, abi.FALLOC_FL_PUNCH_HOLE|abi.FALLOC_FL_KEEP_SIZE, 1000, 9000)
				f.Truncate(e.Ctx, 10)
				f.DecRef()
			}
		case abi.S_IFDIR:
			f, err := e.Open(n, abi.O_RDONLY|abi.O_DIRECTORY, 0)
			if err != nil {
				return
			}
			var names []string
			f.ReadDir(e.Ctx, func(x fs.Dirent) bool {
				if x.Name != "." && x.Name != ".." {
					names = append(names, x.Name)
				}
				return len(names) < 200
			})
			f.DecRef()
			for _, c := range names {
				walk(n+"/"+c, depth+1)
			}
			for i := range 5 {
				fs.Mkdir(e.Ctx, zero, fmt.Sprint(n, "/another new directory ", i), 0o755)
			}
			for i, c := range names {
				if i%3 == 0 {
					fs.Unlink(e.Ctx, zero, n+"/"+c)
				} else if i%3 == 1 {
					fs.Rename(e.Ctx, zero, n+"/"+c, zero, n+"/moved", 0)
				}
			}
		}
	}
	walk("/.", 0)
	sb.Ops.(*ext4.FS).Close()
}

// FuzzImage changes bytes of an image: 5-byte pieces of the input say where (3
// bytes, in a file system of 512 KiB) and what (xor, add).
//
// CI fuzz budget: 5000x
func FuzzImage(f *testing.F) {
	bases := [][]byte{
		fuzzBase(f, "-t", "ext4", "-O", "^metadata_csum,^uninit_bg,^has_journal"),
		fuzzBase(f, "-t", "ext4", "-O", "^metadata_csum,^uninit_bg,^has_journal,inline_data"),
		fuzzBase(f, "-t", "ext2"),
	}
	f.Add(uint8(0), []byte{})
	for kind := range uint8(3) {
		for at := 1024; at < 300000; at += 1777 { // super block, descriptors, inode tables, directories, ...
			f.Add(kind, []byte{byte(at >> 16), byte(at >> 8), byte(at), 0xff, 1, byte(at >> 16), byte(at >> 8), byte(at + 5), 0x10, 0})
		}
	}
	f.Fuzz(func(t *testing.T, kind uint8, edits []byte) {
		d := &strict{disk: disk{data: bytes.Clone(bases[int(kind)%len(bases)])}}
		for ; len(edits) >= 5; edits = edits[5:] {
			at := (int(edits[0])<<16 | int(edits[1])<<8 | int(edits[2])) % len(d.data)
			d.data[at] = d.data[at] ^ edits[3] + edits[4]
		}
		use(t, d)
		if d.outside > 0 {
			t.Errorf("%d accesses outside the image", d.outside)
		}
	})
}
