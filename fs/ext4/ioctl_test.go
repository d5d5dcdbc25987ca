// SPDX-License-Identifier: Apache-2.0

package ext4_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lodger/abi"
	"lodger/fs"
	"lodger/fs/ext4"
	"lodger/fs/fstest"
	"lodger/lib/printk"
)

// memory is the memory of one that asks for a control, addresses from 0 on.
type memory [256]byte

func (m *memory) CopyIn(addr uint64, p []byte) error  { copy(p, m[addr:]); return nil }
func (m *memory) CopyOut(addr uint64, p []byte) error { copy(m[addr:], p); return nil }

// trimmed is a disk that overwrites what is discarded, so that a wrong discard
// shows.
type trimmed struct {
	disk
	bytes int64
}

func (d *trimmed) Discard(off, n int64) error {
	d.bytes += n
	_, err := d.WriteAt(bytes.Repeat([]byte{0xdb}, int(n)), off)
	return err
}

func TestTrim(t *testing.T) {
	for _, k := range kinds() {
		t.Run(k.name, func(t *testing.T) {
			d := &trimmed{disk: disk{data: mkfs(t, "12M", k.args...).data}}
			v := fs.New(0)
			sb, err := ext4.New(v, d, ext4.Options{Log: func(_ printk.Level, s string) { t.Log(s) }})
			if err != nil {
				t.Fatal(err)
			}
			e := env(t, v, sb)
			e.Ctx.MayWait = true
			for _, n := range []string{"/a", "/b", "/c"} {
				e.Write(n, strings.Repeat(n, 400000))
			}
			e.Must(fs.Unlink(e.Ctx, fs.Path{}, "/b"))
			e.Must(sb.Ops.(*ext4.FS).Sync())
			root, err := e.Open("/", abi.O_RDONLY, 0)
			e.Must(err)
			defer root.DecRef()
			trim := func(start, length, least uint64) (uint64, error) {
				var m memory
				for k, n := range []uint64{start, length, least} {
					binary.LittleEndian.PutUint64(m[8*k:], n)
				}
				_, err := root.Ioctl(e.Ctx, abi.FITRIM, 0, &m)
				return binary.LittleEndian.Uint64(m[8:]), err
			}
			_, err = trim(0, 1, 0)
			e.Want(err, abi.EINVAL, "less than a block")
			_, err = trim(1<<40, 1<<20, 0)
			e.Want(err, abi.EINVAL, "behind the end")
			if n, err := trim(0, ^uint64(0), 8<<20); err != nil && err != abi.EINVAL || n > 0 && n < 8<<20 {
				t.Errorf("long runs only: %d %v", n, err)
			}
			n, err := trim(0, ^uint64(0), 0)
			e.Must(err)
			st, _ := sb.Ops.(fs.Statfser).Statfs()
			if n == 0 || n > st.Bfree*uint64(st.Bsize) || int64(n) > d.bytes {
				t.Errorf("trimmed %d bytes, %d discarded, %d blocks of %d free", n, d.bytes, st.Bfree, st.Bsize)
			}
			if n, err := trim(0, ^uint64(0), 0); n != 0 || err != nil {
				t.Errorf("trimmed again: %d %v", n, err)
			}
			if e.Read("/a") != strings.Repeat("/a", 400000) || e.Read("/c") != strings.Repeat("/c", 400000) {
				t.Error("a file was discarded")
			}
			closed(t, sb, &d.disk)
			for _, c := range []struct {
				opt  ext4.Options
				want error
			}{{ext4.Options{ReadOnly: true}, nil}, {ext4.Options{ReadOnly: true, NoLoad: true}, abi.EROFS}} {
				if sb, err = ext4.New(v, d, c.opt); err != nil {
					t.Fatal(err)
				}
				e = env(t, v, sb)
				e.Ctx.MayWait = true
				root, err = e.Open("/", abi.O_RDONLY, 0)
				e.Must(err)
				before := d.bytes
				n, err := trim(0, ^uint64(0), 0)
				root.DecRef()
				if d.data[1024+0x5c]&4 == 0 { // has no journal to leave out
					c.want = nil
				}
				if !errors.Is(err, c.want) || err == nil && (n == 0 || int64(n) != d.bytes-before) {
					t.Errorf("noload %v: trimmed %d bytes, %d discarded, %v, want %v", c.opt.NoLoad, n, d.bytes-before, err, c.want)
				}
				sb.Ops.(*ext4.FS).Close()
			}
		})
	}
}

