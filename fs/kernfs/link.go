// SPDX-License-Identifier: Apache-2.0

package kernfs

import (
	"lodger/abi"
	"lodger/fs"
)

// LinkNode is a symbolic link whose text is computed (/proc/self).
type LinkNode struct {
	Node
	// Target gives the text.
	Target func(ctx *fs.Context) (string, error)
}

// NewLink makes a link.
func (f *FS) NewLink(target func(ctx *fs.Context) (string, error)) *LinkNode {
	return &LinkNode{Node: f.NewNode(abi.S_IFLNK | 0o777), Target: target}
}

// NewSymlink makes a link whose text never changes.
func (f *FS) NewSymlink(target string) *LinkNode {
	return f.NewLink(func(*fs.Context) (string, error) { return target, nil })
}

// Readlink gives the text.
func (l *LinkNode) Readlink(ctx *fs.Context) (string, error) { return l.Target(ctx) }

// MagicNode is a link that leads to a place (/proc/PID/fd/N, cwd, root, exe).
// Its text is the place's path as the reader sees it.
type MagicNode struct {
	Node
	// Place gives the place; abi.ENOENT when it is gone.
	Place func(ctx *fs.Context) (fs.Path, error)
}

// NewMagic makes a magic link with permissions perm (/proc/PID/fd shows how a
// descriptor is open).
func (f *FS) NewMagic(perm uint32, place func(ctx *fs.Context) (fs.Path, error)) *MagicNode {
	return &MagicNode{Node: f.NewNode(abi.S_IFLNK | perm), Place: place}
}

// Follow gives the place.
func (m *MagicNode) Follow(ctx *fs.Context) (fs.Path, error) { return m.Place(ctx) }

// Readlink gives the place's path.
func (m *MagicNode) Readlink(ctx *fs.Context) (string, error) {
	p, err := m.Place(ctx)
	if err != nil {
		return "", err
	}
	return fs.DPath(p, ctx.Root), nil
}
