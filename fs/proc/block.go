// SPDX-License-Identifier: Apache-2.0

package proc

import (
	"fmt"
	"strings"

	"lodger/abi"
	"lodger/block/bdev"
	"lodger/fs"
)

// BlockSystem is the ability of a System to have block devices (block/genhd.c's and
// mm/swapfile.c's files).
type BlockSystem interface {
	// Blocks gives the table; nil: there is none.
	Blocks() *bdev.Table
	// Swaps gives the swap areas by falling priority.
	Swaps() []Swap
}

// Swap is a swap area.
type Swap struct {
	Path     fs.Path
	Device   bool // not a regular file
	Bytes    uint64
	Priority int
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

// swaps is swap_show.
func (t *tree) swaps(ctx *fs.Context) ([]byte, error) {
	b := []byte("Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n")
	sys, ok := t.sys.(BlockSystem)
	if !ok {
		return b, nil
	}
	for _, s := range sys.Swaps() {
		name, kind, tab := escape(fs.DPath(s.Path, ctx.Root)), "file\t", ""
		if s.Device {
			kind = "partition"
		}
		kb := s.Bytes >> 10
		if kb < 10000000 {
			tab = "\t"
		}
		b = fmt.Appendf(b, "%s%*s%s\t%d\t%s0\t\t%d\n", name, max(40-len(name), 1), " ", kind, kb, tab, s.Priority)
	}
	return b, nil
}

// meminfo is the host's, with the guest's own swap.
func (t *tree) meminfo() string {
	var total uint64
	if sys, ok := t.sys.(BlockSystem); ok {
		for _, s := range sys.Swaps() {
			total += s.Bytes >> 10
		}
	}
	var out strings.Builder
	for line := range strings.Lines(hostText("meminfo")) {
		name, _, _ := strings.Cut(line, ":")
		switch name {
		case "SwapTotal", "SwapFree":
			line = fmt.Sprintf("%-16s%8d kB\n", name+":", total)
		case "SwapCached":
			line = fmt.Sprintf("%-16s%8d kB\n", name+":", 0)
		}
		out.WriteString(line)
	}
	return out.String()
}

// escape is what seq_file_path does with " \t\n\\".
func escape(s string) string {
	return strings.NewReplacer(" ", `\040`, "\t", `\011`, "\n", `\012`, `\`, `\134`).Replace(s)
}
