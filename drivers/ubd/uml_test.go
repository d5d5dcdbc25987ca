// SPDX-License-Identifier: Apache-2.0

package ubd

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"lodger/block"
	"lodger/block/bdev"
	"lodger/block/cow"
	"lodger/internal/need"
)

// The real thing as oracle: Debian's User-mode Linux, booted without a root disk.
// When it panics for want of one it lists the disks and partitions that it has.

// bootUML boots it with switches and gives what it said.
func bootUML(t *testing.T, dir string, switches ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	args := append([]string{"mem=64M", "con=null", "con0=null,fd:1", "root=/dev/none", "uml_dir=" + dir}, switches...)
	cmd := exec.CommandContext(ctx, "linux.uml", args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "HOME="+dir, "TMPDIR="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.WaitDelay = 5 * time.Second
	out, err := cmd.CombinedOutput()
	if cmd.Process != nil {
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // its helpers
	}
	if !strings.Contains(string(out), "Kernel panic - not syncing: VFS") {
		t.Skipf("User-mode Linux does not run here: %v\n%s", err, out)
	}
	return string(out)
}

// theirs takes the list of block devices out of it: name, KiB, PARTUUID.
func theirs(out string) (list []string) {
	for _, m := range regexp.MustCompile(`(?m)^\s*62[0-9a-f]{2}\s+(\d+) (ubd\w+) ?(\S*)`).FindAllStringSubmatch(out, -1) {
		list = append(list, strings.TrimSpace(m[2]+" "+m[1]+" "+m[3]))
	}
	return list
}

// ours is the same of a disk of ours.
func ours(d *Disk) (list []string) {
	tab := bdev.NewTable()
	if _, err := d.Register(tab); err != nil {
		return []string{err.Error()}
	}
	for _, b := range tab.Devices() {
		uuid := b.Info().UUID
		if b.Info().Extended {
			uuid = "" // msdos.c gives it none
		}
		list = append(list, strings.TrimSpace(fmt.Sprintf("%s %d %s", b.Name(), b.Size()/1024, uuid)))
	}
	return list
}

func tableFile(t *testing.T, dir, name, script string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 20<<20); err != nil {
		t.Fatal(err)
	}
	if script != "" {
		cmd := exec.Command("sfdisk", "-q", path)
		cmd.Stdin = strings.NewReader(script)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatal(string(out))
		}
	}
	return path
}

func TestLikeUML(t *testing.T) {
	if testing.Short() {
		t.Skip("short run")
	}
	need.Program(t, "linux.uml")
	need.Program(t, "sfdisk")
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	scripts := []string{
		"label: dos\nsize=2MiB\nsize=2MiB\ntype=5\nsize=1MiB\nsize=1MiB\n",
		"label: gpt\nsize=2MiB, name=\"a b\"\n3: size=1MiB\n",
		"label: dos\nstart=63, size=1001\n4: type=f\nsize=1MiB\nsize=1MiB\n",
		"label: gpt\nfirst-lba: 34\nstart=63, size=1001\n",
	}
	var switches []string
	for i, script := range scripts {
		switches = append(switches, fmt.Sprintf("%d=%s", i, tableFile(t, dir, fmt.Sprint("disk", i), script)))
	}
	base := tableFile(t, dir, "base", scripts[0])
	blank := tableFile(t, dir, "blank", "")
	// A COW file that UML makes, and one of ours with a table in it.
	theirCOW, ourCOW := filepath.Join(dir, "theirs"), filepath.Join(dir, "ours")
	switches = append(switches, "4="+theirCOW+","+base, "5tr="+ourCOW+":"+blank)
	d, _, err := try(t, "5="+ourCOW+","+blank)
	if err != nil {
		t.Fatal(err)
	}
	table, err := os.ReadFile(filepath.Join(dir, "disk1"))
	if err != nil {
		t.Fatal(err)
	}
	for _, off := range []int{0, len(table) - 64<<10} {
		if _, err := d.WriteAt(table[off:off+64<<10], int64(off)); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	var args []string
	for _, s := range switches {
		args = append(args, "ubd"+s)
	}
	out := bootUML(t, dir, args...)
	want := theirs(out)
	var got []string
	for _, s := range switches {
		d, _, err := try(t, s)
		if err != nil {
			t.Fatal(s, err)
		}
		got = append(got, ours(d)...)
		if s[0] == '4' {
			if h := d.Whole().(*cow.Device).Header(); h.Backing != base || h.Align != 4096 {
				t.Errorf("%+v", h)
			}
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("ours:\n%s\nUML's:\n%s\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"), out)
	}
	sameAsTheirs(t, theirCOW, base)
}

// sameAsTheirs compares a new COW file of UML's with ours. Behind the path's end
// UML leaves what its memory held.
func sameAsTheirs(t *testing.T, path, base string) {
	t.Helper()
	f, h, err := cow.Create(path+".our", base, block.Options{})
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	a, err1 := os.ReadFile(path)
	b, err2 := os.ReadFile(path + ".our")
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	end := 32 + len(h.Backing) + 1
	clear(a[end:4128])
	if !bytes.Equal(a, b) {
		t.Error("UML makes another COW file")
	}
}

// TestUMLRespectsLocks: a disk that we have is refused by UML.
func TestUMLRespectsLocks(t *testing.T) {
	if testing.Short() {
		t.Skip("short run")
	}
	need.Program(t, "linux.uml")
	dir := t.TempDir()
	path := tableFile(t, dir, "disk", "")
	if _, _, err := try(t, "0="+path); err != nil {
		t.Fatal(err)
	}
	out := bootUML(t, dir, "ubd0="+path)
	if !strings.Contains(out, "F_SETLK failed") || !strings.Contains(out, "Can't open \""+path) {
		t.Error(out)
	}
}
