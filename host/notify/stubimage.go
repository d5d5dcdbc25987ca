// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// common fills the constants that both images need.
func (im *image) common(lay areaLayout, code []byte) {
	im.put(cHdr, lay.mainHeader())
	copy(im.text[cName:], "lodger-guest\x00")
	im.put(cArgv, StubBase+cName)
	im.put(cArgv+8, 0)
	im.put(cEmpty, 0)
	im.put(cEnvp, 0)
}

func (im *image) batch(entries []batchEntry) error {
	if len(entries) > cBatchMax {
		return fmt.Errorf("%d set-up calls, room for %d", len(entries), cBatchMax)
	}
	for i := range entries {
		entries[i].encode(im.text[cBatch+64*i:])
	}
	return nil
}

// Host signals that a guest process's stub handles.
const (
	sigILL, sigTRAP, sigBUS, sigFPE, sigSEGV, sigSYS = 4, 5, 7, 8, 11, 31

	saFlags = 0x4 | 0x04000000 | 0x08000000 | 0x10000000 // SIGINFO RESTORER ONSTACK RESTART
)

// stubImage builds the ELF file that every guest process execs before its own
// program: it installs the handlers, seals itself and asks for the program.
func stubImage(code []byte, lay areaLayout, sealed, pdeath, trace bool) ([]byte, error) {
	im := newImage(code, lay.size())
	im.common(lay, code)
	lo, hi, err := futexWindow(code)
	if err != nil {
		return nil, err
	}
	im.put(cFwLo, lo)
	im.put(cFwHi, hi)
	var entries []batchEntry
	call := func(nr uint32, args ...uint64) {
		e := batchEntry{Nr: nr, Flags: batchFatal | batchNoStore}
		copy(e.Args[:], args)
		entries = append(entries, e)
	}
	faults := uint64(1<<(sigSEGV-1) | 1<<(sigBUS-1))
	at := 0xe00
	handler := func(sig int, entry int, mask uint64) {
		for i, w := range []uint64{slot(entry), saFlags, slot(slotRestorer), mask} {
			im.put(at+8*i, w)
		}
		call(unix.SYS_RT_SIGACTION, uint64(sig), StubBase+uint64(at), 0, 8)
		at += 32
	}
	// While the stub touches guest memory a bad pointer must reach hfault.
	handler(sigSYS, slotSys, ^faults)
	handler(KickSignal, slotKick, ^faults)
	for _, sig := range []int{sigSEGV, sigBUS, sigFPE, sigILL, sigTRAP} {
		handler(sig, slotFault, ^uint64(0))
	}
	if trace {
		im.put(cTrace, 1)
	}
	if pdeath {
		im.put(cPdeath, 1)
		call(unix.SYS_PRCTL, unix.PR_SET_PDEATHSIG, uint64(unix.SIGKILL))
	}
	if sealed {
		call(nrMseal, StubBase, uint64(len(im.text)+0xfff)&^0xfff, 0)
		call(nrMseal, areaBase, lay.size(), 0)
	}
	if cBatch+64*len(entries) > 0xe00 {
		return nil, fmt.Errorf("%d stub set-up calls overlap the signal actions", len(entries))
	}
	im.put(cNBoot, uint64(len(entries)))
	if err := im.batch(entries); err != nil {
		return nil, err
	}
	return im.bytes(slot(slotStart)), nil
}
