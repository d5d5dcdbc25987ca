// SPDX-License-Identifier: Apache-2.0

package printk

import "lodger/abi"

// Actions of syslog(2), include/linux/syslog.h.
const (
	ActionClose = iota
	ActionOpen
	ActionRead
	ActionReadAll
	ActionReadClear
	ActionClear
	ActionConsoleOff
	ActionConsoleOn
	ActionConsoleLevel
	ActionSizeUnread
	ActionSizeBuffer
)

// Allowed is check_syslog_permissions: whether an action, of whatever number, may be
// done. capable tells whether the caller has CAP_SYSLOG.
func (l *Log) Allowed(action int, capable func() bool) error {
	free := action == ActionReadAll || action == ActionSizeBuffer
	if free && !l.Restrict.Load() || capable() {
		return nil
	}
	return abi.EPERM
}

// Read is syslog(2)'s and /proc/kmsg's: it takes records, or a part of the first one
// that does not fit, from those that nobody has read that way. EAGAIN: there is none.
func (l *Log) Read(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	done := 0
	for done < len(p) {
		r, ok := l.unread()
		if !ok {
			break
		}
		text := r.appendText(nil, !l.cfg.NoTime)[l.partial:]
		switch {
		case len(text) <= len(p)-done:
			l.at, l.partial = r.Seq+1, 0
		case done == 0:
			text = text[:len(p)]
			l.partial += len(text)
		default:
			return done, nil
		}
		done += copy(p[done:], text)
	}
	if done == 0 && len(p) > 0 {
		return 0, abi.EAGAIN
	}
	return done, nil
}

// unread gives the record that Read is at. Called with mu held.
func (l *Log) unread() (Record, bool) {
	r, ok := l.get(l.at)
	if ok && r.Seq != l.at { // it is gone
		l.at, l.partial = r.Seq, 0
	}
	return r, ok
}

// Unread is how many bytes Read has still to give.
func (l *Log) Unread() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, ok := l.unread(); !ok {
		return 0
	}
	return l.textLen(l.at) - l.partial
}

// textLen is the length of the text from record seq on. Called with mu held.
func (l *Log) textLen(seq uint64) (n int) {
	for ; seq < l.next(); seq++ {
		n += l.recs[seq-l.first].textLen(!l.cfg.NoTime)
	}
	return n
}

// ReadAll gives the newest records since the last clear that fit into size bytes.
func (l *Log) ReadAll(size int, clear bool) []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	seq := max(l.clear, l.first)
	for n := l.textLen(seq); n > size; seq++ {
		n -= l.recs[seq-l.first].textLen(!l.cfg.NoTime)
	}
	var b []byte
	for ; seq < l.next(); seq++ {
		b = l.recs[seq-l.first].appendText(b, !l.cfg.NoTime)
	}
	if clear {
		l.clear = seq
	}
	return b
}

// Clear puts all records behind ReadAll.
func (l *Log) Clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.clear = l.next()
}

// Size is the size of the buffer.
func (l *Log) Size() int { return l.cfg.Size }

// ConsoleOff has the console print only what is most urgent, until ConsoleOn.
func (l *Log) ConsoleOff() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.saved < 0 {
		l.saved = l.levels[0]
	}
	l.levels[0] = l.levels[2]
}

// ConsoleOn undoes ConsoleOff.
func (l *Log) ConsoleOn() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.saved >= 0 {
		l.levels[0], l.saved = l.saved, -1
	}
}

// SetConsoleLevel has the console print what is below level: 1 to 8, else EINVAL.
func (l *Log) SetConsoleLevel(level int) error {
	if level < 1 || level > 8 {
		return abi.EINVAL
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.levels[0], l.saved = max(level, l.levels[2]), -1
	return nil
}

// Levels is /proc/sys/kernel/printk: the console's level, that of messages without
// one, the least that the console's can be set to, and the console's default.
func (l *Log) Levels() [4]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.levels
}

// SetLevels changes the first of them, as many as are given.
func (l *Log) SetLevels(levels []int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	copy(l.levels[:], levels)
}
