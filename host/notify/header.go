// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"encoding/binary"

	"golang.org/x/sys/unix"

	"lodger/host"
)

// Proc addresses the memory of one guest process: Pid is its host process id (or
// the host id of any of its threads), Header the address of a thread's header.
//
// Nothing read from a header can be trusted: the guest may write there.
type Proc struct {
	Pid    int32
	Header uint64
}

// SigState is what a thread's stub keeps about signals.
type SigState struct {
	Mask   uint64
	Action [32]byte // struct kernel_sigaction of the signal asked for
}

// SetPending stores the set of pending signals, nonzero when unmasking must be
// told to the kernel, and then reads the mask. The order matters: the stub
// stores its mask first and then looks at the pending word.
func (p Proc) SetPending(set uint64) error {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], set)
	return full(host.WriteMem(p.Pid, host.Piece{Addr: p.Header + hPending, Buf: b[:]}))(8)
}

func full(n int, err error) func(int) error {
	return func(want int) error {
		if err == nil && n < want {
			return errShort
		}
		return err
	}
}

// ReadMask returns the guest's signal mask of the thread.
func (p Proc) ReadMask() (uint64, error) {
	var b [8]byte
	err := full(host.ReadMem(p.Pid, host.Piece{Addr: p.Header + hMask, Buf: b[:]}))(8)
	return binary.LittleEndian.Uint64(b[:]), err
}

// WriteMask replaces the guest's signal mask of a thread that does not run.
func (p Proc) WriteMask(mask uint64) error {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], mask)
	return full(host.WriteMem(p.Pid, host.Piece{Addr: p.Header + hMask, Buf: b[:]}))(8)
}

// ReadSig reads mask and the action of signal sig from the table at sigtab.
func (p Proc) ReadSig(sigtab uint64, sig int, s *SigState) error {
	var m [8]byte
	err := full(host.ReadMem(p.Pid,
		host.Piece{Addr: p.Header + hMask, Buf: m[:]},
		host.Piece{Addr: sigtab + uint64(sig-1)*32, Buf: s.Action[:]}))(40)
	s.Mask = binary.LittleEndian.Uint64(m[:])
	return err
}

// OwnTable is the address of the signal table inside a header's own page.
func OwnTable(header uint64) uint64 { return header + hOwnTab }

// ReadTable reads all 64 actions.
func (p Proc) ReadTable(sigtab uint64) (t [64][32]byte, err error) {
	var b [64 * 32]byte
	err = full(host.ReadMem(p.Pid, host.Piece{Addr: sigtab, Buf: b[:]}))(len(b))
	for i := range t {
		copy(t[i][:], b[32*i:])
	}
	return t, err
}

// ReadMaskTable reads mask and table in one go.
func (p Proc) ReadMaskTable(sigtab uint64) (mask uint64, t [64][32]byte, err error) {
	var m [8]byte
	var b [64 * 32]byte
	err = full(host.ReadMem(p.Pid, host.Piece{Addr: p.Header + hMask, Buf: m[:]}, host.Piece{Addr: sigtab, Buf: b[:]}))(8 + len(b))
	for i := range t {
		copy(t[i][:], b[32*i:])
	}
	return le64(m[:]), t, err
}

// ActionAddr is where a table at sigtab holds signal sig's action.
func ActionAddr(sigtab uint64, sig int) uint64 { return sigtab + uint64(sig-1)*32 }

// StubHandles reports whether the host signal of this number is the stub's own.
func StubHandles(sig int) bool { return sig <= 32 && stubSignals>>(sig-1)&1 != 0 }

// WriteAction replaces one action.
func (p Proc) WriteAction(sigtab uint64, sig int, a [32]byte) error {
	return full(host.WriteMem(p.Pid, host.Piece{Addr: sigtab + uint64(sig-1)*32, Buf: a[:]}))(32)
}

// SetResult stores the value for ActResult or the number for ActRewind.
func (p Proc) SetResult(v uint64) error {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], v)
	return full(host.WriteMem(p.Pid, host.Piece{Addr: p.Header + hResult, Buf: b[:]}))(8)
}

// CloneCmd is what ActClone performs.
type CloneCmd struct {
	Flags       uint64 // for the host's clone
	Token       uint64 // the child repeats it in OpChild
	ChildPID    uint64 // the guest's id of the child: the parent's result
	ChildHeader uint64 // 0: the child gets copies of memory and header
	AreaBase    uint64 // the child's area when it shares memory
	MapLen      uint64 // nonzero: map the area first
	SP          uint64 // child's stack pointer; 0: as the parent's
	CTID        uint64 // for CLONE_CHILD_CLEARTID
	TLS         uint64
	SigTab      uint64 // the child's signal table
}

// Write stores the command in the parent's header.
func (c *CloneCmd) Write(p Proc) error {
	b := words(c.Flags, c.Token, c.ChildPID, c.ChildHeader, c.AreaBase, c.MapLen, c.SP, c.CTID, c.TLS, c.SigTab)
	return full(host.WriteMem(p.Pid, host.Piece{Addr: p.Header + hCFlags, Buf: b}))(len(b))
}

