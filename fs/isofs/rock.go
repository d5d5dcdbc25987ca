// SPDX-License-Identifier: Apache-2.0

package isofs

import (
	"strings"

	"lodger/abi"
	"lodger/fs/rofs"
)

// maxContinued bounds the continuation areas of a record (RR_MAX_CE_ENTRIES).
const maxContinued = 32

// rock is what a record's Rock Ridge entries tell.
type rock struct {
	name         strings.Builder
	hasName      bool
	mode         uint32 // 0: not told
	nlink        uint32
	uid, gid     uint32
	rdev         uint64
	link         strings.Builder
	hasLink      bool
	slash        bool   // a component of the link has ended
	child        uint32 // block of the directory that was moved away from here
	moved        bool   // this is where it was moved to
	mtime        *abi.Timespec
	atime, ctime *abi.Timespec
}

// parseRock reads a record's entries (parse_rock_ridge_inode_internal,
// get_rock_ridge_filename).
func (s *FS) parseRock(r *record) (*rock, error) {
	k := &rock{}
	area := r.extensions(s.skip)
	for n := 0; ; n++ {
		next, err := s.parseArea(k, area)
		if err != nil || next == nil {
			return k, err
		}
		if n >= maxContinued {
			s.Printf("record at %d: too many continuation areas", r.at)
			return k, nil
		}
		block, off, size := int64(rofs.LE32(next, 4)), int64(rofs.LE32(next, 12)), int64(rofs.LE32(next, 20))
		if off >= blockSize || size > blockSize-off {
			s.Printf("record at %d: continuation of %d bytes at %d", r.at, size, off)
			return nil, abi.EIO
		}
		b, err := s.block(block)
		if err != nil {
			return nil, err
		}
		area = b[off : off+size]
	}
}

// parseArea reads entries; it gives the entry that tells where they go on.
func (s *FS) parseArea(k *rock, area []byte) (next []byte, err error) {
	for len(area) >= 4 {
		n := int(area[2])
		if n < 4 || n > len(area) {
			return next, nil // padding, or nonsense: Linux stops too
		}
		e := area[:n]
		area = area[n:]
		switch sig := string(e[:2]); {
		case sig == "CE" && n >= 28:
			next = e
		case sig == "ST":
			return next, nil
		case sig == "NM" && n >= 5:
			if e[4]&^1 == 0 && k.name.Len()+n-5 < 254 {
				k.name.Write(e[5:])
				k.hasName = true
			}
		case sig == "PX" && n >= 36:
			k.mode, k.nlink, k.uid, k.gid = rofs.LE32(e, 4), rofs.LE32(e, 12), rofs.LE32(e, 20), rofs.LE32(e, 28)
		case sig == "PN" && n >= 20:
			high, low := rofs.LE32(e, 4), rofs.LE32(e, 12)
			if high == 0 && low&^0xff != 0 { // both in one, as some write it
				high, low = low>>8, low&0xff
			}
			k.rdev = abi.Makedev(high&0xfff, low&0xfffff)
		case sig == "TF" && n >= 5:
			k.times(e)
		case sig == "SL" && n >= 5:
			k.hasLink = true
			k.component(e[5:])
		case sig == "CL" && n >= 12:
			k.child = rofs.LE32(e, 4)
		case sig == "RE":
			k.moved = true
		}
	}
	return next, nil
}

// times reads a TF entry: those times that its flags name, in this order.
func (k *rock) times(e []byte) {
	size, read := 7, date
	if e[4]&0x80 != 0 {
		size, read = 17, longDate
	}
	b := e[5:]
	for _, t := range []struct {
		bit byte
		to  **abi.Timespec
	}{{1, &k.ctime}, {2, &k.mtime}, {4, &k.atime}, {8, &k.ctime}} { // creation stands for change where that is missing
		if e[4]&t.bit != 0 && len(b) >= size {
			v := read(b)
			*t.to = &v
			b = b[size:]
		}
	}
}

// component adds the components of an SL entry to the link's text.
func (k *rock) component(b []byte) {
	for len(b) >= 2 {
		n := 2 + int(b[1])
		if n > len(b) || k.link.Len() > abi.PATH_MAX {
			return
		}
		if k.slash {
			k.link.WriteByte('/')
		}
		k.slash = b[0]&1 == 0 // else the next entry goes on with this component
		switch b[0] &^ 1 {
		case 0:
			k.link.Write(b[2:n])
		case 2:
			k.link.WriteByte('.')
		case 4:
			k.link.WriteString("..")
		case 8:
			k.link.WriteByte('/')
			k.slash = false
		}
		b = b[n:]
	}
}

// text is the link's text.
func (k *rock) text() string {
	text, _, _ := strings.Cut(k.link.String(), "\x00")
	return text
}
