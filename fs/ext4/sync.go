// SPDX-License-Identifier: Apache-2.0

package ext4

import (
	"time"

	"lodger/abi"
	"lodger/fs"
)

// maxLazy bounds the inodes whose access time is only in memory.
const maxLazy = 4096

// journaled reports whether changes go through a real journal.
func (s *FS) journaled() bool { _, no := s.journal.(noJournal); return !no }

// setup is ext4_setup_super: the file system is about to be written.
func (s *FS) setup() error {
	if s.es.state&stateValid == 0 && !s.journaled() {
		s.log("was not cleanly unmounted: e2fsck is recommended")
	}
	if s.es.errorCount > 0 {
		s.log("has %d known errors: e2fsck is recommended", s.es.errorCount)
	}
	if err := s.loadOrphanFile(); err != nil {
		return err
	}
	if err := s.cleanOrphans(); err != nil {
		return err
	}
	return s.change(nil, creditsInode, func(h *handle) error {
		s.es.mntCount++
		s.es.mtime = uint32(time.Now().Unix())
		if s.journaled() {
			s.es.incompat |= incompatRecover
		} else {
			s.es.state &^= stateValid
		}
		if err := s.writeSuper(h); err != nil {
			return err
		}
		return s.journal.Commit()
	})
}

// Sync makes everything durable (ext4_sync_fs).
func (s *FS) Sync() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.syncLocked()
}

func (s *FS) syncLocked() error {
	if s.readOnly.Load() || s.closed {
		return nil
	}
	if err := s.writeLazy(); err != nil {
		return err
	}
	err := s.changeLocked(nil, creditsInode, func(h *handle) error {
		s.es.wtime = uint32(time.Now().Unix())
		if len(s.orphans) == 0 {
			s.es.roCompat &^= roOrphanPres
		}
		return s.writeSuper(h)
	})
	if err != nil {
		return err
	}
	if err := s.journal.Commit(); err != nil {
		return s.ioFailed("commit", err)
	}
	return nil
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
		if i.dead {
			continue
		}
		if err := s.changeLocked(nil, creditsInode, func(h *handle) error { return s.writeInode(h, i) }); err != nil {
			return err
		}
	}
	return s.writeMapped()
}

// ReleaseSuper ends the file system (ext4_put_super).
func (s *FS) ReleaseSuper() {
	if err := s.Close(); err != nil {
		s.log("unmount: %v", err)
	}
}

// Close writes everything and marks the file system clean. Nothing works
// afterwards.
func (s *FS) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	defer func() { s.closed = true; s.readOnly.Store(true) }()
	if s.readOnly.Load() {
		return nil
	}
	s.discardAll()
	if err := s.markClean(true); err != nil {
		return err
	}
	return s.journal.Close()
}

// markClean syncs and sets the state of an unmounted or read-only file system.
func (s *FS) markClean(last bool) error {
	if err := s.syncLocked(); err != nil {
		return err
	}
	err := s.changeLocked(nil, creditsInode, func(h *handle) error {
		s.es.incompat &^= incompatRecover
		if s.state.count == 0 {
			s.es.state |= stateValid
		}
		return s.writeSuper(h)
	})
	if err != nil {
		return err
	}
	return s.journal.Commit()
}

// Remount changes between read-only and writable (ext4_reconfigure).
func (s *FS) Remount(flags uint32, data string) error {
	o, err := ParseOptions(data, flags)
	if err != nil {
		return err
	}
	ro := flags&abi.MS_RDONLY != 0
	switch {
	case ro == s.readOnly.Load():
	case ro:
		s.mu.Lock()
		err = s.markClean(false)
		s.mu.Unlock()
		if err == nil {
			s.readOnly.Store(true)
		}
	case s.state.aborted, s.es.readOnlyReason() != "":
		return abi.EROFS
	case s.es.hasCompat(compatHasJournal) && !s.journaled() && s.opt.OpenJournal != nil:
		return abi.EROFS // mounted without the journal: mount anew
	default:
		s.readOnly.Store(false)
		err = s.setup()
	}
	if err == nil && o.Errors != "" {
		s.opt.Errors = o.Errors
		s.stateMu.Lock()
		err = s.parseErrors()
		s.stateMu.Unlock()
	}
	return err
}

// Fsync makes a file durable; the whole file system is.
func (f *file) Fsync(_ *fs.Context, _ bool) error { return f.i.s.Sync() }

// Fsync makes a directory durable.
func (d *dirFile) Fsync(_ *fs.Context, _ bool) error { return d.i.s.Sync() }

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