// Delivery is one signal for ActDeliver.
type Delivery struct {
	Signo    uint64
	Handler  uint64
	Restorer uint64
	Top      uint64 // where the frame goes: it is built below
	OldMask  uint64 // restored when the handler returns
	NewMask  uint64 // while the handler runs
	Restart  int64  // number of the call to issue again after the handler, -1, or a Restart constant
	Result   uint64 // the interrupted call's, with RestartResult
	Stack    [3]uint64
	Info     [128]byte
}

// Values of Delivery.Restart.
const (
	RestartEndWait = -2 // a futex wait that the host would restart returns EINTR
	RestartResult  = -3 // the call has ended with Delivery.Result
)

// WriteFork stores what a plain fork's parent and child need before the host's
// clone goes on.
func WriteFork(p Proc, token, childPID uint64) error {
	return full(host.WriteMem(p.Pid, host.Piece{Addr: p.Header + hCToken, Buf: words(token, childPID)}))(16)
}

// WriteReady stores the descriptor and tells the stub to use it at the next kick
// without asking. The thread must wait in a notification that is answered, and
// kicked, right after. Top 0: below the red zone of whatever stack is in use.
func (d *Delivery) WriteReady(p Proc) error {
	b := d.encode()
	return full(host.WriteMem(p.Pid,
		host.Piece{Addr: p.Header + hDReady, Buf: words(1)},
		host.Piece{Addr: p.Header + hDSigno, Buf: b}))(8 + len(b))
}

// Reset marks the delivery of a signal with SA_RESETHAND: the host's table must
// follow.
func (d *Delivery) Reset() { d.Signo |= 1 << 32 }

// Write stores the descriptor.
func (d *Delivery) Write(p Proc) error {
	b := d.encode()
	if d.Restart == RestartResult {
		return full(host.WriteMem(p.Pid,
			host.Piece{Addr: p.Header + hResult, Buf: words(d.Result)},
			host.Piece{Addr: p.Header + hDSigno, Buf: b}))(8 + len(b))
	}
	return full(host.WriteMem(p.Pid, host.Piece{Addr: p.Header + hDSigno, Buf: b}))(len(b))
}

func (d *Delivery) encode() []byte {
	b := words(d.Signo, d.Handler, d.Restorer, d.Top, d.OldMask, d.NewMask, uint64(d.Restart), d.Stack[0], d.Stack[1], d.Stack[2])
	return append(b, d.Info[:]...)
}

// Batch is a list of host calls for ActBatch or ActBatchRes.
type Batch struct {
	entries []batchEntry
	// Result is the entry whose result ActBatchRes gives to the guest.
	Result int
}

// MaxBatch is how many calls one batch can hold.
const MaxBatch = hBatchMax

// Add appends a call; a failure ends the batch there.
func (b *Batch) Add(nr uint32, args ...uint64) {
	e := batchEntry{Nr: nr, Flags: batchFatal}
	copy(e.Args[:], args)
	b.entries = append(b.entries, e)
}

// AddLoose appends a call whose failure does not matter.
func (b *Batch) AddLoose(nr uint32, args ...uint64) {
	b.Add(nr, args...)
	b.entries[len(b.entries)-1].Flags = 0
}

// Args lists the arguments of the batch's calls with number nr.
func (b *Batch) Args(nr uint32) (out [][6]uint64) {
	for i := range b.entries {
		if b.entries[i].Nr == nr {
			out = append(out, b.entries[i].Args)
		}
	}
	return out
}

// Len is the number of calls.
func (b *Batch) Len() int { return len(b.entries) }

// Take removes and returns the first n calls as a batch of their own.
func (b *Batch) Take(n int) *Batch {
	n = min(n, len(b.entries))
	head := &Batch{entries: b.entries[:n:n]}
	b.entries = b.entries[n:]
	return head
}

// Pieces are the writes that put the batch into header p.
func (b *Batch) Pieces(p Proc) []host.Piece {
	buf := make([]byte, 64*len(b.entries))
	for i := range b.entries {
		b.entries[i].encode(buf[64*i:])
	}
	return []host.Piece{
		{Addr: p.Header + hNBatch, Buf: words(uint64(len(b.entries)), uint64(b.Result))},
		{Addr: p.Header + hBatch, Buf: buf},
	}
}

// Write stores the batch.
func (b *Batch) Write(p Proc) error {
	want := 0
	pieces := b.Pieces(p)
	for _, x := range pieces {
		want += len(x.Buf)
	}
	return full(host.WriteMem(p.Pid, pieces...))(want)
}

// Reachable tells why the host lets nobody read and write the process's memory.
// Whether anything is mapped at the header does not matter.
func (p Proc) Reachable() error {
	var b [8]byte
	at := host.Piece{Addr: p.Header, Buf: b[:]}
	_, err := host.ReadMem(p.Pid, at)
	if err == nil || err == unix.EFAULT {
		_, err = host.WriteMem(p.Pid, at)
	}
	if err == unix.EFAULT {
		return nil
	}
	return err
}
