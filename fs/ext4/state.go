// SPDX-License-Identifier: Apache-2.0

package ext4

import (
	"time"

	"lodger/abi"
	"lodger/lib/printk"
)

// Between read-only and writable: mount, remount, unmount.

// setup is ext4_setup_super and what follows it: the file system is about to be
// written.
func (s *FS) setup() error {
	if s.es.state&stateValid == 0 && s.journal == nil {
		s.log(printk.Warning, "warning: mounting unchecked fs, running e2fsck is recommended")
	}
	if s.es.state&stateErrors != 0 {
		s.log(printk.Warning, "warning: mounting fs with errors, running e2fsck is recommended")
	}
	if s.es.errorCount > 0 {
		s.log(printk.Notice, "error count since last fsck: %d", s.es.errorCount)
	}
	if err := s.loadOrphanFile(); err != nil {
		return err
	}
	if err := s.open(); err != nil {
		return err
	}
	s.live.Store(true)
	return s.cleanOrphans()
}

// open notes on the disk that the file system is in use. Nothing is in the log
// before that is durable: who finds no needs_recovery does not replay.
func (s *FS) open() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.journal != nil {
		if err := s.useJournal(); err != nil {
			return err
		}
	} else {
		s.es.state &^= stateValid
	}
	s.es.mntCount++
	s.es.mtime = uint32(time.Now().Unix())
	return s.commitSuper()
}

// recoverReadOnly ends the recovery of a read-only mount: orphans are freed, and
// the log is empty (ext4_orphan_cleanup, ext4_mark_recovery_complete).
func (s *FS) recoverReadOnly() error {
	if s.journal == nil || s.deviceReadOnly() {
		return nil
	}
	dirty := s.es.hasIncompat(incompatRecover)
	if (s.es.lastOrphan != 0 || s.es.hasRO(roOrphanPres)) && s.es.readOnlyReason() == "" {
		s.setReadOnly(false)
		defer s.setReadOnly(true)
		if err := s.setup(); err != nil {
			return err
		}
		return s.markClean()
	}
	if !dirty {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.emptyJournal()
}

// markClean leaves the disk as an unmounted or read-only file system's.
func (s *FS) markClean() error {
	if err := s.writeLazy(); err != nil {
		return err
	}
	s.syncMu.Lock()
	defer s.syncMu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.markCleanLocked()
}

func (s *FS) markCleanLocked() error {
	s.live.Store(false)
	s.discardAll()
	s.stateMu.Lock()
	fine := s.state.count == 0
	s.stateMu.Unlock()
	if s.journal == nil {
		if err := s.writeDirty(s.flush); err != nil {
			return err
		}
	}
	if len(s.orphans) == 0 {
		s.es.roCompat &^= roOrphanPres
	}
	if fine && s.es.state&stateErrors == 0 {
		s.es.state |= stateValid
	}
	s.es.wtime = uint32(time.Now().Unix())
	if s.journal != nil {
		return s.emptyJournal()
	}
	return s.commitSuper()
}

// ReleaseSuper ends the file system (ext4_put_super).
func (s *FS) ReleaseSuper() {
	s.log(printk.Info, "unmounting filesystem %s.", s.uuidText())
	if err := s.Close(); err != nil {
		s.log(printk.Err, "unmount: %v", err)
	}
}

// Close writes everything and marks the file system clean. Nothing works
// afterwards, and neither goroutine nor timer is left.
func (s *FS) Close() error {
	s.evictions.Wait()
	defer s.crew.dismiss()
	var err error
	if !s.readOnly.Load() {
		err = s.writeLazy()
	}
	s.syncMu.Lock()
	defer s.syncMu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	defer func() { s.closed = true }()
	if !s.readOnly.Load() {
		if e := s.markCleanLocked(); err == nil {
			err = e
		}
	}
	s.readOnly.Store(true)
	if s.journal != nil {
		if e := s.journalError(s.journal.Destroy()); err == nil && !s.aborted() {
			err = e
		}
	}
	if s.unflushed() && !s.deviceReadOnly() { // barrier=0
		if e := s.flushDevice(); err == nil && e != nil {
			s.log(printk.Err, "flush: %v", e)
			err = abi.EIO
		}
	}
	return err
}

// Remount changes between read-only and writable, and options
// (ext4_reconfigure).
func (s *FS) Remount(flags uint32, data string) error {
	o, err := ParseOptions(data, flags)
	if err != nil {
		return s.tell(err)
	}
	if err := s.mayRemount(&o); err != nil {
		return err
	}
	if o.abort {
		if s.journal != nil {
			s.journal.Abort(abi.EIO)
		}
		s.abort("abort forced by user")
	}
	ro, how := flags&abi.MS_RDONLY != 0, ""
	if ro != s.readOnly.Load() {
		how = " ro"
		if !ro {
			how = " r/w"
		}
	}
	switch {
	case ro == s.readOnly.Load():
	case ro:
		if err := s.markClean(); err != nil {
			return err
		}
		s.setReadOnly(true)
	case s.aborted(), s.es.readOnlyReason() != "", s.deviceReadOnly():
		return abi.EROFS
	case s.es.hasIncompat(incompatRecover):
		s.log(printk.Err, "the journal must be replayed first: unmount, and mount without noload")
		return abi.EINVAL
	default:
		s.setReadOnly(false)
		if err := s.setup(); err != nil {
			s.setReadOnly(true)
			return err
		}
	}
	s.takeOptions(&o)
	s.log(printk.Info, "re-mounted %s%s.", s.uuidText(), how)
	return nil
}
