// SPDX-License-Identifier: Apache-2.0

package boot

import (
	"math/bits"
	"strconv"

	"lodger/kernel"
	"lodger/lib/printk"
)

// openLog makes the kernel log and says in it who speaks, as start_kernel does. With a
// kernel command line the console shows what Linux's would; with lodger run, whose
// terminal is the command's, only the kernel's own warnings and worse.
func (m *Machine) openLog() {
	cfg := printk.Config{Console: m.cfg.Printk, Level: printk.ConsoleDefault, Clock: m.k.Clock.Uptime,
		Go: func(f func()) { go m.k.Do(f) }}
	c := m.cfg.Cmdline
	if c == nil {
		cfg.Level, cfg.Own = int(printk.Warning)+1, true
	} else {
		cfg.Size, cfg.NoTime, cfg.DevKmsg, cfg.Ignore = c.LogBufLen, c.NoPrintkTime, c.DevKmsg, c.IgnoreLogLevel
		if c.LogLevel != 0 {
			cfg.Level = c.LogLevel
		}
	}
	m.log = printk.New(cfg)
	m.k.Printk = m.log
	m.log.Printk(printk.Notice, "%s", kernel.Banner)
	m.log.Printk(printk.Notice, "Kernel command line: %s", m.cfg.cmdline())
	if c != nil {
		for _, w := range c.Warnings {
			m.printk(printk.Err, "%s", w)
		}
	}
}

// cmdline is what /proc/cmdline shows.
func (cfg *Config) cmdline() string {
	if cfg.Cmdline == nil {
		return "lodger"
	}
	return cfg.Cmdline.Text
}

// printk tells what a Linux kernel would say.
func (m *Machine) printk(level printk.Level, format string, args ...any) {
	m.log.Printk(level, format, args...)
}

// logLevel is loglevel= (init/main.c).
func (c *Cmdline) logLevel(_, v string) {
	n, err := strconv.Atoi(v)
	if err != nil {
		c.warn("loglevel=%s: want a number: 4 shows errors, 7 all but debug messages", v)
		return
	}
	c.LogLevel = max(n, 1) // console_loglevel below that is what nobody can set later either
}

// logBufLen is log_buf_len=, which only makes the log larger, to a power of two.
func (c *Cmdline) logBufLen(_, v string) {
	const most = 1 << 30 // LOG_BUF_LEN_MAX is 1 << 31
	n, ok := memparse(v)
	if !ok || n == 0 || n > most {
		c.warn("log_buf_len=%s: want a size up to 1G, such as 1M", v)
		return
	}
	c.LogBufLen = 1 << bits.Len64(n-1)
}

// memparse reads a size as lib/cmdline.c's does: a number with K, M or G after it.
func memparse(s string) (uint64, bool) {
	shift := 0
	if len(s) > 0 {
		switch s[len(s)-1] {
		case 'k', 'K':
			shift = 10
		case 'm', 'M':
			shift = 20
		case 'g', 'G':
			shift = 30
		}
	}
	if shift > 0 {
		s = s[:len(s)-1]
	}
	n, err := strconv.ParseUint(s, 0, 64)
	return n << shift, err == nil && n<<shift>>shift == n
}
