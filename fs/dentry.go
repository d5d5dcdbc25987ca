// SPDX-License-Identifier: Apache-2.0

package fs

import (
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"weak"

	"lodger/abi"
)

// Dentry is a name in the tree. What it leads to never changes: when a name is
// created or removed, a new Dentry takes the old one's place.
type Dentry struct {
	sb    *SuperBlock
	inode Inode  // nil: negative
	kind  uint32 // S_IFMT bits; 0: negative
	loc0  dentryLoc
	loc   atomic.Pointer[dentryLoc] // changed by rename, under renameMu
	gone  atomic.Bool               // unlinked: not reachable by its name
	ref   atomic.Bool               // used since the clock's hand passed
	mnts  atomic.Int32              // mounts on top of it, in any name space
	users atomic.Int32              // open files and held places

	mu  sync.Mutex // the directory's lock (Linux: inode.i_rwsem)
	cmu sync.Mutex
	// children caches names; guarded by cmu. Those on the clock are held. Entries of
	// collected dentries are swept when the map has grown to sweepAt.
	children map[string]Ref[Dentry]
	sweepAt  int
}

type dentryLoc struct {
	parent *Dentry // itself nil for a root
	name   string
}

func newDentry(sb *SuperBlock, parent *Dentry, name string, inode Inode, mode uint32) *Dentry {
	d := &Dentry{sb: sb, inode: inode, kind: mode & abi.S_IFMT}
	d.loc0 = dentryLoc{parent, name}
	d.loc.Store(&d.loc0)
	return d
}

// Inode gives what the dentry leads to; nil for a negative one.
func (d *Dentry) Inode() Inode { return d.inode }

// SuperBlock gives the file system that the dentry belongs to.
func (d *Dentry) SuperBlock() *SuperBlock { return d.sb }

// Parent gives the directory that holds the name; nil for a root.
func (d *Dentry) Parent() *Dentry { return d.loc.Load().parent }

// Name gives the last component.
func (d *Dentry) Name() string { return d.loc.Load().name }

// IsDir reports whether it leads to a directory.
func (d *Dentry) IsDir() bool { return d.kind == abi.S_IFDIR }

// Kind gives the S_IFMT bits; 0 for a negative dentry.
func (d *Dentry) Kind() uint32 { return d.kind }

// Unlinked reports whether the name was removed.
func (d *Dentry) Unlinked() bool { return d.gone.Load() }

// cached gives the cached child called name, or nil. It does not allocate.
func (d *Dentry) cached(name string) *Dentry {
	d.cmu.Lock()
	w, ok := d.children[name]
	d.cmu.Unlock()
	if !ok {
		return nil
	}
	c := w.Get()
	if c != nil && !c.ref.Load() {
		c.ref.Store(true)
	}
	return c
}

// insert makes c the cached child of its name, replacing what was there. It holds c
// until the clock lets go of it: the caller puts it on.
func (d *Dentry) insert(c *Dentry) {
	l := c.loc.Load()
	d.cmu.Lock()
	if d.children == nil {
		d.children = make(map[string]Ref[Dentry])
	}
	if len(d.children) >= max(d.sweepAt, 32) {
		maps.DeleteFunc(d.children, func(_ string, w Ref[Dentry]) bool { return w.Get() == nil })
		d.sweepAt = 2 * len(d.children)
	}
	d.children[l.name] = NewRef(c)
	d.cmu.Unlock()
}

// loosen lets go of d, which left the clock. A rename that is under way puts it on
// again.
func (d *Dentry) loosen() {
	l := d.loc.Load()
	if l.parent == nil {
		return
	}
	l.parent.cmu.Lock()
	if r := l.parent.children[l.name]; r.Holds(d) {
		l.parent.children[l.name] = r.Loosen()
	}
	l.parent.cmu.Unlock()
}

// Sweep removes the entries of collected objects from a table of weak pointers
// and gives how many stay. Tables that are swept each time they have doubled
// cost less than clean-ups of each object.
func Sweep[K comparable, T any](table map[K]weak.Pointer[T]) int {
	for k, w := range table {
		if w.Value() == nil {
			delete(table, k)
		}
	}
	return len(table)
}

// drop removes c from the cache if it is what its name leads to.
func (d *Dentry) drop(c *Dentry) {
	name := c.Name()
	d.cmu.Lock()
	if w, ok := d.children[name]; ok && w.Get() == c {
		delete(d.children, name)
	}
	d.cmu.Unlock()
}

// add makes and caches the dentry of a looked-up or new name. The name is
// copied: it may be part of a long path.
func (d *Dentry) add(name string, inode Inode) (*Dentry, error) {
	var mode uint32
	if inode != nil {
		a, err := inode.Getattr()
		if err != nil {
			return nil, err
		}
		mode = a.Mode
	}
	c := newDentry(d.sb, d, strings.Clone(name), inode, mode)
	d.insert(c)
	d.sb.VFS.dcache.keep(c)
	return c, nil
}

// isAncestor reports whether d is c or above c. Stable only under renameMu.
func (d *Dentry) isAncestor(c *Dentry) bool {
	for ; c != nil; c = c.Parent() {
		if c == d {
			return true
		}
	}
	return false
}

// dcache keeps a bounded number of dentries alive: a clock.
type dcache struct {
	mu   sync.Mutex
	ring []*Dentry // guarded by mu
	hand int       // guarded by mu
}

// keep puts c on the clock and lets go of one not used lately.
func (k *dcache) keep(c *Dentry) {
	if old := k.put(c); old != nil && !old.gone.Load() {
		old.loosen()
	}
}

// put puts c where the hand finds room, and gives what had the place.
func (k *dcache) put(c *Dentry) *Dentry {
	k.mu.Lock()
	defer k.mu.Unlock()
	for {
		i := k.hand
		k.hand++
		if k.hand == len(k.ring) {
			k.hand = 0
		}
		old := k.ring[i]
		if old == nil || old.gone.Load() || !old.ref.Swap(false) {
			k.ring[i] = c
			return old
		}
	}
}

// DropCaches lets go of all dentries that nobody holds.
func (v *VFS) DropCaches() {
	k := &v.dcache
	k.mu.Lock()
	old := k.ring
	k.ring = make([]*Dentry, len(old))
	k.mu.Unlock()
	for _, d := range old {
		if d != nil {
			d.loosen()
		}
	}
}
