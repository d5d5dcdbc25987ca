// SPDX-License-Identifier: Apache-2.0

package sysfs

import (
	"cmp"
	"slices"
	"strings"
	"sync"

	"lodger/abi"
	"lodger/fs"
	"lodger/fs/kernfs"
)

// Type is the row for fs.RegisterFS. parts fill the tree when it is mounted first.
func Type(parts ...func(*Tree)) fs.FSType {
	return fs.FSType{Name: "sysfs", NoDev: true, Mount: fs.Single(func(v *fs.VFS) (*fs.SuperBlock, error) { return New(v, parts...) })}
}

// New makes a sysfs.
func New(v *fs.VFS, parts ...func(*Tree)) (*fs.SuperBlock, error) {
	return kernfs.New(v, "sysfs", abi.SYSFS_MAGIC, func(f *kernfs.FS) fs.Inode {
		t := &Tree{fs: f}
		t.root = t.newDir()
		for _, name := range []string{"block", "bus", "class", "dev/block", "dev/char", "devices", "firmware", "fs/cgroup", "kernel", "module", "power"} {
			t.Dir(name)
		}
		for _, p := range parts {
			p(t)
		}
		return t.root.node
	})
}

// Tree is the whole of it.
type Tree struct {
	fs   *kernfs.FS
	root *Dir
}

// Dir gives the directory at a path such as "devices/virtual/block", and makes what
// is missing of it.
func (t *Tree) Dir(path string) *Dir {
	d := t.root
	for name := range strings.SplitSeq(path, "/") {
		d = d.Dir(name)
	}
	return d
}

// Attr is a file: one value, with its line feed.
type Attr struct {
	Name string
	Mode uint32                 // permissions; 0 means 0444
	Show func() (string, error) // nil: cannot be read
	Set  func(string) error     // nil: cannot be written; without white space around it
}

// Dir is a directory (struct kobject).
type Dir struct {
	t    *Tree
	node *kernfs.DirNode

	mu      sync.Mutex
	entries []*entry // by seq; guarded by mu
	seq     int64    // of the next entry; guarded by mu
}

// entry is a name in a directory.
type entry struct {
	name string
	typ  uint8 // abi.DT_*
	seq  int64 // its place in listings
	dir  *Dir  // of directories
	make func() fs.Inode
	node fs.Inode // once it was looked for; guarded by Dir.mu
}

func (t *Tree) newDir() *Dir {
	d := &Dir{t: t, node: t.fs.NewDir(0o755)}
	d.node.Find = func(_ *fs.Context, name string) (fs.Inode, error) { return d.find(name) }
	d.node.List = func(_ *fs.Context, pos int64, emit func(fs.Dirent) bool) error { return d.list(pos, emit) }
	return d
}

// add adds an entry; one of the same name is replaced. d.mu is held.
func (d *Dir) add(e *entry) {
	d.remove(e.name)
	e.seq = d.seq
	d.seq++
	d.entries = append(d.entries, e)
}

func (d *Dir) remove(name string) {
	d.entries = slices.DeleteFunc(d.entries, func(e *entry) bool { return e.name == name })
}

func (d *Dir) lookup(name string) *entry {
	for _, e := range d.entries {
		if e.name == name {
			return e
		}
	}
	return nil
}

// Dir gives the directory name in d, and makes it if it is missing.
func (d *Dir) Dir(name string) *Dir {
	d.mu.Lock()
	defer d.mu.Unlock()
	if e := d.lookup(name); e != nil && e.dir != nil {
		return e.dir
	}
	n := d.t.newDir()
	d.add(&entry{name: name, typ: abi.DT_DIR, dir: n, node: n.node})
	return n
}

// Link makes a symbolic link.
func (d *Dir) Link(name, target string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.add(&entry{name: name, typ: abi.DT_LNK, make: func() fs.Inode { return d.t.fs.NewSymlink(target) }})
}

// Attrs makes files.
func (d *Dir) Attrs(attrs ...Attr) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, a := range attrs {
		d.add(&entry{name: a.Name, typ: abi.DT_REG, make: func() fs.Inode { return d.t.newFile(a) }})
	}
}

// Text makes a file whose text is computed and can only be read.
func (d *Dir) Text(name string, f func() string) {
	d.Attrs(Attr{Name: name, Show: func() (string, error) { return f(), nil }})
}

// Remove takes a name away, with all that is below it.
func (d *Dir) Remove(name string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.remove(name)
}

func (d *Dir) find(name string) (fs.Inode, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	e := d.lookup(name)
	if e == nil {
		return nil, abi.ENOENT
	}
	return e.inode(), nil
}

// inode makes the entry's node; Dir.mu is held.
func (e *entry) inode() fs.Inode {
	if e.node == nil {
		e.node = e.make()
	}
	return e.node
}

// list emits the entries from position pos on.
func (d *Dir) list(pos int64, emit func(fs.Dirent) bool) error {
	d.mu.Lock()
	from, _ := slices.BinarySearchFunc(d.entries, pos, func(e *entry, seq int64) int { return cmp.Compare(e.seq, seq) })
	var out []fs.Dirent
	for _, e := range d.entries[from:] {
		a, err := e.inode().Getattr()
		if err != nil {
			d.mu.Unlock()
			return err
		}
		out = append(out, fs.Dirent{Name: e.name, Ino: a.Ino, Off: e.seq + 1, Type: e.typ})
	}
	d.mu.Unlock()
	for _, e := range out {
		if !emit(e) {
			break
		}
	}
	return nil
}
