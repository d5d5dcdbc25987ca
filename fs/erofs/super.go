// SPDX-License-Identifier: Apache-2.0

package erofs

import (
	"fmt"
	"hash/crc32"
	"math"
	"slices"
	"strings"

	"lodger/abi"
	"lodger/fs"
	"lodger/fs/rofs"
)

const (
	magic       = 0xe0f5e1e2
	superOffset = 1024
	superSize   = 128

	compatChecksum = 1

	incompatZeroPadding = 0x1 // LZ4 data stands at the end of its blocks
	incompatComprCfgs   = 0x2 // and big physical clusters
	incompatChunked     = 0x4
	incompatDevices     = 0x8 // or a second algorithm
	incompatZtail       = 0x10
	incompatFragments   = 0x20 // or shared extents
	incompatPrefixes    = 0x40
	incompat48Bit       = 0x80
	incompatMetabox     = 0x100

	incompatKnown = incompatZeroPadding | incompatComprCfgs | incompatChunked | incompatDevices | incompatZtail | incompatFragments
)

// super is struct erofs_super_block.
type super struct {
	blockBits, dirBits            uint8
	rootNid                       uint64
	inos                          uint64
	built                         abi.Timespec
	blocks, metaBlock, xattrBlock uint32
	compat, incompat              uint32
	algorithms                    uint16
	packedNid                     uint64
}

// FS is a mounted file system.
type FS struct {
	rofs.Volume
	super
	blockSize int64
	meta      *rofs.Cache[int64, []byte]     // blocks of metadata
	extents   *rofs.Cache[extentKey, []byte] // decompressed ones
	inodes    rofs.Inodes[inode]
	packed    *inode // holds fragments
	options   string
}

// Mount mounts what lies on vol: erofs_fc_fill_super. flags and data are mount(2)'s.
func Mount(v *fs.VFS, vol rofs.Volume, flags uint32, data string) (*fs.SuperBlock, error) {
	return rofs.Mount(v, vol, flags, data, mount)
}

func mount(v *fs.VFS, vol rofs.Volume, _ uint32, data string) (*fs.SuperBlock, error) {
	s := &FS{Volume: vol}
	if err := s.parseOptions(data); err != nil {
		return nil, err
	}
	if err := s.load(); err != nil {
		return nil, err
	}
	root, err := s.iget(s.rootNid)
	if err != nil {
		return nil, err
	}
	if root.kind() != abi.S_IFDIR {
		return nil, s.refuse("rootino(nid %d) is not a directory", s.rootNid)
	}
	if s.incompat&incompatFragments != 0 && s.packedNid != 0 {
		if s.packed, err = s.iget(s.packedNid); err != nil {
			return nil, err
		}
		if s.packed.kind() != abi.S_IFREG {
			return nil, s.refuse("the packed inode is no file")
		}
	}
	return rofs.NewSuper(v, &s.Volume, "erofs", magic, s, root)
}

func (s *FS) parseOptions(data string) error {
	known := []string{"", "user_xattr", "nouser_xattr", "acl", "noacl", "cache_strategy=disabled", "cache_strategy=readahead",
		"cache_strategy=readaround", "dax=never"}
	xattr, acl, cache := ",user_xattr", ",acl", ",cache_strategy=readaround"
	for _, o := range strings.Split(data, ",") {
		if !slices.Contains(known, o) {
			return abi.EINVAL
		}
		switch {
		case strings.HasSuffix(o, "user_xattr"):
			xattr = "," + o
		case strings.HasSuffix(o, "acl"):
			acl = "," + o
		case strings.HasPrefix(o, "cache_strategy"):
			cache = "," + o
		}
	}
	s.options = xattr + acl + cache
	return nil
}

func (s *FS) refuse(format string, args ...any) error {
	s.Printf(format, args...)
	return abi.EINVAL
}

