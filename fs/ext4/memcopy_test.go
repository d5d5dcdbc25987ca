// SPDX-License-Identifier: Apache-2.0

package ext4_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"lodger/abi"
	"lodger/block/blocktest"
	"lodger/fs"
	"lodger/fs/ext4"
	"lodger/host"
)

// TestSparseCopyShift: collapse and insert leave the holes of a memory copy holes. A
// damaged image had a file of 8 EiB, mapped it, and the copy filled the host's memory.
func TestSparseCopyShift(t *testing.T) {
	const size, block = 256 << 20, 4096
	d := mkfs(t, "8M", "-t", "ext4", "-b", "4096", "-O", "^has_journal")
	v := fs.New(0)
	sb, err := ext4.New(v, d, ext4.Options{})
	if err != nil {
		t.Fatal(err)
	}
	e := env(t, v, sb)
	e.Ctx.MayWait = true
	f, err := e.Open("/f", abi.O_CREAT|abi.O_RDWR, 0o600)
	e.Must(err)
	defer f.DecRef()
	e.Must(f.Truncate(e.Ctx, size))
	at := map[int64]byte{0: 'a', 3*block + 5: 'b', 1 << 20: 'c', 1<<20 + block: 'd', 77 << 20: 'e', size - 1: 'f'}
	for off, c := range at {
		_, err := f.Pwrite(e.Ctx, []byte{c}, off)
		e.Must(err)
	}
	runs, _, err := f.MapRuns(e.Ctx, 0, block, true, true, false)
	e.Must(err)
	fd := runs[0].FD
	check := func(what string) {
		t.Helper()
		a, err := f.Stat()
		e.Must(err)
		var data int64
		for off := int64(0); ; {
			from, err := host.Lseek(fd, off, abi.SEEK_DATA)
			if err != nil {
				break
			}
			to, err := host.Lseek(fd, from, abi.SEEK_HOLE)
			e.Must(err)
			data, off = data+to-from, to
		}
		if data > 20*block {
			t.Errorf("%s: the copy takes %d bytes", what, data)
		}
		x, y := make([]byte, 1<<20), make([]byte, 1<<20)
		for off := int64(0); off < a.Size; off += int64(len(x)) {
			n, err := f.Pread(e.Ctx, x, off)
			e.Must(err)
			k, err := host.Pread(fd, y[:n], off)
			if err != nil || k != n || !bytes.Equal(x[:n], y[:n]) {
				t.Fatalf("%s: the copy and the file differ at %d", what, off)
			}
		}
	}
	check("before")
	for _, c := range []struct {
		name        string
		mode        int
		off, length int64
	}{
		{"insert", abi.FALLOC_FL_INSERT_RANGE, block, 5 * block},
		{"collapse", abi.FALLOC_FL_COLLAPSE_RANGE, 2 * block, 3 * block},
		{"large insert", abi.FALLOC_FL_INSERT_RANGE, 0, 3 << 20},
		{"large collapse", abi.FALLOC_FL_COLLAPSE_RANGE, 1 << 20, 1 << 20},
	} {
		e.Must(f.Fallocate(e.Ctx, c.mode, c.off, c.length))
		check(c.name)
	}
	sb.Ops.(*ext4.FS).Close()
}

// TestCopyOfRepeatedBlocks: a block map that leads to the same blocks again and again
// makes a small image a large file, which is not copied to memory.
func TestCopyOfRepeatedBlocks(t *testing.T) {
	dir := t.TempDir()
	tree, img := filepath.Join(dir, "tree"), filepath.Join(dir, "img")
	if err := errors.Join(os.Mkdir(tree, 0o755), os.WriteFile(tree+"/f", bytes.Repeat([]byte("x"), 300<<10), 0o644)); err != nil {
		t.Fatal(err)
	}
	run(t, 0, "mke2fs", "-q", "-F", "-t", "ext2", "-b", "1024", "-d", tree, img, "8M")
	// 12 blocks, the indirect block, its 256, the double indirect block.
	out, err := exec.Command("debugfs", "-R", "blocks /f", img).Output()
	if err != nil {
		t.Fatal(err)
	}
	l := strings.Fields(string(out))
	ind, err1 := strconv.Atoi(l[12])
	dind, err2 := strconv.Atoi(l[12+1+256])
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	run(t, 0, "debugfs", "-w", "-R", "sif /f size 67000000", img)
	b, err := os.ReadFile(img)
	if err != nil {
		t.Fatal(err)
	}
	for k := range 256 {
		binary.LittleEndian.PutUint32(b[dind<<10+4*k:], uint32(ind))
	}
	v := fs.New(0)
	sb, err := ext4.New(v, &disk{data: b}, ext4.Options{Errors: "continue"})
	if err != nil {
		t.Fatal(err)
	}
	e := env(t, v, sb)
	e.Ctx.MayWait = true
	f, err := e.Open("/f", abi.O_RDWR, 0)
	e.Must(err)
	defer f.DecRef()
	_, _, err = f.MapRuns(e.Ctx, 0, 4096, false, true, false)
	e.Want(err, abi.EUCLEAN, "mapping of a file with more blocks than the disk")
}

