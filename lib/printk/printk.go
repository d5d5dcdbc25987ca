// SPDX-License-Identifier: Apache-2.0

// Package printk is the kernel log: Linux's kernel/printk/printk.c and its ring buffer.
//
// # Model
//
// A Log is a queue of records: sequence number, time since boot, facility, level and a
// text of at most 1,023 bytes. It is bounded as Linux's is (the text by log_buf_len=,
// the number of records by a thirty-second of that); the oldest go first, and a reader
// that was slower learns it. Three sorts of readers exist: each open /dev/kmsg is a
// Reader with a place of its own; syslog(2) and /proc/kmsg share one place
// (Log.Read), as all of syslog(2) shares the mark of its "clear"; and the console gets
// the text of what is urgent enough, without a time.
//
// As on Linux a record without a newline at its end may still be continued: nobody
// sees it before the next one comes. Only programs write such ones, to /dev/kmsg.
//
// # Locks
//
// Log.conMu is the console's, held while it prints, so that lines come in order; inside
// it Log.mu, a leaf. Whoever logs may hold any lock of his own: readers are woken by a
// goroutine (Config.Go), as Linux wakes them by an interrupt.
//
// # Left out
//
// Continuation lines (KERN_CONT), dictionaries of devices, caller ids, printk_delay,
// consoles that register late, dumpers, printk_index.
package printk

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	"lodger/abi"
	"lodger/lib/wait"
)

// Level is how urgent a record is (include/linux/kern_levels.h).
type Level int

// The levels.
const (
	Emerg Level = iota
	Alert
	Crit
	Err
	Warning
	Notice
	Info
	Debug
)

// Console log levels, include/linux/printk.h: what is below is printed.
const (
	ConsoleQuiet   = 4  // quiet
	ConsoleDefault = 7  // nothing said
	ConsoleDebug   = 10 // debug
)

// DefaultSize is 1 << CONFIG_LOG_BUF_SHIFT, as distributions have it.
const DefaultSize = 1 << 18

const (
	maxText = 1023 // PRINTKRB_RECORD_MAX less the NUL that vsnprintf ends with
	minSize = 4096
	// descriptors: one for each so many bytes (PRB_AVGBITS).
	bytesPerRecord = 32
)

// Config is what a Log is made of.
type Config struct {
	Size    int          // bytes of text; less than DefaultSize: that
	Clock   func() int64 // nanoseconds since boot; nil: none
	Console func(text string)
	// Level is console_loglevel: what is less is printed. Ignore prints all.
	Level  int
	Ignore bool
	// Own has the console print the kernel's own messages only.
	Own    bool
	NoTime bool // printk.time=0
	// DevKmsg is printk.devkmsg=: on, off or ratelimit, which then cannot be changed.
	DevKmsg string
	// Go calls f where any lock of the kernel can be taken; nil: at once.
	Go func(f func())
}

// Record is one message.
type Record struct {
	Seq      uint64
	Time     int64 // nanoseconds since boot
	Facility int
	Level    Level
	Text     string
}

// Log is a kernel log. A nil Log swallows what it is told.
type Log struct {
	// Restrict is dmesg_restrict: reading needs CAP_SYSLOG.
	Restrict atomic.Bool

	cfg   Config
	queue wait.Queue
	// waking: somebody is about to wake the readers.
	waking atomic.Bool

	mu    sync.Mutex
	recs  []Record // oldest first; guarded by mu
	first uint64   // sequence number of recs[0]; guarded by mu
	bytes int      // what recs hold, guarded by mu
	open  bool     // the last has no newline; guarded by mu

	clear     uint64       // what syslog(2)'s clear has put behind; guarded by mu
	at        uint64       // syslog(2)'s next record, guarded by mu
	partial   int          // how much of it was read, guarded by mu
	levels    [4]int       // /proc/sys/kernel/printk, guarded by mu
	saved     int          // the console's level before it was switched off; -1: it is not; guarded by mu
	devkmsg   devkmsgMode  // guarded by mu
	ratelimit ratelimiters // guarded by mu

	conMu  sync.Mutex
	conSeq uint64 // the console's next record; guarded by conMu
}

// New makes an empty log.
func New(cfg Config) *Log {
	cfg.Size = max(cfg.Size, DefaultSize)
	return newLog(cfg)
}

func newLog(cfg Config) *Log {
	if cfg.Clock == nil {
		cfg.Clock = func() int64 { return 0 }
	}
	if cfg.Go == nil {
		cfg.Go = func(f func()) { f() }
	}
	l := &Log{cfg: cfg, saved: -1, levels: [4]int{cfg.Level, int(Warning), 1, ConsoleDefault}}
	l.devkmsg, _ = parseDevkmsg(cfg.DevKmsg)
	return l
}

// Printk logs a message of the kernel's own.
func (l *Log) Printk(level Level, format string, args ...any) {
	if l != nil {
		l.emit(0, level, fmt.Sprintf(format, args...)+"\n")
	}
}

// cost is what a record takes of the buffer.
func cost(text string) int { return 8 + (len(text)+7)&^7 }

// emit is vprintk_emit: text ends with a newline unless it may be continued.
func (l *Log) emit(facility int, level Level, text string) {
	if facility == 0 && len(text) > maxText { // our own always end
		text = text[:maxText-1] + "\n"
	}
	text = text[:min(len(text), maxText)]
	text, ended := strings.CutSuffix(text, "\n")
	l.mu.Lock()
	for len(l.recs) > 0 && (l.bytes+cost(text) > l.cfg.Size || len(l.recs) >= l.cfg.Size/bytesPerRecord) {
		l.bytes -= cost(l.recs[0].Text)
		l.recs[0] = Record{}
		l.recs = l.recs[1:]
		l.first++
	}
	l.recs = append(l.recs, Record{l.first + uint64(len(l.recs)), l.cfg.Clock(), facility, level, text})
	l.bytes += cost(text)
	l.open = !ended
	l.mu.Unlock()
	l.toConsole()
	l.wake()
}

// next is the number of the record that readers do not see yet. Called with mu held.
func (l *Log) next() uint64 {
	n := l.first + uint64(len(l.recs))
	if l.open {
		n--
	}
	return n
}

// get gives record seq or the first one after it that is still there; not ok: there is
// none yet. Called with mu held.
func (l *Log) get(seq uint64) (r Record, ok bool) {
	seq = max(seq, l.first)
	if seq >= l.next() {
		return r, false
	}
	return l.recs[seq-l.first], true
}

// Queue announces new records.
func (l *Log) Queue() *wait.Queue { return &l.queue }

const readable = abi.POLLIN | abi.POLLRDNORM

func (l *Log) wake() {
	if l.queue.Empty() || l.waking.Swap(true) {
		return
	}
	l.cfg.Go(func() {
		l.waking.Store(false)
		l.queue.Notify(readable)
	})
}

// toConsole prints what the console has not seen yet.
func (l *Log) toConsole() {
	if l.cfg.Console == nil {
		return
	}
	l.conMu.Lock()
	defer l.conMu.Unlock()
	for {
		l.mu.Lock()
		r, ok := l.get(l.conSeq)
		shown := l.cfg.Ignore || int(r.Level) < l.levels[0] && (r.Facility == 0 || !l.cfg.Own)
		l.mu.Unlock()
		if !ok {
			return
		}
		l.conSeq = r.Seq + 1
		if shown {
			l.cfg.Console(r.Text)
		}
	}
}
