// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package mapped

import (
	"bytes"
	"context"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"lodger/block"
	"lodger/block/cow"
	_ "lodger/init" // the guest under test: a result of another kernel's must not be cached
	"lodger/internal/need"
	"lodger/test/fixture"
)

// limit bounds one run.
const limit = 2 * time.Minute

// TestMapped compares the host with guests on disks of every kind.
func TestMapped(t *testing.T) {
	need.Root(t) // to mount the host's image
	need.Program(t, "gcc")
	need.Program(t, "mkfs.ext4")
	dir := t.TempDir()
	lodger, err := fixture.Lodger(dir)
	if err != nil {
		t.Fatal(err)
	}
	prog := filepath.Join(dir, "maps")
	if out, err := exec.Command("gcc", "-O1", "-w", "-static", "-pthread", "-o", prog, "programs/maps.c").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	tree := filepath.Join(dir, "tree")
	if err := fixture.Busybox(tree); err != nil {
		need.Missing(t, "%v", err)
	}
	plant(t, tree, prog)
	want := native(t, dir, tree, prog)
	if !strings.Contains(want, "a stranger's byte") && strings.Count(want, "\n") < 400 {
		t.Fatalf("the host prints too little:\n%s", want)
	}
	for _, d := range []struct {
		name string
		make func(g *guest, t *testing.T)
		mkfs []string
	}{
		{"raw", nil, []string{"-b", "4096"}},
		{"no_journal", nil, []string{"-b", "4096", "-O", "^has_journal"}},
		{"small_blocks", nil, []string{"-b", "1024"}},
		{"block_maps", nil, []string{"-b", "4096", "-O", "^extents,^64bit"}},
		{"odd_partition", (*guest).partition, []string{"-b", "4096"}},
		{"cow", (*guest).cowV3, []string{"-b", "4096"}},
		{"cow_v1", (*guest).cowV1, []string{"-b", "4096"}},
		{"cow_half_pages", (*guest).halfPages, []string{"-b", "4096"}},
		{"cow_small_blocks", (*guest).cowV3, []string{"-b", "1024"}},
	} {
		t.Run(d.name, func(t *testing.T) {
			g := &guest{lodger: lodger, image: filepath.Join(t.TempDir(), "root.ext4"), root: "/dev/ubda"}
			if err := fixture.Image(g.image, tree, 128<<20, d.mkfs...); err != nil {
				t.Fatal(err)
			}
			g.disk = g.image
			if d.make != nil {
				d.make(g, t)
			}
			got := g.run(t)
			if got != want {
				t.Errorf("- host  + guest\n%s", firstDiff(want, got))
			}
			g.check(t)
		})
	}
}

// plant puts the program into a tree, and the files that are there before it runs.
func plant(t *testing.T, tree, prog string) {
	b, err := os.ReadFile(prog)
	if err == nil {
		err = os.WriteFile(filepath.Join(tree, "bin/maps"), b, 0o755)
	}
	if err == nil {
		err = os.Mkdir(filepath.Join(tree, "work"), 0o755)
	}
	var c []byte
	for k := range 48 {
		c = append(c, bytes.Repeat([]byte{byte('A' + k)}, 4096)...)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(tree, "work/parts"), c, 0o644)
	}
	for i := range 6 {
		n := "base" + string(rune('0'+i))
		var c []byte
		for k := range 6 {
			c = append(c, bytes.Repeat([]byte{byte('a' + k)}, 4096)...)
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(tree, "work", n), c, 0o644)
		}
		// A COW disk copies up 64 KiB at a time: what else is written must be far away.
		for k := range 8 {
			if err == nil {
				err = os.WriteFile(filepath.Join(tree, "work", n+"pad"+string(rune('0'+k))), bytes.Repeat([]byte("pad "), 32<<10), 0o644)
			}
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}

// native runs the program on an ext4 of the host's.
func native(t *testing.T, dir, tree, prog string) string {
	image, mnt := filepath.Join(dir, "host.ext4"), filepath.Join(dir, "mnt")
	if err := fixture.Image(image, tree, 128<<20); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(mnt, 0o755); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("mount", "-o", "loop", image, mnt).CombinedOutput(); err != nil {
		need.Missing(t, "no loop mount: %v %s", err, out)
	}
	defer exec.Command("umount", mnt).Run()
	out, _ := command(t, nil, filepath.Join(mnt, "work"), prog)
	return out
}

