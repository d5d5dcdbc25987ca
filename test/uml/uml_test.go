// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package uml

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	_ "lodger/init" // the guest under test: a result of another kernel's must not be cached
	"lodger/internal/need"
	"lodger/test/fixture"
)

// limit bounds one run of a guest, on a busy machine too.
const limit = 3 * time.Minute

// work is the init that is killed: it makes files and syncs them, replaces some, and then
// goes on with what nobody syncs.
const work = `#!/bin/sh
/bin/mkdir -p /job/dir
i=0; while [ $i -lt 40 ]; do echo "old $i" >/job/dir/f$i; i=$((i+1)); done
/bin/dd if=/bin/busybox of=/job/large bs=64k 2>/dev/null
/bin/sync
i=0; while [ $i -lt 20 ]; do echo "new $i" >/job/new; /bin/mv /job/new /job/dir/f$i; i=$((i+1)); done
/bin/rm /job/dir/f39
/bin/sync
echo SYNCED
i=0; while :; do echo "later $i" >/job/l$((i%50)); /bin/mv /job/l$((i%50)) /job/m$((i%30)); i=$((i+1)); done
`

// look prints what must be there.
const look = `#!/bin/sh
/bin/cat /job/dir/f0 /job/dir/f19 /job/dir/f20 /job/dir/f38
/bin/ls /job/dir | /bin/wc -l
/bin/cmp /job/large /bin/busybox && echo same
/bin/sync
echo LOOKED
/sbin/poweroff -f
`

const want = "new 0\nnew 19\nold 20\nold 38\n39\nsame\nLOOKED\n"

// kernel is one of the two.
type kernel struct {
	name string
	args []string // of every run
}

// start runs an init on a disk and gives what it prints.
func (k kernel) start(t *testing.T, disk, init string) (*exec.Cmd, *bufio.Scanner, *bytes.Buffer) {
	t.Helper()
	cmd := exec.Command(k.args[0], append(append([]string{}, k.args[1:]...), "ubd0="+disk, "root=/dev/ubda", "rw", "quiet", "init="+init)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // UML is several processes
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir())   // ~/.uml
	var msg bytes.Buffer
	cmd.Stderr = &msg
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(limit, func() { syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
	t.Cleanup(func() {
		timer.Stop()
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	})
	return cmd, bufio.NewScanner(out), &msg
}

// killed lets the guest work until it says SYNCED, and kills the kernel.
func (k kernel) killed(t *testing.T, disk string) {
	t.Helper()
	cmd, out, msg := k.start(t, disk, "/init.work")
	synced := false
	for !synced && out.Scan() {
		synced = strings.Contains(out.Text(), "SYNCED")
	}
	syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	for out.Scan() {
	}
	cmd.Wait()
	if !synced {
		t.Fatalf("%s did not get so far\n%s", k.name, msg.String())
	}
}

// looks wants all that was synced to be there.
func (k kernel) looks(t *testing.T, disk string) {
	t.Helper()
	cmd, out, msg := k.start(t, disk, "/init.look")
	var got strings.Builder
	for out.Scan() {
		line := strings.TrimRight(out.Text(), "\r")
		// UML's kernel speaks on the console too.
		if strings.Contains(want, strings.TrimSpace(line)+"\n") {
			got.WriteString(strings.TrimSpace(line) + "\n")
		}
	}
	cmd.Wait()
	if got.String() != want {
		t.Errorf("%s sees\n%s\n%s", k.name, got.String(), msg.String())
	}
}

// TestWitness has each kernel find what the other has left.
func TestWitness(t *testing.T) {
	need.Program(t, "linux.uml")
	need.Program(t, "mkfs.ext4")
	dir := t.TempDir()
	bin, err := fixture.Lodger(dir)
	if err != nil {
		t.Fatal(err)
	}
	tree := filepath.Join(dir, "tree")
	if err := fixture.Busybox(tree); err != nil {
		need.Missing(t, "%v", err)
	}
	for name, text := range map[string]string{"init.work": work, "init.look": look} {
		if err := os.WriteFile(filepath.Join(tree, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	lodger := kernel{"lodger", []string{bin}}
	uml := kernel{"linux.uml", []string{"linux.uml", "mem=64M", "con=null", "con0=fd:0,fd:1"}}
	for _, pair := range [][2]kernel{{uml, lodger}, {lodger, uml}} {
		first, second := pair[0], pair[1]
		t.Run(first.name+" raw", func(t *testing.T) {
			image := filepath.Join(t.TempDir(), "root.ext4")
			if err := fixture.Image(image, tree, 64<<20); err != nil {
				t.Fatal(err)
			}
			first.killed(t, image)
			second.looks(t, image)
			if err := fixture.Fsck(image); err != nil {
				t.Error(err)
			}
		})
		t.Run(first.name+" cow", func(t *testing.T) {
			d := t.TempDir()
			base, cow := filepath.Join(d, "base.ext4"), filepath.Join(d, "root.cow")
			if err := fixture.Image(base, tree, 64<<20); err != nil {
				t.Fatal(err)
			}
			first.killed(t, cow+","+base)
			second.looks(t, cow)
			raw := filepath.Join(d, "raw")
			if out, err := exec.Command(bin, "disk", "convert", cow, raw).CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			if err := fixture.Fsck(raw); err != nil {
				t.Error(err)
			}
		})
	}
}
