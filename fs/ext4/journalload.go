// SPDX-License-Identifier: Apache-2.0

package ext4

import (
	"errors"
	"sort"
	"time"

	"lodger/abi"
	"lodger/fs/jbd2"
	"lodger/lib/printk"
)

// Opening, emptying and giving up the journal (ext4_load_journal and the like).

// Data modes: data=.
const (
	dataOrdered = iota
	dataWriteback
	dataJournal
)

// readOnlyer is the ability of a device to be read-only (block.ReadOnlyer).
type readOnlyer interface{ ReadOnly() bool }

func (s *FS) deviceReadOnly() bool {
	r, ok := s.dev.(readOnlyer)
	return ok && r.ReadOnly()
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
		return s.journalless("the file system has no journal")
	}
	if es.journalInum == 0 {
		if dirty || es.journalDev != 0 {
			return refuse("external journals are not supported")
		}
		return refuse("feature has_journal without a journal")
	}
	runs, err := s.journalRuns()
	if err != nil {
		return err
	}
	if s.opt.NoLoad {
		if dirty && !s.readOnly.Load() {
			return refuse("the journal must be replayed first: mount without noload, or read-only")
		}
		return s.journalless("noload leaves the journal out")
	}
	if dirty && s.deviceReadOnly() {
		return &RefusedError{Reason: "the journal must be replayed first, and the device is read-only: mount with noload to see the state before that", Errno: abi.EROFS}
	}
	if dirty && s.readOnly.Load() {
		s.log(printk.Info, "INFO: recovery required on readonly filesystem")
		s.log(printk.Info, "write access will be enabled during recovery")
	}
	j, err := s.openJournal(runs)
	if err != nil {
		return s.refuseJournal(err)
	}
	if dirty {
		if err := s.readSuper(); err != nil {
			return err
		}
		if err := s.loadGroups(); err != nil {
			return err
		}
		if _, err := s.journalRuns(); err != nil {
			return err
		}
	}
	s.journal, s.recovered = j, dirty
	s.es.incompat |= incompatRecover & es.incompat // what the log held may be older
	return s.takeJournalErrno()
}

// refuseJournal gives a mount's error for a journal that cannot be loaded.
func (s *FS) refuseJournal(err error) error {
	e := abi.EINVAL
	var errno abi.Errno
	if errors.As(err, &errno) {
		e = errno
	}
	return &RefusedError{Reason: "journal: " + err.Error(), Errno: e}
}

// journalless goes on without the journal, whose options make no sense then.
func (s *FS) journalless(why string) error {
	if s.opt.Data != "" || s.commitInterval() != 5*time.Second || s.opt.DataErrAbort || s.opt.flags.on&(optJournalChecksum|optAsyncCommit) != 0 {
		return refuse("options of the journal, but %s", why)
	}
	s.dataMode = dataWriteback
	return nil
}

// openJournal loads what lies in the runs; a log that nothing says is to be
// replayed is left alone and given up, as on Linux (jbd2_journal_wipe).
func (s *FS) openJournal(runs []Run) (*jbd2.Journal, error) {
	t := s.opt.Timer
	if t == nil {
		t = hostTimer{}
	}
	bs := int64(s.es.blockSize)
	blocks := uint64(0)
	for _, r := range runs {
		blocks += r.Len
	}
	return jbd2.Load(jbd2.Options{
		Device: s.journalDevice(), Blocksize: int(bs), Blocks: max(s.es.blocksCount, uint64(s.dev.Size()/bs)),
		Map: func(block uint32) (int64, error) {
			i := sort.Search(len(runs), func(i int) bool { return runs[i].Logical+runs[i].Len > uint64(block) })
			if i == len(runs) {
				return 0, abi.EUCLEAN
			}
			return int64(runs[i].Physical+uint64(block)-runs[i].Logical) * bs, nil
		},
		MapBlocks: uint32(min(blocks, 1<<32-1)), Timer: crewTimer{t, &s.crew}, CommitInterval: int64(s.commitInterval()),
		Go: s.crew.spawn, OnAbort: s.journalAborted,
		ReadOnly: s.deviceReadOnly(), Wipe: !s.es.hasIncompat(incompatRecover), Background: true,
	})
}

