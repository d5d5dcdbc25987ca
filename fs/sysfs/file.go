// SPDX-License-Identifier: Apache-2.0

package sysfs

import (
	"strings"

	"lodger/abi"
	"lodger/fs"
	"lodger/fs/kernfs"
)

// fileSize is what stat says of each file: a page, as sysfs does.
const fileSize = 4096

// file is a file's node.
type file struct {
	*kernfs.FileNode
	mode uint32
}

func (t *Tree) newFile(a Attr) fs.Inode {
	mode := a.Mode
	if mode == 0 {
		mode = 0o444
	}
	f := &file{mode: mode}
	var show func(*fs.Context) ([]byte, error)
	if a.Show != nil {
		show = func(*fs.Context) ([]byte, error) {
			s, err := a.Show()
			return []byte(s), err
		}
	}
	f.FileNode = t.fs.NewFile(mode, show)
	if a.Set != nil {
		f.Store = func(_ *fs.Context, p []byte) error { return a.Set(strings.TrimSpace(string(p))) }
	}
	return f
}

// Getattr gives the attributes.
func (f *file) Getattr() (fs.Attr, error) {
	a, err := f.FileNode.Getattr()
	a.Size, a.Blksize = fileSize, fileSize
	return a, err
}

// Open makes an open file. What the mode does not allow root cannot do either
// (kernfs_fop_open, KERNFS_ROOT_EXTRA_OPEN_PERM_CHECK).
func (f *file) Open(ctx *fs.Context, p fs.Path, flags int) (fs.FileOps, error) {
	acc := flags & abi.O_ACCMODE
	if acc != abi.O_RDONLY && f.mode&0o222 == 0 || acc != abi.O_WRONLY && f.mode&0o444 == 0 {
		return nil, abi.EACCES
	}
	return f.FileNode.Open(ctx, p, flags)
}
