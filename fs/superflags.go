// SPDX-License-Identifier: Apache-2.0

package fs

import (
	"strings"

	"lodger/abi"
)

// The flags of a super block, include/linux/fs.h: of all its mounts alike.
const (
	superFlags = abi.MS_RDONLY | abi.MS_SYNCHRONOUS | abi.MS_DIRSYNC | abi.MS_LAZYTIME
	// remountFlags are those of mount(2) that a remount changes (MS_RMT_MASK).
	remountFlags = abi.MS_RDONLY | abi.MS_SYNCHRONOUS | abi.MS_LAZYTIME
)

// SuperFlags takes the words out of mount options that are flags of any super block
// (vfs_parse_sb_flag): flags with them, those that a word is about, and the rest.
func SuperFlags(flags uint32, data string) (with, named uint32, rest string) {
	if data == "" {
		return flags, 0, ""
	}
	var left []string
	for word := range strings.SplitSeq(data, ",") {
		var bit uint32
		on := true
		switch word {
		case "ro":
			bit = abi.MS_RDONLY
		case "rw":
			bit, on = abi.MS_RDONLY, false
		case "sync":
			bit = abi.MS_SYNCHRONOUS
		case "async":
			bit, on = abi.MS_SYNCHRONOUS, false
		case "dirsync":
			bit = abi.MS_DIRSYNC
		case "lazytime":
			bit = abi.MS_LAZYTIME
		case "nolazytime":
			bit, on = abi.MS_LAZYTIME, false
		default:
			left = append(left, word)
			continue
		}
		named |= bit
		flags &^= bit
		if on {
			flags |= bit
		}
	}
	return flags, named, strings.Join(left, ",")
}

// SetFlags sets those of a mount's flags that are the super block's. What the file
// system made read-only stays so.
func (sb *SuperBlock) SetFlags(flags uint32) {
	sb.change(superFlags&^abi.MS_RDONLY|flags&abi.MS_RDONLY, flags)
}

func (sb *SuperBlock) change(mask, flags uint32) {
	for {
		old := sb.flags.Load()
		if sb.flags.CompareAndSwap(old, old&^mask|flags&mask) {
			return
		}
	}
}

// SetReadOnly makes the super block read-only or writable.
func (sb *SuperBlock) SetReadOnly(ro bool) {
	flags := uint32(0)
	if ro {
		flags = abi.MS_RDONLY
	}
	sb.change(abi.MS_RDONLY, flags)
}

// ReadOnly reports whether the super block is read-only.
func (sb *SuperBlock) ReadOnly() bool { return sb.flags.Load()&abi.MS_RDONLY != 0 }

// Synchronous reports whether every change is to be durable when its call returns.
func (sb *SuperBlock) Synchronous() bool { return sb.flags.Load()&abi.MS_SYNCHRONOUS != 0 }

// DirSync reports whether every change of a directory is.
func (sb *SuperBlock) DirSync() bool {
	return sb.flags.Load()&(abi.MS_SYNCHRONOUS|abi.MS_DIRSYNC) != 0
}

// flagOptions is show_sb_opts.
func (sb *SuperBlock) flagOptions() (s string) {
	for _, o := range [...]struct {
		bit  uint32
		name string
	}{{abi.MS_SYNCHRONOUS, ",sync"}, {abi.MS_DIRSYNC, ",dirsync"}, {abi.MS_LAZYTIME, ",lazytime"}} {
		if sb.flags.Load()&o.bit != 0 {
			s += o.name
		}
	}
	return s
}
