// SPDX-License-Identifier: Apache-2.0

package overlayfs

import (
	"sort"
	"strings"

	"lodger/abi"
	"lodger/fs"
)

// Lookup finds a name: in the upper directory, else merged from the lower ones.
func (n *node) Lookup(ctx *fs.Context, name string) (fs.Inode, error) {
	c, err := n.child(ctx, name)
	if err != nil {
		return nil, err
	}
	return c, nil
}

func (n *node) child(ctx *fs.Context, name string) (*node, error) {
	f := n.fs
	f.mu.Lock()
	if u := n.upperInode(); u != nil {
		ui, err := u.(fs.Dir).Lookup(ctx, name)
		if err == nil {
			defer f.mu.Unlock()
			return f.nodeOfUpper(ui, n, strings.Clone(name))
		}
		if err != abi.ENOENT {
			f.mu.Unlock()
			return nil, err
		}
	}
	hidden := n.whiteouts[name]
	f.mu.Unlock()
	if hidden {
		return nil, abi.ENOENT
	}
	parts, a, err := n.lowerParts(ctx, name)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.nodeOfLower(parts, &a, n, strings.Clone(name)), nil
}

// lowerParts gives what the lower directories have under name, with the
// attributes of the topmost.
func (n *node) lowerParts(ctx *fs.Context, name string) (parts []layered, attr fs.Attr, err error) {
	for _, l := range n.lowers {
		i, err := l.inode.(fs.Dir).Lookup(ctx, name)
		if err == abi.ENOENT {
			continue
		}
		if err != nil {
			return nil, attr, err
		}
		a, err := i.Getattr()
		if err != nil {
			return nil, attr, err
		}
		if isWhiteout(&a) {
			break
		}
		if len(parts) == 0 {
			attr = a
		} else if !a.IsDir() {
			break
		}
		parts = append(parts, layered{i, l.layer})
		if !a.IsDir() || len(n.lowers) > 1 && isOpaque(ctx, i) {
			break
		}
	}
	if len(parts) == 0 {
		return nil, attr, abi.ENOENT
	}
	return parts, attr, nil
}

func isWhiteout(a *fs.Attr) bool { return a.Type() == abi.S_IFCHR && a.Rdev == 0 }

func isOpaque(ctx *fs.Context, i fs.Inode) bool {
	x, ok := i.(fs.Xattrs)
	if !ok {
		return false
	}
	v, err := x.Getxattr(ctx, "trusted.overlay.opaque")
	return err == nil && string(v) == "y"
}

// hasLower reports whether the lower trees have something under name.
func (n *node) hasLower(ctx *fs.Context, name string) bool {
	_, _, err := n.lowerParts(ctx, name)
	return err != abi.ENOENT
}

// entry is one name of a merged directory.
type entry struct {
	name string
	ino  uint64
	typ  uint8
}

// list gives the merged entries of a directory.
func (n *node) list(ctx *fs.Context) ([]entry, error) {
	f := n.fs
	var out []entry
	seen := map[string]bool{}
	if u := n.upperInode(); u != nil {
		err := iterate(ctx, u, func(d fs.Dirent) {
			seen[d.Name] = true
			out = append(out, entry{d.Name, f.upperIno(d.Ino), d.Type})
		})
		if err != nil {
			return nil, err
		}
		f.mu.Lock()
		for name := range n.whiteouts {
			seen[name] = true
		}
		for i := range out { // copied-up files keep their numbers
			if ui, err := u.(fs.Dir).Lookup(ctx, out[i].name); err == nil {
				if c := f.byUpper[ui]; c != nil {
					out[i].ino = c.ino
				}
			}
		}
		f.mu.Unlock()
	}
	for _, l := range n.lowers {
		start := len(out)
		err := iterate(ctx, l.inode, func(d fs.Dirent) {
			if !seen[d.Name] {
				out = append(out, entry{d.Name, f.lowerIno(d.Ino, l.layer), d.Type})
			}
		})
		if err != nil {
			return nil, err
		}
		kept := out[:start]
		for _, e := range out[start:] {
			seen[e.name] = true
			if e.typ != abi.DT_CHR || !lowerWhiteout(ctx, l.inode, e.name) {
				kept = append(kept, e)
			}
		}
		out = kept
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].name < out[j].name })
	return out, nil
}

func lowerWhiteout(ctx *fs.Context, dir fs.Inode, name string) bool {
	i, err := dir.(fs.Dir).Lookup(ctx, name)
	if err != nil {
		return true
	}
	a, err := i.Getattr()
	return err == nil && isWhiteout(&a)
}

// iterate lists a real directory.
func iterate(ctx *fs.Context, dir fs.Inode, each func(fs.Dirent)) error {
	ops, err := openReal(ctx, dir, abi.O_RDONLY|abi.O_DIRECTORY)
	if err != nil {
		return err
	}
	defer release(ops)
	it, ok := ops.(fs.DirIterator)
	if !ok {
		return abi.ENOTDIR
	}
	return it.Iterate(ctx, 2, func(d fs.Dirent) bool { each(d); return true })
}

// openReal opens an inode of a tree below.
func openReal(ctx *fs.Context, i fs.Inode, flags int) (fs.FileOps, error) {
	o, ok := i.(fs.Opener)
	if !ok {
		return nil, abi.ENXIO
	}
	return o.Open(ctx, fs.Path{}, flags)
}

func release(ops fs.FileOps) {
	if r, ok := ops.(fs.Releaser); ok {
		r.Release()
	}
}

// dirFile is an open directory. A directory of one tree is listed by that tree,
// a merged one from a list taken when it is read from the start.
type dirFile struct {
	n      *node
	single fs.FileOps // nil: merged
	real   *realInode
	list   []entry
}

// Iterate lists the entries.
func (d *dirFile) Iterate(ctx *fs.Context, pos int64, emit func(fs.Dirent) bool) error {
	if pos == 2 {
		if err := d.rewind(ctx); err != nil {
			return err
		}
	}
	if d.single != nil {
		f, up := d.n.fs, d.real.upper
		return d.single.(fs.DirIterator).Iterate(ctx, pos, func(e fs.Dirent) bool {
			if up {
				e.Ino = f.upperIno(e.Ino)
			} else {
				e.Ino = f.lowerIno(e.Ino, d.n.lowers[0].layer)
			}
			return emit(e)
		})
	}
	if d.list == nil {
		if err := d.rewind(ctx); err != nil {
			return err
		}
	}
	for i := pos - 2; i < int64(len(d.list)); i++ {
		e := d.list[i]
		if !emit(fs.Dirent{Name: e.name, Ino: e.ino, Off: i + 3, Type: e.typ}) {
			return nil
		}
	}
	return nil
}

func (d *dirFile) rewind(ctx *fs.Context) (err error) {
	d.Release()
	d.real = d.n.real.Load()
	if !d.real.upper && len(d.n.lowers) == 1 && len(d.n.fs.lower) == 1 {
		d.single, err = openReal(ctx, d.real.inode, abi.O_RDONLY|abi.O_DIRECTORY)
		return err
	}
	d.list, err = d.n.list(ctx)
	if d.list == nil {
		d.list = []entry{}
	}
	return err
}

// Release closes the directory below.
func (d *dirFile) Release() {
	if d.single != nil {
		release(d.single)
		d.single = nil
	}
}
