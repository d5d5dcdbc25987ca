// SPDX-License-Identifier: Apache-2.0

package ext4_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"lodger/fs"
	"lodger/fs/ext4"
	"lodger/internal/need"
	"lodger/lib/printk"
)

// disk is a Device in memory.
type disk struct {
	mu   sync.RWMutex
	data []byte
}

var errRange = errors.New("outside the device")

func (d *disk) Size() int64  { return int64(len(d.data)) }
func (d *disk) Flush() error { return nil }

func (d *disk) ReadAt(p []byte, off int64) (int, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if off < 0 || off > int64(len(d.data))-int64(len(p)) {
		return 0, errRange
	}
	return copy(p, d.data[off:]), nil
}

func (d *disk) WriteAt(p []byte, off int64) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if off < 0 || off > int64(len(d.data))-int64(len(p)) {
		return 0, errRange
	}
	return copy(d.data[off:], p), nil
}

// run runs a program of e2fsprogs and gives what it says.
func run(t testing.TB, okCodes int, name string, args ...string) string {
	t.Helper()
	need.Program(t, name)
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C", "MKE2FS_SKIP_CHECK_MSG=1")
	out, err := cmd.CombinedOutput()
	if err != nil && (cmd.ProcessState == nil || cmd.ProcessState.ExitCode()&^okCodes != 0) {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// mkfs makes an image with mke2fs.
func mkfs(t testing.TB, size string, args ...string) *disk {
	t.Helper()
	img := filepath.Join(t.TempDir(), "img")
	run(t, 0, "mke2fs", append(append([]string{"-q", "-F"}, args...), img, size)...)
	b, err := os.ReadFile(img)
	if err != nil {
		t.Fatal(err)
	}
	os.Remove(img)
	return &disk{data: b}
}

// fsck lets e2fsck judge the image.
func fsck(t testing.TB, d *disk) {
	t.Helper()
	if out := fsckSays(t, d); out != "" {
		t.Error(out)
	}
}

// fsckSays gives e2fsck's complaints; "" when it has none.
func fsckSays(t testing.TB, d *disk) string {
	t.Helper()
	img := filepath.Join(t.TempDir(), "img")
	writeImage(t, img, d.data)
	need.Program(t, "e2fsck")
	defer os.Remove(img)
	out, err := exec.Command("e2fsck", "-fn", img).CombinedOutput()
	if err == nil {
		return ""
	}
	return fmt.Sprintf("e2fsck: %v\n%s", err, out)
}

// writeImage writes a file with holes where there are only zeros.
func writeImage(t testing.TB, name string, data []byte) {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(int64(len(data))); err != nil {
		t.Fatal(err)
	}
	const step = 16 << 10
	var zero [step]byte
	for off := 0; off < len(data); off += step {
		p := data[off:min(off+step, len(data))]
		if bytes.Equal(p, zero[:len(p)]) {
			continue
		}
		if _, err := f.WriteAt(p, int64(off)); err != nil {
			t.Fatal(err)
		}
	}
}

// kind is a set of features under test.
type kind struct {
	name string
	args []string
}

func kinds() []kind {
	return []kind{
		{"ext2", []string{"-t", "ext2", "-b", "1024"}},
		{"ext2rev0ish", []string{"-t", "ext2", "-b", "4096", "-I", "128", "-O", "^dir_index,^resize_inode,^filetype"}},
		{"ext3", []string{"-t", "ext3", "-b", "1024", "-I", "128"}},
		{"ext4", []string{"-t", "ext4"}},
		{"ext4-1k", []string{"-t", "ext4", "-b", "1024"}},
		{"ext4-2k", []string{"-t", "ext4", "-b", "2048", "-I", "512", "-O", "metadata_csum_seed,orphan_file"}},
		{"gdt_csum", []string{"-t", "ext4", "-b", "1024", "-O", "^metadata_csum,uninit_bg,^64bit"}},
		{"metabg", []string{"-t", "ext4", "-b", "1024", "-O", "meta_bg,^resize_inode"}},
		{"inline", []string{"-t", "ext4", "-O", "inline_data,large_dir"}},
		{"noflex", []string{"-t", "ext4", "-b", "1024", "-O", "^flex_bg,^has_journal,sparse_super2"}},
		{"noextents", []string{"-t", "ext4", "-b", "1024", "-O", "^extents,^64bit"}},
		{"ea_inode", []string{"-t", "ext4", "-b", "4096", "-I", "4096", "-N", "512", "-O", "ea_inode,orphan_file"}},
	}
}

// mount mounts an image; every error found fails the test.
func mount(t testing.TB, d *disk, o ext4.Options) (*fs.VFS, *fs.SuperBlock) {
	t.Helper()
	v := fs.New(0)
	o.Log = func(_ printk.Level, s string) { t.Helper(); t.Log(s) }
	sb, err := ext4.New(v, d, o)
	if err != nil {
		t.Fatal(err)
	}
	return v, sb
}

// closed unmounts and checks.
func closed(t testing.TB, sb *fs.SuperBlock, d *disk) {
	t.Helper()
	f := sb.Ops.(*ext4.FS)
	if n, ino, block := f.Errors(); n != 0 {
		t.Errorf("%d errors found, the last at inode %d, block %d", n, ino, block)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	fsck(t, d)
}
