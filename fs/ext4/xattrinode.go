// SPDX-License-Identifier: Apache-2.0

package ext4

import (
	"lodger/abi"
	"lodger/fs"
)

// With feature ea_inode a large value has an inode of its own, which several
// files may share: users are counted in the fields of i_ctime and i_version, and
// i_atime holds the value's checksum.

// bigXattr reports whether a value is to have an inode even when it would just
// fit the attribute block (EXT4_XATTR_MIN_LARGE_EA_SIZE).
func (s *FS) bigXattr(x *xattr) bool {
	least := int(s.es.blockSize) - xattrLen(3) - xattrHeader - 4
	return s.es.hasIncompat(incompatEAInode) && x.inum == 0 && valueLen(x) > least
}

// newEAInode puts a value into an inode of its own and makes x lead there
// (ext4_xattr_inode_lookup_create, which would look for an inode to share).
func (i *inode) newEAInode(h *handle, x *xattr) error {
	s := i.s
	n, err := s.newInode(h, i, fs.NewAttr{Mode: abi.S_IFREG | 0o600, UID: i.uid, GID: i.gid, Now: i.ctime})
	if err != nil {
		return err
	}
	sum := crc32c(s.es.csumSeed, x.value)
	put32(n.raw, 0x24, 1) // one user
	err = n.update(h, func() {
		n.flags = n.flags&flExtents | flEAInode
		n.links = 1
		n.atime = abi.Timespec{Sec: int64(int32(sum))}
		n.ctime = abi.Timespec{}
	})
	if err == nil {
		err = n.fillEAInode(h, x.value)
	}
	if err != nil {
		s.undoInode(h, n)
		return err
	}
	var word [4]byte
	put32(word[:], 0, sum)
	x.hash = xattrHash(&xattr{name: x.name, value: word[:]})
	x.inum, x.value = n.ino, nil
	return nil
}

// fillEAInode writes a value to new blocks. Like a file's data it is on the
// device before the change that leads to it can be.
func (i *inode) fillEAInode(h *handle, value []byte) error {
	bs := int(i.s.es.blockSize)
	for done := 0; done < len(value); {
		lblk := uint32(done / bs)
		pblk, n, err := i.s.newBlocks(h, i.goal(lblk), uint32(divUp(uint64(len(value)-done), uint64(bs))))
		if err != nil {
			return err
		}
		k := min(len(value)-done, int(n)*bs)
		for b := range uint64(n) {
			i.s.cache.drop(pblk + b) // what was read of them before they were free
		}
		err = i.writePadded(value[done:done+k], pblk, 0)
		if err != nil {
			i.s.freeBlocks(h, i.ino, pblk, n, false)
			return err
		}
		if err := i.addMapping(h, lblk, pblk, n, false); err != nil {
			return err
		}
		done += k
	}
	return i.update(h, func() { i.size = int64(len(value)) })
}

// refEAInode counts a user of a value's inode more (ext4_xattr_inode_inc_ref).
func (s *FS) refEAInode(h *handle, ino uint32) error {
	ea, err := s.iget(ino, igetEA)
	if err != nil {
		return err
	}
	return ea.setUsers(h, ea.users()+1)
}

func (i *inode) users() uint64 { return uint64(le32(i.raw, 0xc))<<32 | uint64(le32(i.raw, 0x24)) }

func (i *inode) setUsers(h *handle, n uint64) error {
	put32(i.raw, 0x24, uint32(n))
	return i.update(h, func() { i.ctime = abi.Timespec{Sec: int64(int32(n >> 32))} })
}

// putEAInode counts a user of a value's inode less; the last one frees it.
func (s *FS) putEAInode(h *handle, ino uint32) error {
	ea, err := s.iget(ino, igetEA)
	if err != nil {
		return err
	}
	if n := ea.users(); n > 1 {
		return ea.setUsers(h, n-1)
	}
	if err := ea.unmap(h, 0, maxBlocks); err != nil {
		return err
	}
	put32(ea.raw, 0x24, 0)
	ea.setDtime()
	if err := ea.update(h, func() { ea.links, ea.size, ea.dead = 0, 0, true }); err != nil {
		return err
	}
	if err := s.freeInode(h, ea); err != nil {
		return err
	}
	s.forgetInode(ea)
	return nil
}
