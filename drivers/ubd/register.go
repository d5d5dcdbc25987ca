// SPDX-License-Identifier: Apache-2.0

package ubd

import (
	"encoding/binary"
	"fmt"

	"lodger/abi"
	"lodger/block/bdev"
	"lodger/fs"
)

// Register makes the disk a block device of a guest (ubd_add). The table does not
// close it.
func (d *Disk) Register(t *bdev.Table) (*bdev.Disk, error) {
	t.RegisterMajor(Major, "ubd")
	disk, err := t.Add(bdev.Config{
		Name: d.Name(), Major: Major, FirstMinor: uint32(d.Spec.N * Minors), Minors: Minors,
		Device: d.Section, Serial: d.Spec.Serial, Driver: driver{},
		Parent: fmt.Sprintf("platform/uml-blkdev.%d", d.Spec.N),
		Limits: bdev.Limits{WriteCache: true},
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d.Name(), err)
	}
	return disk, nil
}

// driver has ubd's answers to controls.
type driver struct{}

// DiskAttrs implements bdev.DiskAttributer: serial_show. Without a serial number it
// is empty, where UML prints (null).
func (driver) DiskAttrs(d *bdev.Disk) []bdev.Attr {
	return []bdev.Attr{{Name: "serial", Show: func() (string, error) { return d.Config().Serial + "\n", nil }}}
}

// The geometry that UML invents.
const (
	heads         = 128
	trackSectors  = 32
	cylinderBytes = heads * trackSectors * 512
)

// Geometry implements bdev.Geometer: ubd_getgeo. The cylinders are the disk's, also
// for a partition.
func (driver) Geometry(d *bdev.Device) (h, s byte, cylinders uint16) {
	return heads, trackSectors, uint16(d.Disk().Whole().Size() / cylinderBytes)
}

// IoctlDisk implements bdev.DiskIoctler: ubd_ioctl.
func (dr driver) IoctlDisk(_ *fs.Context, d *bdev.Device, cmd uint32, arg uint64, mem fs.UserMemory, _ bool) (uint64, error) {
	const (
		hdioGetIdentity = 0x30d
		cdromVolRead    = 0x5313

		ataWords, ataCylinders, ataHeads, ataSectors = 256, 1, 3, 6
	)
	switch cmd {
	case hdioGetIdentity:
		var id [2 * ataWords]byte
		h, s, c := dr.Geometry(d)
		binary.LittleEndian.PutUint16(id[2*ataCylinders:], c)
		binary.LittleEndian.PutUint16(id[2*ataHeads:], uint16(h))
		binary.LittleEndian.PutUint16(id[2*ataSectors:], uint16(s))
		return 0, mem.CopyOut(arg, id[:])
	case cdromVolRead: // full volume on all four channels
		return 0, mem.CopyOut(arg, []byte{255, 255, 255, 255})
	}
	return 0, abi.EINVAL
}
