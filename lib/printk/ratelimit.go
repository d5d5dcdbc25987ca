// SPDX-License-Identifier: Apache-2.0

package printk

// DEFAULT_RATELIMIT_INTERVAL and _BURST.
const (
	limitInterval = 5e9
	limitBurst    = 10
)

// ratelimit is struct ratelimit_state.
type ratelimit struct {
	begin   int64
	started bool
	printed int
	missed  int
}

// ok reports whether one more may pass at a time.
func (r *ratelimit) ok(now int64) bool {
	if !r.started || now-r.begin > limitInterval {
		r.started, r.begin, r.printed = true, now, 0
	}
	if r.printed >= limitBurst {
		r.missed++
		return false
	}
	r.printed++
	return true
}

type ratelimiters map[string]*ratelimit

// Limited is Printk for what guests could have said without end; who names the sort
// of message (___ratelimit's func).
func (l *Log) Limited(who string, level Level, format string, args ...any) {
	if l == nil {
		return
	}
	l.mu.Lock()
	if l.ratelimit == nil {
		l.ratelimit = ratelimiters{}
	}
	r := l.ratelimit[who]
	if r == nil {
		r = &ratelimit{}
		l.ratelimit[who] = r
	}
	ok, missed := r.ok(l.cfg.Clock()), 0
	if ok {
		missed, r.missed = r.missed, 0
	}
	l.mu.Unlock()
	if missed > 0 {
		l.Printk(Warning, "%s: %d callbacks suppressed", who, missed)
	}
	if ok {
		l.Printk(level, format, args...)
	}
}
