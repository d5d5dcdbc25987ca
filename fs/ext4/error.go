// SPDX-License-Identifier: Apache-2.0

package ext4

import (
	"fmt"
	"time"

	"lodger/abi"
)

// errorState is what fs/ext4/super.c keeps of errors found at run time.
type errorState struct {
	policy  uint16 // errors=
	aborted bool   // nothing may be written any more
	count   uint32 // errors found by this mount
	ino     uint32 // of the last
	block   uint64 // of the last
	first   *errorNote
	last    *errorNote
	unsaved bool // to be written into the super block
}

// errorNote is what the super block remembers of an error.
type errorNote struct {
	when  uint32 // seconds
	ino   uint32
	block uint64
	what  string
}

func (s *FS) log(format string, args ...any) {
	if s.opt.Log != nil {
		s.opt.Log(fmt.Sprintf(format, args...))
	}
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
	where := ""
	if ino != 0 {
		where += fmt.Sprintf("inode %d: ", ino)
	}
	if block != 0 {
		where += fmt.Sprintf("block %d: ", block)
	}
	s.log("error: %s%s", where, msg)
	s.stateMu.Lock()
	e := &s.state
	e.count++
	e.ino, e.block, e.unsaved = ino, block, true
	note := &errorNote{uint32(time.Now().Unix()), ino, block, msg}
	if e.first == nil {
		e.first = note
	}
	e.last = note
	abort := e.policy != errorsContinue && !e.aborted && !s.readOnly.Load()
	if abort {
		e.aborted = true
	}
	die := e.policy == errorsPanic
	s.stateMu.Unlock()
	if abort {
		s.log("remounting read-only")
		s.setReadOnly(true)
	}
	if die && s.opt.Panic != nil {
		s.opt.Panic("ext4: error: " + where + msg)
	}
	return err
}

// ioFailed is the abort after a failed write of metadata: what is on the disk is
// unknown, so nothing more may be written (ext4_abort).
func (s *FS) ioFailed(what string, err error) error {
	s.failed(abi.EIO, 0, 0, "%s: %v", what, err)
	s.stateMu.Lock()
	s.state.aborted = true
	s.stateMu.Unlock()
	s.setReadOnly(true)
	return abi.EIO
}

func (s *FS) setReadOnly(ro bool) {
	s.readOnly.Store(ro)
	if s.sb != nil {
		s.sb.SetReadOnly(ro)
	}
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
