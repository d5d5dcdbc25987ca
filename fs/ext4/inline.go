// SPDX-License-Identifier: Apache-2.0

package ext4

import "lodger/abi"

// Inline data (fs/ext4/inline.c): a small file's bytes are in the inode's block
// map and go on in the attribute "system.data". An inline directory starts with
// its parent's number instead of "." and "..".

const inlineDotdot = 4 // bytes of the parent's number

// inlineParts gives the two pieces of the inline data.
func (i *inode) inlineParts() (a, b []byte, err error) {
	x, err := i.ibodyXattrs()
	if err != nil {
		return nil, nil, err
	}
	for _, e := range x {
		if e.index == xattrSystem && e.name == "data" {
			if e.inum != 0 {
				return nil, nil, i.s.corrupt(i.ino, 0, "inline data in another inode")
			}
			return i.iblock(), e.value, nil
		}
	}
	return nil, nil, i.s.corrupt(i.ino, 0, "inline data is missing")
}

// inlineData gives a copy of the inline bytes, as many as the size says.
func (i *inode) inlineData() ([]byte, error) {
	a, b, err := i.inlineParts()
	if err != nil {
		return nil, err
	}
	d := append(append([]byte(nil), a...), b...)
	if i.size > int64(len(d)) {
		return nil, i.s.corrupt(i.ino, 0, "%d bytes of inline data, room for %d", i.size, len(d))
	}
	return d[:i.size], nil
}

// eachInline calls f for the entries of an inline directory; the parts are
// lists of their own.
func (i *inode) eachInline(f func(e dirent) bool) error {
	a, b, err := i.inlineParts()
	if err != nil {
		return err
	}
	for _, part := range [][]byte{a[inlineDotdot:], b} {
		for off := 0; off < len(part); {
			e, ok := i.s.direntAt(part, off)
			if !ok || e.ino != 0 && !goodName(e.name) {
				return i.s.corrupt(i.ino, 0, "inline directory entry at offset %d is broken", off)
			}
			if e.ino != 0 && !f(e) {
				return nil
			}
			off += e.rec
		}
	}
	return nil
}

func (i *inode) findInline(name string) (f found, err error) {
	if name == ".." {
		a, _, err := i.inlineParts()
		if err != nil {
			return f, err
		}
		return found{ino: le32(a, 0), typ: 2}, nil
	}
	err = i.eachInline(func(e dirent) bool {
		if string(e.name) == name {
			f = found{ino: e.ino, typ: e.typ, off: e.off}
		}
		return f.ino == 0
	})
	if err == nil && f.ino == 0 {
		err = abi.ENOENT
	}
	return f, err
}
