// SPDX-License-Identifier: Apache-2.0

package sys

import (
	"encoding/binary"

	"lodger/abi"
	"lodger/kernel"
)

var le = binary.LittleEndian

// putWords stores 64-bit words at addr.
func putWords(t *kernel.Task, addr uint64, words ...uint64) error {
	b := make([]byte, 8*len(words))
	for i, w := range words {
		le.PutUint64(b[8*i:], w)
	}
	return t.CopyOut(addr, b)
}

// getWords reads n 64-bit words at addr.
func getWords(t *kernel.Task, addr uint64, n int) ([]uint64, error) {
	b := make([]byte, 8*n)
	if err := t.CopyIn(addr, b); err != nil {
		return nil, err
	}
	out := make([]uint64, n)
	for i := range out {
		out[i] = le.Uint64(b[8*i:])
	}
	return out, nil
}

// putUint32 stores v at addr.
func putUint32(t *kernel.Task, addr uint64, v uint32) error {
	var b [4]byte
	le.PutUint32(b[:], v)
	return t.CopyOut(addr, b[:])
}

// getSigset reads a signal set of the only size that Linux takes.
func getSigset(t *kernel.Task, addr, size uint64) (abi.Sigset, error) {
	if size != 8 {
		return 0, abi.EINVAL
	}
	var b [8]byte
	if err := t.CopyIn(addr, b[:]); err != nil {
		return 0, err
	}
	return abi.Sigset(le.Uint64(b[:])), nil
}

// list reads a NULL-terminated array of strings. Strings lie next to each
// other as a rule, so memory is read by the page, not by the string.
func (r *pageReader) list(addr uint64) ([]string, error) {
	if addr == 0 {
		return nil, nil
	}
	var out []string
	for total := 0; ; addr += 8 {
		p, err := r.word(addr)
		if err != nil {
			return nil, err
		}
		if p == 0 {
			return out, nil
		}
		s, err := r.str(p, maxArg)
		if err != nil {
			return nil, err
		}
		total += len(s) + 9
		if total > maxArgs {
			return nil, abi.E2BIG
		}
		out = append(out, s)
	}
}

const (
	maxArg   = 32 * 4096
	maxArgs  = 6<<20 + 4096
	pageSize = 4096
)

// pageReader reads guest memory through a few cached pages.
type pageReader struct {
	t     *kernel.Task
	pages [4]cachedPage
	turn  int
}

type cachedPage struct {
	addr uint64
	ok   bool
	data [pageSize]byte
}

func (r *pageReader) page(addr uint64) (*[pageSize]byte, error) {
	base := addr &^ (pageSize - 1)
	for i := range r.pages {
		if r.pages[i].ok && r.pages[i].addr == base {
			return &r.pages[i].data, nil
		}
	}
	p := &r.pages[r.turn]
	r.turn = (r.turn + 1) % len(r.pages)
	p.ok = false
	if err := r.t.CopyIn(base, p.data[:]); err != nil {
		return nil, err
	}
	p.addr, p.ok = base, true
	return &p.data, nil
}

func (r *pageReader) word(addr uint64) (uint64, error) {
	var b [8]byte
	for i := range b {
		p, err := r.page(addr + uint64(i))
		if err != nil {
			return 0, err
		}
		b[i] = p[(addr+uint64(i))&(pageSize-1)]
	}
	return le.Uint64(b[:]), nil
}

// str reads a string; E2BIG when it is longer than most bytes.
func (r *pageReader) str(addr uint64, most int) (string, error) {
	var out []byte
	for {
		p, err := r.page(addr)
		if err != nil {
			return "", err
		}
		rest := p[addr&(pageSize-1):]
		for i, c := range rest {
			if c == 0 {
				return string(append(out, rest[:i]...)), nil
			}
		}
		out = append(out, rest...)
		if len(out) >= most {
			return "", abi.E2BIG
		}
		addr += uint64(len(rest))
	}
}
