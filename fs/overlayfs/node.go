// SPDX-License-Identifier: Apache-2.0

package overlayfs

import (
	"strings"
	"sync"
	"sync/atomic"

	"lodger/abi"
	"lodger/fs"
)

// node is a file of the union.
type node struct {
	fs     *FS
	kind   uint32 // S_IFMT
	ino    uint64
	lowers []layered // never changes; empty for what was made in the union
	real   atomic.Pointer[realInode]

	copyMu sync.Mutex

	// Guarded by FS.mu.
	loc       place
	unlinked  bool            // loc is gone; other names may exist
	links     int             // change of the link count since the lower tree
	whiteouts map[string]bool // names of lower entries that are hidden

	mu     sync.Mutex
	opens  int  // Pin count; guarded by mu
	keep   bool // the upper inode has no name but is needed; guarded by mu
	pinned bool // the upper inode is pinned; guarded by mu
}

// realInode is where the file's data and attributes are.
type realInode struct {
	inode fs.Inode
	upper bool
}

type place struct {
	parent *node
	name   string
}

// upperInode gives the upper inode, or nil.
func (n *node) upperInode() fs.Inode {
	if r := n.real.Load(); r.upper {
		return r.inode
	}
	return nil
}

// Getattr gives the real inode's attributes under the union's numbers.
func (n *node) Getattr() (fs.Attr, error) { return n.attr(fs.Inode.Getattr) }

// StatAttr is the same for stat.
func (n *node) StatAttr() (fs.Attr, error) { return n.attr(fs.StatAttr) }

// Queried reports whether the real inode was looked at; one that cannot tell
// always was.
func (n *node) Queried() bool {
	m, ok := n.real.Load().inode.(fs.Multigrain)
	return !ok || m.Queried()
}

func (n *node) attr(get func(fs.Inode) (fs.Attr, error)) (fs.Attr, error) {
	r := n.real.Load()
	a, err := get(r.inode)
	if err != nil {
		return a, err
	}
	a.Dev, a.Ino = n.fs.sb.Dev, n.ino
	switch {
	case len(n.lowers) == 0:
	case n.kind == abi.S_IFDIR:
		if r.upper || len(n.lowers) > 1 {
			a.Nlink = 1 // as Linux: nobody counts the subdirectories of a merged directory
		}
	default:
		n.fs.mu.Lock()
		links := n.links
		n.fs.mu.Unlock()
		if r.upper {
			la, err := n.lowers[0].inode.Getattr()
			if err != nil {
				return a, err
			}
			a.Nlink = la.Nlink
		}
		a.Nlink += uint32(links)
	}
	return a, nil
}

// Setattr changes attributes of the upper copy.
func (n *node) Setattr(ctx *fs.Context, sa fs.SetAttr) error {
	limit := int64(-1)
	if sa.Valid&fs.AttrSize != 0 {
		limit = sa.Size
	}
	u, err := n.copyUp(ctx, limit)
	if err != nil {
		return err
	}
	s, ok := u.(fs.Setattrer)
	if !ok {
		return abi.EPERM
	}
	return s.Setattr(ctx, sa)
}

// Readlink gives a link's text.
func (n *node) Readlink(ctx *fs.Context) (string, error) {
	l, ok := n.real.Load().inode.(fs.SymlinkInode)
	if !ok {
		return "", abi.EINVAL
	}
	return l.Readlink(ctx)
}

// Accessed sets the access time of an upper file; lower ones have none.
func (n *node) Accessed(now abi.Timespec, relatime bool) {
	if u := n.upperInode(); u != nil {
		if a, ok := u.(fs.Accesser); ok {
			a.Accessed(now, relatime)
		}
	}
}

// Pin counts an open file.
func (n *node) Pin() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.opens++
	if err := n.updatePin(); err != nil {
		n.opens--
		return err
	}
	return nil
}

// Unpin forgets an open file.
func (n *node) Unpin() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.opens--
	n.updatePin()
}

// setKeep says whether a nameless upper inode is needed.
func (n *node) setKeep(keep bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.keep = keep
	n.updatePin()
}

// updatePin pins the upper inode once while it is needed; mu is held.
func (n *node) updatePin() error {
	p, ok := n.upperInode().(fs.Pinner)
	if !ok {
		return nil
	}
	want := n.opens > 0 || n.keep
	switch {
	case want && !n.pinned:
		if err := p.Pin(); err != nil {
			return err
		}
		n.pinned = true
	case !want && n.pinned:
		n.pinned = false
		p.Unpin()
	}
	return nil
}

// private are the attributes of overlayfs itself.
const private = "trusted.overlay."

func (n *node) xattrs() (fs.Xattrs, error) {
	x, ok := n.real.Load().inode.(fs.Xattrs)
	if !ok {
		return nil, abi.EOPNOTSUPP
	}
	return x, nil
}

func (n *node) upperXattrs(ctx *fs.Context, name string) (fs.Xattrs, error) {
	if strings.HasPrefix(name, private) {
		return nil, abi.EPERM
	}
	u, err := n.copyUp(ctx, -1)
	if err != nil {
		return nil, err
	}
	x, ok := u.(fs.Xattrs)
	if !ok {
		return nil, abi.EOPNOTSUPP
	}
	return x, nil
}

// Getxattr gives the value of an extended attribute.
func (n *node) Getxattr(ctx *fs.Context, name string) ([]byte, error) {
	x, err := n.xattrs()
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(name, private) {
		return nil, abi.ENODATA
	}
	return x.Getxattr(ctx, name)
}

// Setxattr sets an extended attribute.
func (n *node) Setxattr(ctx *fs.Context, name string, value []byte, flags int) error {
	x, err := n.upperXattrs(ctx, name)
	if err != nil {
		return err
	}
	return x.Setxattr(ctx, name, value, flags)
}

// Removexattr removes an extended attribute.
func (n *node) Removexattr(ctx *fs.Context, name string) error {
	if _, err := n.Getxattr(ctx, name); err != nil {
		return err
	}
	x, err := n.upperXattrs(ctx, name)
	if err != nil {
		return err
	}
	return x.Removexattr(ctx, name)
}

// Listxattr lists the extended attributes.
func (n *node) Listxattr(ctx *fs.Context) ([]string, error) {
	x, err := n.xattrs()
	if err != nil {
		return nil, err
	}
	l, err := x.Listxattr(ctx)
	out := l[:0]
	for _, name := range l {
		if !strings.HasPrefix(name, private) {
			out = append(out, name)
		}
	}
	return out, err
}

// DirectAlign is that of the real file.
func (n *node) DirectAlign() uint32 {
	if d, ok := n.real.Load().inode.(fs.DirectIOer); ok {
		return d.DirectAlign()
	}
	return 0
}
