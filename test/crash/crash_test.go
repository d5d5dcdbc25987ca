// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

// Package crash kills lodger while its guest works on a disk, and looks at what is
// left: the file system is sound after its journal is replayed, what was synced is
// there, and what was renamed is whole. (Power cuts, which also lose what the host
// had not written, are fs/ext4's and fs/jbd2's to test, on a recorded device.)
package crash

import (
	"bufio"
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "lodger/init" // the guest under test: a result of another kernel's must not be cached
	"lodger/internal/need"
	"lodger/test/fixture"
)

// rounds is how often each kind of disk is killed.
const rounds = 6

func TestKilled(t *testing.T) {
	for _, p := range []string{"mkfs.ext4", "e2fsck"} {
		if _, err := os.Stat("/sbin/" + p); err != nil {
			need.Missing(t, "%s is not installed", p)
		}
	}
	dir := t.TempDir()
	bin, err := fixture.Lodger(dir)
	if err != nil {
		t.Fatal(err)
	}
	tree := filepath.Join(dir, "tree")
	if err := fixture.Busybox(tree); err != nil {
		need.Missing(t, "%v", err)
	}
	if err := os.Mkdir(filepath.Join(tree, "work"), 0o755); err != nil {
		t.Fatal(err)
	}
	build := exec.Command("go", "build", "-o", filepath.Join(tree, "bin/load"), "lodger/test/crash/load")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, k := range []struct {
		name string
		cow  bool
		mkfs []string
		opts string
	}{
		{"ext4", false, nil, ""},
		{"ext4-1k", false, []string{"-b", "1024"}, ""},
		{"ext3", false, []string{"-t", "ext3"}, ""},
		{"cow", true, nil, ""},
		{"data=journal", false, nil, "data=journal"},
	} {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			d := &disk{t: t, bin: bin, dir: t.TempDir(), flags: "rootflags=" + k.opts}
			d.image = filepath.Join(d.dir, "root.ext4")
			if err := fixture.Image(d.image, tree, 256<<20, k.mkfs...); err != nil {
				t.Fatal(err)
			}
			d.spec = d.image
			if k.cow {
				d.spec = filepath.Join(d.dir, "root.cow") + "," + d.image
			}
			seed := rand.Uint64()
			rnd := rand.New(rand.NewPCG(seed, 0))
			for n := range rounds {
				d.round(rnd.Uint64(), time.Duration(rnd.IntN(600))*time.Millisecond)
				if t.Failed() {
					t.Fatalf("round %d of seed %d", n, seed)
				}
			}
		})
	}
}

// disk is a guest's disk and what the guest was promised of it.
type disk struct {
	t               *testing.T
	bin, dir, flags string
	image, spec     string
	last            map[string]string   // what a file was when its change was acknowledged
	since           map[string][]string // what it may have become since
}

// round lets the guest work for a while, kills lodger, and checks the disk.
func (d *disk) round(seed uint64, after time.Duration) {
	t := d.t
	cmd := exec.Command(d.bin, "ubd0="+d.spec, "rw", "quiet", d.flags, "init=/bin/load", "/work", fmt.Sprint(seed))
	var msg bytes.Buffer
	cmd.Stderr = &msg
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := make(chan string, 10000)
	go func() {
		defer close(lines)
		for s := bufio.NewScanner(out); s.Scan(); {
			lines <- s.Text()
		}
	}()
	if d.last == nil {
		d.last, d.since = map[string]string{}, map[string][]string{}
	}
	started := false
	for !started {
		l, more := <-lines
		if !more {
			break
		}
		d.note(l)
		started = strings.HasPrefix(l, "ok ")
	}
	time.Sleep(after)
	cmd.Process.Kill()
	for l := range lines {
		d.note(l)
	}
	cmd.Wait()
	if !started {
		t.Fatalf("the guest got nothing done\n%s", msg.String())
	}
	d.check()
}

func (d *disk) note(line string) {
	var word, name, sum string
	if n, _ := fmt.Sscan(line, &word, &name, &sum); n != 3 {
		return // the last line can be torn
	}
	switch word {
	case "try":
		d.since[name] = append(d.since[name], sum)
	case "ok":
		d.last[name], d.since[name] = sum, nil
	}
}

// check replays the journal, twice over: e2fsck does it on a copy, the guest on the
// disk.
func (d *disk) check() {
	t := d.t
	raw := filepath.Join(d.dir, "copy")
	defer os.Remove(raw)
	if d.spec != d.image {
		cow, _, _ := strings.Cut(d.spec, ",")
		os.Remove(raw)
		if out, err := exec.Command(d.bin, "disk", "convert", cow, raw).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	} else if out, err := exec.Command("cp", "--sparse=always", d.image, raw).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if out, err := exec.Command("/sbin/e2fsck", "-y", "-E", "journal_only", raw).CombinedOutput(); err != nil {
		if e, ok := err.(*exec.ExitError); !ok || e.ExitCode() > 1 {
			t.Fatalf("replay by e2fsck: %v\n%s", err, out)
		}
	}
	if err := fixture.Fsck(raw); err != nil {
		t.Errorf("after a replay by e2fsck: %v", err)
	}
	cmd := exec.Command(d.bin, "ubd0="+d.spec, "rw", "quiet", d.flags, "init=/bin/sh", "-c", "/bin/load -check /work; /sbin/poweroff -f")
	var msg bytes.Buffer
	cmd.Stderr = &msg
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("the guest that looks: %v\n%s%s", err, out, msg.String())
	}
	have := map[string]string{}
	for _, l := range strings.Split(string(out), "\n") {
		if name, sum, ok := strings.Cut(l, " "); ok {
			have[name] = sum
		}
	}
	for name, want := range d.last {
		got, there := have[name]
		if !there {
			got = "-"
		}
		if ok := got == want || contains(d.since[name], got); !ok {
			t.Errorf("%s is %s; acknowledged %s, tried since %v", name, got, want, d.since[name])
		}
		// Whatever it is now was the state when the next guest starts.
		d.last[name], d.since[name] = got, nil
	}
	for name, got := range have {
		if got == "torn" {
			t.Errorf("%s was renamed before it was whole", name)
		}
		if _, known := d.last[name]; !known {
			d.last[name], d.since[name] = got, nil
		}
	}
	if d.spec == d.image {
		if err := fixture.Fsck(d.image); err != nil {
			t.Errorf("after a replay by the guest: %v", err)
		}
	}
}

func contains(l []string, s string) bool {
	for _, e := range l {
		if e == s {
			return true
		}
	}
	return false
}
