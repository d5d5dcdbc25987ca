// SPDX-License-Identifier: Apache-2.0

// Package tmpfs is the memory file system: Linux's mm/shmem.c.
//
// The bytes of a file start in a Go slice. A file that grows past smallMax or
// is mapped is promoted: it gets a host memfd of its own, and from then on read,
// write and mmap use that, so that they see the same page cache. Names, owners
// and times are Go values.
//
// Locks: FS.tree (directories: entries, link counts, parents), then inode.mu
// (attributes and data), then FS.space. None is held while calling back into
// package fs, except the emit function of a directory listing under tree.
//
// Left out: huge pages, swap, quotas. A hole that a shared mapping fills is
// counted against size= only at the next write or stat.
package tmpfs

import (
	"fmt"
	"strconv"
	"strings"
	"sync"

	"lodger/abi"
	"lodger/fs"
	"lodger/host"
)

const (
	pageSize = 4096
	// smallMax is the size in bytes above which a file gets a memfd.
	smallMax = 64 << 10
)

// Options of a new file system.
type Options struct {
	Size   int64  // bytes; 0: half of the host's memory
	Inodes int64  // 0: derived from the host's memory
	Mode   uint32 // of the root; 0: 01777
	UID    uint32
	GID    uint32
	Type   string // name to show; "" means "tmpfs"
}

// FS is one tmpfs.
type FS struct {
	sb   *fs.SuperBlock
	tree sync.RWMutex // see the package comment

	spaceMu  sync.Mutex
	opt      Options
	used     int64  // bytes in whole pages; guarded by spaceMu
	inodes   int64  // guarded by spaceMu
	lastIno  uint64 // guarded by spaceMu
	explicit bool   // size= was given, so show it
}

// New makes an empty file system.
func New(v *fs.VFS, opt Options) (*fs.SuperBlock, error) {
	explicit := opt.Size != 0
	mem := host.TotalMemory()
	if opt.Size == 0 {
		opt.Size = mem / 2
	}
	if opt.Inodes == 0 {
		opt.Inodes = mem / 2 / pageSize
	}
	if opt.Mode == 0 {
		opt.Mode = 0o1777
	}
	if opt.Type == "" {
		opt.Type = "tmpfs"
	}
	f := &FS{opt: opt, explicit: explicit}
	f.sb = v.NewSuperBlock(opt.Type, abi.TMPFS_MAGIC, f)
	var ctx *fs.Context
	na := fs.NewAttr{Mode: abi.S_IFDIR | opt.Mode&abi.S_IALLUGO, UID: opt.UID, GID: opt.GID, Now: ctx.Time()}
	root, err := f.newInode(na)
	if err != nil {
		return nil, err
	}
	return f.sb, f.sb.SetRoot(root)
}

// Type is the row for fs.VFS.RegisterFS; it parses size=, nr_inodes=, mode=,
// uid=, gid=.
func Type() fs.FSType {
	return fs.FSType{Name: "tmpfs", NoDev: true, Mount: func(v *fs.VFS, _ *fs.Context, _ string, _ uint32, data string) (*fs.SuperBlock, error) {
		opt, err := ParseOptions(data)
		if err != nil {
			return nil, err
		}
		return New(v, opt)
	}}
}

// ParseOptions parses mount options; unknown ones give EINVAL.
func ParseOptions(data string) (Options, error) {
	var o Options
	for _, kv := range strings.Split(data, ",") {
		k, val, _ := strings.Cut(kv, "=")
		var err error
		switch k {
		case "":
		case "size":
			o.Size, err = parseSize(val, host.TotalMemory())
		case "nr_blocks":
			o.Size, err = parseSize(val, 0)
			o.Size *= pageSize
		case "nr_inodes":
			o.Inodes, err = parseSize(val, 0)
		case "mode":
			o.Mode, err = parseID(val, 8)
		case "uid":
			o.UID, err = parseID(val, 10)
		case "gid":
			o.GID, err = parseID(val, 10)
		case "huge", "mpol", "inode32", "inode64", "noswap":
		default:
			return o, abi.EINVAL
		}
		if err != nil || o.Size < 0 || o.Inodes < 0 {
			return o, abi.EINVAL
		}
	}
	return o, nil
}

