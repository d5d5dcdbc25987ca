// SPDX-License-Identifier: Apache-2.0

package printk

import (
	"strings"
	"sync"

	"lodger/abi"
	"lodger/lib/wait"
)

// Reader is an open /dev/kmsg (struct devkmsg_user).
type Reader struct {
	l     *Log
	mu    sync.Mutex
	seq   uint64    // the next record, guarded by mu
	limit ratelimit // of writes, guarded by mu
	comm  string    // who wrote last, guarded by mu
}

// NewReader makes one that begins with the oldest record.
func (l *Log) NewReader() *Reader {
	l.mu.Lock()
	defer l.mu.Unlock()
	return &Reader{l: l, seq: l.first}
}

// Read gives one record: EAGAIN when there is none, EPIPE when some were lost since the
// last call, EINVAL when p is too small for it; it is behind us then.
func (r *Reader) Read(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.l.mu.Lock()
	rec, ok := r.l.get(r.seq)
	r.l.mu.Unlock()
	if !ok {
		return 0, abi.EAGAIN
	}
	if rec.Seq != r.seq {
		r.seq = rec.Seq
		return 0, abi.EPIPE
	}
	r.seq++
	text := rec.extended()
	if len(text) > len(p) {
		return 0, abi.EINVAL
	}
	return copy(p, text), nil
}

// Poll gives the events of poll(2).
func (r *Reader) Poll() wait.Mask {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.l.mu.Lock()
	rec, ok := r.l.get(r.seq)
	r.l.mu.Unlock()
	switch {
	case !ok:
		return 0
	case rec.Seq != r.seq:
		return readable | abi.POLLERR | abi.POLLPRI
	}
	return readable
}

// Lseek is devkmsg_llseek: to the oldest record, to what came after the last clear, or
// behind the newest.
func (r *Reader) Lseek(off int64, whence int) error {
	if off != 0 {
		return abi.ESPIPE
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.l.mu.Lock()
	defer r.l.mu.Unlock()
	switch whence {
	case abi.SEEK_SET:
		r.seq = r.l.first
	case abi.SEEK_DATA:
		r.seq = r.l.clear
	case abi.SEEK_END:
		r.seq = r.l.next()
	default:
		return abi.EINVAL
	}
	return nil
}

const facilityUser = 1 // LOG_USER

// Write is devkmsg_write: a message of a program named comm, with an optional <N>
// before it that tells level and facility. Nobody may pass as the kernel.
func (r *Reader) Write(p []byte, comm string) error {
	if len(p) > maxText+1 {
		return abi.EINVAL
	}
	l := r.l
	r.mu.Lock()
	r.comm = comm
	l.mu.Lock()
	ok := l.devkmsg == devkmsgOn || l.devkmsg == devkmsgRatelimit && r.limit.ok(l.cfg.Clock())
	level := Level(l.levels[1] & 7)
	l.mu.Unlock()
	r.mu.Unlock()
	if !ok {
		return nil
	}
	text, _, _ := strings.Cut(string(p), "\x00")
	facility := facilityUser
	if n, rest, ok := cutPrefix(text); ok {
		level, text = Level(n&7), rest
		if f := int(n >> 3 & 0xff); f != 0 {
			facility = f
		}
	}
	l.emit(facility, level, text)
	return nil
}

// cutPrefix reads <N> as simple_strtoul does: no digits are 0.
func cutPrefix(s string) (n uint64, rest string, ok bool) {
	if !strings.HasPrefix(s, "<") {
		return 0, s, false
	}
	i := 1
	for ; i < len(s) && s[i] >= '0' && s[i] <= '9'; i++ {
		n = n*10 + uint64(s[i]-'0')
	}
	if i == len(s) || s[i] != '>' {
		return 0, s, false
	}
	return n, s[i+1:], true
}

// Close tells of messages that were too many.
func (r *Reader) Close() {
	r.mu.Lock()
	missed, comm := r.limit.missed, r.comm
	r.limit.missed = 0
	r.mu.Unlock()
	if missed > 0 {
		r.l.Printk(Warning, "printk: %s: %d output lines suppressed due to ratelimiting", comm, missed)
	}
}

// devkmsgMode is devkmsg_log: what becomes of messages written to /dev/kmsg.
type devkmsgMode int

const (
	devkmsgRatelimit devkmsgMode = iota
	devkmsgOn
	devkmsgOff
)

func (m devkmsgMode) String() string {
	switch m {
	case devkmsgOn:
		return "on"
	case devkmsgOff:
		return "off"
	}
	return "ratelimit"
}

func parseDevkmsg(s string) (devkmsgMode, bool) {
	for m := devkmsgRatelimit; m <= devkmsgOff; m++ {
		if s == m.String() {
			return m, true
		}
	}
	return 0, false
}

// DevKmsg is /proc/sys/kernel/printk_devkmsg.
func (l *Log) DevKmsg() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.devkmsg.String()
}

// SetDevKmsg changes it, unless the command line has settled it: EINVAL.
func (l *Log) SetDevKmsg(s string) error {
	m, ok := parseDevkmsg(s)
	if _, fixed := parseDevkmsg(l.cfg.DevKmsg); fixed || !ok {
		return abi.EINVAL
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.devkmsg = m
	return nil
}
