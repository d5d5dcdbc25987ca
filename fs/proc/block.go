// SPDX-License-Identifier: Apache-2.0

package proc

import (
	"fmt"

	"lodger/abi"
	"lodger/block/bdev"
)

// BlockSystem is the ability of a System to have block devices (block/genhd.c's and
// mm/swapfile.c's files).
type BlockSystem interface {
	// Blocks gives the table; nil: there is none.
	Blocks() *bdev.Table
}

func (t *tree) blocks() *bdev.Table {
	if b, ok := t.sys.(BlockSystem); ok {
		return b.Blocks()
	}
	return nil
}

// partitions is show_partition. Devices without a size are not shown.
func (t *tree) partitions() string {
	b := []byte("major minor  #blocks  name\n\n")
	if tab := t.blocks(); tab != nil {
		for _, d := range tab.Devices() {
			if d.Size() > 0 {
				b = fmt.Appendf(b, "%4d  %7d %10d %s\n", abi.Major(d.Dev()), abi.Minor(d.Dev()), d.Size()>>10, d.Name())
			}
		}
	}
	return string(b)
}

// diskstats is diskstats_show.
func (t *tree) diskstats() string {
	var b []byte
	if tab := t.blocks(); tab != nil {
		for _, d := range tab.Devices() {
			if d.Part() != 0 && d.Size() == 0 {
				continue
			}
			b = fmt.Appendf(b, "%4d %7d %s", abi.Major(d.Dev()), abi.Minor(d.Dev()), d.Name())
			for _, n := range d.Stat.StatLine() {
				b = fmt.Appendf(b, " %d", n)
			}
			b = append(b, '\n')
		}
	}
	return string(b)
}

// devices is devinfo_show.
func (t *tree) devices() string {
	b := []byte("Character devices:\n  1 mem\n  5 /dev/tty\n  5 /dev/console\n136 pts\n\nBlock devices:\n")
	if tab := t.blocks(); tab != nil {
		for _, m := range tab.Majors() {
			b = fmt.Appendf(b, "%3d %s\n", m.Number, m.Name)
		}
	}
	return string(b)
}