// guest is a guest's disk and how it is booted.
type guest struct {
	lodger, image string
	disk, root    string // ubd0= and root=
	start         int64  // of the file system in image
}

func (g *guest) run(t *testing.T) string {
	out, msg := command(t, strings.NewReader("cd /work && maps; poweroff -f\n"), t.TempDir(), g.lodger, "ubd0="+g.disk, "root="+g.root, "rw", "quiet")
	if msg != "" {
		t.Logf("stderr: %s", msg)
	}
	return out
}

// check wants a clean file system.
func (g *guest) check(t *testing.T) {
	flat := g.image
	if g.disk != g.image {
		flat = filepath.Join(t.TempDir(), "flat")
		if out, err := exec.Command(g.lodger, "disk", "convert", strings.Split(g.disk, ",")[0], flat).CombinedOutput(); err != nil {
			t.Errorf("convert: %v\n%s", err, out)
			return
		}
	}
	if g.start > 0 {
		b, err := os.ReadFile(flat)
		if err != nil {
			t.Fatal(err)
		}
		flat = filepath.Join(t.TempDir(), "part")
		if err := os.WriteFile(flat, b[g.start:], 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := fixture.Fsck(flat); err != nil {
		t.Error(err)
	}
}

// partition puts the file system behind 63 sectors, as old tools did.
func (g *guest) partition(t *testing.T) {
	b, err := os.ReadFile(g.image)
	if err != nil {
		t.Fatal(err)
	}
	g.start = 63 * 512
	mbr := make([]byte, g.start)
	entry := mbr[446:]
	entry[4] = 0x83
	binary.LittleEndian.PutUint32(entry[8:], 63)
	binary.LittleEndian.PutUint32(entry[12:], uint32(len(b)/512))
	copy(mbr[510:], "\x55\xaa")
	if err := os.WriteFile(g.image, append(mbr, b...), 0o600); err != nil {
		t.Fatal(err)
	}
	g.root = "/dev/ubda1"
}

func (g *guest) cowV3(t *testing.T) { g.cow(t, 3, nil) }

// cowV1 has its data at odd offsets.
func (g *guest) cowV1(t *testing.T) { g.cow(t, 1, nil) }

// halfPages owns every other KiB of the disk: no page is in one file.
func (g *guest) halfPages(t *testing.T) {
	g.cow(t, 3, func(h cow.Header, f *block.File) {
		base, err := os.ReadFile(g.image)
		if err != nil {
			t.Fatal(err)
		}
		l := h.Layout()
		bits := bytes.Repeat([]byte{0b00110011}, int(l.BitmapLen))
		if _, err := f.WriteAt(bits, l.BitmapOffset); err != nil {
			t.Fatal(err)
		}
		for at := 0; at < len(base); at += 2048 {
			if part := base[at : at+1024]; bytes.Count(part, []byte{0}) < len(part) {
				if _, err := f.WriteAt(part, l.DataOffset+int64(at)); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}

func (g *guest) cow(t *testing.T, version int, more func(cow.Header, *block.File)) {
	h, err := cow.HeaderFor(g.image)
	if err != nil {
		t.Fatal(err)
	}
	h.Version = version
	path := filepath.Join(t.TempDir(), "c")
	f, err := block.CreateFile(path, h.FileSize(), block.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := cow.WriteHeader(f, h); err != nil {
		t.Fatal(err)
	}
	if more != nil {
		more(h, f)
	}
	g.disk = path + "," + g.image
}

// command runs a program with a limit and gives what it printed.
func command(t *testing.T, in *strings.Reader, dir, name string, args ...string) (out, msg string) {
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	var o, m bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &o, &m
	if in != nil {
		cmd.Stdin = in
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 2 * time.Second
	if err := cmd.Run(); err != nil {
		t.Errorf("%s: %v\n%s", name, err, m.String())
	}
	return o.String(), m.String()
}

// firstDiff shows where two texts part.
func firstDiff(a, b string) string {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	n := 0
	for n < len(x) && n < len(y) && x[n] == y[n] {
		n++
	}
	cut := func(l []string) string { return strings.Join(l[min(max(n-6, 0), len(l)):min(n+6, len(l))], "\n") }
	return "- " + strings.ReplaceAll(cut(x), "\n", "\n- ") + "\n+ " + strings.ReplaceAll(cut(y), "\n", "\n+ ")
}