func parseID(s string, base int) (uint32, error) {
	n, err := strconv.ParseUint(s, base, 32)
	return uint32(n), err
}

// parseSize reads a number with k, m, g, t or, given whole, %.
func parseSize(s string, whole int64) (int64, error) {
	mul := int64(1)
	if n := len(s); n > 0 {
		switch s[n-1] | 0x20 {
		case 'k':
			mul = 1 << 10
		case 'm':
			mul = 1 << 20
		case 'g':
			mul = 1 << 30
		case 't':
			mul = 1 << 40
		}
		if mul > 1 {
			s = s[:n-1]
		} else if whole > 0 && s[n-1] == '%' {
			p, err := strconv.ParseInt(s[:n-1], 10, 32)
			return p * (whole / 100), err
		}
	}
	n, err := strconv.ParseInt(s, 0, 64)
	if err == nil && n > (1<<62)/mul {
		err = strconv.ErrRange
	}
	return n * mul, err
}

// Statfs answers statfs(2).
func (f *FS) Statfs() (abi.Statfs, error) {
	f.spaceMu.Lock()
	defer f.spaceMu.Unlock()
	free := uint64(max(f.opt.Size-f.used, 0)) / pageSize
	return abi.Statfs{Bsize: pageSize, Blocks: uint64(f.opt.Size) / pageSize, Bfree: free, Bavail: free,
		Files: uint64(f.opt.Inodes), Ffree: uint64(max(f.opt.Inodes-f.inodes, 0)), Namelen: abi.NAME_MAX}, nil
}

// ShowOptions gives the options that were set.
func (f *FS) ShowOptions() string {
	f.spaceMu.Lock()
	defer f.spaceMu.Unlock()
	var b strings.Builder
	if f.explicit {
		fmt.Fprintf(&b, ",size=%dk", f.opt.Size>>10)
	}
	if f.opt.Mode != 0o1777 {
		fmt.Fprintf(&b, ",mode=%03o", f.opt.Mode)
	}
	if f.opt.UID != 0 {
		fmt.Fprintf(&b, ",uid=%d", f.opt.UID)
	}
	if f.opt.GID != 0 {
		fmt.Fprintf(&b, ",gid=%d", f.opt.GID)
	}
	return b.String()
}

// Remount changes the limits.
func (f *FS) Remount(_ uint32, data string) error {
	o, err := ParseOptions(data)
	if err != nil {
		return err
	}
	f.spaceMu.Lock()
	defer f.spaceMu.Unlock()
	if o.Size != 0 {
		if o.Size < f.used {
			return abi.EINVAL
		}
		f.opt.Size, f.explicit = o.Size, true
	}
	if o.Inodes != 0 {
		if o.Inodes < f.inodes {
			return abi.EINVAL
		}
		f.opt.Inodes = o.Inodes
	}
	return nil
}

// charge takes n bytes (negative gives back); ENOSPC.
func (f *FS) charge(n int64) error {
	f.spaceMu.Lock()
	defer f.spaceMu.Unlock()
	if n > 0 && f.used+n > f.opt.Size {
		return abi.ENOSPC
	}
	f.used += n
	return nil
}

// chargeSome takes up to n bytes, whole pages, and gives what there was.
func (f *FS) chargeSome(n int64) int64 {
	f.spaceMu.Lock()
	defer f.spaceMu.Unlock()
	n = max(min(n, (f.opt.Size-f.used)&^(pageSize-1)), 0)
	f.used += n
	return n
}

// pages rounds n up to whole pages; it does not overflow.
func pages(n int64) int64 { return (min(n, 1<<62) + pageSize - 1) &^ (pageSize - 1) }

// reserveInode counts an inode, or a further link as shmem_link does; ENOSPC.
func (f *FS) reserveInode() error {
	f.spaceMu.Lock()
	defer f.spaceMu.Unlock()
	if f.inodes >= f.opt.Inodes {
		return abi.ENOSPC
	}
	f.inodes++
	return nil
}

func (f *FS) freeInode() {
	f.spaceMu.Lock()
	defer f.spaceMu.Unlock()
	f.inodes--
}
