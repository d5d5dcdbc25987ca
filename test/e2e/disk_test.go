// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package e2e

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"lodger/block"
	"lodger/internal/need"
)

// disks is a directory of images, and the binary.
type disks struct {
	t        *testing.T
	bin, dir string
}

func newDisks(t *testing.T) *disks {
	t.Helper()
	return &disks{t, lodger(t), openDir(t)}
}

func (d *disks) path(name string) string { return filepath.Join(d.dir, name) }

// run runs lodger disk in the directory and wants a status.
func (d *disks) run(status int, args ...string) result {
	d.t.Helper()
	// A relative name is what users type.
	script := `cd "$1" && shift && exec "$@"`
	r := run(d.t, "/bin/sh", nil, append([]string{"-c", script, "sh", d.dir, d.bin, "disk"}, args...)...)
	if r.status != status {
		d.t.Errorf("lodger disk %q: %+v, want status %d", args, r, status)
	}
	if bad := r.status == 125; bad != (r.stderr != "") || bad && (strings.Count(r.stderr, "\n") != 1 || !strings.HasPrefix(r.stderr, "lodger: disk")) {
		d.t.Errorf("lodger disk %q: stderr %q", args, r.stderr)
	}
	return r
}

// fails wants status 125 and a text in the message.
func (d *disks) fails(want string, args ...string) {
	d.t.Helper()
	if r := d.run(125, args...); !strings.Contains(r.stderr, want) || r.out != "" {
		d.t.Errorf("lodger disk %q: %+v, want %q", args, r, want)
	}
}

func (d *disks) write(name string, b []byte) {
	d.t.Helper()
	if err := os.WriteFile(d.path(name), b, 0o644); err != nil {
		d.t.Fatal(err)
	}
}

func (d *disks) read(name string) []byte {
	d.t.Helper()
	b, err := os.ReadFile(d.path(name))
	if err != nil {
		d.t.Error(err)
	}
	return b
}

// has wants these files, and no others.
func (d *disks) has(names ...string) {
	d.t.Helper()
	ents, err := os.ReadDir(d.dir)
	if err != nil {
		d.t.Fatal(err)
	}
	var got []string
	for _, e := range ents {
		if e.Name() != "lodger" {
			got = append(got, e.Name())
		}
	}
	if strings.Join(got, " ") != strings.Join(names, " ") {
		d.t.Errorf("files %q, want %q", got, names)
	}
}

// info asks for JSON.
func (d *disks) info(name string) map[string]any {
	d.t.Helper()
	var out map[string]any
	if err := json.Unmarshal([]byte(d.run(0, "info", name, "--json").out), &out); err != nil {
		d.t.Errorf("info --json %s: %v", name, err)
	}
	return out
}

// content is a disk of 1 MiB with a partition, its second half a hole.
func content() []byte {
	b := make([]byte, 1<<20)
	copy(b, strings.Repeat("data", 128<<10))
	clear(b[440:512])
	copy(b[446:], []byte{0x80, 0, 0, 0, 0x83, 0, 0, 0, 64, 0, 0, 0, 0, 4, 0, 0})
	copy(b[510:], "\x55\xaa")
	return b
}

