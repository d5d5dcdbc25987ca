// SPDX-License-Identifier: Apache-2.0

package ext4

import (
	"cmp"
	"slices"

	"lodger/abi"
	"lodger/fs"
)

// dirHint is what a directory remembers between insertions: the block that had
// room last.
type dirHint struct{ block uint32 }

// dirBlocks gives how many blocks a directory has.
func (i *inode) dirBlocks() uint32 { return uint32(min(i.s.es.blocksIn(i.size), maxBlocks)) }

// dirBlock reads a block of a directory, unchecked; nil for a hole.
func (i *inode) dirBlock(n uint32) (*Buffer, error) {
	r, err := i.mapBlocks(n, 1)
	if err != nil {
		return nil, err
	}
	if r.Physical == noPhys || r.Unwritten {
		return nil, nil
	}
	return i.s.bread(r.Physical)
}

// leafBlock reads and checks a block of entries; nil for a hole.
func (i *inode) leafBlock(n uint32) (*Buffer, error) {
	b, err := i.dirBlock(n)
	if b == nil || err != nil {
		return nil, err
	}
	return b, i.checkDirBlock(b)
}

// isIndexed is is_dx.
func (i *inode) isIndexed() bool {
	return i.is(flIndex) && i.s.es.hasCompat(compatDirIndex) && !i.is(flInlineData)
}

// found is a directory entry and where it stands.
type found struct {
	ino  uint32
	typ  uint8
	blk  *Buffer // nil: inline
	data []byte  // the entries' area
	off  int     // in data
}

// find looks name up (ext4_find_entry); ENOENT.
func (i *inode) find(name string) (found, error) {
	if len(name) > abi.NAME_MAX {
		return found{}, abi.ENAMETOOLONG
	}
	if i.is(flInlineData) {
		return i.findInline(name)
	}
	if i.isIndexed() && name != "." && name != ".." {
		f, err := i.findIndexed(name)
		if err != errBadIndex {
			return f, err
		}
	}
	return i.findLinear(name)
}

func (i *inode) findLinear(name string) (found, error) {
	for n := range i.dirBlocks() {
		var b *Buffer
		var err error
		if i.isIndexed() && n == 0 { // holds "." and ".." alone
			if b, err = i.dirBlock(0); b != nil && err == nil {
				if f, ok := i.s.scan(b, name, len(b.data)); ok {
					return f, nil
				}
			}
			if err != nil {
				return found{}, err
			}
			continue
		}
		if b, err = i.dirBlock(n); err != nil {
			return found{}, err
		}
		if b == nil || i.isIndexed() && i.s.isIndexBlock(b.data) {
			continue
		}
		if err := i.checkDirBlock(b); err != nil {
			return found{}, err
		}
		if f, ok := i.s.scan(b, name, len(b.data)-i.s.dirTail()); ok {
			return f, nil
		}
	}
	return found{}, abi.ENOENT
}

// scan looks for name in the first end bytes of a block.
func (s *FS) scan(b *Buffer, name string, end int) (f found, ok bool) {
	s.eachDirent(b.data[:min(end, len(b.data))], func(e dirent) bool {
		if string(e.name) == name {
			f, ok = found{e.ino, e.typ, b, b.data[:end], e.off}, true
		}
		return !ok
	})
	return f, ok
}

// Lookup finds a name.
func (i *inode) Lookup(_ *fs.Context, name string) (fs.Inode, error) {
	if !i.isDir() {
		return nil, abi.ENOTDIR
	}
	i.s.mu.RLock()
	defer i.s.runlock()
	c, err := i.lookup(name)
	if err != nil {
		return nil, err
	}
	return c, nil
}

func (i *inode) lookup(name string) (*inode, error) {
	if i.dead {
		return nil, abi.ENOENT
	}
	f, err := i.find(name)
	if err != nil {
		return nil, err
	}
	if f.ino == i.ino {
		return nil, i.s.corrupt(i.ino, 0, "entry %q leads to its own directory", name)
	}
	c, err := i.s.iget(f.ino, igetNormal)
	if err == abi.ESTALE {
		err = i.s.corrupt(i.ino, 0, "entry %q leads to unused inode %d", name, f.ino)
	}
	return c, err
}

// listed is an entry of a listing.
type listed struct {
	pos int64
	fs.Dirent
}

// list reads all entries, ordered by hash: positions that stay the same whatever
// is added, removed or moved to another block, as in ext4_dx_readdir.
func (i *inode) list() ([]listed, error) {
	version := i.s.es.defHashVersion
	if version > hashTea {
		version = hashHalfMD4
	}
	if i.s.es.hashUnsigned {
		version += hashLegacyU
	}
	var l []listed
	add := func(e dirent) bool {
		if n := string(e.name); n != "." && n != ".." {
			major, minor, _ := dirHash(n, version, i.s.es.hashSeed)
			l = append(l, listed{int64(major>>1)<<32 | int64(minor), fs.Dirent{Name: n, Ino: uint64(e.ino), Type: dtype(e.typ)}})
		}
		return true
	}
	if i.is(flInlineData) {
		if err := i.eachInline(add); err != nil {
			return nil, err
		}
	} else if err := i.eachBlock(func(b *Buffer) { i.s.eachDirent(b.data[:len(b.data)-i.s.dirTail()], add) }); err != nil {
		return nil, err
	}
	slices.SortFunc(l, func(a, b listed) int {
		return cmp.Or(cmp.Compare(a.pos, b.pos), cmp.Compare(a.Name, b.Name))
	})
	last := int64(2)
	for k := range l { // two names of the same hashes get two positions
		l[k].pos = max(l[k].pos, last+1)
		last = l[k].pos
		l[k].Off = last
	}
	return l, nil
}

// eachBlock calls f for the blocks of entries.
func (i *inode) eachBlock(f func(b *Buffer)) error {
	for n := range i.dirBlocks() {
		b, err := i.dirBlock(n)
		if err != nil {
			return err
		}
		if b == nil || i.isIndexed() && (n == 0 || i.s.isIndexBlock(b.data)) {
			continue
		}
		if err := i.checkDirBlock(b); err != nil {
			return err
		}
		f(b)
	}
	return nil
}

// dirFile is an open directory. Its listing is guarded by the File's position
// lock.
type dirFile struct {
	i       *inode
	entries []listed
	version uint64
}

// Iterate lists the entries.
func (d *dirFile) Iterate(_ *fs.Context, pos int64, emit func(fs.Dirent) bool) error {
	d.i.s.mu.RLock()
	if pos <= 2 || d.entries == nil || d.version != d.i.version {
		l, err := d.i.list()
		if err != nil {
			d.i.s.runlock()
			return err
		}
		d.entries, d.version = l, d.i.version
	}
	d.i.s.runlock()
	k, _ := slices.BinarySearchFunc(d.entries, pos, func(e listed, p int64) int { return cmp.Compare(e.pos, p+1) })
	for ; k < len(d.entries); k++ {
		if !emit(d.entries[k].Dirent) {
			return nil
		}
	}
	return nil
}
