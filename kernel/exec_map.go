// SPDX-License-Identifier: Apache-2.0

package kernel

import (
	"errors"

	"lodger/fs"
	"lodger/host/notify"
	"lodger/lib/elf"
	"lodger/mm"
)

type layoutOf = mm.Layout

// imageBatch collects the host calls that map a program.
type imageBatch struct {
	t     *Task
	x     *execing
	batch notify.Batch
	fds   map[int]int // our descriptors -> numbers in the stub
}

func newImageBatch(t *Task, x *execing) *imageBatch {
	return &imageBatch{t: t, x: x, fds: map[int]int{}}
}

// hostFD makes one of our descriptors known to the stub, close-on-exec, and
// returns its number there.
func (b *imageBatch) hostFD(fd int) (uint64, error) {
	if n, ok := b.fds[fd]; ok {
		return uint64(n), nil
	}
	n, err := b.t.k.p.AddExecFD(b.t.call.id, fd, len(b.fds))
	if err != nil {
		return 0, err
	}
	b.fds[fd] = n
	return uint64(n), nil
}

func prot(flags uint32) uint64 {
	p := uint64(0)
	if flags&elf.FlagR != 0 {
		p |= protR
	}
	if flags&elf.FlagW != 0 {
		p |= protW
	}
	if flags&elf.FlagX != 0 {
		p |= protX
	}
	return p
}

// mapELF maps the segments of im, read from f, at bias.
func (b *imageBatch) mapELF(f *fs.File, im *elf.File, bias uint64) error {
	for _, s := range im.Segments {
		start, fileEnd, memEnd := s.Vaddr+bias, s.Vaddr+bias+s.Filesz, s.Vaddr+bias+s.Memsz
		p := prot(s.Flags)
		mapped := pageDown(start)
		if s.Filesz > 0 {
			lo := pageDown(start)
			off := s.Off - (start - lo)
			length := pageUp(fileEnd) - lo
			if err := b.mapFile(&mapping{f: f, addr: lo, length: length, prot: p, flags: mapPrivate | mapFixed, off: off}); err != nil {
				return err
			}
			mapped = lo + length
			if memEnd > fileEnd && mapped > fileEnd && p&protW != 0 {
				// To the page's end: ld.so takes what is behind its bss for its
				// first allocations (padzero in fs/binfmt_elf.c).
				b.x.zero = append(b.x.zero, zeroRange{fileEnd, mapped - fileEnd})
			}
		}
		if end := pageUp(memEnd); end > mapped {
			b.batch.Add(notify.NrMmap, mapped, end-mapped, p, mapPrivate|mapFixed|mapAnonymous, ^uint64(0), 0)
		}
	}
	return nil
}

// mapFile adds a segment, piece by piece.
func (b *imageBatch) mapFile(q *mapping) error {
	runs, err := q.runs(b.t, b.t.Context())
	var moves *fs.WouldBlock
	if err == fs.ErrMustWait || errors.As(err, &moves) {
		return &notReady{q}
	}
	if err != nil {
		return err
	}
	at := q.addr
	for _, r := range runs {
		n, err := b.hostFD(r.FD)
		if err != nil {
			return err
		}
		b.batch.Add(notify.NrMmap, at, uint64(r.Len), q.prot, q.flags, n, uint64(r.Off))
		at += uint64(r.Len)
	}
	return nil
}

// notReady: a program cannot be mapped yet.
type notReady struct{ q *mapping }

func (*notReady) Error() string { return "the file's bytes are moving" }

// layout notes where code, data and heap lie.
func (b *imageBatch) layout(l *mm.Layout, im *elf.File, bias uint64) {
	lo, hi := im.Range()
	l.StartCode, l.EndCode = lo+bias, lo+bias
	for _, s := range im.Segments {
		start, end := s.Vaddr+bias, s.Vaddr+bias+s.Filesz
		if s.Flags&elf.FlagX != 0 {
			l.EndCode = max(l.EndCode, end)
		}
		l.StartData = max(l.StartData, start)
		l.EndData = max(l.EndData, end)
	}
	l.StartBrk = hi + bias + randPages(13)
	if bias == 0 {
		l.StartBrk = hi + randPages(13)
	}
}

// finish appends the heap's place and closes the descriptors.
func (b *imageBatch) finish() {
	const prSetMM, prSetMMMap, size = 35, 14, 104
	b.batch.AddLoose(notify.NrPrctl, prSetMM, prSetMMMap, b.t.k.p.MMMapAddr(), size, 0)
	for _, n := range b.fds {
		b.batch.AddLoose(notify.NrClose, uint64(n))
	}
}
