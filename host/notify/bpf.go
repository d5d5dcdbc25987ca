// SPDX-License-Identifier: Apache-2.0

package notify

// Classic BPF as seccomp(2) reads it: struct sock_filter.
type bpfInsn struct {
	Code   uint16
	Jt, Jf uint8
	K      uint32
}

const (
	bpfLoad   = 0x20 // BPF_LD|BPF_W|BPF_ABS
	bpfImm    = 0x00 // BPF_LD|BPF_IMM
	bpfJeq    = 0x15
	bpfJge    = 0x35
	bpfJgt    = 0x25
	bpfJeqX   = 0x1d
	bpfJgtX   = 0x2d
	bpfAnd    = 0x54
	bpfLshX   = 0x6c
	bpfTax    = 0x07
	bpfRet    = 0x06
	retAllow  = 0x7fff0000
	retNotify = 0x7fc00000
	retTrap   = 0x00030000
	retErrno  = 0x00050000
)

// Offsets in struct seccomp_data.
const (
	offNr   = 0
	offArch = 4
	offIPLo = 8
	offIPHi = 12
)

func argLo(n int) uint32 { return uint32(16 + 8*n) }
func argHi(n int) uint32 { return uint32(16 + 8*n + 4) }

// program assembles a filter. Every decision ends in a RET of its own, so no
// jump is longer than a block.
type program struct{ insns []bpfInsn }

func (p *program) emit(code uint16, jt, jf uint8, k uint32) {
	p.insns = append(p.insns, bpfInsn{code, jt, jf, k})
}

func (p *program) load(off uint32) { p.emit(bpfLoad, 0, 0, off) }
func (p *program) ret(v uint32)    { p.emit(bpfRet, 0, 0, v) }

// retIf returns v when the accumulator meets the condition.
func (p *program) retIf(cond uint16, k, v uint32) {
	p.emit(cond, 0, 1, k)
	p.ret(v)
}

// retUnless returns v when the accumulator does not meet the condition.
func (p *program) retUnless(cond uint16, k, v uint32) {
	p.emit(cond, 1, 0, k)
	p.ret(v)
}

// block emits body and makes the accumulator test in front of it skip it when
// the condition does not hold.
func (p *program) block(cond uint16, k uint32, body func()) {
	at := len(p.insns)
	p.emit(cond, 0, 0, k)
	body()
	p.insns[at].Jf = uint8(len(p.insns) - at - 1)
}
