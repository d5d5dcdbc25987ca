// SPDX-License-Identifier: Apache-2.0

package notify

import "encoding/binary"

// batchEntry is one host call that a stub performs: struct of eight words.
type batchEntry struct {
	Nr    uint32
	Flags uint32
	Args  [6]uint64
	Ret   uint64 // result, or with batchStore the address for it
}

// Flags of a batchEntry.
const (
	batchFatal    = 1     // stop the batch when the call fails
	batchStore    = 2     // store the result at the address in Ret
	batchNoStore  = 4     // do not store the result
	batchLoadArg0 = 0x100 // Args[0] is the address of the argument
)

func (e *batchEntry) encode(b []byte) {
	le := binary.LittleEndian
	le.PutUint32(b, e.Nr)
	le.PutUint32(b[4:], e.Flags)
	for i, a := range e.Args {
		le.PutUint64(b[8+8*i:], a)
	}
	le.PutUint64(b[56:], e.Ret)
}

// areaLayout is the size of thread areas on this host: [stack][header].
type areaLayout struct {
	stackSize uint64 // bytes of alternate stack; header follows
}

func (l areaLayout) size() uint64 { return l.stackSize + headerSize }

// newAreaLayout leaves room for a frame of the guest's call, a fault inside the
// stub or a kick in a timed futex wait on top of it, and the stub's own pushes.
// minSigStack is AT_MINSIGSTKSZ, the size of the host's largest signal frame
// (12 KiB with AMX).
func newAreaLayout(minSigStack uint64) areaLayout {
	need := 2*minSigStack + 1024
	return areaLayout{stackSize: (need + 0xfff) &^ 0xfff}
}

// mainHeader is where the first thread of a fresh process has its header.
func (l areaLayout) mainHeader() uint64 { return areaBase + l.stackSize }

// image is a stub ELF under construction: page 0 holds ELF headers and
// constants, then the code, then (for the zygote) initialised data.
type image struct {
	text []byte // from StubBase: page 0 and code
	data []byte // at stubData, may be nil
	bss  uint64 // bytes of zeroed memory at areaBase
}

func newImage(code []byte, bss uint64) *image {
	im := &image{text: make([]byte, 0x1000+len(code)), bss: bss}
	copy(im.text[0x1000:], code)
	return im
}

func (im *image) put(off int, v uint64) { binary.LittleEndian.PutUint64(im.text[off:], v) }

// bytes lays the image out as an ET_EXEC ELF file. entry is a slot address.
func (im *image) bytes(entry uint64) []byte {
	const (
		ehsize = 64
		phsize = 56
		page   = 0x1000
	)
	le := binary.LittleEndian
	textLen := (len(im.text) + page - 1) &^ (page - 1)
	out := make([]byte, textLen+len(im.data))
	copy(out, im.text)
	copy(out[textLen:], im.data)

	copy(out, "\x7fELF\x02\x01\x01")
	le.PutUint16(out[16:], 2)          // ET_EXEC
	le.PutUint16(out[18:], elfMachine) //
	le.PutUint32(out[20:], 1)
	le.PutUint64(out[24:], entry)
	le.PutUint64(out[32:], ehsize)
	le.PutUint16(out[52:], ehsize)
	le.PutUint16(out[54:], phsize)

	n := 0
	ph := func(typ, flags uint32, off, vaddr, filesz, memsz uint64) {
		b := out[ehsize+n*phsize:]
		le.PutUint32(b, typ)
		le.PutUint32(b[4:], flags)
		for i, v := range []uint64{off, vaddr, vaddr, filesz, memsz, page} {
			le.PutUint64(b[8+8*i:], v)
		}
		n++
	}
	const load, gnuStack, x, w, r = 1, 0x6474e551, 1, 2, 4
	ph(load, r|x, 0, StubBase, uint64(len(im.text)), uint64(len(im.text)))
	if len(im.data) > 0 {
		ph(load, r|w, uint64(textLen), stubData, uint64(len(im.data)), uint64(len(im.data)))
	}
	ph(load, r|w, 0, areaBase, 0, im.bss)
	ph(gnuStack, r|w, 0, 0, 0, 0)
	le.PutUint16(out[56:], uint16(n))
	return out
}
