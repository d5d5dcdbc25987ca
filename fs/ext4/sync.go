// SPDX-License-Identifier: Apache-2.0

package ext4

import (
	"lodger/abi"
	"lodger/fs"
)

// maxLazy bounds the inodes whose access time is only in memory.
const maxLazy = 4096

// Sync makes everything durable (ext4_sync_fs). It waits without FS.mu.
func (s *FS) Sync() error {
	if s.aborted() {
		return abi.EIO
	}
	if s.readOnly.Load() {
		return nil
	}
	if err := s.writeLazy(); err != nil {
		return err
	}
	if s.storing.Load() {
		s.wrote.Add(1)
	}
	return s.settle()
}

// settle makes durable what was changed so far.
func (s *FS) settle() error {
	if s.journal == nil {
		return s.syncDirect()
	}
	if tid, ok := s.journal.Newest(); ok {
		needs := s.unflushed() && !s.journal.TransWillSendDataBarrier(tid)
		if err := s.journalError(s.journal.CompleteTransaction(tid)); err != nil || !needs {
			return err
		}
	}
	if s.unflushed() {
		return s.flush()
	}
	return nil
}

// fsync makes a file durable (ext4_sync_file): the transaction that holds its
// last change is committed, one commit for all who wait for it, and a flush
// covers data that no commit does. FS.mu is not held over the wait.
func (i *inode) fsync(dataOnly bool) error {
	s := i.s
	switch {
	case s.aborted():
		return abi.EROFS
	case s.readOnly.Load():
		return nil
	}
	if err := i.flushLazy(dataOnly); err != nil {
		return err
	}
	if s.journal == nil {
		return s.syncDirect()
	}
	i.mu.Lock()
	tid := i.syncTID
	if dataOnly {
		tid = i.dataTID
	}
	i.mu.Unlock()
	needs := s.unflushed() && !s.journal.TransWillSendDataBarrier(tid)
	err := s.journalError(s.journal.CompleteTransaction(tid))
	if err == nil && needs && s.unflushed() {
		err = s.flush()
	}
	return err
}

// flushLazy writes what of the file is only in memory: what mappings stored, and
// the access time.
func (i *inode) flushLazy(dataOnly bool) error {
	i.mu.Lock()
	lazy := i.lazyTime && !dataOnly
	i.mu.Unlock()
	return i.s.modify(nil, func() error {
		if i.dead {
			return nil
		}
		if i.stored { // by mappings of the device itself, whose stores nobody tells of
			i.s.wrote.Add(1)
		}
		if err := i.syncMem(); err != nil || !lazy {
			return err
		}
		i.s.inodeMu.Lock()
		delete(i.s.lazy, i)
		i.s.inodeMu.Unlock()
		return i.s.changeLocked(nil, creditsInode, func(h *handle) error { return i.s.writeInode(h, i) })
	})
}

// writeLazy writes the inodes whose access time is only in memory, and what
// mappings changed.
func (s *FS) writeLazy() error {
	s.inodeMu.Lock()
	var l []*inode
	for i := range s.lazy {
		l = append(l, i)
	}
	clear(s.lazy)
	s.inodeMu.Unlock()
	for _, i := range l {
		err := s.modify(nil, func() error {
			if i.dead {
				return nil
			}
			return s.changeLocked(nil, creditsInode, func(h *handle) error { return s.writeInode(h, i) })
		})
		if err != nil {
			return err
		}
	}
	return s.modify(nil, s.writeMapped)
}

// Fsync makes a file durable.
func (f *file) Fsync(_ *fs.Context, dataOnly bool) error {
	err := f.i.fsync(dataOnly)
	if lost := f.lostSince(); err == nil {
		err = lost
	}
	return err
}

// Fsync makes a directory durable.
func (d *dirFile) Fsync(_ *fs.Context, dataOnly bool) error { return d.i.fsync(dataOnly) }

// Accessed sets the access time, in memory: it is written at the next change of
// the inode, or at sync (lazytime). When too many wait, new ones are not kept: a
// walk over a large tree must not fill the memory.
func (i *inode) Accessed(now abi.Timespec, relatime bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.dead || i.flags&flNoatime != 0 || i.s.readOnly.Load() {
		return
	}
	if relatime && i.mtime.Less(i.atime) && i.ctime.Less(i.atime) && now.Sec-i.atime.Sec < 24*3600 {
		return
	}
	if !i.lazyTime {
		i.s.inodeMu.Lock()
		defer i.s.inodeMu.Unlock()
		if len(i.s.lazy) >= maxLazy {
			return
		}
		i.lazyTime = true
		i.s.lazy[i] = struct{}{}
	}
	i.atime = i.clampTime(now)
}