func (s *FS) commitInterval() time.Duration {
	if s.opt.Commit > 0 {
		return time.Duration(s.opt.Commit) * time.Second
	}
	return 5 * time.Second
}

// takeJournalErrno moves an error that an aborted journal noted into the super
// block (ext4_clear_journal_err).
func (s *FS) takeJournalErrno() error {
	err := s.journal.Errno()
	if err == nil {
		return nil
	}
	s.log(printk.Warning, "an earlier mount ended with an error of the journal (%v): e2fsck is recommended", err)
	s.es.state |= stateErrors
	if s.deviceReadOnly() {
		return nil
	}
	if err := s.commitSuper(); err != nil {
		return err
	}
	return s.journalError(s.journal.ClearErr())
}

// useJournal makes the journal ready for changes: its format is what the file
// system's features ask for, and the super block says that there may be something
// to replay.
func (s *FS) useJournal() error {
	add := jbd2.Features{Incompat: jbd2.FeatureIncompatRevoke}
	remove := jbd2.Features{Compat: jbd2.FeatureCompatChecksum, Incompat: jbd2.FeatureIncompatCsumV2 | jbd2.FeatureIncompatCsumV3 | jbd2.FeatureIncompatAsyncCommit}
	switch {
	case s.es.metadataCsum():
		remove.Incompat &^= jbd2.FeatureIncompatCsumV3
		add.Incompat |= jbd2.FeatureIncompatCsumV3
	case s.opt.flags.on&optJournalChecksum != 0:
		remove.Compat = 0
		add.Compat |= jbd2.FeatureCompatChecksum
	}
	if s.es.hasIncompat(incompat64bit) {
		add.Incompat |= jbd2.FeatureIncompat64Bit
	}
	if err := s.journal.SetFeatures(add, remove); err != nil {
		return s.refuseJournal(err)
	}
	s.maxCredits = s.journal.MaxTransactionBuffers() - 2 // room for the revokes
	s.es.incompat |= incompatRecover
	return nil
}

// emptyJournal leaves nothing to replay and says so in the super block
// (ext4_mark_recovery_complete). No change is under way.
func (s *FS) emptyJournal() error {
	if err := s.journalError(s.journal.Flush()); err != nil {
		return err
	}
	s.releaseFreed()
	s.es.incompat &^= incompatRecover
	return s.commitSuper()
}

// journalAborted is told once when the journal gives up.
func (s *FS) journalAborted(err error) { s.abort("Detected aborted journal: " + err.Error()) }

// journalRuns finds the journal's blocks and puts them into the system zone.
func (s *FS) journalRuns() ([]Run, error) {
	es := s.es
	i, err := s.readInode(es.journalInum, igetSpecial)
	if err != nil {
		return nil, err
	}
	if i.kind != abi.S_IFREG || i.links == 0 || i.is(flInlineData) {
		return nil, s.corrupt(i.ino, 0, "journal is no regular file")
	}
	var runs []Run
	next := uint64(0)
	want := es.blocksIn(i.size)
	for next < want {
		r, err := i.mapBlocks(uint32(next), uint32(min(want-next, 1<<30)))
		if err != nil {
			return nil, err
		}
		if r.Physical == noPhys || r.Unwritten || !s.validData(r.Physical, r.Len) {
			return nil, s.corrupt(i.ino, r.Physical, "journal has a hole or lies on metadata at logical block %d", next)
		}
		if n := len(runs); n > 0 && runs[n-1].Physical+runs[n-1].Len == r.Physical {
			runs[n-1].Len += r.Len
		} else {
			runs = append(runs, r)
		}
		next += r.Len
	}
	return runs, s.addZones(runs)
}
