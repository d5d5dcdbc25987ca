// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package disks

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"lodger/internal/need"
	"lodger/test/fixture"
)

// Of a run of damage: how many images there are unless $LODGER_DAMAGE says so, as COUNT
// or FIRST+COUNT.
const (
	firstSeed  = 0
	seedCount  = 420
	shortCount = 140
)

// The disk that images are on: a table, then canary, partition, canary.
const (
	mib       = 1 << 20
	partStart = mib
	partSize  = 4 * mib
)

// TestDamagedImages: a guest that mounts damaged images, or has damaged partition
// tables read, lives on, and changes nothing around them.
func TestDamagedImages(t *testing.T) {
	need.Root(t) // for device nodes and trusted attributes in the images
	need.Program(t, "gcc")
	dir := t.TempDir()
	bin, tree := lodger(t), filepath.Join(dir, "tree")
	if err := fixture.Busybox(tree); err != nil {
		need.Missing(t, "%v", err)
	}
	command(t, "gcc", "-O1", "-w", "-static", "-o", tree+"/bin/damage", "programs/damage.c")
	if err := os.Mkdir(tree+"/images", 0o755); err != nil {
		t.Fatal(err)
	}
	damagedImages(t, tree+"/images")
	root := filepath.Join(dir, "root.ext4")
	if err := fixture.Image(root, tree, 128*mib); err != nil {
		t.Fatal(err)
	}

	canary := make([]byte, partStart+partSize+mib)
	rand.New(rand.NewSource(1)).Read(canary)
	clear(canary[446:512])
	copy(canary[446:], []byte{0, 0, 0, 0, 0x83, 0, 0, 0})
	binary.LittleEndian.PutUint32(canary[454:], partStart/512)
	binary.LittleEndian.PutUint32(canary[458:], partSize/512)
	copy(canary[510:], "\x55\xaa")
	disk := func(name string, b []byte) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, b, 0o644); err != nil {
			t.Fatal(err)
		}
		return name
	}
	part, whole, table := disk("part", canary), disk("whole", canary[:partSize]), disk("table", canary[:partSize])
	near := disk("near", canary)

	first, count := firstSeed, seedCount
	if testing.Short() {
		count = shortCount
	}
	if s := os.Getenv("LODGER_DAMAGE"); s != "" {
		from, n, both := strings.Cut(s, "+")
		if !both {
			from, n = "0", from
		}
		var err1, err2 error
		first, err1 = strconv.Atoi(from)
		count, err2 = strconv.Atoi(n)
		if err := errors.Join(err1, err2); err != nil {
			t.Fatalf("LODGER_DAMAGE: %v", err)
		}
	}
	script := fmt.Sprintf("mount -t proc proc /proc\ndamage %d %d\npoweroff -f\n", first, count)
	out, err := outputFrom(t, script, bin, "ubd0="+root, "ubd1="+part, "ubd2="+whole, "ubd3="+table, "quiet", "mem=512M")
	keep(t, out)
	t.Log(summary(out))
	if err != nil || !strings.Contains(out, "\nsurvived\n") {
		t.Errorf("the guest did not survive: %v\n%s", err, tail(out))
	}
	for _, l := range strings.Split(out, "\n") {
		for _, bad := range []string{"BUSY", "HANGS", "DIED", "FATAL", "panic", "goroutine "} {
			if strings.HasPrefix(l, bad) {
				t.Error(l)
			}
		}
	}
	if err := fixture.Fsck(root); err != nil {
		t.Error(err)
	}
	read := func(name string) []byte {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	b := read(part)
	if len(b) != len(canary) || !bytes.Equal(b[:partStart], canary[:partStart]) || !bytes.Equal(b[partStart+partSize:], canary[partStart+partSize:]) {
		t.Error("bytes around the partition changed")
	}
	if !bytes.Equal(read(near), canary) {
		t.Error("a file beside the disks changed")
	}
	for _, name := range []string{whole, table} {
		if n := len(read(name)); n != partSize {
			t.Errorf("%s has %d bytes now", name, n)
		}
	}
}

// summary is what the program says of all images of a kind.
func summary(out string) string {
	var b strings.Builder
	for _, l := range strings.Split(out, "\n") {
		if strings.HasSuffix(l, "were mounted") {
			b.WriteString("\n" + l)
		}
	}
	return b.String()
}