// TestLostStores: what mappings stored in a file that is held by memory copy cannot be
// written back. Each open file is told once at its next fsync, whoever wrote, and who
// opens it after the last close when nobody was.
func TestLostStores(t *testing.T) {
	d := blocktest.NewFaulty(blocktest.NewMem(mkfs(t, "8M", "-t", "ext4", "-b", "1024").data))
	v := fs.New(0)
	sb, err := ext4.New(v, d, ext4.Options{Timer: &stepTimer{}})
	if err != nil {
		t.Fatal(err)
	}
	e := env(t, v, sb)
	contents := strings.Repeat("contents", 1024)
	for _, name := range []string{"/f", "/other"} {
		e.Write(name, contents)
	}
	e.Must(sb.Ops.(*ext4.FS).Sync())
	open := func(name string) *fs.File {
		f, err := e.Open(name, abi.O_RDWR, 0)
		e.Must(err)
		return f
	}
	store := func(f *fs.File, s string) {
		runs, _, err := f.MapRuns(e.Ctx, 0, 4096, true, true, false)
		e.Must(err)
		if _, err := host.Pwrite(runs[0].FD, []byte(s), 0); err != nil {
			t.Fatal(err)
		}
	}
	a, b, other := open("/f"), open("/f"), open("/other")
	store(a, "stored 1")
	store(other, "stored 2")
	// Data is what is hit, wherever the two lie.
	r, err := fs.Listxattr(e.Ctx, placeOf(e, "/f")) // nothing is read from now on
	if err != nil || len(r) > 0 {
		t.Fatal(r, err)
	}
	d.Add(blocktest.Fault{Ops: blocktest.Write, Times: 1})
	e.Want(sb.Ops.(*ext4.FS).Sync(), abi.EIO, "sync")
	late := open("/f")
	// One of the two could be written, the other not: both are now.
	lost := 0
	for _, pair := range [][2]*fs.File{{a, b}, {other, nil}} {
		err := pair[0].Fsync(e.Ctx, false)
		if err != nil {
			lost++
			e.Want(err, abi.EIO, "fsync")
			e.Must(pair[0].Fsync(e.Ctx, false))
			if pair[1] != nil {
				e.Want(pair[1].Fsync(e.Ctx, true), abi.EIO, "fsync of another open file")
				e.Want(late.Fsync(e.Ctx, true), abi.EIO, "fsync of one opened before anybody was told")
				f := open("/f")
				e.Must(f.Fsync(e.Ctx, true))
				f.DecRef()
			}
		}
	}
	if lost != 1 {
		t.Errorf("%d files were told of one error", lost)
	}
	// A write goes to both, and its own error was forgotten.
	d.Add(blocktest.Fault{Ops: blocktest.Write, Times: 1})
	_, err = a.Pwrite(e.Ctx, []byte("written"), 4096)
	e.Want(err, abi.EIO, "write")
	// The last close has nobody to tell.
	store(other, "stored 3")
	d.Add(blocktest.Fault{Ops: blocktest.Write, Times: 1})
	other.DecRef()
	other = open("/other")
	e.Want(other.Fsync(e.Ctx, false), abi.EIO, "fsync after the last close lost stores")
	e.Must(other.Fsync(e.Ctx, false))
	if got := e.Read("/f"); got[:8] != "stored 1" {
		t.Errorf("%q", got[:8])
	}
	for _, f := range []*fs.File{a, b, late, other} {
		f.DecRef()
	}
	e.Must(sb.Ops.(*ext4.FS).Close())
}