// TestDiscardOption: with discard, freed blocks are discarded when their freeing
// is durable, and nothing else.
func TestDiscardOption(t *testing.T) {
	d := &trimmed{disk: disk{data: mkfs(t, "12M", "-t", "ext4").data}}
	o, err := ext4.ParseOptions("discard", 0)
	if err != nil {
		t.Fatal(err)
	}
	v := fs.New(0)
	sb, err := ext4.New(v, d, o)
	if err != nil {
		t.Fatal(err)
	}
	e := env(t, v, sb)
	e.Write("/a", strings.Repeat("a", 500000))
	e.Write("/b", strings.Repeat("b", 500000))
	e.Must(fs.Truncate(e.Ctx, fs.Path{}, "/a", 100000))
	e.Must(fs.Unlink(e.Ctx, fs.Path{}, "/b"))
	e.Must(sb.Ops.(*ext4.FS).Sync())
	e.Write("/c", "x") // the next change finds the transaction durable
	if d.bytes < 880000 || d.bytes > 910000 {
		t.Errorf("%d bytes discarded", d.bytes)
	}
	if e.Read("/a") != strings.Repeat("a", 100000) {
		t.Error("the file was discarded")
	}
	closed(t, sb, &d.disk)
}

// TestLabel: a label reaches all copies of the super block.
func TestLabel(t *testing.T) {
	for _, k := range kinds() {
		d := mkfs(t, "24M", k.args...)
		v, sb := mount(t, d, ext4.Options{})
		e := env(t, v, sb)
		f, err := e.Open("/", abi.O_RDONLY, 0)
		e.Must(err)
		var m memory
		copy(m[:], "sixteen letters!\x00")
		_, err = f.Ioctl(e.Ctx, abi.FS_IOC_SETFSLABEL, 0, &m)
		e.Must(err)
		m = memory{}
		_, err = f.Ioctl(e.Ctx, abi.FS_IOC_GETFSLABEL, 0, &m)
		if e.Must(err); string(m[:18]) != "sixteen letters!\x00\x00" {
			t.Errorf("label %q", m[:18])
		}
		_, err = f.Ioctl(e.As(1000, 1000), abi.FS_IOC_SETFSLABEL, 0, &m)
		e.Want(err, abi.EPERM, "label set by anybody")
		copy(m[:], "seventeen letters\x00")
		_, err = f.Ioctl(e.Ctx, abi.FS_IOC_SETFSLABEL, 0, &m)
		e.Want(err, abi.EINVAL, "long label")
		f.DecRef()
		closed(t, sb, d)
		img := filepath.Join(t.TempDir(), "img")
		os.WriteFile(img, d.data, 0o600)
		for _, args := range [][]string{{"-h", img}, {"-h", "-o", "superblock=8193", "-o", "blocksize=1024", img}} {
			if len(args) > 2 && !strings.Contains(strings.Join(k.args, " "), "-b 1024") {
				continue
			}
			if out := run(t, 0, "dumpe2fs", args...); !strings.Contains(out, "sixteen letters!") && !strings.Contains(k.name, "noflex") {
				t.Error(k.name, args, out)
			}
		}
	}
}

// TestFrozenOpen: flags that come when a file is open already stop truncation
// and allocation, but not writes of who opened an append-only file before.
func TestFrozenOpen(t *testing.T) {
	d := mkfs(t, "8M", "-t", "ext4")
	v, sb := mount(t, d, ext4.Options{})
	e := fstest.New(t, func(*testing.T) (*fs.VFS, *fs.SuperBlock) { return v, sb })
	f, err := e.Open("/f", abi.O_RDWR|abi.O_CREAT, 0o600)
	e.Must(err)
	chattr := func(flags uint32) {
		var m memory
		binary.LittleEndian.PutUint32(m[:], flags|0x80000)
		_, err := f.Ioctl(e.Ctx, abi.FS_IOC_SETFLAGS, 0, &m)
		e.Must(err)
	}
	write := func() error { _, err := f.Pwrite(e.Ctx, []byte("x"), 0); return err }
	e.Must(write())
	chattr(abi.FS_APPEND_FL)
	e.Want(write(), 0, "write, append-only")
	e.Want(f.Truncate(e.Ctx, 0), abi.EPERM, "truncate, append-only")
	e.Want(f.Fallocate(e.Ctx, abi.FALLOC_FL_ZERO_RANGE, 0, 10), abi.EPERM, "zero, append-only")
	e.Want(f.Fallocate(e.Ctx, 0, 0, 10), 0, "allocate, append-only")
	chattr(abi.FS_IMMUTABLE_FL)
	e.Want(write(), abi.EPERM, "write, immutable")
	e.Want(f.Truncate(e.Ctx, 0), abi.EPERM, "truncate, immutable")
	e.Want(f.Fallocate(e.Ctx, 0, 0, 10), abi.EPERM, "allocate, immutable")
	e.Want(f.Chmod(e.Ctx, 0o644), abi.EPERM, "chmod, immutable")
	chattr(0)
	e.Want(write(), 0, "write")
	f.DecRef()
	closed(t, sb, d)
}
