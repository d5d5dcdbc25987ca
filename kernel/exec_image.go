// SPDX-License-Identifier: Apache-2.0

package kernel

import (
	"encoding/binary"
	"math/rand/v2"

	"lodger/abi"
	"lodger/lib/elf"
)

const (
	pageSize = 4096

	// Where position-independent programs and the interpreter go: the program
	// where Linux puts it (ELF_ET_DYN_BASE), the interpreter below the stub,
	// where a fresh image holds nothing. ThreadSanitizer wants every mapping above
	// 0x7e8000000000.
	dynBase    = 0x555555554000
	interpBase = 0x7e8000000000

	protR, protW, protX = 1, 2, 4
	mapPrivate          = 0x02
	mapFixed            = 0x10
	mapAnonymous        = 0x20
	mapFixedNoReplace   = 0x100000
)

func pageDown(a uint64) uint64 { return a &^ (pageSize - 1) }
func pageUp(a uint64) uint64   { return (a + pageSize - 1) &^ (pageSize - 1) }

// buildImage plans the fresh address space: segments as a batch of host calls,
// the stack's contents, and the program's first registers. sp is the host's
// initial stack pointer. The caller holds t.callMu; t's process waits.
func (t *Task) buildImage(x *execing, sp uint64) error {
	aux, err := t.readHostAuxv(sp)
	if err != nil {
		return err
	}
	b := newImageBatch(t, x)
	x.zero = nil // of an attempt before
	defer func() { x.batches = &b.batch }()
	bias := uint64(0)
	if x.image.Type == elf.TypeDyn {
		lo, _ := x.image.Range()
		align := x.image.MaxAlign()
		bias = ((dynBase + randPages(28)) &^ (align - 1)) - lo&^(align-1)
	}
	lay := &t.MM.Layout
	if err := b.mapELF(x.file, x.image, bias); err != nil {
		return err
	}
	entry := x.image.Entry + bias
	base := uint64(0)
	if x.loader != nil {
		lo, _ := x.loader.Range()
		base = interpBase + randPages(26) - lo
		if x.loader.Type == elf.TypeExec {
			base = 0
		}
		if err := b.mapELF(x.interp, x.loader, base); err != nil {
			return err
		}
		x.setup.Entry = x.loader.Entry + base
	} else {
		x.setup.Entry = entry
	}
	b.layout(lay, x.image, bias)
	stack := t.stackImage(x, aux, sp, bias, base, entry)
	t.MM.SetStack(pageDown(stack.sp), sp) // CopyOut grows it
	if err := t.CopyOut(stack.sp, stack.bytes); err != nil {
		return err
	}
	stack.describe(lay)
	x.setup.SP = stack.sp
	x.setup.TID, x.setup.PID = uint64(t.tid), uint64(t.tg.pid)
	x.setup.Mask, x.setup.Ignored = uint64(x.mask), x.ignore
	x.setup.MMMap = [13]uint64{
		lay.StartCode, lay.EndCode, lay.StartData, lay.EndData, lay.StartBrk, lay.StartBrk, lay.StartStack,
		lay.ArgStart, lay.ArgEnd, lay.EnvStart, lay.EnvEnd, lay.AuxvAddr, uint64(len(lay.Auxv)) | 0xffffffff<<32,
	}
	b.finish()
	return nil
}

// readHostAuxv reads what the host's kernel told the stub about this machine.
func (t *Task) readHostAuxv(sp uint64) (map[uint64]uint64, error) {
	b := make([]byte, 1024)
	n, err := t.CopyInSome(sp, b)
	if err != nil {
		return nil, err
	}
	le := binary.LittleEndian
	words := make([]uint64, n/8)
	for i := range words {
		words[i] = le.Uint64(b[8*i:])
	}
	// argc, argv..., 0, envp..., 0, auxv
	i := 1
	for zeros := 0; i < len(words) && zeros < 2; i++ {
		if words[i] == 0 {
			zeros++
		}
	}
	aux := map[uint64]uint64{}
	for ; i+1 < len(words) && words[i] != abi.AT_NULL; i += 2 {
		aux[words[i]] = words[i+1]
	}
	return aux, nil
}

// stackImage is the new program's initial stack.
type stackImage struct {
	sp               uint64
	bytes            []byte
	argStart, argEnd uint64
	envStart, envEnd uint64
	auxvAddr         uint64
	auxv             []byte
}

