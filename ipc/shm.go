// SPDX-License-Identifier: Apache-2.0

package ipc

import (
	"encoding/binary"
	"math"
	"sync"

	"lodger/abi"
	"lodger/fs"
)

// Flags, modes and commands, include/uapi/linux/shm.h.
const (
	ShmRdonly = 0o10000
	ShmRnd    = 0o20000
	ShmRemap  = 0o40000
	ShmExec   = 0o100000

	shmHugetlb = 0o4000
	shmDest    = 0o1000 // to be destroyed with the last detach
	shmLocked  = 0o2000

	ShmLock    = 11
	ShmUnlock  = 12
	ShmStat    = 13
	ShmInfo    = 14
	ShmStatAny = 15
)

// Limits, of /proc/sys/kernel (include/uapi/linux/shm.h).
const (
	shmMax = math.MaxUint64 - 1<<24 // bytes of a segment
	shmAll = math.MaxUint64 - 1<<24 // pages of all
	shmMni = 4096                   // segments
)

const pageSize = 4096

// Segment is struct shmid_kernel.
type Segment struct {
	s *Shm
	perm
	size                uint64
	atime, dtime, ctime int64
	cpid, lpid          int32
	nattch              uint64
	removed             bool
	file                *fs.File
}

// Shm are a guest's segments. Make names the memory of a segment.
type Shm struct {
	Make func(ctx *fs.Context, key int32, size uint64) (*fs.File, error)

	mu    sync.Mutex
	ids   ids
	segs  map[int]*Segment   // by index
	byKey map[int32]*Segment // but for IPC_PRIVATE
	pages uint64
}

// Get is shmget(2); pid makes it.
func (s *Shm) Get(ctx *fs.Context, pid, key int32, size uint64, flags int) (int32, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if seg := s.byKey[key]; key != Private && seg != nil {
		switch {
		case flags&(Creat|Excl) == Creat|Excl:
			return 0, abi.EEXIST
		case size > seg.size:
			return 0, abi.EINVAL
		}
		return seg.id, seg.may(ctx.Creds, uint32(flags)&0o777)
	}
	if key != Private && flags&Creat == 0 {
		return 0, abi.ENOENT
	}
	pages := (size + pageSize - 1) / pageSize
	switch {
	case size < 1 || size > shmMax || size > math.MaxInt64-pageSize:
		return 0, abi.EINVAL
	case pages > shmAll-s.pages, len(s.segs) >= shmMni:
		return 0, abi.ENOSPC
	case flags&shmHugetlb != 0:
		return 0, abi.ENOMEM // the host's huge pages are the host's
	}
	f, err := s.Make(ctx, key, pages*pageSize)
	if err != nil {
		return 0, err
	}
	c := ctx.Creds
	seg := &Segment{s: s, size: size, cpid: pid, ctime: ctx.Time().Sec, file: f,
		perm: perm{key: key, uid: c.EUID, gid: c.EGID, cuid: c.EUID, cgid: c.EGID, mode: uint32(flags) & 0o777}}
	seg.id, seg.seq = s.ids.take(func(i int) bool { return s.segs[i] != nil })
	if s.segs == nil {
		s.segs, s.byKey = map[int]*Segment{}, map[int32]*Segment{}
	}
	s.segs[int(seg.id&indexMask)] = seg
	if key != Private {
		s.byKey[key] = seg
	}
	s.pages += pages
	return seg.id, nil
}

// find is shm_obtain_object_check. Called with mu held.
func (s *Shm) find(id int32) (*Segment, error) {
	if id < 0 {
		return nil, abi.EINVAL
	}
	seg := s.segs[int(id&indexMask)]
	switch {
	case seg == nil:
		return nil, abi.EINVAL
	case seg.id != id:
		return nil, abi.EIDRM
	}
	return seg, nil
}

// Open finds a segment that pid is about to attach, with the rights that want has the
// bits of, and counts the attachment: Forget takes it back. The file is the segment's.
func (s *Shm) Open(c *fs.Creds, pid, id int32, want uint32, now int64) (*Segment, *fs.File, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	seg, err := s.find(id)
	if err == nil {
		err = seg.may(c, want)
	}
	if err != nil {
		return nil, nil, err
	}
	seg.nattch++
	seg.atime, seg.lpid = now, pid
	return seg, seg.file.IncRef(), nil
}

// Memory gives the file of an attached segment, with a reference.
func (seg *Segment) Memory() *fs.File {
	seg.s.mu.Lock()
	defer seg.s.mu.Unlock()
	return seg.file.IncRef()
}

// Size is in bytes.
func (seg *Segment) Size() uint64 { return seg.size }

