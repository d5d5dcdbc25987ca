// SPDX-License-Identifier: Apache-2.0

package ext4

import (
	"lodger/abi"
)

// Structure is a piece of metadata of an image. After a change, Reseal makes its
// checksum right again, so that the change gets past it.
type Structure struct {
	Kind   string
	Off    int
	Len    int
	Reseal func(img []byte)
}

// WithoutJournal takes the journal's feature from an image, which mke2fs does not
// make with an orphan file and without a journal.
func WithoutJournal(img []byte) {
	b := img[superOffset : superOffset+superSize]
	put32(b, 0x5c, le32(b, 0x5c)&^compatHasJournal)
	put32(b, 0x3fc, superCsum(b))
}

// Structures finds the metadata of a sound file system, for tests to change. What
// was found keeps its place in changed copies of the image.
func (s *FS) Structures() (all []Structure, err error) {
	es, bs := s.es, int(s.es.blockSize)
	add := func(kind string, off, n int, reseal func(b []byte)) {
		all = append(all, Structure{kind, off, n, func(img []byte) {
			if es.groupCsum() {
				reseal(img[off : off+n])
			}
		}})
	}
	onlyMeta := func(reseal func(b []byte)) func(b []byte) {
		return func(b []byte) {
			if es.metadataCsum() {
				reseal(b)
			}
		}
	}
	add("super", superOffset, superSize, onlyMeta(func(b []byte) { put32(b, 0x3fc, superCsum(b)) }))
	for g := range es.groups {
		off := int(es.descBlock(g/es.descPerBlock))*bs + int(g%es.descPerBlock*es.descSize)
		add("group", off, int(es.descSize), func(b []byte) { put16(b, 0x1e, es.groupDescCsum(g, b)) })
	}
	for ino := uint32(1); ino <= es.inodesCount; ino++ {
		what := igetNormal
		if ino < es.firstIno && ino != rootIno || ino == es.orphanFileInum {
			what = igetSpecial
		}
		block, at, _ := s.inodeLoc(ino)
		b, err := s.bread(block)
		if err != nil {
			return nil, err
		}
		if le16(b.data[at:], 0) == 0 {
			continue
		}
		if le32(b.data[at:], 0x20)&flEAInode != 0 {
			what = igetEA
		} else if le16(b.data[at:], 0x1a) == 0 {
			what = igetOrphan
		}
		i, err := s.readInode(ino, what)
		if err != nil {
			return nil, err
		}
		kind := "inode"
		if what == igetOrphan {
			kind = "orphan"
		}
		add(kind, int(block)*bs+int(at), int(es.inodeSize), onlyMeta(func(b []byte) {
			c := inodeCsum(es.inodeSeed(ino, le32(b, 0x64)), b)
			put16(b, 0x7c, uint16(c))
			if hasCsumHi(b) {
				put16(b, 0x82, uint16(c>>16))
			}
		}))
		if i.fileACL != 0 {
			at := i.fileACL
			add("xattr", int(at)*bs, bs, onlyMeta(func(b []byte) { put32(b, 16, s.xattrCsum(&Buffer{block: at, data: b})) }))
		}
		if !i.hasMap() || what == igetSpecial && ino != es.orphanFileInum {
			continue
		}
		if i.is(flExtents) {
			s.extentStructures(i, i.iblock(), func(off int) {
				add("extent", off, bs, onlyMeta(func(b []byte) {
					t := node(b).tailOff()
					put32(b, t, crc32c(i.seed, b[:t]))
				}))
			})
		} else {
			for k := range 3 {
				if p := le32(i.iblock(), 4*(directBlocks+k)); p != 0 {
					add("extent", int(p)*bs, bs, func([]byte) {})
				}
			}
		}
		err = i.runs(0, maxBlocks, func(r Run) bool {
			for k := range r.Len {
				p := r.Physical + k
				s.blockStructure(i, r.Logical+k, p, func(kind string, reseal func(b []byte)) { add(kind, int(p)*bs, bs, onlyMeta(reseal)) })
			}
			return true
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// extentStructures gives the places of the nodes below n.
func (s *FS) extentStructures(i *inode, n node, add func(off int)) {
	if n.depth() == 0 {
		return
	}
	for k := range n.entries() {
		b, err := s.bread(n.child(k))
		if err != nil {
			continue
		}
		add(int(b.block) * int(s.es.blockSize))
		s.extentStructures(i, b.data, add)
	}
}

// blockStructure tells what a block of a directory or of the orphan file is.
func (s *FS) blockStructure(i *inode, lblk, pblk uint64, add func(kind string, reseal func(b []byte))) {
	switch {
	case i.ino == s.es.orphanFileInum:
		add("orphan", func(b []byte) {
			n := s.orphanSlots() * 4
			put32(b, n+4, crc32c(crc32cLE64(i.seed, pblk), b[:n]))
		})
	case i.kind == abi.S_IFDIR:
		b, err := s.bread(pblk)
		if err != nil {
			return
		}
		off := 0
		switch {
		case i.is(flIndex) && lblk == 0:
			off = 32
		case i.is(flIndex) && le32(b.data, 0) == 0 && int(le16(b.data, 4)) == len(b.data):
			off = 8
		}
		if off > 0 {
			add("directory", func(b []byte) { i.setDxCsum(b, off) })
		} else {
			add("directory", func(b []byte) { i.setDirCsum(b) })
		}
	}
}
