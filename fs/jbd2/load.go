// SPDX-License-Identifier: Apache-2.0

package jbd2

import (
	"sync"

	"lodger/lib/wait"
)

// Timer is the time that a journal needs. It is asked for a timer only while a
// transaction is running.
type Timer interface {
	// Realtime is nanoseconds since the epoch, for commit blocks.
	Realtime() int64
	// After calls f on a goroutine of its own d nanoseconds from now, unless
	// the function that it returns is called first.
	After(d int64, f func()) (stop func() bool)
}

// Options is what Load needs to know.
type Options struct {
	Device    Device
	Blocksize int    // of the file system
	Blocks    uint64 // of the file system: nothing is ever written behind them
	Map       Map
	// MapBlocks is how many blocks Map has: the size of the journal's file.
	MapBlocks uint32

	Timer          Timer
	CommitInterval int64 // ns, ext4's commit=; 0: no timer commits

	// Go runs f, which does I/O, on another goroutine; nil is the go statement.
	Go func(f func())
	// OnAbort is called once, on any goroutine and with no lock held.
	OnAbort func(err error)
	// AbortOnDataError aborts when ordered data cannot be written (ext4's
	// data_err=abort); otherwise the commit goes on, as the data's owner knows.
	AbortOnDataError bool
	// ReadOnly loads a journal only for looking at it: what would need a
	// recovery is refused with EROFS.
	ReadOnly bool
	// Wipe gives up what the log holds, for file systems that do not ask for a
	// recovery (jbd2_journal_wipe).
	Wipe bool
	// Background checkpoints on another goroutine when a commit leaves less than
	// half of the log free, before anybody waits for room.
	Background bool

	// minBlocks is the smallest journal, JBD2_MIN_JOURNAL_BLOCKS unless a test
	// sets it.
	minBlocks uint32
}

// minJournalBlocks is JBD2_MIN_JOURNAL_BLOCKS.
const minJournalBlocks = 1024

// Journal is journal_t.
type Journal struct {
	opt Options
	dev Device
	log *logMap
	fmt format
	// Recovered is what Load replayed.
	Recovered Recovery

	first, last uint32 // the circular log: first, up to but without last
	maxTxn      int    // j_max_transaction_buffers

	sbMu sync.Mutex // one superblock write
	sb   []byte     // the superblock as on the device; guarded by sbMu

	mu        sync.Mutex
	cond      *sync.Cond // any change that somebody may wait for
	room      wait.Queue // the same for TryStart's callers
	abortErr  error
	errno     error // what the superblock told at Load
	destroyed bool
	barrier   int  // LockUpdates count: no handle may start
	updates   int  // open handles of all transactions
	started   bool // a transaction has been: the format is settled

	running       *Transaction
	committing    *Transaction
	checkpoints   []*Transaction // committed, oldest first
	nextTID       TID            // j_transaction_sequence: of the next transaction
	commitSeq     TID            // the last that is committed
	commitRequest TID            // the last that somebody wants committed
	head          uint32         // where the next log block goes
	tail          uint32         // the oldest block that recovery needs, as the superblock says
	tailSeq       TID
	free          int  // blocks between head and tail
	flushed       bool // the superblock says that the log is empty

	driving       bool // somebody drives a commit
	spawned       bool // a goroutine that will is on its way
	checkpointing bool // somebody checkpoints
	cpSpawned     bool // a goroutine that makes room is on its way

	staging   []byte   // log writes; the driver's
	spare     [][]byte // for frozen copies; guarded by mu
	cpStaging []byte   // checkpoint writes; the checkpointer's
	crcBE     *crc32be // version 1 checksums; made when needed
}

// Load reads the journal's superblock, replays what the log holds, and makes
// the journal ready for handles (jbd2_journal_load).
func Load(o Options) (*Journal, error) {
	j, s, err := open(o)
	if err != nil {
		return nil, err
	}
	if s.Start != 0 && o.ReadOnly && !o.Wipe {
		return nil, roError(s)
	}
	if o.Wipe {
		return j, j.wipe(s)
	}
	end, err := j.recover(s)
	if err != nil {
		return nil, err
	}
	return j, j.reset(s, end)
}

