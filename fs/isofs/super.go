// SPDX-License-Identifier: Apache-2.0

package isofs

import (
	"strconv"
	"strings"

	"lodger/abi"
	"lodger/fs"
	"lodger/fs/rofs"
)

const (
	magic      = 0x9660 // ISOFS_SUPER_MAGIC
	blockBits  = 11
	blockSize  = 1 << blockBits
	firstDesc  = 16  // block of the first volume descriptor
	maxDescs   = 100 // that are looked at
	descRoot   = 156 // the root's record in a descriptor
	descEscape = 88
)

// FS is a mounted file system.
type FS struct {
	rofs.Volume
	opt    options
	blocks uint32 // of the volume
	joliet bool
	rock   bool
	skip   int // bytes before the extensions of each record
	meta   *rofs.Cache[int64, []byte]
	inodes rofs.Inodes[inode]
}

type options struct {
	noRock, noJoliet, mapOff   bool
	hide, showAssoc, overrides bool
	uid, gid, mode, dmode      int64 // -1: what the disc says
}

// Mount mounts what lies on vol: isofs_fill_super. flags and data are mount(2)'s.
func Mount(v *fs.VFS, vol rofs.Volume, flags uint32, data string) (*fs.SuperBlock, error) {
	return rofs.Mount(v, vol, flags, data, mount)
}

func mount(v *fs.VFS, vol rofs.Volume, flags uint32, data string) (*fs.SuperBlock, error) {
	s := &FS{Volume: vol, meta: rofs.NewCache[int64, []byte](4 << 20)}
	if err := s.opt.parse(data); err != nil {
		return nil, err
	}
	root, err := s.load()
	if err != nil {
		return nil, err
	}
	if flags&abi.MS_RDONLY == 0 {
		return nil, abi.EACCES // since Linux 3.12; mount(8) tries again, read-only
	}
	return rofs.NewSuper(v, &s.Volume, "iso9660", magic, s, root)
}

func (o *options) parse(data string) error {
	o.uid, o.gid, o.mode, o.dmode = -1, -1, -1, -1
	for _, opt := range strings.Split(data, ",") {
		key, val, _ := strings.Cut(opt, "=")
		number := func(p *int64, base int) error {
			n, err := strconv.ParseUint(val, base, 32)
			if *p = int64(n); err != nil {
				return abi.EINVAL
			}
			return nil
		}
		var err error
		switch key {
		case "norock":
			o.noRock = true
		case "nojoliet":
			o.noJoliet = true
		case "hide":
			o.hide = true
		case "showassoc":
			o.showAssoc = true
		case "overriderockperm":
			o.overrides = true
		case "uid":
			err = number(&o.uid, 10)
		case "gid":
			err = number(&o.gid, 10)
		case "mode":
			err = number(&o.mode, 8)
		case "dmode":
			err = number(&o.dmode, 8)
		case "map":
			o.mapOff = val == "o" || val == "off"
			if !o.mapOff && val != "n" && val != "normal" {
				err = abi.EINVAL
			}
		case "check":
			if val != "s" && val != "strict" {
				err = abi.EINVAL
			}
		case "", "unhide", "utf8", "nocompress":
		case "iocharset":
			if val != "utf8" {
				err = abi.EINVAL
			}
		case "block":
			if val != "2048" {
				err = abi.EINVAL
			}
		default:
			err = abi.EINVAL
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// load finds the volume descriptors and the root.
func (s *FS) load() (*inode, error) {
	var primary, joliet []byte
	for n := int64(firstDesc); n < firstDesc+maxDescs && (n+1)<<blockBits <= s.Dev.Size(); n++ {
		b, err := s.block(n)
		if err != nil {
			return nil, err
		}
		if string(b[1:6]) != "CD001" || b[0] == 255 {
			break
		}
		esc := string(b[descEscape : descEscape+3])
		switch {
		case b[0] == 1 && primary == nil:
			primary = b
		case b[0] == 2 && joliet == nil && (esc == "%/@" || esc == "%/C" || esc == "%/E"):
			joliet = b
		}
	}
	if primary == nil {
		s.Printf("unable to identify CD-ROM format")
		return nil, abi.EINVAL
	}
	if bs := rofs.LE16(primary, 128); bs != blockSize {
		s.Printf("logical blocks of %d bytes are not supported, only %d", bs, blockSize)
		return nil, abi.EINVAL
	}
	s.blocks = rofs.LE32(primary, 80)
	if !s.opt.noRock {
		if err := s.findRock(rofs.LE32(primary, descRoot+2)); err != nil {
			return nil, err
		}
	}
	desc := primary
	if !s.rock && joliet != nil && !s.opt.noJoliet {
		desc, s.joliet = joliet, true
	}
	root, err := s.directory(rofs.LE32(desc, descRoot+2))
	if err == nil && root.kind() != abi.S_IFDIR {
		s.Printf("the root is no directory")
		err = abi.EINVAL
	}
	return root, err
}

// findRock looks for the mark of SUSP in the root's first record, and for entries of
// Rock Ridge there.
func (s *FS) findRock(block uint32) error {
	r, err := s.record(int64(block)<<blockBits, nil)
	if err != nil {
		return err
	}
	area := r.extensions(0)
	if len(area) >= 7 && string(area[:2]) == "SP" && area[4] == 0xbe && area[5] == 0xef {
		s.rock, s.skip = true, int(area[6])
		return nil
	}
	// Discs without the mark, of the first writers.
	for _, sig := range []string{"RR", "PX"} {
		s.rock = s.rock || len(area) >= 5 && string(area[:2]) == sig
	}
	return nil
}

// block gives a block of metadata.
func (s *FS) block(n int64) ([]byte, error) {
	return s.meta.Get(n, func() ([]byte, int, error) {
		if n < 0 || n >= s.Dev.Size()>>blockBits {
			s.Printf("block %d is outside the image", n)
			return nil, 0, abi.EIO
		}
		b := make([]byte, blockSize)
		return b, blockSize + 64, s.ReadAt(b, n<<blockBits)
	})
}

// Statfs implements fs.Statfser: isofs_statfs.
func (s *FS) Statfs() (abi.Statfs, error) {
	return abi.Statfs{Bsize: blockSize, Blocks: uint64(s.blocks), Namelen: abi.NAME_MAX}, nil
}

// Remount implements fs.Remounter: isofs_remount, which refuses to become writable.
func (s *FS) Remount(flags uint32, _ string) error {
	if flags&abi.MS_RDONLY == 0 {
		return abi.EROFS
	}
	return nil
}

// ShowOptions implements fs.OptionShower: isofs_show_options.
func (s *FS) ShowOptions() string {
	var b strings.Builder
	switch {
	case !s.rock:
		b.WriteString(",norock")
	}
	if !s.joliet {
		b.WriteString(",nojoliet")
	}
	if s.opt.mapOff {
		b.WriteString(",map=o")
	} else {
		b.WriteString(",map=n")
	}
	b.WriteString(",blocksize=2048,iocharset=utf8")
	return b.String()
}