// Forked counts another attachment, of a copied address space.
func (seg *Segment) Forked() {
	seg.s.mu.Lock()
	defer seg.s.mu.Unlock()
	seg.nattch++
}

// Gone forgets one (shm_close); the last of a removed segment ends it. pid and now are
// who did it and when, 0 where nobody in particular.
func (seg *Segment) Gone(pid int32, now int64) {
	s := seg.s
	s.mu.Lock()
	seg.nattch--
	if pid != 0 {
		seg.lpid, seg.dtime = pid, now
	}
	f := s.destroyed(seg)
	s.mu.Unlock()
	if f != nil {
		f.DecRef()
	}
}

// destroyed ends a segment that was removed and that nobody has attached, and gives its
// file. Called with mu held.
func (s *Shm) destroyed(seg *Segment) *fs.File {
	if !seg.removed || seg.nattch > 0 || seg.file == nil {
		return nil
	}
	delete(s.segs, int(seg.id&indexMask))
	s.pages -= (seg.size + pageSize - 1) / pageSize
	f := seg.file
	seg.file = nil
	return f
}

// Remove is IPC_RMID.
func (s *Shm) Remove(c *fs.Creds, id int32) error {
	s.mu.Lock()
	seg, err := s.find(id)
	if err == nil {
		err = seg.owns(c)
	}
	var f *fs.File
	if err == nil {
		if seg.key != Private {
			delete(s.byKey, seg.key)
			seg.key = Private
		}
		seg.removed = true
		seg.mode |= shmDest
		f = s.destroyed(seg)
	}
	s.mu.Unlock()
	if f != nil {
		f.DecRef()
	}
	return err
}

// DsSize is struct shmid64_ds's, in bytes.
const DsSize = permSize + 64

// Set is IPC_SET, from a struct shmid64_ds.
func (s *Shm) Set(c *fs.Creds, id int32, ds []byte, now int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	seg, err := s.find(id)
	if err == nil {
		err = seg.owns(c)
	}
	if err == nil {
		err = seg.set(ds)
	}
	if err == nil {
		seg.ctime = now
	}
	return err
}

// Lock is SHM_LOCK and SHM_UNLOCK: noted and shown, and the host pages as it likes.
func (s *Shm) Lock(c *fs.Creds, id int32, on bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	seg, err := s.find(id)
	if err != nil {
		return err
	}
	if c.EUID != seg.uid && c.EUID != seg.cuid && !c.Capable(abi.CAP_IPC_LOCK) {
		return abi.EPERM
	}
	if seg.mode &^= shmLocked; on {
		seg.mode |= shmLocked
	}
	return nil
}

// Stat is IPC_STAT and, by the index of the segment, SHM_STAT and SHM_STAT_ANY: a
// struct shmid64_ds, and for the latter the identifier.
func (s *Shm) Stat(c *fs.Creds, id int32, cmd int) (ds []byte, result int32, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	seg, err := s.find(id)
	if cmd != Stat {
		if seg, err = s.segs[int(id)], nil; id < 0 || seg == nil {
			return nil, 0, abi.EINVAL
		}
		result = seg.id
	}
	if err == nil && cmd != ShmStatAny {
		err = seg.may(c, 0o444)
	}
	if err != nil {
		return nil, 0, err
	}
	b := make([]byte, DsSize)
	seg.encode(b)
	le := binary.LittleEndian
	for i, v := range []uint64{seg.size, uint64(seg.atime), uint64(seg.dtime), uint64(seg.ctime)} {
		le.PutUint64(b[48+8*i:], v)
	}
	le.PutUint32(b[80:], uint32(seg.cpid))
	le.PutUint32(b[84:], uint32(seg.lpid))
	le.PutUint64(b[88:], seg.nattch)
	return b, result, nil
}

// Limits is IPC_INFO: a struct shminfo64, and the highest index in use.
func (s *Shm) Limits() ([]byte, int32) {
	var b []byte
	for _, v := range []uint64{shmMax, 1, shmMni, shmMni, shmAll, 0, 0, 0, 0} {
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	return b, s.highest()
}

// Usage is SHM_INFO: a struct shm_info, and the highest index in use. What is resident
// the host does not tell.
func (s *Shm) Usage() ([]byte, int32) {
	s.mu.Lock()
	n, pages := len(s.segs), s.pages
	s.mu.Unlock()
	var b []byte
	for _, v := range []uint64{uint64(n), pages, 0, 0, 0, 0} {
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	return b, s.highest()
}

func (s *Shm) highest() (top int32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.segs {
		top = max(top, int32(i))
	}
	return top
}
