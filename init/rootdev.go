// SPDX-License-Identifier: Apache-2.0

package boot

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"lodger/abi"
	"lodger/block"
	"lodger/block/bdev"
)

// findRoot finds what root= names: early_lookup_bdev of block/early-lookup.c, and
// beyond it LABEL= and UUID=, which elsewhere an initramfs looks up.
//
//	/dev/ubda1, ubda1     a name
//	98:1                  major and minor, 98:1:0 too
//	6201                  the number in hexadecimal, as old boot loaders say it
//	PARTUUID=, PARTLABEL= of a partition; PARTUUID=X/PARTNROFF=N counts from it
//	UUID=, LABEL=         of a file system
func findRoot(t *bdev.Table, spec string) *bdev.Device {
	match := func(f func(d *bdev.Device) bool) *bdev.Device {
		for _, d := range t.Devices() {
			if f(d) {
				return d
			}
		}
		return nil
	}
	key, val, assigns := strings.Cut(spec, "=")
	if !assigns {
		if rdev, ok := devNumber(spec); ok {
			return t.ByDev(rdev)
		}
		return t.ByName(strings.TrimPrefix(spec, "/dev/"))
	}
	if val == "" {
		return nil
	}
	switch key {
	case "PARTUUID":
		id, off, counts := strings.Cut(val, "/PARTNROFF=")
		d := match(func(d *bdev.Device) bool { return strings.EqualFold(d.Info().UUID, id) })
		if d == nil || !counts {
			return d
		}
		n, err := strconv.Atoi(off)
		if err != nil {
			return nil
		}
		if n += d.Part(); n == 0 {
			return d.Disk().Whole()
		}
		return d.Disk().Partition(n)
	case "PARTLABEL":
		return match(func(d *bdev.Device) bool { return d.Info().Name == val })
	case "UUID":
		return match(func(d *bdev.Device) bool { return strings.EqualFold(probe(d).uuid, val) })
	case "LABEL":
		return match(func(d *bdev.Device) bool { return probe(d).label == val })
	}
	return nil
}

// devNumber reads MAJOR:MINOR[:OFFSET], or 16 bits in hexadecimal
// (parse_root_device, devt_from_devnum).
func devNumber(s string) (uint64, bool) {
	parts := strings.Split(s, ":")
	if len(parts) == 1 {
		n, err := strconv.ParseUint(s, 16, 32)
		return abi.Makedev(uint32(n>>8&0xfff), uint32(n&0xff|n>>12&0xfff00)), err == nil
	}
	major, err := strconv.ParseUint(parts[0], 10, 12)
	if err != nil || len(parts) > 3 {
		return 0, false
	}
	minor, err := strconv.ParseUint(parts[1], 10, 20)
	return abi.Makedev(uint32(major), uint32(minor)), err == nil
}

// superblock is what a file system says of itself.
type superblock struct{ typ, label, uuid string }

// probe looks for a file system that Lodger mounts; all its bytes are hostile. The
// zero value is none, or none that can be read.
func probe(d block.Device) superblock {
	at := func(off int64, n int) []byte {
		b := make([]byte, n)
		if _, err := d.ReadAt(b, off); err != nil {
			return make([]byte, n)
		}
		return b
	}
	const extSuper, isoVolume = 1024, 32768
	if b := at(extSuper, 0x100); b[0x38] == 0x53 && b[0x39] == 0xef {
		return superblock{"ext", cString(b[0x78:0x88]), formatUUID(b[0x68:0x78])}
	}
	if b := at(extSuper, 128); bytes.Equal(b[:4], []byte{0xe2, 0xe1, 0xf5, 0xe0}) {
		return superblock{"erofs", cString(b[0x40:0x50]), formatUUID(b[0x30:0x40])}
	}
	if b := at(0, 4); string(b) == "hsqs" {
		return superblock{typ: "squashfs"}
	}
	if b := at(isoVolume, 72); string(b[1:6]) == "CD001" {
		return superblock{typ: "iso9660", label: strings.TrimRight(string(b[40:72]), " \x00")}
	}
	return superblock{}
}

func cString(b []byte) string {
	s, _, _ := bytes.Cut(b, []byte{0})
	return string(s)
}

func formatUUID(b []byte) string {
	s := hex.EncodeToString(b)
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}

// devText is a device number as the kernel prints it.
func devText(rdev uint64) string {
	return fmt.Sprintf("%d:%d", abi.Major(rdev), abi.Minor(rdev))
}
