// SPDX-License-Identifier: Apache-2.0

// Package elf reads the headers that exec needs of an ELF file: what
// fs/binfmt_elf.c looks at, with its checks. Unlike debug/elf it is meant for
// hostile input: it allocates little and never panics.
package elf

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Types and machines.
const (
	TypeExec     = 2
	TypeDyn      = 3
	MachineX86   = 62
	MachineARM64 = 183

	ptLoad     = 1
	ptInterp   = 3
	ptPhdr     = 6
	ptGNUStack = 0x6474e551

	ehdrSize = 64
	phdrSize = 56
	// maxHeaders bounds the program header table: 64 KiB (load_elf_phdrs).
	maxHeaders = 65536 / phdrSize
	pathMax    = 4096
)

// Segment flags.
const (
	FlagX = 1
	FlagW = 2
	FlagR = 4
)

// Segment is a PT_LOAD entry; sizes and offsets in bytes.
type Segment struct {
	Flags  uint32
	Off    uint64
	Vaddr  uint64
	Filesz uint64
	Memsz  uint64
	Align  uint64
}

// File is what exec needs of an ELF file.
type File struct {
	Type      uint16
	Machine   uint16
	Entry     uint64
	Phoff     uint64
	Phnum     int
	Segments  []Segment
	Interp    string // path of the program interpreter; empty: none
	PhdrVaddr uint64 // where the program headers are mapped; 0: nowhere
	ExecStack bool   // PT_GNU_STACK asks for an executable stack, or is missing
}

// Errors of Parse.
var (
	ErrNotELF = errors.New("not an ELF file")
	ErrBad    = errors.New("malformed ELF file")
)

// ReaderAt reads file bytes; end of file is a short count without error.
type ReaderAt interface {
	ReadAt(p []byte, off int64) (int, error)
}

// Parse reads the headers. head holds the first bytes of the file.
func Parse(head []byte, r ReaderAt) (*File, error) {
	if len(head) < ehdrSize || string(head[:4]) != "\x7fELF" {
		return nil, ErrNotELF
	}
	le := binary.LittleEndian
	if head[4] != 2 || head[5] != 1 {
		return nil, fmt.Errorf("%w: not 64-bit little-endian", ErrNotELF)
	}
	f := &File{
		Type: le.Uint16(head[16:]), Machine: le.Uint16(head[18:]), Entry: le.Uint64(head[24:]),
		Phoff: le.Uint64(head[32:]), Phnum: int(le.Uint16(head[56:])), ExecStack: true,
	}
	switch {
	case f.Type != TypeExec && f.Type != TypeDyn:
		return nil, fmt.Errorf("%w: type %d is not executable", ErrNotELF, f.Type)
	case le.Uint16(head[54:]) != phdrSize:
		return nil, fmt.Errorf("%w: program header size", ErrNotELF)
	case f.Phnum < 1 || f.Phnum > maxHeaders:
		return nil, fmt.Errorf("%w: %d program headers", ErrNotELF, f.Phnum)
	case f.Phoff > 1<<40:
		return nil, fmt.Errorf("%w: program headers lie outside the file", ErrBad)
	}
	table := make([]byte, f.Phnum*phdrSize)
	if end := f.Phoff + uint64(len(table)); end <= uint64(len(head)) {
		copy(table, head[f.Phoff:end])
	} else if n, err := r.ReadAt(table, int64(f.Phoff)); err != nil || n < len(table) {
		return nil, fmt.Errorf("%w: program headers lie outside the file", ErrBad)
	}
	for i := range f.Phnum {
		if err := f.header(table[i*phdrSize:], r); err != nil {
			return nil, err
		}
	}
	if len(f.Segments) == 0 {
		return nil, fmt.Errorf("%w: nothing to load", ErrBad)
	}
	f.findHeaders()
	return f, nil
}

// header takes in one program header.
func (f *File) header(b []byte, r ReaderAt) error {
	le := binary.LittleEndian
	flags := le.Uint32(b[4:])
	s := Segment{flags, le.Uint64(b[8:]), le.Uint64(b[16:]), le.Uint64(b[32:]), le.Uint64(b[40:]), le.Uint64(b[48:])}
	switch le.Uint32(b) {
	case ptLoad:
		return f.load(s)
	case ptGNUStack:
		f.ExecStack = flags&FlagX != 0
	case ptPhdr:
		f.PhdrVaddr = s.Vaddr
	case ptInterp:
		if f.Interp != "" {
			return nil // Linux uses the first
		}
		if s.Filesz < 2 || s.Filesz > pathMax || s.Off > 1<<62 {
			return fmt.Errorf("%w: interpreter path", ErrNotELF)
		}
		p := make([]byte, s.Filesz)
		if n, err := r.ReadAt(p, int64(s.Off)); err != nil || n < len(p) {
			return fmt.Errorf("%w: interpreter path lies outside the file", ErrBad)
		}
		if p[len(p)-1] != 0 {
			return fmt.Errorf("%w: interpreter path", ErrNotELF)
		}
		for i, c := range p {
			if c == 0 {
				f.Interp = string(p[:i])
				break
			}
		}
	}
	return nil
}

// load checks a PT_LOAD entry: in user space, ordered, and file offset and address
// congruent to the page.
func (f *File) load(s Segment) error {
	const top = 1 << 47
	const page = 4096
	if s.Memsz == 0 {
		return nil
	}
	if s.Filesz > s.Memsz || s.Vaddr > top || s.Memsz > top || s.Vaddr+s.Memsz > top || s.Off > 1<<62 || s.Filesz > 1<<62 {
		return fmt.Errorf("%w: segment outside the address space", ErrBad)
	}
	if (s.Vaddr-s.Off)%page != 0 && s.Filesz > 0 {
		return fmt.Errorf("%w: segment not aligned to its file offset", ErrBad)
	}
	if n := len(f.Segments); n > 0 && s.Vaddr < f.Segments[n-1].Vaddr {
		return fmt.Errorf("%w: segments out of order", ErrBad)
	}
	f.Segments = append(f.Segments, s)
	return nil
}

// findHeaders finds where the headers are mapped when no PT_PHDR says so.
func (f *File) findHeaders() {
	if f.PhdrVaddr != 0 {
		return
	}
	for _, s := range f.Segments {
		if s.Off <= f.Phoff && f.Phoff < s.Off+s.Filesz {
			f.PhdrVaddr = f.Phoff - s.Off + s.Vaddr
			return
		}
	}
}

// Range is the span of all segments, page-aligned.
func (f *File) Range() (lo, hi uint64) {
	const page = 4096
	lo = f.Segments[0].Vaddr &^ (page - 1)
	for _, s := range f.Segments {
		hi = max(hi, (s.Vaddr+s.Memsz+page-1)&^(page-1))
	}
	return lo, hi
}

// MaxAlign is the largest power-of-two alignment that a segment asks for.
func (f *File) MaxAlign() uint64 {
	a := uint64(4096)
	for _, s := range f.Segments {
		if s.Align&(s.Align-1) == 0 && s.Align <= 1<<30 {
			a = max(a, s.Align)
		}
	}
	return a
}
