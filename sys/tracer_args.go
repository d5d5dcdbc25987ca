// SPDX-License-Identifier: Apache-2.0

package sys

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"lodger/abi"
)

const (
	traceString = 32 // bytes of a string that are shown
	traceList   = 8  // strings of an argv that are shown
)

// memory is what the printer reads: a kernel.Task, or a test's.
type memory interface {
	// CopyInSome reads as much of b as it can.
	CopyInSome(addr uint64, b []byte) (int, error)
}

// noMemory is memory that cannot be read.
type noMemory struct{}

func (noMemory) CopyInSome(uint64, []byte) (int, error) { return 0, abi.EFAULT }

// printer shows a call's arguments. What a call fills in is shown after it.
type printer struct {
	strings.Builder
	mem    memory
	kinds  []Kind
	args   Args
	val    uint64
	failed bool // what the call should have filled in is not there
}

// before prints the arguments up to the first that the call fills in, and
// returns its index.
func (p *printer) before() int {
	for i, k := range p.kinds {
		if fills(k) {
			return i
		}
		if !p.arg(i) {
			return len(p.kinds)
		}
	}
	return len(p.kinds)
}

// after prints the arguments from i on.
func (p *printer) after(i int) {
	for ; i < len(p.kinds); i++ {
		if !p.arg(i) {
			return
		}
	}
}

// fills reports whether the call writes what an argument of kind k points to.
func fills(k Kind) bool {
	switch k {
	case Buf, IntOut, WaitStatus, StatOut, FdPair, TimespecOut, RlimitOut, SigsetOut:
		return true
	}
	return false
}

// arg prints argument i; false: it and the rest are not there.
func (p *printer) arg(i int) bool {
	k, v := p.kinds[i], p.args[i]
	if k == Oct && i > 0 && p.kinds[i-1] == OpenFlg && p.args[i-1]&(abi.O_CREAT|abi.O_TMPFILE_1) == 0 {
		return false // no mode
	}
	if p.Len() > 0 {
		p.WriteString(", ")
	}
	if fills(k) && p.failed || v == 0 && points(k) {
		p.WriteString(pointer(v))
		return true
	}
	switch k {
	case Hex:
		p.WriteString(hex(v))
	case Dec:
		p.WriteString(strconv.Itoa(p.args.Int(i)))
	case Size:
		p.WriteString(strconv.FormatInt(int64(v), 10))
	case Fd:
		p.WriteString(strconv.Itoa(p.args.Int(i)))
	case DirFd:
		if p.args.Int(i) == abi.AT_FDCWD {
			p.WriteString("AT_FDCWD")
		} else {
			p.WriteString(strconv.Itoa(p.args.Int(i)))
		}
	case Oct:
		p.WriteString(octal(v))
	case Addr:
		p.WriteString(pointer(v))
	case Path:
		p.path(v)
	case Buf:
		p.bytes(v, p.val)
	case InBuf:
		p.bytes(v, p.length(i))
	case Strings:
		p.list(v)
	case EnvList:
		fmt.Fprintf(p, "%#x /* %d vars */", v, p.count(v))
	default:
		if name, ok := flagText(k, v); ok {
			p.WriteString(name)
		} else {
			p.structure(k, v)
		}
	}
	return true
}

// points reports whether 0 means a null pointer.
func points(k Kind) bool {
	switch k {
	case Path, Buf, InBuf, Strings, EnvList, Timespec, TimespecOut, IntOut, WaitStatus, StatOut, FdPair, RlimitIn, RlimitOut, SigsetIn, SigsetOut:
		return true
	}
	return false
}

// length is the length of the bytes at argument i: the next argument.
func (p *printer) length(i int) uint64 {
	if i+1 < len(p.args) {
		return p.args[i+1]
	}
	return 0
}

// bytes prints n bytes at addr.
func (p *printer) bytes(addr, n uint64) {
	b := make([]byte, min(n, traceString))
	got, err := p.mem.CopyInSome(addr, b)
	if err != nil && len(b) > 0 {
		p.WriteString(pointer(addr))
		return
	}
	p.WriteString(quote(b[:got]))
	if n > traceString {
		p.WriteString("...")
	}
}

// path prints a string in guest memory, which strace shows whole.
func (p *printer) path(addr uint64) {
	s, whole, ok := p.str(addr, abi.PATH_MAX)
	if !ok {
		p.WriteString(pointer(addr))
		return
	}
	p.WriteString(quote(s))
	if !whole {
		p.WriteString("...")
	}
}

// str reads a string; whole: it ended within most bytes.
func (p *printer) str(addr uint64, most int) (s []byte, whole, ok bool) {
	b := make([]byte, most)
	n, err := p.mem.CopyInSome(addr, b)
	if err != nil || n == 0 {
		return nil, false, false
	}
	if i := bytes.IndexByte(b[:n], 0); i >= 0 {
		return b[:i], true, true
	}
	return b[:n], false, true
}

// list prints an argv.
func (p *printer) list(addr uint64) {
	p.WriteByte('[')
	for i := 0; ; i++ {
		w, ok := p.words(addr+8*uint64(i), 1)
		if !ok || w[0] == 0 {
			break
		}
		if i > 0 {
			p.WriteString(", ")
		}
		if i == traceList {
			p.WriteString("...")
			break
		}
		s, whole, ok := p.str(w[0], traceString+1)
		switch {
		case !ok:
			p.WriteString(pointer(w[0]))
		case whole:
			p.WriteString(quote(s))
		default:
			p.WriteString(quote(s[:min(len(s), traceString)]) + "...")
		}
	}
	p.WriteByte(']')
}

// count counts the entries of a NULL-terminated array.
func (p *printer) count(addr uint64) int {
	for n := 0; n < 1<<16; n++ {
		if w, ok := p.words(addr+8*uint64(n), 1); !ok || w[0] == 0 {
			return n
		}
	}
	return 1 << 16
}

// quote escapes as strace does: octal, the short form where no digit follows.
func quote(b []byte) string {
	var s strings.Builder
	s.WriteByte('"')
	for i, c := range b {
		if j := strings.IndexByte("\n\t\r\v\f\"\\", c); j >= 0 {
			s.WriteByte('\\')
			s.WriteByte("ntrvf\"\\"[j])
			continue
		}
		switch {
		case c >= 0x20 && c < 0x7f:
			s.WriteByte(c)
		case i+1 < len(b) && b[i+1] >= '0' && b[i+1] <= '9':
			fmt.Fprintf(&s, "\\%03o", c)
		default:
			fmt.Fprintf(&s, "\\%o", c)
		}
	}
	s.WriteByte('"')
	return s.String()
}

func hex(v uint64) string {
	if v == 0 {
		return "0"
	}
	return fmt.Sprintf("%#x", v)
}

func octal(v uint64) string {
	return fmt.Sprintf("0%02o", uint32(v))
}

func pointer(v uint64) string {
	if v == 0 {
		return "NULL"
	}
	return fmt.Sprintf("%#x", v)
}
