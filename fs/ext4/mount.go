// SPDX-License-Identifier: Apache-2.0

package ext4

import (
	"math/rand/v2"
	"time"

	"lodger/abi"
	"lodger/block"
	"lodger/fs"
	"lodger/lib/printk"
)

// New mounts the file system on dev: ext4_fill_super. Its error is an abi.Errno
// or a *RefusedError, which says why.
func New(v *fs.VFS, dev Device, opt Options) (*fs.SuperBlock, error) {
	s := &FS{dev: dev, opt: opt, inodes: map[uint32]fs.Ref[inode]{}, lazy: map[*inode]struct{}{}, mapped: map[*inode]struct{}{},
		orphans: map[uint32]int{}, prealloc: map[*inode]struct{}{}}
	err := s.load()
	if err == nil {
		err = s.fill(v)
	}
	if err != nil {
		s.giveUp()
		return nil, err
	}
	return s.sb, nil
}

// fill makes the VFS's super block and gets ready for writing.
func (s *FS) fill(v *fs.VFS) error {
	typ := s.opt.Type
	if typ == "" {
		typ = "ext4"
	}
	s.sb = v.NewSuperBlock(typ, abi.EXT4_SUPER_MAGIC, s)
	if s.opt.Dev != 0 {
		s.sb.Dev = s.opt.Dev
	}
	s.sb.SetReadOnly(s.readOnly.Load())
	root, err := s.iget(rootIno, igetNormal)
	if err == nil && (!root.isDir() || root.links == 0 || root.size == 0) {
		err = s.corrupt(rootIno, 0, "the root is no directory")
	}
	if err != nil {
		return err
	}
	if s.readOnly.Load() {
		err = s.recoverReadOnly()
	} else {
		err = s.setup()
	}
	if err != nil {
		return err
	}
	if err := s.sb.SetRoot(root); err != nil {
		return err
	}
	s.sayMounted()
	return nil
}

// giveUp ends a mount that failed.
func (s *FS) giveUp() {
	if s.journal != nil {
		_ = s.journal.Destroy()
	}
	s.crew.dismiss()
}

// load reads super block, groups and journal.
func (s *FS) load() error {
	if err := s.readSuper(); err != nil {
		return err
	}
	if err := s.applyOptions(); err != nil {
		return err
	}
	if t := s.opt.Type; !s.es.fits(t, s.opt.ReadOnly) {
		return refuse("couldn't mount as %s due to feature incompatibilities", t)
	} else if t == "ext2" || t == "ext3" {
		s.log(printk.Info, "mounting %s file system using the ext4 subsystem", t)
	}
	s.rnd = rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), uint64(s.es.csumSeed)))
	s.readOnly.Store(s.opt.ReadOnly)
	if why := s.es.readOnlyReason(); why != "" && !s.opt.ReadOnly {
		s.log(printk.Warning, "mounting read-only: %s", why)
		s.readOnly.Store(true)
	}
	if err := s.loadGroups(); err != nil {
		return err
	}
	if err := s.loadJournal(); err != nil {
		return err
	}
	s.freeBlks, s.freeInos, s.dirs = 0, 0, 0
	for n := range s.groups {
		s.freeBlks += int64(s.groups[n].freeBlocks)
		s.freeInos += int64(s.groups[n].freeInodes)
		s.dirs += int64(s.groups[n].usedDirs)
	}
	s.savedBlks, s.savedInos = int64(s.es.freeBlocks), int64(s.es.freeInodes)
	return nil
}

// readSuper reads the super block and starts an empty cache.
func (s *FS) readSuper() error {
	if w, ok := s.dev.(block.Waiter); ok {
		s.waits = w.Waits()
	}
	raw := make([]byte, superSize)
	if s.dev.Size() < superOffset+superSize {
		return refuse("device of %d bytes is too small", s.dev.Size())
	}
	if err := readFull(s.dev, raw, superOffset); err != nil {
		s.log(printk.Err, "read of the super block: %v", err)
		return abi.EIO
	}
	es, err := parseSuper(raw, s.dev.Size())
	if err != nil {
		return err
	}
	s.es = es
	bytes := s.opt.CacheBytes
	if bytes <= 0 {
		bytes = 8 << 20
	}
	s.cache.byNum = map[uint64]*Buffer{}
	s.cache.lru.Init()
	s.cache.limit = max(bytes/int(es.blockSize), 64)
	return nil
}

// ParseOptions parses mount(2)'s data. What changes nothing here is accepted.
func ParseOptions(data string, flags uint32) (Options, error) {
	o := Options{ReadOnly: flags&abi.MS_RDONLY != 0}
	return o, o.parse(data)
}
