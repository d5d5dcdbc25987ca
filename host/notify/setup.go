// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"lodger/host"
)

// Setup is what a fresh image's header must hold before it enters its program.
type Setup struct {
	TID, PID  uint64
	Mask      uint64     // the guest's signal mask
	Ignored   []int      // signals whose action stays SIG_IGN
	MMMap     [13]uint64 // struct prctl_mm_map; its address is MMMapAddr
	Entry, SP uint64     // where the program starts
}

// MMMapAddr is where Setup puts the prctl_mm_map of a fresh image.
func (p *Platform) MMMapAddr() uint64 { return p.lay.mainHeader() + hMMMap }

// Write stores the setup and the first batch.
func (s *Setup) Write(p *Platform, at Proc, b *Batch) error {
	pieces := append([]host.Piece{
		{Addr: at.Header + hTID, Buf: words(s.TID, s.PID, s.Mask, 0)},
		{Addr: at.Header + hMMMap, Buf: words(s.MMMap[:]...)},
		{Addr: at.Header + hUC, Buf: p.goContext(s.Entry, s.SP)},
	}, b.Pieces(at)...)
	ign := words(1, 0, 0, 0) // SIG_IGN
	for _, sig := range s.Ignored {
		pieces = append(pieces, host.Piece{Addr: OwnTable(at.Header) + 32*uint64(sig-1), Buf: ign})
	}
	want := 0
	for _, x := range pieces {
		want += len(x.Buf)
	}
	return full(host.WriteMem(at.Pid, pieces...))(want)
}
