// SPDX-License-Identifier: Apache-2.0

package isofs

import (
	"lodger/abi"
	"lodger/fs"
	"lodger/fs/rofs"
)

// found is a name in a directory.
type found struct {
	name string
	at   int64 // of the record that its inode is named by
	dir  bool
	next int64 // position behind it
}

// each calls f for the names from position pos on, until it returns false.
func (i *inode) each(pos int64, f func(found) (bool, error)) error {
	s := i.s
	if len(i.sections) == 0 {
		return abi.EIO
	}
	d := i.sections[0] // directories have one
	more := false
	for pos < d.size {
		at := d.at + pos
		b, err := s.block(at >> blockBits)
		if err != nil {
			return err
		}
		if b[at&(blockSize-1)] == 0 { // the rest of the block is empty
			pos = (pos>>blockBits + 1) << blockBits
			continue
		}
		r, err := s.record(at, nil)
		if err != nil {
			return err
		}
		pos += int64(len(r.b))
		continued := more
		more = r.flags()&flagMore != 0
		if continued || r.isDot() || s.opt.hide && r.flags()&flagHidden != 0 || !s.opt.showAssoc && r.flags()&flagAssoc != 0 {
			continue
		}
		x, ok, err := s.entry(&r)
		if err != nil {
			return err
		}
		if !ok || !rofs.ValidName(x.name) || len(x.name) > abi.NAME_MAX {
			continue
		}
		x.next = pos
		if goOn, err := f(x); !goOn || err != nil {
			return err
		}
	}
	return nil
}

// entry makes a name of a record; ok is false for what is not shown.
func (s *FS) entry(r *record) (x found, ok bool, err error) {
	x = found{at: r.at, dir: r.flags()&flagDir != 0}
	block := r.extent()
	switch {
	case s.rock:
		k, err := s.parseRock(r)
		if err != nil {
			return x, false, err
		}
		if k.moved {
			return x, false, nil
		}
		x.name = k.name.String()
		if !k.hasName {
			x.name = s.plain(r)
		}
		if k.child != 0 {
			x.dir, block = true, k.child
		}
	case s.joliet:
		x.name = jolietName(r.raw())
	default:
		x.name = s.plain(r)
	}
	if x.dir {
		x.at = int64(block) << blockBits // isofs_normalize_block_and_offset
	}
	return x, true, nil
}

func (s *FS) plain(r *record) string {
	if s.opt.mapOff {
		return string(r.raw())
	}
	return plainName(r.raw())
}

// Lookup implements fs.Dir.
func (i *inode) Lookup(_ *fs.Context, name string) (fs.Inode, error) {
	if i.kind() != abi.S_IFDIR {
		return nil, abi.ENOTDIR
	}
	at := int64(-1)
	err := i.each(0, func(x found) (bool, error) {
		if x.name == name {
			at = x.at
		}
		return at < 0, nil
	})
	switch {
	case err != nil:
		return nil, err
	case at < 0:
		return nil, abi.ENOENT
	}
	c, err := i.s.iget(at)
	if err != nil {
		return nil, err // no typed nil
	}
	return c, nil
}

// dirFile is an open directory.
type dirFile struct{ i *inode }

// Iterate implements fs.DirIterator. A position is the byte where the next record is,
// and 3.
func (d dirFile) Iterate(_ *fs.Context, pos int64, emit func(fs.Dirent) bool) error {
	return d.i.each(max(pos-3, 0), func(x found) (bool, error) {
		typ := uint8(0) // isofs tells no types
		return emit(fs.Dirent{Name: x.name, Ino: uint64(x.at>>blockBits<<(blockBits-5) | x.at&(blockSize-1)>>5), Off: x.next + 3, Type: typ}), nil
	})
}