// damagedImages makes the images, undamaged.
func damagedImages(t *testing.T, to string) {
	src := filepath.Join(t.TempDir(), "src")
	if err := damagedTree(src); err != nil {
		t.Fatal(err)
	}
	ext := func(name, size string, args ...string) string {
		img := filepath.Join(to, name)
		if !strings.HasPrefix(size, "4") {
			args = append(args, "-O", "^has_journal")
		}
		command(t, "mke2fs", append(append([]string{"-q", "-F", "-b", "1024", "-U", "11111111-2222-3333-4444-555555555555", "-E", "hash_seed=11111111-2222-3333-4444-555555555555,lazy_itable_init=0",
			"-d", src}, args...), img, size)...)
		// Directories get their indices.
		if out, err := exec.Command("e2fsck", "-fyD", img).CombinedOutput(); err != nil {
			var status *exec.ExitError
			if !errors.As(err, &status) || status.ExitCode() > 1 {
				t.Fatalf("e2fsck: %v\n%s", err, out)
			}
		}
		return img
	}
	ext("deep.ext4", "2M", "-t", "ext4", "-O", "^metadata_csum,^uninit_bg", "-N", "300")
	ext("inline.ext4", "2M", "-t", "ext4", "-I", "512", "-O", "^metadata_csum,^uninit_bg,inline_data,ea_inode,^resize_inode,meta_bg", "-N", "300")
	ext("sums.ext4", "2M", "-t", "ext4", "-O", "metadata_csum,64bit", "-N", "300")
	ext("maps.ext2", "2M", "-t", "ext2", "-I", "128", "-N", "300")
	dirty(t, ext("journal.ext4", "4M", "-t", "ext4", "-O", "^metadata_csum,^uninit_bg", "-J", "size=1", "-N", "300"))
	dirty(t, ext("journal.ext3", "4M", "-t", "ext3", "-J", "size=1", "-N", "300"))
	at := func(name string) string { return filepath.Join(to, name) }
	for _, c := range [][]string{
		{"mksquashfs", src, at("plain.squashfs"), "-quiet", "-no-progress", "-noI", "-noD", "-noF", "-noX"},
		{"mksquashfs", src, at("gzip.squashfs"), "-quiet", "-no-progress", "-b", "4096"},
		{"mkfs.erofs", "--quiet", "-T0", at("plain.erofs"), src},
		{"mkfs.erofs", "--quiet", "-T0", "-zlz4hc", "-C16384", at("lz4.erofs"), src},
		{"xorriso", "-as", "mkisofs", "-quiet", "-R", "-J", "-o", at("rock.iso9660"), src},
	} {
		need.Program(t, c[0])
		command(t, c[0], c[1:]...)
	}
	for name, script := range map[string]string{
		"dos.table": "label: dos\n2048,1024,83\n,512,82\n,3072,5\n,512\n,512\n,512\n",
		"gpt.table": "label: gpt\nlabel-id: 11111111-2222-3333-4444-555555555555\n2048,1024\n,512\n,1024\n",
	} {
		sparse(t, at(name), partSize)
		cmd := exec.Command("sfdisk", "-q", at(name))
		cmd.Stdin = strings.NewReader(script)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("sfdisk: %v\n%s", err, out)
		}
	}
	files, _ := filepath.Glob(to + "/*")
	for _, f := range files {
		if st, err := os.Stat(f); err != nil || st.Size() > partSize {
			t.Fatalf("%s is too large: %v", f, err)
		}
	}
}

// dirty leaves transactions in an image's journal, with revoked and escaped blocks.
func dirty(t *testing.T, img string) {
	block := filepath.Join(t.TempDir(), "block")
	b := bytes.Repeat([]byte{0xda}, 2048)
	copy(b, "\xc0\x3b\x39\x98")
	if err := os.WriteFile(block, b, 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("debugfs", "-w", "-f", "-", img)
	cmd.Stdin = strings.NewReader(fmt.Sprintf("jo\njw -b 3900,3901 %s\njw -r 3900\njw -b 3902,3903 %s\njc\n", block, block))
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(command(t, "dumpe2fs", "-h", img), "needs_recovery") {
		t.Fatalf("debugfs made no dirty journal: %v\n%s", err, out)
	}
}

// damagedTree makes a small tree with something of everything; files are full of 0xda.
func damagedTree(dir string) error {
	at := func(name string) string { return filepath.Join(dir, name) }
	var errs []error
	try := func(err error) { errs = append(errs, err) }
	for _, d := range []string{"d/e/f", "many", "empty"} {
		try(os.MkdirAll(at(d), 0o755))
	}
	for _, n := range []int{0, 1, 60, 1023, 4096, 4097, 30000, 150000} {
		try(os.WriteFile(at(fmt.Sprint("d/file", n)), bytes.Repeat([]byte{0xda}, n), 0o644))
	}
	for n := range 120 {
		try(os.WriteFile(at(fmt.Sprintf("many/a file with a longer name %03d", n)), nil, 0o644))
	}
	f, err := os.Create(at("d/sparse"))
	try(err)
	for k := range int64(12) {
		_, err := f.WriteAt(bytes.Repeat([]byte{0xda}, 1024), k*20480)
		try(err)
	}
	try(f.Close())
	try(os.Link(at("d/file60"), at("d/e/hard")))
	try(os.Symlink("../file60", at("d/e/soft")))
	try(os.Symlink(strings.Repeat("long/", 30)+"end", at("d/e/longsoft")))
	try(syscall.Mkfifo(at("d/fifo"), 0o600))
	try(syscall.Mknod(at("d/null"), syscall.S_IFCHR|0o600, 1<<8|3))
	for _, name := range []string{"d/file60", "d/file4096", "d/file30000", "many"} {
		try(syscall.Setxattr(at(name), "user.a", []byte("value"), 0))
		try(syscall.Setxattr(at(name), "user.b", bytes.Repeat([]byte("v"), 300), 0))
		acl := "\x02\x00\x00\x00" + "\x01\x00\x06\x00\xff\xff\xff\xff" + "\x02\x00\x04\x00\x07\x00\x00\x00" + "\x04\x00\x04\x00\xff\xff\xff\xff" + "\x10\x00\x06\x00\xff\xff\xff\xff" + "\x20\x00\x00\x00\xff\xff\xff\xff"
		try(syscall.Setxattr(at(name), "system.posix_acl_access", []byte(acl), 0))
	}
	return errors.Join(errs...)
}

// keep leaves all that the guest said in the file that $LODGER_DAMAGE_LOG names.
func keep(t *testing.T, out string) {
	if name := os.Getenv("LODGER_DAMAGE_LOG"); name != "" {
		if err := os.WriteFile(name, []byte(out), 0o644); err != nil {
			t.Error(err)
		}
	}
}
