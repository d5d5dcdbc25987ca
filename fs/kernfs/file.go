// SPDX-License-Identifier: Apache-2.0

package kernfs

import (
	"sync"

	"lodger/abi"
	"lodger/fs"
)

// FileNode is a file with generated text.
type FileNode struct {
	Node
	// Show generates the text.
	Show func(ctx *fs.Context) ([]byte, error)
	// Store, when not nil, takes what is written; one call per write(2).
	Store func(ctx *fs.Context, p []byte) error
}

// NewFile makes a file with permissions perm.
func (f *FS) NewFile(perm uint32, show func(ctx *fs.Context) ([]byte, error)) *FileNode {
	return &FileNode{Node: f.NewNode(abi.S_IFREG | perm), Show: show}
}

// NewText makes a file whose text never changes.
func (f *FS) NewText(perm uint32, text string) *FileNode {
	return f.NewFile(perm, func(*fs.Context) ([]byte, error) { return []byte(text), nil })
}

// Open makes an open file.
func (n *FileNode) Open(*fs.Context, fs.Path, int) (fs.FileOps, error) { return &file{n: n}, nil }

// file is an open text file.
type file struct {
	n    *FileNode
	mu   sync.Mutex
	text []byte // guarded by mu
	made bool   // guarded by mu
}

// ReadAt reads the text; from offset 0 it is made anew.
func (f *file) ReadAt(ctx *fs.Context, p []byte, off int64) (int, error) {
	if f.n.Show == nil {
		return 0, abi.EINVAL
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if off == 0 || !f.made {
		t, err := f.n.Show(ctx)
		if err != nil {
			return 0, err
		}
		f.text, f.made = t, true
	}
	if off >= int64(len(f.text)) {
		return 0, nil
	}
	return copy(p, f.text[off:]), nil
}

// WriteAt passes what is written on.
func (f *file) WriteAt(ctx *fs.Context, p []byte, _ int64) (int, error) {
	if f.n.Store == nil {
		return 0, abi.EINVAL
	}
	if err := f.n.Store(ctx, p); err != nil {
		return 0, err
	}
	f.mu.Lock()
	f.made = false
	f.mu.Unlock()
	return len(p), nil
}
