// SPDX-License-Identifier: Apache-2.0

package partitions

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"lodger/block"
	"lodger/internal/need"
)

// scripts are sfdisk's inputs.
func scripts() map[string]string {
	many := "label: gpt\n"
	for i := range 20 {
		many += fmt.Sprintf("size=1MiB, name=\"part %d\"\n", i)
	}
	return map[string]string{
		"dos":          "label: dos\nlabel-id: 0x12345678\nsize=4MiB, type=83, bootable\nsize=8MiB, type=82\n",
		"dos, gaps":    "label: dos\n1: start=2048, size=2048, type=83\n4: start=8192, size=4096, type=c\n",
		"dos, odd":     "label: dos\nlabel-id: 0xcafe0001\nstart=63, size=16002, type=83\n",
		"dos, logical": "label: dos\nlabel-id: 0xcafe0002\nsize=4MiB\nsize=4MiB\ntype=5\nsize=2MiB\nsize=3MiB\nsize=4MiB, type=82\n",
		"dos, lba ext": "label: dos\nsize=4MiB\ntype=f\nsize=2MiB\nsize=3MiB\n",
		"gpt": "label: gpt\nlabel-id: 01234567-89AB-CDEF-0123-456789ABCDEF\nsize=4MiB, type=U, name=\"EFI system\"\n" +
			"size=8MiB, type=L, name=\"röt\", uuid=11111111-2222-3333-4444-555555555555\nname=rest\n",
		"gpt, gaps": "label: gpt\n3: size=4MiB\n7: size=4MiB\n",
		"gpt, odd":  "label: gpt\nfirst-lba: 34\nstart=63, size=1001\n",
		"gpt, 20":   many,
	}
}

const diskSize = 40 << 20

func disk(t *testing.T) *block.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), "disk")
	f, err := block.CreateFile(path, diskSize, block.Options{Shared: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func sfdisk(t *testing.T, path, script string, args ...string) {
	t.Helper()
	cmd := exec.Command("sfdisk", append(args, "-q", path)...)
	cmd.Stdin = strings.NewReader(script)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("sfdisk: %v\n%s", err, out)
	}
}

// TestLikeSfdisk compares with what sfdisk says of its own tables.
func TestLikeSfdisk(t *testing.T) {
	need.Program(t, "sfdisk")
	for name, script := range scripts() {
		t.Run(name, func(t *testing.T) {
			f := disk(t)
			sfdisk(t, f.Path(), script)
			got, err := Scan(f)
			if err != nil || len(got.Problems) > 0 {
				t.Fatal(err, got.Problems)
			}
			var want struct {
				PartitionTable struct {
					Label, ID  string
					Partitions []struct {
						Node, Type, UUID, Name string
						Start, Size            int64
						Bootable               bool
					}
				}
			}
			out, err := exec.Command("sfdisk", "-J", f.Path()).Output()
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(out, &want); err != nil {
				t.Fatal(err)
			}
			w := want.PartitionTable
			id := strings.ToLower(strings.TrimPrefix(w.ID, "0x"))
			if string(got.Scheme) != w.Label || got.UUID != id || len(got.Partitions) != len(w.Partitions) {
				t.Fatalf("%+v\n%s", got, out)
			}
			for i, p := range got.Partitions {
				x := w.Partitions[i]
				number, _ := strconv.Atoi(strings.TrimPrefix(x.Node, f.Path()))
				uuid, kind, size := strings.ToLower(x.UUID), strings.ToLower(x.Type), x.Size*512
				if w.Label == "dos" {
					uuid = fmt.Sprintf("%s-%02x", id, number)
					kind = fmt.Sprintf("%02s", kind)
				}
				if p.Extended {
					size = 1024
				}
				if p.Number != number || p.Start != x.Start*512 || p.Size != size || p.UUID != uuid || p.Name != x.Name || p.Type != kind || p.Bootable != x.Bootable {
					t.Errorf("%+v\n%+v", p, x)
				}
			}
		})
	}
}

// TestLikeBlkid compares with libblkid, from which udev makes /dev/disk/by-partuuid.
func TestLikeBlkid(t *testing.T) {
	need.Program(t, "sfdisk")
	need.Program(t, "partx")
	for name, script := range scripts() {
		f := disk(t)
		sfdisk(t, f.Path(), script)
		got, err := Scan(f)
		if err != nil {
			t.Fatal(err)
		}
		var ours strings.Builder
		for _, p := range got.Partitions {
			size := strconv.FormatInt(p.Size/512, 10)
			if p.Extended {
				size = "[0-9]+" // Linux shows 2 sectors of it
			}
			fmt.Fprintf(&ours, "%d %d %s %s\n", p.Number, p.Start/512, size, p.UUID)
		}
		out, err := exec.Command("partx", "-g", "-r", "-o", "NR,START,SECTORS,UUID", f.Path()).Output()
		if err != nil {
			t.Fatal(err)
		}
		if !regexp.MustCompile("^" + ours.String() + "$").Match(out) {
			t.Errorf("%s:\n%s, libblkid:\n%s", name, ours.String(), out)
		}
	}
}

// TestLikeLinux compares with the partitions that the host's kernel finds on a
// loop device.
func TestLikeLinux(t *testing.T) {
	need.Program(t, "sfdisk")
	need.Program(t, "losetup")
	need.Root(t)
	if f := disk(t); true {
		sfdisk(t, f.Path(), scripts()["dos"])
		if len(hostParts(t, f.Path())) == 0 {
			t.Skip("the host's kernel is built without partition tables")
		}
	}
	for name, script := range scripts() {
		f := disk(t)
		sfdisk(t, f.Path(), script)
		got, err := Scan(f)
		if err != nil {
			t.Fatal(err)
		}
		var ours []string
		for _, p := range got.Partitions {
			ours = append(ours, fmt.Sprintf("%d: %d+%d", p.Number, p.Start/512, p.Size/512))
		}
		theirs := hostParts(t, f.Path())
		slices.Sort(ours)
		slices.Sort(theirs)
		if !slices.Equal(ours, theirs) {
			t.Errorf("%s: %v, Linux %v", name, ours, theirs)
		}
	}
}

// hostParts has the host's kernel look at an image.
func hostParts(t *testing.T, path string) (parts []string) {
	t.Helper()
	out, err := exec.Command("losetup", "-f", "--show", "-r", "-P", path).CombinedOutput()
	if err != nil {
		t.Skipf("no loop devices here: %v: %s", err, out)
	}
	dev := strings.TrimSpace(string(out))
	defer exec.Command("losetup", "-d", dev).Run()
	name := filepath.Base(dev)
	entries, err := os.ReadDir("/sys/block/" + name)
	if err != nil {
		t.Skip("no sysfs:", err)
	}
	value := func(entry, file string) string {
		b, _ := os.ReadFile(filepath.Join("/sys/block", name, entry, file))
		return strings.TrimSpace(string(b))
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), name+"p") {
			parts = append(parts, value(e.Name(), "partition")+": "+value(e.Name(), "start")+"+"+value(e.Name(), "size"))
		}
	}
	return parts
}

