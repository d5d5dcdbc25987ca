// SPDX-License-Identifier: Apache-2.0

package ext4

import (
	"math/rand/v2"
	"time"
	"weak"

	"lodger/abi"
	"lodger/fs"
)

// New mounts the file system on dev: ext4_fill_super. Its error is an abi.Errno
// or a *RefusedError, which says why.
func New(v *fs.VFS, dev Device, opt Options) (*fs.SuperBlock, error) {
	s := &FS{dev: dev, opt: opt, inodes: map[uint32]weak.Pointer[inode]{}, lazy: map[*inode]struct{}{}, mapped: map[*inode]struct{}{},
		orphans: map[uint32]int{}, prealloc: map[*inode]struct{}{}}
	if err := s.load(); err != nil {
		return nil, err
	}
	typ := opt.Type
	if typ == "" {
		typ = "ext4"
	}
	s.sb = v.NewSuperBlock(typ, abi.EXT4_SUPER_MAGIC, s)
	if opt.Dev != 0 {
		s.sb.Dev = opt.Dev
	}
	s.sb.SetReadOnly(s.readOnly.Load())
	root, err := s.iget(rootIno, igetNormal)
	if err == nil && (!root.isDir() || root.links == 0 || root.size == 0) {
		err = s.corrupt(rootIno, 0, "the root is no directory")
	}
	if err != nil {
		return nil, err
	}
	if !s.readOnly.Load() {
		if err := s.setup(); err != nil {
			return nil, err
		}
	}
	return s.sb, s.sb.SetRoot(root)
}

// load reads super block, groups and journal.
func (s *FS) load() error {
	if err := s.readSuper(); err != nil {
		return err
	}
	if err := s.parseErrors(); err != nil {
		return err
	}
	if t := s.opt.Type; !s.es.fits(t, s.opt.ReadOnly) {
		return refuse("couldn't mount as %s due to feature incompatibilities", t)
	}
	s.rnd = rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), uint64(s.es.csumSeed)))
	s.readOnly.Store(s.opt.ReadOnly)
	if why := s.es.readOnlyReason(); why != "" && !s.opt.ReadOnly {
		s.log("mounting read-only: %s", why)
		s.readOnly.Store(true)
	}
	if err := s.loadGroups(); err != nil {
		return err
	}
	if err := s.loadJournal(); err != nil {
		return err
	}
	for n := range s.groups {
		s.freeBlks += int64(s.groups[n].freeBlocks)
		s.freeInos += int64(s.groups[n].freeInodes)
		s.dirs += int64(s.groups[n].usedDirs)
	}
	return nil
}

// readSuper reads the super block and starts an empty cache.
func (s *FS) readSuper() error {
	raw := make([]byte, superSize)
	if s.dev.Size() < superOffset+superSize {
		return refuse("device of %d bytes is too small", s.dev.Size())
	}
	if err := readFull(s.dev, raw, superOffset); err != nil {
		s.log("read of the super block: %v", err)
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
	s.journal = noJournal{s}
	return nil
}

func (s *FS) parseErrors() error {
	switch s.opt.Errors {
	case "":
		s.state.policy = s.es.errors
		if p := s.es.errors; p != errorsRO && p != errorsPanic {
			s.state.policy = errorsContinue
		}
	case "continue":
		s.state.policy = errorsContinue
	case "remount-ro":
		s.state.policy = errorsRO
	case "panic":
		s.state.policy = errorsPanic
	default:
		return abi.EINVAL
	}
	return nil
}

// loadJournal opens the journal, replaying it. Replay changes anything on the
// disk, so everything is read anew after it.
func (s *FS) loadJournal() error {
	es := s.es
	dirty := es.hasIncompat(incompatRecover)
	if !es.hasCompat(compatHasJournal) {
		if dirty {
			return refuse("needs_recovery without a journal")
		}
		return nil
	}
	if es.journalInum == 0 {
		if dirty || es.journalDev != 0 {
			return refuse("external journals are not supported")
		}
		return refuse("feature has_journal without a journal")
	}
	info, err := s.journalInfo()
	if err != nil {
		return err
	}
	if s.opt.NoLoad && s.readOnly.Load() {
		return nil
	}
	if s.opt.OpenJournal == nil {
		if dirty {
			return refuse("the journal must be replayed (needs_recovery), and there is nobody to do it")
		}
		return nil
	}
	j, err := s.opt.OpenJournal(info)
	if err != nil {
		return err
	}
	if dirty {
		if err := s.readSuper(); err != nil {
			return err
		}
		if err := s.loadGroups(); err != nil {
			return err
		}
		if _, err := s.journalInfo(); err != nil {
			return err
		}
	}
	if j != nil {
		s.journal = j
	}
	return nil
}

// journalInfo finds the journal's blocks and puts them into the system zone.
func (s *FS) journalInfo() (JournalInfo, error) {
	es := s.es
	info := JournalInfo{Device: s.dev, BlockSize: int(es.blockSize), UUID: es.uuid, Blocks: es.blocksCount,
		Recover: es.hasIncompat(incompatRecover), ReadOnly: s.readOnly.Load()}
	i, err := s.readInode(es.journalInum, igetSpecial)
	if err != nil {
		return info, err
	}
	if i.kind != abi.S_IFREG || i.links == 0 || i.is(flInlineData) {
		return info, s.corrupt(i.ino, 0, "journal is no regular file")
	}
	next := uint64(0)
	want := es.blocksIn(i.size)
	for next < want {
		r, err := i.mapBlocks(uint32(next), uint32(min(want-next, 1<<30)))
		if err != nil {
			return info, err
		}
		if r.Physical == noPhys || r.Unwritten || !s.validData(r.Physical, r.Len) {
			return info, s.corrupt(i.ino, r.Physical, "journal has a hole or lies on metadata at logical block %d", next)
		}
		if n := len(info.Runs); n > 0 && info.Runs[n-1].Physical+info.Runs[n-1].Len == r.Physical {
			info.Runs[n-1].Len += r.Len
		} else {
			info.Runs = append(info.Runs, r)
		}
		next += r.Len
	}
	return info, s.addZones(info.Runs)
}

// ParseOptions parses mount(2)'s data. What changes nothing here is accepted.
func ParseOptions(data string, flags uint32) (Options, error) {
	o := Options{ReadOnly: flags&abi.MS_RDONLY != 0}
	return o, o.parse(data)
}