func (s *stackImage) describe(l *layoutOf) {
	l.StartStack = s.sp
	l.ArgStart, l.ArgEnd, l.EnvStart, l.EnvEnd = s.argStart, s.argEnd, s.envStart, s.envEnd
	l.AuxvAddr, l.Auxv = s.auxvAddr, s.auxv
}

// stackImage lays out strings, auxiliary vector and pointers below top, as
// create_elf_tables does.
func (t *Task) stackImage(x *execing, host map[uint64]uint64, top, bias, base, entry uint64) *stackImage {
	const platform = elfPlatform
	size := 0
	for _, l := range [][]string{x.argv, x.envp} {
		for _, s := range l {
			size += len(s) + 1
		}
	}
	strSize := size + len(x.path) + 1
	strings := make([]byte, 0, strSize+64)
	strBase := (top - uint64(strSize) - 64 - rand.Uint64N(8192)) &^ 15
	at := func() uint64 { return strBase + uint64(len(strings)) }
	push := func(s string) uint64 {
		a := at()
		strings = append(append(strings, s...), 0)
		return a
	}
	var img stackImage
	ptrs := make([]uint64, 0, len(x.argv)+len(x.envp)+64)
	ptrs = append(ptrs, uint64(len(x.argv)))
	img.argStart = at()
	for _, s := range x.argv {
		ptrs = append(ptrs, push(s))
	}
	img.argEnd, img.envStart = at(), at()
	ptrs = append(ptrs, 0)
	for _, s := range x.envp {
		ptrs = append(ptrs, push(s))
	}
	img.envEnd = at()
	ptrs = append(ptrs, 0)
	execfn := push(x.path)
	plat := push(platform)
	for len(strings)%16 != 0 {
		strings = append(strings, 0)
	}
	random := at()
	strings = binary.LittleEndian.AppendUint64(strings, rand.Uint64())
	strings = binary.LittleEndian.AppendUint64(strings, rand.Uint64())

	aux := make([]uint64, 0, 48)
	add := func(k, v uint64) { aux = append(aux, k, v) }
	copyHost := func(keys ...uint64) {
		for _, k := range keys {
			if v, ok := host[k]; ok {
				add(k, v)
			}
		}
	}
	c := x.creds
	copyHost(abi.AT_SYSINFO_EHDR, abi.AT_MINSIGSTKSZ, abi.AT_HWCAP)
	add(abi.AT_PAGESZ, pageSize)
	add(abi.AT_CLKTCK, 100)
	phdr := x.image.PhdrVaddr
	if phdr != 0 {
		phdr += bias
	}
	add(abi.AT_PHDR, phdr)
	add(abi.AT_PHENT, 56)
	add(abi.AT_PHNUM, uint64(x.image.Phnum))
	add(abi.AT_BASE, base)
	add(abi.AT_FLAGS, 0)
	add(abi.AT_ENTRY, entry)
	add(abi.AT_UID, uint64(c.UID))
	add(abi.AT_EUID, uint64(c.EUID))
	add(abi.AT_GID, uint64(c.GID))
	add(abi.AT_EGID, uint64(c.EGID))
	secure := uint64(0)
	if x.secure {
		secure = 1
	}
	add(abi.AT_SECURE, secure)
	add(abi.AT_RANDOM, random)
	copyHost(abi.AT_HWCAP2)
	add(abi.AT_EXECFN, execfn)
	add(abi.AT_PLATFORM, plat)
	copyHost(abi.AT_RSEQ_FEATURE, abi.AT_RSEQ_ALIGN)
	add(abi.AT_NULL, 0)

	words := len(ptrs) + len(aux)
	img.sp = (strBase - uint64(8*words)) &^ 15
	img.auxvAddr = img.sp + uint64(8*len(ptrs))
	img.bytes = make([]byte, strBase-img.sp, strBase-img.sp+uint64(len(strings)))
	le := binary.LittleEndian
	for i, v := range ptrs {
		le.PutUint64(img.bytes[8*i:], v)
	}
	auxv := img.bytes[8*len(ptrs):]
	for i, v := range aux {
		le.PutUint64(auxv[8*i:], v)
	}
	img.auxv = append([]byte(nil), auxv[:8*len(aux)]...)
	img.bytes = append(img.bytes, strings...)
	return &img
}