// TestSgdisk: tables of the other tool, and sgdisk's own verdict on the backup.
func TestSgdisk(t *testing.T) {
	need.Program(t, "sgdisk")
	f := disk(t)
	out, err := exec.Command("sgdisk", "-n", "1:2048:4095", "-c", "1:root", "-t", "1:8300", "-A", "1:set:2", "-n", "5:0:+2M",
		"-u", "5:AAAAAAAA-BBBB-CCCC-DDDD-EEEEEEEEEEEE", f.Path()).CombinedOutput()
	if err != nil {
		t.Fatal(string(out))
	}
	tab, err := Scan(f)
	if err != nil || len(tab.Partitions) != 2 || len(tab.Problems) > 0 {
		t.Fatal(tab, err)
	}
	a, b := tab.Partitions[0], tab.Partitions[1]
	if a.Number != 1 || a.Name != "root" || !a.Bootable || a.Start != 1<<20 || a.Size != 1<<20 || a.Type != "0fc63daf-8483-4772-8e79-3d69d8477de4" {
		t.Errorf("%+v", a)
	}
	if b.Number != 5 || b.UUID != "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee" || b.Size != 2<<20 {
		t.Errorf("%+v", b)
	}
	// The first table damaged: the second serves.
	for _, at := range []int64{512 + 20, 1024 + 3} {
		was := make([]byte, 1)
		f.ReadAt(was, at)
		f.WriteAt([]byte{was[0] ^ 0xff}, at)
		again, err := Scan(f)
		if err != nil || !slices.Equal(again.Partitions, tab.Partitions) || len(again.Problems) == 0 {
			t.Errorf("damaged at %d: %+v %v", at, again, err)
		}
		f.WriteAt(was, at)
	}
	// The second one damaged: the first serves, and the damage is told.
	f.WriteAt([]byte{0}, diskSize-512)
	again, err := Scan(f)
	if err != nil || !slices.Equal(again.Partitions, tab.Partitions) || len(again.Problems) != 1 {
		t.Errorf("%+v %v", again, err)
	}
	// Both: no partitions, and no DOS ones of the protective record either.
	f.WriteAt([]byte{0}, 512)
	if again, err = Scan(f); err != nil || len(again.Partitions) != 0 || len(again.Problems) != 2 {
		t.Errorf("%+v %v", again, err)
	}
}