// TestDiskLife takes images through everything that can be done to them.
func TestDiskLife(t *testing.T) {
	d := newDisks(t)
	d.run(0, "create", "empty", "--size", "1G")
	if i := d.info("empty"); i["format"] != "raw" || i["virtual_size"] != float64(1<<30) || i["allocated"].(float64) > 1<<20 {
		t.Errorf("an empty image: %v", i)
	}
	old, changed := content(), content()
	copy(changed[300<<10:], "changed")
	d.write("base", old)
	d.write("changed", changed)
	d.run(0, "create", "cow", "--base", "base")
	d.run(0, "convert", "--base", "base", "--to", "cow", "changed", "cow2")
	c, _ := d.info("cow2")["cow"].(map[string]any)
	if c["owned_bytes"] != float64(64<<10) || c["owned_blocks"] != float64(128) || c["base_state"] != "unchanged" || c["base"] != d.path("base") {
		t.Errorf("cow2: %v", c)
	}
	text := d.run(0, "info", "cow2").out
	for _, want := range []string{"format         COW, version 3", "(1.0 MiB)", "blocks owned   128 (64.0 KiB, 6.2% of the disk)", "base state     unchanged", "dos table", "start 32768, size 524288"} {
		if !strings.Contains(text, want) {
			t.Errorf("info without %q:\n%s", want, text)
		}
	}
	if r := d.run(0, "check", "cow2"); r.out != "cow2: clean\n" {
		t.Errorf("check: %+v", r)
	}
	d.run(0, "convert", "cow2", "flat")
	if !bytes.Equal(d.read("flat"), changed) {
		t.Error("a converted COW file has another content")
	}
	d.run(0, "rebase", "cow2", "changed")
	d.run(0, "convert", "cow2", "flat2")
	if !bytes.Equal(d.read("flat2"), changed) {
		t.Error("rebase changed the content")
	}
	d.run(0, "rebase", "cow2", "base")
	d.run(0, "commit", "cow2")
	if !bytes.Equal(d.read("base"), changed) {
		t.Error("commit did not write the base")
	}
	if c, _ := d.info("cow2")["cow"].(map[string]any); c["owned_bytes"] != 0.0 || c["base_state"] != "unchanged" {
		t.Errorf("after the commit: %v", c)
	}
	d.run(0, "check", "cow2")
	d.has("base", "changed", "cow", "cow2", "empty", "flat", "flat2")
}

// TestDiskMismatch: a base that changed is refused, told of, and can be taken all
// the same when the user says so.
func TestDiskMismatch(t *testing.T) {
	d := newDisks(t)
	d.write("base", content())
	d.write("other", make([]byte, 4096))
	d.run(0, "create", "cow", "--base", "base")
	if err := syscall.Utimes(d.path("base"), []syscall.Timeval{{Sec: 1}, {Sec: 1}}); err != nil {
		t.Fatal(err)
	}
	const says = "mtime mismatch"
	d.fails(says, "commit", "cow")
	d.fails(says, "convert", "cow", "raw")
	d.fails(says, "rebase", "cow", "base")
	if r := d.run(1, "check", "cow"); !strings.Contains(r.out, "problem: base: "+says) || !strings.HasSuffix(r.out, "cow: 1 problem\n") {
		t.Errorf("check: %+v", r)
	}
	if r := d.run(0, "info", "cow"); !strings.Contains(r.out, "base state     mtime-mismatch") || !strings.Contains(r.out, "1970-01-01T00:00:01Z now") {
		t.Errorf("info: %+v", r)
	}
	d.run(0, "rebase", "--unsafe", "cow", "base")
	d.run(0, "check", "cow")
	d.fails("the new base other has 4096 bytes, the disk 1048576", "rebase", "cow", "other")
	d.fails("a COW file needs a base of its disk's size", "convert", "--base", "other", "cow", "new")
	if err := os.Rename(d.path("base"), d.path("moved")); err != nil {
		t.Fatal(err)
	}
	d.fails(`name where it is now with "lodger disk rebase --unsafe"`, "commit", "cow")
	d.fails("use --unsafe if moved has the same content", "rebase", "cow", "moved")
	if c, _ := d.info("cow")["cow"].(map[string]any); c["base_state"] != "missing" {
		t.Errorf("info: %v", c)
	}
	d.run(0, "rebase", "--unsafe", "cow", "moved")
	d.run(0, "commit", "cow")
	d.has("cow", "moved", "other")
}

