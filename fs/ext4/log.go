// SPDX-License-Identifier: Apache-2.0

package ext4

import (
	"fmt"
	"runtime"
	"strings"

	"lodger/lib/printk"
)

// What the kernel log gets, in Linux's words where it has them: ext4_msg and
// __ext4_error of fs/ext4/super.c. What Linux tells of the running task (comm) is left
// out: who changes the file system need not be who asked for it.

func (s *FS) log(level printk.Level, format string, args ...any) {
	s.say(level, "", format, args...)
}

// say logs with what Linux has before the colon: " error" and the like.
func (s *FS) say(level printk.Level, what, format string, args ...any) {
	if s.opt.Log == nil {
		return
	}
	name := s.opt.Name
	switch {
	case name == "":
		name = what
	case what == "":
		name = " (" + name + ")"
	default:
		name = what + " (device " + name + ")"
	}
	s.opt.Log(level, "EXT4-fs"+name+": "+fmt.Sprintf(format, args...))
}

// sayError is __ext4_error. where is the function and line that found the error; the
// numbers are Lodger's.
func (s *FS) sayError(where string, ino uint32, block uint64, msg string) {
	s.say(printk.Crit, " error", "%s: %s%s", where, whereIn(ino, block), msg)
}

func whereIn(ino uint32, block uint64) (p string) {
	if ino != 0 {
		p = fmt.Sprintf("inode #%d: ", ino)
	}
	if block != 0 {
		p += fmt.Sprintf("block %d: ", block)
	}
	return p
}

// caller gives the function that calls it, or one so many calls above, and the line.
func caller(above int) string {
	var pcs [1]uintptr
	if runtime.Callers(above+2, pcs[:]) == 0 {
		return "?"
	}
	f, _ := runtime.CallersFrames(pcs[:]).Next()
	// "lodger/fs/ext4.(*inode).lookup.func1": package, receiver, function, closure.
	parts := strings.Split(f.Function[strings.LastIndexByte(f.Function, '/')+1:], ".")
	name := parts[min(1, len(parts)-1)]
	if strings.HasPrefix(name, "(") && len(parts) > 2 {
		name = parts[2]
	}
	return fmt.Sprintf("%s:%d", name, f.Line)
}

// sayMounted is the end of ext4_fill_super.
func (s *FS) sayMounted() {
	if s.recovered {
		s.log(printk.Info, "recovery complete")
	}
	how := " ordered data mode"
	switch {
	case s.journal == nil:
		how = "out journal"
	case s.dataMode == dataJournal:
		how = " journalled data mode"
	case s.dataMode == dataWriteback:
		how = " writeback data mode"
	}
	s.log(printk.Info, "mounted filesystem %s %s with%s. Quota mode: none.", s.uuidText(), s.mode(), how)
}

func (s *FS) mode() string {
	if s.readOnly.Load() {
		return "ro"
	}
	return "r/w"
}

// uuidText is the super block's UUID as %pU prints it.
func (s *FS) uuidText() string {
	u := s.es.uuid
	return fmt.Sprintf("%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:])
}

// plural is Linux's PLURAL.
func plural(n int) string {
	if n == 1 {
		return ""
	}
	return "s"
}
