// SPDX-License-Identifier: Apache-2.0

package jbd2

import (
	"encoding/binary"
	"fmt"
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"lodger/internal/need"
)

// Test support: real images, made and judged by e2fsprogs.

// image is an ext3 or ext4 file system in a file.
type image struct {
	path   string
	bs     int
	blocks uint64
	bmap   []int64 // of the journal, by debugfs
	free   []uint64
	cache  map[uint64]*Buffer
}

// mkfs makes an image of 16 MiB (1 KiB blocks) or 32 MiB (4 KiB blocks).
func mkfs(t *testing.T, bs int, args ...string) *image {
	t.Helper()
	for _, p := range []string{"mkfs.ext4", "debugfs", "e2fsck", "dumpe2fs"} {
		need.Program(t, p)
	}
	im := &image{path: filepath.Join(t.TempDir(), "image"), bs: bs, blocks: 16384, cache: map[uint64]*Buffer{}}
	if bs == 4096 {
		im.blocks = 8192
	}
	size := im.blocks * uint64(bs)
	args = append([]string{"-q", "-F", "-b", fmt.Sprint(bs), "-J", fmt.Sprintf("size=%d", bs/1024)}, args...)
	args = append(args, im.path, fmt.Sprintf("%dk", size/1024))
	if out, err := exec.Command("mkfs.ext4", args...).CombinedOutput(); err != nil {
		t.Fatalf("mkfs.ext4 %v: %v\n%s", args, err, out)
	}
	im.findJournal(t)
	im.findFree(t)
	return im
}

// debugfs runs commands.
func (im *image) debugfs(t *testing.T, write bool, commands ...string) string {
	t.Helper()
	script := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(script, []byte(strings.Join(commands, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"-f", script, im.path}
	if write {
		args = append([]string{"-w"}, args...)
	}
	out, err := exec.Command("debugfs", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("debugfs %v: %v\n%s", commands, err, out)
	}
	return string(out)
}

// findJournal asks where each block of the journal's inode lies.
func (im *image) findJournal(t *testing.T) {
	t.Helper()
	const blocks = 1024
	commands := make([]string, blocks)
	for i := range commands {
		commands[i] = fmt.Sprintf("bmap <8> %d", i)
	}
	for _, line := range strings.Split(im.debugfs(t, false, commands...), "\n") {
		if n, err := strconv.ParseInt(strings.TrimSpace(line), 10, 64); err == nil {
			im.bmap = append(im.bmap, n*int64(im.bs))
		}
	}
	if len(im.bmap) != blocks {
		t.Fatalf("debugfs tells %d journal blocks", len(im.bmap))
	}
}

// findFree lists blocks that no file uses: a stretch of the free ones.
func (im *image) findFree(t *testing.T) {
	t.Helper()
	out := im.debugfs(t, false, "ffb 600 3000")
	_, list, _ := strings.Cut(out, "Free blocks found:")
	for _, f := range strings.Fields(list) {
		n, err := strconv.ParseUint(f, 10, 64)
		if err != nil {
			break
		}
		im.free = append(im.free, n)
	}
	if len(im.free) < 600 {
		t.Fatalf("%d free blocks found:\n%.300s", len(im.free), out)
	}
}

func (im *image) mapping(block uint32) (int64, error) { return im.bmap[block], nil }

func (im *image) options(d Device) Options {
	return Options{
		Device: d, Blocksize: im.bs, Blocks: im.blocks, Map: im.mapping,
		MapBlocks: uint32(len(im.bmap)),
	}
}

func (im *image) read(t *testing.T) []byte {
	t.Helper()
	b, err := os.ReadFile(im.path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// copyOf gives the same image with other contents, in another file.
func (im *image) copyOf(t *testing.T, data []byte) *image {
	t.Helper()
	c := *im
	c.path = filepath.Join(t.TempDir(), "copy")
	if err := os.WriteFile(c.path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return &c
}

func (im *image) dumpe2fs(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("dumpe2fs", "-h", im.path).Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// e2fsck runs it; status 0 and 1 (errors corrected) are fine.
func (im *image) e2fsck(t *testing.T, args ...string) (string, int) {
	t.Helper()
	cmd := exec.Command("e2fsck", append(args, im.path)...)
	out, _ := cmd.CombinedOutput()
	return string(out), cmd.ProcessState.ExitCode()
}

// differ names the first block that two images have different, besides the
// journal's own and the first ones with the superblock and group descriptors,
// in which e2fsck notes what it did.
func (im *image) differ(a, b []byte) (uint64, bool) {
	own := map[uint64]bool{}
	for _, off := range im.bmap {
		own[uint64(off)/uint64(im.bs)] = true
	}
	first := uint64(4096/im.bs + 1)
	for n := first; n < im.blocks; n++ {
		p, q := a[n*uint64(im.bs):(n+1)*uint64(im.bs)], b[n*uint64(im.bs):(n+1)*uint64(im.bs)]
		if !own[n] && string(p) != string(q) && !superblockCopy(p, q) {
			return n, true
		}
	}
	return 0, false
}

// superblockCopy: e2fsck writes the backups of the superblock too.
func superblockCopy(p, q []byte) bool {
	const magic = 0x38
	le := binary.LittleEndian
	return le.Uint16(p[magic:]) == 0xef53 && le.Uint16(q[magic:]) == 0xef53
}

// featureSets are arguments of mkfs.ext4.
func featureSets() []string {
	return []string{
		"^metadata_csum,^64bit", "^metadata_csum,64bit", "metadata_csum,64bit", "metadata_csum,^64bit",
		"^extent,^metadata_csum,^64bit", "metadata_csum,metadata_csum_seed,64bit,orphan_file",
	}
}

// journalWrites makes a random history for debugfs: transactions, revokes,
// blocks that look like the log's, and in the end one that is not committed.
func (im *image) journalWrites(t *testing.T, rng *rand.Rand, open string) []string {
	t.Helper()
	dir := t.TempDir()
	commands := []string{open}
	for i := range 8 {
		blocks := im.pick(rng, 1+rng.Intn(6))
		if i == 3 {
			blocks = im.pick(rng, 150) // several descriptors
		}
		data := make([]byte, len(blocks)*im.bs)
		rng.Read(data)
		for b := range blocks {
			if rng.Intn(3) == 0 {
				put32(data, b*im.bs, Magic)
			}
		}
		name := filepath.Join(dir, fmt.Sprint(i))
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
		c := "jw -b " + join(blocks)
		switch {
		case i == 7:
			c += " -c"
		case rng.Intn(2) == 0:
			// By itself: debugfs writes a transaction with both wrongly.
			commands = append(commands, "jw -r "+join(im.pick(rng, 1+rng.Intn(40))))
		}
		commands = append(commands, c+" "+name)
	}
	return append(commands, "jc")
}

// pick chooses from few blocks, so that they meet again.
func (im *image) pick(rng *rand.Rand, n int) []uint64 {
	from := max(60, n)
	var out []uint64
	for _, i := range rng.Perm(from)[:n] {
		out = append(out, im.free[i])
	}
	return out
}

func join(blocks []uint64) string {
	s := make([]string, len(blocks))
	for i, b := range blocks {
		s[i] = fmt.Sprint(b)
	}
	return strings.Join(s, ",")
}
