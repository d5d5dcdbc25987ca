// SPDX-License-Identifier: Apache-2.0

package sysfs

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"lodger/abi"
	"lodger/block/bdev"
	"lodger/block/blocktest"
	"lodger/fs"
)

type guest struct {
	t   *testing.T
	ctx *fs.Context
}

func mount(t *testing.T, parts ...func(*Tree)) guest {
	t.Helper()
	v := fs.New(0)
	sb, err := New(v, parts...)
	if err != nil {
		t.Fatal(err)
	}
	root := v.NewMountNS(sb, "sysfs", 0).RootPath()
	return guest{t, &fs.Context{Creds: fs.RootCreds(), Root: root, Cwd: root}}
}

func (g guest) read(name string) string {
	g.t.Helper()
	f, err := fs.Open(g.ctx, fs.Path{}, name, abi.OpenHow{})
	if err != nil {
		return err.Error()
	}
	defer f.DecRef()
	b := make([]byte, 4096)
	n, err := f.Read(g.ctx, b)
	if err != nil {
		return err.Error()
	}
	return string(b[:n])
}

func (g guest) write(name, text string) error {
	f, err := fs.Open(g.ctx, fs.Path{}, name, abi.OpenHow{Flags: abi.O_WRONLY})
	if err != nil {
		return err
	}
	defer f.DecRef()
	_, err = f.Write(g.ctx, []byte(text))
	return err
}

func (g guest) list(name string) (names []string) {
	g.t.Helper()
	f, err := fs.Open(g.ctx, fs.Path{}, name, abi.OpenHow{})
	if err != nil {
		return []string{err.Error()}
	}
	defer f.DecRef()
	err = f.ReadDir(g.ctx, func(e fs.Dirent) bool {
		if !strings.HasPrefix(e.Name, ".") {
			names = append(names, e.Name)
		}
		return true
	})
	if err != nil {
		g.t.Error(err)
	}
	slices.Sort(names)
	return names
}

type driver struct{ file string }

func (d *driver) DiskAttrs(*bdev.Disk) []bdev.Attr {
	if d.file == "" {
		return nil
	}
	return []bdev.Attr{{Dir: "loop", Name: "backing_file", Show: func() (string, error) { return d.file + "\n", nil }}}
}

func TestBlocks(t *testing.T) {
	tab := bdev.NewTable()
	b := make([]byte, 1<<20)
	b[510], b[511], b[0x1be+4] = 0x55, 0xaa, 0x83
	binary.LittleEndian.PutUint32(b[0x1be+8:], 63)
	binary.LittleEndian.PutUint32(b[0x1be+12:], 100)
	add := func() *bdev.Disk {
		d, err := tab.Add(bdev.Config{Name: "ubda", Major: 98, Minors: 16, Device: blocktest.NewMem(b), Parent: "platform/uml-blkdev.0"})
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	disk := add()
	g := mount(t, Blocks(tab))
	drv := &driver{}
	loop, err := tab.Add(bdev.Config{Name: "loop0", Major: 7, Minors: 1, Driver: drv})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"/block/ubda/dev":                      "98:0\n",
		"/block/ubda/size":                     "2048\n",
		"/block/ubda/queue/read_ahead_kb":      "128\n",
		"/block/ubda/queue/logical_block_size": "512\n",
		"/block/ubda/subsystem/ubda1/start":    "63\n",
		"/block/ubda/device/block/ubda/range":  "16\n",
		"/class/block/ubda1/partition":         "1\n",
		"/class/block/ubda1/uevent":            "MAJOR=98\nMINOR=1\nDEVNAME=ubda1\nDEVTYPE=partition\nDISKSEQ=1\nPARTN=1\n",
		"/dev/block/98:1/size":                 "100\n",
		"/dev/block/98:1/../size":              "2048\n",
		"/dev/block/7:0/size":                  "0\n",
		"/devices/virtual/block/loop0/dev":     "7:0\n",
		"/block/ubda1/dev":                     abi.ENOENT.Error(),
		"/block/loop0/loop/backing_file":       abi.ENOENT.Error(),
		"/block/ubda/stat":                     "       1        0        1        0        0        0        0        0        0        0        0        0        0        0        0        0        0\n",
	} {
		if got := g.read(name); got != want && !(strings.HasSuffix(name, "stat") && len(got) == len(want) && got[:26] == want[:26]) {
			t.Errorf("%s: %q, not %q", name, got, want)
		}
	}
	if err := g.write("/block/ubda/queue/read_ahead_kb", "1022\n"); err != nil || disk.Readahead() != 2040 {
		t.Error(err, disk.Readahead())
	}
	if err := g.write("/block/ubda/queue/read_ahead_kb", "x"); err != abi.EINVAL {
		t.Error(err)
	}
	if err := g.write("/block/ubda/size", "1"); err != abi.EACCES {
		t.Error("root writes what nobody may:", err)
	}
	drv.file = "/x"
	loop.SetDevice(blocktest.NewMem(make([]byte, 1024)), bdev.Limits{}, true)
	if a, b := g.read("/block/loop0/loop/backing_file"), g.read("/block/loop0/size"); a != "/x\n" || b != "2\n" {
		t.Error(a, b)
	}
	drv.file = ""
	loop.SetDevice(nil, bdev.Limits{}, true)
	if a := g.list("/block/loop0"); slices.Contains(a, "loop") || !slices.Contains(a, "queue") {
		t.Error(a)
	}
	if got := g.list("/class/block"); !slices.Equal(got, []string{"loop0", "ubda", "ubda1"}) {
		t.Error(got)
	}
	if err := disk.DeletePartition(1); err != nil {
		t.Fatal(err)
	}
	if got := g.list("/block/ubda"); slices.Contains(got, "ubda1") {
		t.Error(got)
	}
	if err := tab.Remove(disk); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"/block", "/class/block", "/dev/block", "/devices/platform"} {
		if got := g.list(dir); slices.ContainsFunc(got, func(s string) bool { return s != "loop0" && s != "7:0" }) {
			t.Error(dir, got)
		}
	}
	add()
	if got := g.read("/block/ubda/ubda1/dev"); got != "98:1\n" {
		t.Error(got)
	}
}

func TestCPUs(t *testing.T) {
	g := mount(t, CPUs)
	online := g.read("/devices/system/cpu/online")
	if online == "\n" || online != g.read("/devices/system/cpu/possible") {
		t.Errorf("%q", online)
	}
	first, _, _ := strings.Cut(strings.TrimSpace(online), "-")
	first, _, _ = strings.Cut(first, ",")
	if s := g.read("/devices/system/cpu/cpu" + first + "/topology/core_cpus_list"); !strings.HasPrefix(s, first) {
		t.Errorf("%q", s)
	}
}