// wipe starts behind what the log holds, without replaying it: the scan alone
// tells where that ends.
func (j *Journal) wipe(s *Superblock) error {
	end := s.Sequence + 1
	if s.Start != 0 {
		rec := j.newRecovery(s)
		if err := rec.pass(s, passScan); err == nil {
			end = rec.r.End + 1
		}
	}
	if j.opt.ReadOnly {
		s.Start = 0 // reset writes nothing
	}
	return j.reset(s, end)
}

// SetCommitInterval changes the age at which transactions are committed, from the
// next one on; 0: never.
func (j *Journal) SetCommitInterval(ns int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.opt.CommitInterval = ns
}

// open reads and checks the superblock and the map.
func open(o Options) (*Journal, *Superblock, error) {
	if o.Blocksize < superblockSize || o.Blocksize > 65536 || o.Blocksize&(o.Blocksize-1) != 0 {
		return nil, nil, invalid("file system block size %d", o.Blocksize)
	}
	if o.minBlocks == 0 {
		o.minBlocks = minJournalBlocks
	}
	if o.Go == nil {
		o.Go = func(f func()) { go f() }
	}
	size := int64(min(o.Blocks, 1<<62/uint64(o.Blocksize))) * int64(o.Blocksize)
	sbMap, err := loadMap(o.Map, int64(o.Blocksize), 1, size)
	if err != nil {
		return nil, nil, err
	}
	j := &Journal{opt: o, dev: o.Device, sb: make([]byte, o.Blocksize)}
	j.cond = sync.NewCond(&j.mu)
	off, _ := sbMap.at(0)
	if err := readFull(j.dev, j.sb, off); err != nil {
		return nil, nil, err
	}
	s, err := ParseSuperblock(j.sb)
	if err != nil {
		return nil, nil, err
	}
	switch {
	case s.Blocksize != uint32(o.Blocksize):
		return nil, nil, invalid("journal block size %d, file system's %d", s.Blocksize, o.Blocksize)
	case s.Maxlen > o.MapBlocks:
		return nil, nil, invalid("journal file too short: %d blocks of %d", o.MapBlocks, s.Maxlen)
	case s.Last()-s.First+1 < o.minBlocks:
		return nil, nil, invalid("journal too short: blocks %d to %d", s.First, s.Last())
	}
	if j.log, err = loadMap(o.Map, int64(o.Blocksize), s.Maxlen, size); err != nil {
		return nil, nil, err
	}
	j.first, j.last = s.First, s.Last()
	j.setFormat(s.Features, s.UUID)
	if s.Errno != 0 {
		j.errno = s.Errno
	}
	return j, s, nil
}

// setFormat derives what log blocks look like.
func (j *Journal) setFormat(f Features, uuid [16]byte) {
	j.fmt = format{Features: f, blocksize: j.opt.Blocksize, uuid: uuid}
	j.fmt.seed = crc32c(^uint32(0), uuid[:])
	if f.checksumV1() && j.crcBE == nil {
		j.crcBE = newCRC32BE()
	}
	j.maxTxn = j.logSpace() / 4
}

// logSpace is the number of blocks of the circular log.
func (j *Journal) logSpace() int { return int(j.last - j.first) }

// wrap brings a block number behind the log's end to its beginning.
func (j *Journal) wrap(block uint32) uint32 {
	if block >= j.last {
		block -= j.last - j.first
	}
	return block
}

// reset starts an empty log at its first block (journal_reset). end is the
// sequence number to begin with. A log that was replayed is only now given up.
func (j *Journal) reset(s *Superblock, end TID) error {
	j.head, j.tail = j.first, j.first
	j.nextTID, j.tailSeq = end, end
	j.commitSeq, j.commitRequest = end-1, end-1
	j.free = j.logSpace()
	j.flushed = true
	if s.Start == 0 {
		return nil
	}
	return j.writeSuperblock()
}
