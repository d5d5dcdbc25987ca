// SPDX-License-Identifier: Apache-2.0

package ext4

import (
	"fmt"
	"time"

	"lodger/abi"
	"lodger/lib/printk"
)

// errorState is what fs/ext4/super.c keeps of errors found at run time.
type errorState struct {
	policy  uint16 // errors=
	aborted bool   // nothing may be written any more (EXT4_FLAGS_EMERGENCY_RO)
	count   uint32 // errors found by this mount
	ino     uint32 // of the last
	block   uint64 // of the last
	first   *errorNote
	last    *errorNote
	unsaved uint32 // errors to be written into the super block
	saving  bool   // a goroutine will do it
}

// errorNote is what the super block remembers of an error.
type errorNote struct {
	when  uint32 // seconds
	ino   uint32
	block uint64
	what  string
}

// corrupt is ext4_error_inode: it tells what is broken, obeys errors=, and gives
// the error for the guest, EUCLEAN (EFSCORRUPTED). ino or block 0: none.
func (s *FS) corrupt(ino uint32, block uint64, format string, args ...any) error {
	return s.failed(abi.EUCLEAN, ino, block, format, args...)
}

// badCsum is corrupt for wrong checksums: EBADMSG (EFSBADCRC).
func (s *FS) badCsum(ino uint32, block uint64, what string) error {
	return s.failed(abi.EBADMSG, ino, block, "%s: wrong checksum", what)
}

func (s *FS) failed(err abi.Errno, ino uint32, block uint64, format string, args ...any) error {
	msg := fmt.Sprintf(format, args...)
	s.sayError(caller(2), ino, block, msg) // of corrupt or badCsum
	s.stateMu.Lock()
	e := &s.state
	e.note(ino, block, msg)
	stop := e.policy != errorsContinue && !e.aborted && !s.readOnly.Load()
	save := !stop && !e.aborted && !e.saving && !s.readOnly.Load() && s.live.Load()
	e.saving = e.saving || save
	s.stateMu.Unlock()
	switch {
	case stop:
		if s.journal != nil {
			s.journal.Abort(err) // it tells FS.abort
		}
		s.abort("")
	case save:
		s.saveErrors()
	}
	return err
}

// note remembers an error. Called with stateMu held.
func (e *errorState) note(ino uint32, block uint64, msg string) {
	e.count++
	e.unsaved++
	e.ino, e.block = ino, block
	n := &errorNote{uint32(time.Now().Unix()), ino, block, msg}
	if e.first == nil {
		e.first = n
	}
	e.last = n
}

// abort ends all writing (ext4_handle_error with force_ro): nothing may rely on
// what is in memory any more. why is told unless it is ""; it was told then.
func (s *FS) abort(why string) {
	s.stateMu.Lock()
	e := &s.state
	if e.aborted {
		s.stateMu.Unlock()
		return
	}
	e.aborted = true
	if e.count == 0 {
		e.note(0, 0, why)
	}
	die := e.policy == errorsPanic
	s.stateMu.Unlock()
	if !s.readOnly.Load() {
		if why != "" {
			s.sayError(caller(1), 0, 0, why)
		}
		s.log(printk.Crit, "Remounting filesystem read-only")
		s.saveErrorsNow()
	}
	s.setReadOnly(true)
	if die && s.opt.Panic != nil {
		s.opt.Panic(fmt.Sprintf("EXT4-fs (device %s): panic forced after error", s.opt.Name))
	}
}

// saveErrors has the super block note errors, by a goroutine: whoever found one
// may hold FS.mu.
func (s *FS) saveErrors() {
	if !s.crew.enter() {
		return
	}
	go func() {
		defer s.crew.leave()
		s.stateMu.Lock()
		s.state.saving = false
		s.stateMu.Unlock()
		err := s.change(nil, creditsInode, s.writeSuper)
		if err != nil && err != abi.EROFS {
			s.log(printk.Err, "the error cannot be noted in the super block: %v", err)
		}
	}()
}

// saveErrorsNow notes them past the journal, which has been given up: in what the
// disk has as super block.
func (s *FS) saveErrorsNow() {
	if s.deviceReadOnly() {
		return
	}
	r := make([]byte, superSize)
	if err := readFull(s.dev, r, superOffset); err != nil || le16(r, 0x38) != superMagic {
		return
	}
	s.putErrors(r)
	if s.es.metadataCsum() {
		put32(r, 0x3fc, superCsum(r))
	}
	if err := writeFull(s.dev, r, superOffset); err != nil {
		s.log(printk.Err, "the error cannot be noted in the super block: %v", err)
	}
}

// putErrors notes errors found in a super block (save_error_info).
func (s *FS) putErrors(r []byte) {
	s.stateMu.Lock()
	defer s.stateMu.Unlock()
	e := &s.state
	if e.count > 0 {
		put16(r, 0x3a, le16(r, 0x3a)|stateErrors)
	}
	if e.unsaved == 0 || s.es.revLevel == 0 {
		return
	}
	put := func(off int, n *errorNote, block int, fn int) {
		put32(r, off, n.when)
		put32(r, off+4, n.ino)
		put64(r, block, n.block)
		clear(r[fn : fn+32])
		copy(r[fn:fn+31], n.what)
	}
	if le32(r, 0x194) == 0 {
		put(0x198, e.first, 0x1a0, 0x1a8)
	}
	put32(r, 0x194, s.es.errorCount+e.count)
	put32(r, 0x1cc, e.last.when)
	put32(r, 0x1d0, e.last.ino)
	put64(r, 0x1d8, e.last.block)
	clear(r[0x1e0:0x200])
	copy(r[0x1e0:0x1ff], e.last.what)
	e.unsaved = 0
}

// ioFailed is the end after a failed write of metadata: what is on the disk is
// unknown.
func (s *FS) ioFailed(what string, err error) error {
	s.abort(fmt.Sprintf("%s: %v", what, err))
	return abi.EIO
}

func (s *FS) setReadOnly(ro bool) {
	s.readOnly.Store(ro)
	if s.sb != nil {
		s.sb.SetReadOnly(ro)
	}
}

// aborted reports whether all writing has ended by an error.
func (s *FS) aborted() bool {
	s.stateMu.Lock()
	defer s.stateMu.Unlock()
	return s.state.aborted
}

// writable gives EROFS when nothing may be written.
func (s *FS) writable() error {
	if s.readOnly.Load() {
		return abi.EROFS
	}
	return nil
}

// Errors gives how many errors were found, and the last one's inode and block.
func (s *FS) Errors() (count int, ino uint32, block uint64) {
	s.stateMu.Lock()
	defer s.stateMu.Unlock()
	return int(s.state.count), s.state.ino, s.state.block
}
