// SPDX-License-Identifier: Apache-2.0

package sysfs

import (
	"fmt"
	"strconv"
	"strings"

	"lodger/abi"
	"lodger/block"
	"lodger/block/bdev"
)

// Blocks shows the block devices of a table, as they come and go.
func Blocks(tab *bdev.Table) func(*Tree) {
	return func(t *Tree) {
		b := &blocks{t, map[*bdev.Device][]bdev.Attr{}}
		t.Dir("class/block")
		t.Dir("devices/virtual")
		tab.Observe(func(e bdev.Event) {
			switch e.Kind {
			case bdev.Added:
				b.add(e.Device)
			case bdev.Changed:
				b.driverAttrs(e.Device)
			case bdev.Removed:
				b.remove(e.Device)
			}
		})
	}
}

// blocks follows a table; it is called for one event at a time.
type blocks struct {
	t       *Tree
	drivers map[*bdev.Device][]bdev.Attr // what the drivers' own files are now
}

// devicePath is where a device's directory lies.
func devicePath(d *bdev.Device) string {
	parent := d.Disk().Config().Parent
	if parent == "" {
		parent = "virtual"
	}
	path := "devices/" + parent + "/block/" + d.Disk().Name()
	if d.Part() != 0 {
		path += "/" + d.Name()
	}
	return path
}

// up is the way from a directory at path to the root.
func up(path string) string { return strings.Repeat("../", strings.Count(path, "/")+1) }

func devText(d *bdev.Device) string {
	return fmt.Sprintf("%d:%d", abi.Major(d.Dev()), abi.Minor(d.Dev()))
}

func (b *blocks) add(d *bdev.Device) {
	path := devicePath(d)
	dir := b.t.Dir(path)
	dir.Link("subsystem", up(path)+"class/block")
	for _, v := range commonValues {
		dir.Text(v.name, func() string { return v.text(d) })
	}
	dir.Attrs(Attr{Name: "uevent", Mode: 0o644, Show: func() (string, error) { return uevent(d), nil },
		Set: func(string) error { return nil }}) // "change": nobody listens
	dir.Dir("holders")
	values := diskValues
	if d.Part() != 0 {
		values = partValues
	}
	for _, v := range values {
		dir.Text(v.name, func() string { return v.text(d) })
	}
	if d.Part() == 0 {
		dir.Dir("slaves")
		b.addDisk(dir, path, d)
	}
	b.t.Dir("class/block").Link(d.Name(), "../../"+path)
	b.t.Dir("dev/block").Link(devText(d), "../../"+path)
}

// addDisk adds what only whole disks have.
func (b *blocks) addDisk(dir *Dir, path string, d *bdev.Device) {
	if parent := d.Disk().Config().Parent; parent != "" {
		dir.Link("device", "../../../"+parent[strings.LastIndex(parent, "/")+1:])
		p := b.t.Dir("devices/" + parent)
		p.Attrs(Attr{Name: "uevent", Mode: 0o644, Show: func() (string, error) { return "", nil }, Set: func(string) error { return nil }})
	}
	q := dir.Dir("queue")
	for _, v := range queueValues {
		q.Text(v.name, func() string { return v.text(d.Disk().Limits()) })
	}
	q.Attrs(Attr{Name: "read_ahead_kb", Mode: 0o644,
		Show: func() (string, error) { return fmt.Sprintln(d.Disk().Readahead() / 2), nil },
		Set: func(s string) error {
			n, err := strconv.ParseUint(s, 10, 32)
			if err != nil {
				return abi.EINVAL
			}
			const pageKB = 4
			d.Disk().SetReadahead(int64(n/pageKB*pageKB) * 2)
			return nil
		}})
	b.driverAttrs(d)
	b.t.Dir("block").Link(d.Name(), "../"+path)
}

// driverAttrs shows what a driver has to say of a disk now.
func (b *blocks) driverAttrs(d *bdev.Device) {
	a, ok := d.Disk().Driver().(bdev.DiskAttributer)
	if !ok || d.Part() != 0 {
		return
	}
	dir := b.t.Dir(devicePath(d))
	for _, old := range b.drivers[d] {
		if old.Dir != "" {
			dir.Remove(old.Dir)
		} else {
			dir.Remove(old.Name)
		}
	}
	b.drivers[d] = a.DiskAttrs(d.Disk())
	for _, at := range b.drivers[d] {
		in := dir
		if at.Dir != "" {
			in = dir.Dir(at.Dir)
		}
		in.Attrs(Attr{Name: at.Name, Show: at.Show})
	}
}

func (b *blocks) remove(d *bdev.Device) {
	delete(b.drivers, d)
	path := devicePath(d)
	b.t.Dir("class/block").Remove(d.Name())
	b.t.Dir("dev/block").Remove(devText(d))
	if d.Part() == 0 {
		b.t.Dir("block").Remove(d.Name())
		if parent := d.Disk().Config().Parent; parent != "" {
			path = "devices/" + parent // the device itself is unplugged
		}
	}
	i := strings.LastIndex(path, "/")
	b.t.Dir(path[:i]).Remove(path[i+1:])
}

// uevent is what the device's uevents say (disk_uevent, part_uevent).
func uevent(d *bdev.Device) string {
	typ := "disk"
	if d.Part() != 0 {
		typ = "partition"
	}
	s := fmt.Sprintf("MAJOR=%d\nMINOR=%d\nDEVNAME=%s\nDEVTYPE=%s\nDISKSEQ=%d\n",
		abi.Major(d.Dev()), abi.Minor(d.Dev()), d.Name(), typ, d.Disk().Seq())
	if d.Part() != 0 {
		s += fmt.Sprintf("PARTN=%d\n", d.Part())
		if name := d.Info().Name; name != "" {
			s += "PARTNAME=" + name + "\n"
		}
	}
	return s
}

func bit(b bool) string {
	if b {
		return "1\n"
	}
	return "0\n"
}

func statLine(d *bdev.Device) string {
	var b []byte
	for i, n := range d.Stat.StatLine() {
		if i > 0 {
			b = append(b, ' ')
		}
		b = fmt.Appendf(b, "%8d", n)
	}
	return string(b) + "\n"
}

func sectors(n int64) string { return fmt.Sprintln(n / block.SectorSize) }