// TestDiskBadInput: nothing is overwritten, taken for what it is not, or left.
func TestDiskBadInput(t *testing.T) {
	d := newDisks(t)
	d.write("raw", content())
	d.run(0, "create", "cow", "--base", "raw")
	d.write("short", d.read("cow")[:2000])
	bad := d.read("cow")
	bad[7] = 9
	d.write("version", bad)
	os.Mkdir(d.path("tree"), 0o755)
	const taken, isDir = "file exists; remove it or choose another name", "must be a regular file or a block device"
	for _, c := range []struct{ want, line string }{
		{taken, "create raw --size 1M"},
		{taken, "create cow --base raw"},
		{taken, "create raw --from tree"},
		{taken, "convert cow raw"},
		{taken, "convert raw raw"},
		{"no such file or directory; check the name", "info none"},
		{"no such file or directory; check the name", "check none"},
		{"no such file or directory; check the name", "commit none"},
		{"no such file or directory; check the name", "rebase none raw"},
		{"no such file or directory; check the name", "rebase cow none"},
		{"no such file or directory; check the name", "convert none new"},
		{"no such file or directory; check the name", "convert --base none raw new"},
		{"raw: not a COW file", "commit raw"},
		{"raw: not a COW file", "rebase raw raw"},
		{"is a COW file itself and cannot be a base", "create new --base cow"},
		{"is a COW file itself and cannot be a base", "rebase cow cow2"},
		{"version 9 is unknown", "info version"},
		{"version 9 is unknown", "convert version new"},
		{isDir, "info tree"},
		{isDir, "check tree"},
		{"is a directory", "commit tree"},
		{"tree/new/sub", "create tree/new/sub --size 1M"},
		{"beside tree/new/sub", "create tree/new/sub --from tree"},
	} {
		if strings.Contains(c.line, "cow2") {
			d.run(0, "create", "cow2", "--base", "raw")
		}
		d.fails(c.want, strings.Fields(c.line)...)
		os.Remove(d.path("cow2"))
	}
	for _, name := range []string{"short", "version"} {
		if r := d.run(1, "check", name); !strings.Contains(r.out, "problem: ") {
			t.Errorf("check %s: %+v", name, r)
		}
	}
	d.has("cow", "raw", "short", "tree", "version")
}

// TestDiskHostileHeader: a COW file is somebody's bytes, and its base's name must
// not drive the terminal of whoever looks at it.
func TestDiskHostileHeader(t *testing.T) {
	d := newDisks(t)
	d.write("raw", content())
	d.run(0, "create", "cow", "--base", "raw")
	b := d.read("cow")
	clear(b[32 : 32+4096]) // the name in version 3
	copy(b[32:], "/\x1b[2Jnowhere\nlodger: all is well")
	d.write("cow", b)
	for _, r := range []result{d.run(0, "info", "cow"), d.run(0, "info", "--json", "cow"), d.run(1, "check", "cow"), d.run(125, "commit", "cow"), d.run(125, "convert", "cow", "new")} {
		if s := r.out + r.stderr; strings.Contains(s, "\x1b") || strings.Contains(s, "\nlodger: all") || !strings.Contains(s, "nowhere") {
			t.Errorf("printed %q", s)
		}
	}
}

// TestDiskLocked: what another process has is left alone; info looks all the same.
func TestDiskLocked(t *testing.T) {
	d := newDisks(t)
	d.write("base", content())
	d.run(0, "create", "cow", "--base", "base")
	f, err := block.OpenFile(d.path("cow"), block.Options{})
	if err != nil {
		t.Fatal(err)
	}
	const says = "it is in use by "
	for _, line := range []string{"commit cow", "rebase cow base", "rebase --unsafe cow base", "convert cow raw", "check cow"} {
		d.fails(says, strings.Fields(line)...)
	}
	d.run(0, "info", "cow")
	f.Close()
	// A guest has the base as its own disk.
	if f, err = block.OpenFile(d.path("base"), block.Options{}); err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	d.fails(says, "commit", "cow")
	d.fails(says, "convert", "cow", "raw")
	d.run(0, "info", "cow")
	d.has("base", "cow")
}

// TestDiskNoSpace: a full file system is told of, and nothing half made stays.
func TestDiskNoSpace(t *testing.T) {
	need.Root(t)
	d := newDisks(t)
	d.write("raw", bytes.Repeat([]byte("full"), 512<<10))
	small := d.path("small")
	os.Mkdir(small, 0o755)
	if err := syscall.Mount("t", small, "tmpfs", 0, "size=1M"); err != nil {
		need.Missing(t, "cannot mount: %v", err)
	}
	defer syscall.Unmount(small, syscall.MNT_DETACH)
	const says = "free some space there"
	d.fails(says, "convert", "raw", "small/raw")
	if ents, _ := os.ReadDir(small); len(ents) != 0 {
		t.Errorf("convert left %v", ents)
	}
	d.write("base", make([]byte, 2<<20))
	d.fails(says, "convert", "--base", "base", "raw", "small/cow")
	need.Program(t, "tar")
	need.Program(t, "mkfs.ext4")
	os.Mkdir(d.path("tree"), 0o755)
	d.write("tree/big", d.read("raw"))
	d.fails(says, "create", "small/new", "--from", "tree")
	if ents, _ := os.ReadDir(small); len(ents) != 0 {
		t.Errorf("left: %v", ents)
	}
}
