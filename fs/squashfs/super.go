// SPDX-License-Identifier: Apache-2.0

package squashfs

import (
	"math/bits"
	"strings"

	"lodger/abi"
	"lodger/fs"
	"lodger/fs/rofs"
)

const (
	magic     = 0x73717368
	superSize = 96
	metaSize  = 8192
	nameLen   = 256 // SQUASHFS_NAME_LEN
	noXattr   = 0xffffffff
	noTable   = 1<<64 - 1
)

// super is struct squashfs_super_block.
type super struct {
	inodes, blockSize, fragments    uint32
	compression, blockLog, ids      uint16
	root, bytesUsed                 uint64
	idTable, xattrTable             uint64
	inodeTable, dirTable, fragTable uint64
}

func parseSuper(b []byte) *super {
	le16, le32, le64 := rofs.LE16, rofs.LE32, rofs.LE64
	return &super{
		inodes: le32(b, 4), blockSize: le32(b, 12), fragments: le32(b, 16),
		compression: le16(b, 20), blockLog: le16(b, 22), ids: le16(b, 26),
		root: le64(b, 32), bytesUsed: le64(b, 40), idTable: le64(b, 48), xattrTable: le64(b, 56),
		inodeTable: le64(b, 64), dirTable: le64(b, 72), fragTable: le64(b, 80),
	}
}

// FS is a mounted file system.
type FS struct {
	rofs.Volume
	super
	decompress decompressor
	cache      *rofs.Cache[int64, block] // by place on the disk
	ids        []uint32
	xattrStart uint64 // of the attributes themselves
	xattrIDs   uint32
	inodes     rofs.Inodes[inode]
}

// Mount mounts what lies on vol: squashfs_fill_super. flags and data are mount(2)'s.
func Mount(v *fs.VFS, vol rofs.Volume, flags uint32, data string) (*fs.SuperBlock, error) {
	return rofs.Mount(v, vol, flags, data, mount)
}

func mount(v *fs.VFS, vol rofs.Volume, _ uint32, data string) (*fs.SuperBlock, error) {
	for _, o := range strings.Split(data, ",") {
		switch o {
		case "", "errors=continue", "errors=panic":
		default:
			return nil, abi.EINVAL
		}
	}
	s := &FS{Volume: vol}
	if err := s.load(); err != nil {
		return nil, err
	}
	root, err := s.iget(s.root)
	if err != nil {
		return nil, err
	}
	if root.kind() != abi.S_IFDIR {
		s.Printf("the root is no directory")
		return nil, abi.EINVAL
	}
	return rofs.NewSuper(v, &s.Volume, "squashfs", magic, s, root)
}

// load reads and checks the super block and the tables that stay in memory.
func (s *FS) load() error {
	raw := make([]byte, superSize)
	if s.Dev.Size() < superSize {
		return abi.EINVAL
	}
	if err := s.ReadAt(raw, 0); err != nil {
		return err
	}
	refuse := func(format string, args ...any) error {
		s.Printf(format, args...)
		return abi.EINVAL
	}
	if rofs.LE32(raw, 0) != magic {
		return refuse("can't find a SQUASHFS superblock")
	}
	s.super = *parseSuper(raw)
	if major, minor := rofs.LE16(raw, 28), rofs.LE16(raw, 30); major != 4 || minor != 0 {
		return refuse("version %d.%d of the format is not supported, only 4.0", major, minor)
	}
	switch {
	case s.bytesUsed < superSize || s.bytesUsed > uint64(s.Dev.Size()):
		return refuse("%d bytes are used of a device of %d", s.bytesUsed, s.Dev.Size())
	case s.blockSize < 4096 || s.blockSize > 1<<20 || bits.OnesCount32(s.blockSize) != 1 ||
		int(s.blockLog) != bits.TrailingZeros32(s.blockSize):
		return refuse("block size %d, log %d", s.blockSize, s.blockLog)
	case s.root&0xffff > metaSize:
		return refuse("root inode at %#x", s.root)
	case s.inodeTable >= s.bytesUsed || s.dirTable >= s.bytesUsed || s.dirTable < s.inodeTable:
		return refuse("inode table at %d, directories at %d", s.inodeTable, s.dirTable)
	case s.super.ids == 0:
		return refuse("no table of owners")
	}
	var err error
	if s.decompress, err = newDecompressor(s.compression, int(s.blockSize)); err != nil {
		return refuse("%v", err)
	}
	s.cache = rofs.NewCache[int64, block](max(8<<20, 8*int(s.blockSize)))
	if err := s.loadIDs(); err != nil {
		return err
	}
	return s.loadXattrs()
}

// loadIDs is squashfs_read_id_index_table, and the table itself.
func (s *FS) loadIDs() error {
	s.ids = make([]uint32, s.super.ids)
	for n := 0; n < len(s.ids); n += metaSize / 4 {
		c, err := s.indirect(s.idTable, uint64(n)*4)
		if err != nil {
			return err
		}
		b, err := c.next(4 * min(metaSize/4, len(s.ids)-n))
		if err != nil {
			return err
		}
		for k := range len(b) / 4 {
			s.ids[n+k] = rofs.LE32(b, 4*k)
		}
	}
	return nil
}

// Statfs implements fs.Statfser: squashfs_statfs.
func (s *FS) Statfs() (abi.Statfs, error) {
	return abi.Statfs{Bsize: int64(s.blockSize), Blocks: (s.bytesUsed-1)>>s.blockLog + 1,
		Files: uint64(s.super.inodes), Namelen: nameLen}, nil
}

// ShowOptions implements fs.OptionShower.
func (s *FS) ShowOptions() string { return ",errors=continue" }
