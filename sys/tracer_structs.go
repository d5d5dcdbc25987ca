// SPDX-License-Identifier: Apache-2.0

package sys

import (
	"fmt"
	"strings"

	"lodger/abi"
)

// structure prints what an argument of kind k points to.
func (p *printer) structure(k Kind, addr uint64) {
	var s string
	var ok bool
	switch k {
	case Timespec, TimespecOut:
		s, ok = p.timespec(addr)
	case IntOut, WaitStatus:
		s, ok = p.integer(k, addr)
	case StatOut:
		s, ok = p.stat(addr)
	case FdPair:
		var b [8]byte
		if ok = p.read(addr, b[:]); ok {
			s = fmt.Sprintf("[%d, %d]", int32(le.Uint32(b[:])), int32(le.Uint32(b[4:])))
		}
	case RlimitIn, RlimitOut:
		var w []uint64
		if w, ok = p.words(addr, 2); ok {
			s = "{rlim_cur=" + limitText(w[0]) + ", rlim_max=" + limitText(w[1]) + "}"
		}
	case SigsetIn, SigsetOut:
		var w []uint64
		if w, ok = p.words(addr, 1); ok {
			s = sigsetText(abi.Sigset(w[0]))
		}
	}
	if !ok {
		s = pointer(addr)
	}
	p.WriteString(s)
}

// read fills b, all of it.
func (p *printer) read(addr uint64, b []byte) bool {
	n, err := p.mem.CopyInSome(addr, b)
	return err == nil && n == len(b)
}

// words reads n 64-bit words.
func (p *printer) words(addr uint64, n int) ([]uint64, bool) {
	b := make([]byte, 8*n)
	if !p.read(addr, b) {
		return nil, false
	}
	w := make([]uint64, n)
	for i := range w {
		w[i] = le.Uint64(b[8*i:])
	}
	return w, true
}

func (p *printer) timespec(addr uint64) (string, bool) {
	w, ok := p.words(addr, 2)
	if !ok {
		return "", false
	}
	return fmt.Sprintf("{tv_sec=%d, tv_nsec=%d}", int64(w[0]), int64(w[1])), true
}

func (p *printer) integer(k Kind, addr uint64) (string, bool) {
	var b [4]byte
	if !p.read(addr, b[:]) {
		return "", false
	}
	v := int32(le.Uint32(b[:]))
	if k == IntOut {
		return fmt.Sprintf("[%d]", v), true
	}
	if p.val == 0 {
		return pointer(addr), true // nobody had changed: nothing was stored
	}
	return "[" + waitText(v) + "]", true
}

// waitText shows a wait status with the macros of sys/wait.h.
func waitText(v int32) string {
	sig := int(v & 0x7f)
	switch {
	case v == 0xffff:
		return "{WIFCONTINUED(s)}"
	case v&0xff == 0x7f:
		return "{WIFSTOPPED(s) && WSTOPSIG(s) == " + signalName(int(v>>8&0xff)) + "}"
	case sig == 0:
		return fmt.Sprintf("{WIFEXITED(s) && WEXITSTATUS(s) == %d}", v>>8&0xff)
	case v&0x80 != 0:
		return "{WIFSIGNALED(s) && WTERMSIG(s) == " + signalName(sig) + " && WCOREDUMP(s)}"
	}
	return "{WIFSIGNALED(s) && WTERMSIG(s) == " + signalName(sig) + "}"
}

// stat shows type, permission and size (or device) of a struct stat.
func (p *printer) stat(addr uint64) (string, bool) {
	b := make([]byte, 64)
	if !p.read(addr, b) {
		return "", false
	}
	mode := le.Uint32(b[statModeAt:])
	s := "{st_mode=" + modeText(mode) + ", "
	switch mode & abi.S_IFMT {
	case abi.S_IFCHR, abi.S_IFBLK:
		dev := le.Uint64(b[statRdevAt:])
		s += fmt.Sprintf("st_rdev=makedev(%#x, %#x)", dev>>8&0xfff, dev&0xff|dev>>12&0xfff00)
	default:
		s += fmt.Sprintf("st_size=%d", int64(le.Uint64(b[48:])))
	}
	return s + ", ...}", true
}

var modeTypes = map[uint32]string{
	abi.S_IFREG: "S_IFREG", abi.S_IFDIR: "S_IFDIR", abi.S_IFLNK: "S_IFLNK", abi.S_IFCHR: "S_IFCHR",
	abi.S_IFBLK: "S_IFBLK", abi.S_IFIFO: "S_IFIFO", abi.S_IFSOCK: "S_IFSOCK",
}

func modeText(mode uint32) string {
	s := octal(uint64(mode & 07777))
	if name, ok := modeTypes[mode&abi.S_IFMT]; ok {
		s = name + "|" + s
	}
	return s
}

func limitText(v uint64) string {
	switch {
	case v == abi.RLIM_INFINITY:
		return "RLIM64_INFINITY"
	case v > 1024 && v%1024 == 0:
		return fmt.Sprintf("%d*1024", v/1024)
	}
	return fmt.Sprint(v)
}

// sigsetText shows a set of signals, or what is not in it when that is shorter.
func sigsetText(set abi.Sigset) string {
	not := ""
	n := 0
	for sig := 1; sig <= abi.NSIG; sig++ {
		if set.Has(sig) {
			n++
		}
	}
	if n > abi.NSIG*2/3 {
		not, set = "~", ^set
	}
	var names []string
	for sig := 1; sig <= abi.NSIG; sig++ {
		if set.Has(sig) {
			names = append(names, strings.TrimPrefix(signalName(sig), "SIG"))
		}
	}
	return not + "[" + strings.Join(names, " ") + "]"
}