// corrupt tells what is broken, and gives EUCLEAN (EFSCORRUPTED).
func (s *FS) corrupt(nid uint64, format string, args ...any) error {
	s.Printf("nid %d: %s", nid, fmt.Sprintf(format, args...))
	return abi.EUCLEAN
}

// load is erofs_read_superblock.
func (s *FS) load() error {
	size := s.Dev.Size()
	if size < superOffset+superSize {
		return abi.EINVAL
	}
	b := make([]byte, superSize)
	if err := s.ReadAt(b, superOffset); err != nil {
		return err
	}
	le16, le32, le64 := rofs.LE16, rofs.LE32, rofs.LE64
	if le32(b, 0) != magic {
		return s.refuse("cannot find valid erofs superblock")
	}
	s.super = super{
		compat: le32(b, 8), blockBits: b[12], rootNid: uint64(le16(b, 14)), inos: le64(b, 16),
		built:  abi.Timespec{Sec: int64(le64(b, 24)), Nsec: int64(le32(b, 32))},
		blocks: le32(b, 36), metaBlock: le32(b, 40), xattrBlock: le32(b, 44),
		incompat: le32(b, 80), algorithms: le16(b, 84), dirBits: b[90], packedNid: le64(b, 96),
	}
	if s.blockBits < 9 || s.blockBits > 16 {
		return s.refuse("blkszbits %d isn't supported", s.blockBits)
	}
	s.blockSize = 1 << s.blockBits
	if s.dirBits != 0 {
		return s.refuse("dirblkbits %d isn't supported", s.dirBits)
	}
	if s.compat&compatChecksum != 0 {
		if err := s.checkSum(le32(b, 4)); err != nil {
			return err
		}
	}
	if err := s.checkFeatures(le16(b, 86)); err != nil {
		return err
	}
	s.built.Nsec = min(s.built.Nsec, 999_999_999)
	s.meta = rofs.NewCache[int64, []byte](4 << 20)
	s.extents = rofs.NewCache[extentKey, []byte](16 << 20)
	return nil
}

// checkSum is erofs_superblock_csum_verify: of the super block's block from it on.
func (s *FS) checkSum(want uint32) error {
	n := s.blockSize
	if n > superOffset {
		n -= superOffset
	}
	if superOffset+n > s.Dev.Size() {
		return s.refuse("the image ends within its super block")
	}
	b := make([]byte, n)
	if err := s.ReadAt(b, superOffset); err != nil {
		return err
	}
	clear(b[4:8])
	if got := ^crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)); got != want {
		s.Printf("invalid checksum 0x%08x, 0x%08x expected", got, want)
		return abi.EBADMSG
	}
	return nil
}

func (s *FS) checkFeatures(devices uint16) error {
	for bit := uint32(1); bit != 0; bit <<= 1 {
		if s.incompat&bit&^incompatKnown != 0 {
			name := fmt.Sprintf("%#x", bit)
			switch bit {
			case incompatPrefixes:
				name = "long xattr name prefixes"
			case incompat48Bit:
				name = "48-bit layout"
			case incompatMetabox:
				name = "metabox"
			}
			return s.refuse("incompatible feature %s is not supported", name)
		}
	}
	if s.incompat&incompatDevices != 0 && devices != 0 {
		return s.refuse("the image needs %d more devices, which is not supported", devices)
	}
	// With configurations of algorithms the field lists them, else it is LZ4's distance.
	if s.incompat&incompatComprCfgs != 0 && s.algorithms&^1 != 0 {
		return s.refuse("compression algorithms %#x are not supported, only LZ4 (0x1) is", s.algorithms)
	}
	return nil
}

// Statfs implements fs.Statfser: erofs_statfs.
func (s *FS) Statfs() (abi.Statfs, error) {
	return abi.Statfs{Bsize: s.blockSize, Blocks: uint64(s.blocks), Files: math.MaxUint64, Ffree: math.MaxUint64 - s.inos,
		Namelen: abi.NAME_MAX}, nil
}

// ShowOptions implements fs.OptionShower.
func (s *FS) ShowOptions() string { return s.options }
