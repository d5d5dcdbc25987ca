// SPDX-License-Identifier: Apache-2.0

package kernfs

import (
	"sync"

	"lodger/abi"
	"lodger/fs"
)

// Entry is a fixed name of a directory.
type Entry struct {
	Name  string
	Inode fs.Inode
	Type  uint8 // abi.DT_*
}

// Name is a name of a Lazy and the type of its node.
type Name struct {
	Name string
	Type uint8 // abi.DT_*
}

// Lazy is fixed names whose nodes are made when somebody looks for them: for
// directories that come and go in numbers.
type Lazy interface {
	// Names gives all names, always the same ones, in the order of listings.
	Names() []Name
	// Make makes the node of name number i; it is called once.
	Make(i int) fs.Inode
}

// DirNode is a directory.
type DirNode struct {
	Node
	static []Entry
	byName map[string]fs.Inode
	lazy   Lazy // nil: none
	mu     sync.Mutex
	made   []fs.Inode // lazy's; guarded by mu
	// Find, when not nil, finds names that are not fixed; abi.ENOENT. It may be
	// called often: the cached answer is asked for again at each walk, so it
	// should give the same inode for the same thing as long as that lives.
	Find func(ctx *fs.Context, name string) (fs.Inode, error)
	// List, when not nil, lists the names that are not fixed, from position pos
	// on. Positions are List's own, from 0; each is the Off of an entry. Emit
	// false ends the listing.
	List func(ctx *fs.Context, pos int64, emit func(fs.Dirent) bool) error
}

// NewDir makes a directory with permissions perm and fixed entries.
func (f *FS) NewDir(perm uint32, entries ...Entry) *DirNode {
	d := &DirNode{Node: f.NewNode(abi.S_IFDIR | perm)}
	for _, e := range entries {
		d.Add(e)
	}
	return d
}

// Add adds a fixed entry; only before the directory is in use.
func (d *DirNode) Add(e Entry) {
	if d.byName == nil {
		d.byName = map[string]fs.Inode{}
	}
	if e.Type == abi.DT_UNKNOWN {
		if a, err := e.Inode.Getattr(); err == nil {
			e.Type = fs.DTypeOf(a.Mode)
		}
	}
	d.static = append(d.static, e)
	d.byName[e.Name] = e.Inode
}

// SetLazy gives the directory fixed names that come after those of Add; only before
// it is in use.
func (d *DirNode) SetLazy(l Lazy) { d.lazy = l }

// fixed finds a name of Add or of a Lazy; nil: there is none.
func (d *DirNode) fixed(name string) fs.Inode {
	if i := d.byName[name]; i != nil {
		return i
	}
	if d.lazy == nil {
		return nil
	}
	for i, n := range d.lazy.Names() {
		if n.Name == name {
			return d.lazyNode(i)
		}
	}
	return nil
}

func (d *DirNode) lazyNode(i int) fs.Inode {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.made == nil {
		d.made = make([]fs.Inode, len(d.lazy.Names()))
	}
	if d.made[i] == nil {
		d.made[i] = d.lazy.Make(i)
	}
	return d.made[i]
}

// Lookup finds a name.
func (d *DirNode) Lookup(ctx *fs.Context, name string) (fs.Inode, error) {
	if i := d.fixed(name); i != nil {
		return i, nil
	}
	if d.Find != nil {
		return d.Find(ctx, name)
	}
	return nil, abi.ENOENT
}

// Revalidate asks again about names that are not fixed.
func (d *DirNode) Revalidate(ctx *fs.Context, name string, child fs.Inode) bool {
	if i := d.fixed(name); i != nil {
		return i == child
	}
	if d.Find == nil {
		return child == nil
	}
	i, err := d.Find(ctx, name)
	if err != nil {
		return child == nil && err == abi.ENOENT
	}
	return i == child
}

// Open makes an open directory.
func (d *DirNode) Open(*fs.Context, fs.Path, int) (fs.FileOps, error) { return dirFile{d}, nil }

type dirFile struct{ d *DirNode }

// dynamicBase is where the positions of List start: above those of fixed names.
const dynamicBase = 1 << 20

// Iterate lists fixed names, then List's.
func (f dirFile) Iterate(ctx *fs.Context, pos int64, emit func(fs.Dirent) bool) error {
	for i := pos - 2; i >= 0; i++ {
		e, ok := f.d.entry(int(i))
		if !ok {
			break
		}
		a, err := e.Inode.Getattr()
		if err != nil {
			return err
		}
		if !emit(fs.Dirent{Name: e.Name, Ino: a.Ino, Off: i + 3, Type: e.Type}) {
			return nil
		}
	}
	if f.d.List == nil {
		return nil
	}
	return f.d.List(ctx, max(pos-dynamicBase, 0), func(e fs.Dirent) bool {
		e.Off += dynamicBase
		return emit(e)
	})
}

// entry is fixed entry number i.
func (d *DirNode) entry(i int) (Entry, bool) {
	if i < len(d.static) {
		return d.static[i], true
	}
	i -= len(d.static)
	if d.lazy == nil || i >= len(d.lazy.Names()) {
		return Entry{}, false
	}
	n := d.lazy.Names()[i]
	return Entry{Name: n.Name, Type: n.Type, Inode: d.lazyNode(i)}, true
}
