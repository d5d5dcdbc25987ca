// SPDX-License-Identifier: Apache-2.0

// Package host is the only room of Lodger that talks to the host kernel: raw
// system calls, unsafe and assembly live here and below. It corresponds to
// os-Linux in the classic UML.
//
// Every wrapper retries EINTR (the Go runtime sends itself signals) and opens
// descriptors close-on-exec. Wrappers that cannot block for long use RawSyscall,
// so that they do not give up the caller's processor.
package host

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// iovec is struct iovec with an address in some other process.
type iovec struct {
	base uint64
	len  uint64
}

// Piece is a run of memory in a guest process and our bytes for it.
type Piece struct {
	Addr uint64
	Buf  []byte
}

// maxPieces bounds the pieces of one call; more are done in several calls.
const maxPieces = 8

// ReadMem copies from process pid into the pieces, in order. It returns the bytes
// copied; EFAULT when nothing could be copied, a short count when a later page
// was bad. ESRCH: the process is gone.
func ReadMem(pid int32, pieces ...Piece) (int, error) {
	return vmCall(unix.SYS_PROCESS_VM_READV, pid, pieces)
}

// WriteMem copies the pieces into process pid. It cannot grow a stack
// (hosts from 6.5); see WriteMemForce.
func WriteMem(pid int32, pieces ...Piece) (int, error) {
	return vmCall(unix.SYS_PROCESS_VM_WRITEV, pid, pieces)
}

// vmCall is process_vm_readv or process_vm_writev.
//
// SAFETY: the local vector holds pointers into live slices whose lengths it
// repeats; the remote addresses are checked by the host against the other
// process. WHY: x/sys's wrappers allocate and take uintptr remotes.
func vmCall(nr uintptr, pid int32, pieces []Piece) (int, error) {
	total := 0
	for len(pieces) > 0 {
		n := min(len(pieces), maxPieces)
		done, want, err := vmBatch(nr, pid, pieces[:n])
		total += done
		if err != nil && total == 0 {
			return 0, err
		}
		if err != nil || done < want {
			return total, nil
		}
		pieces = pieces[n:]
	}
	return total, nil
}

func vmBatch(nr uintptr, pid int32, pieces []Piece) (done, want int, err error) {
	var remote [maxPieces]iovec
	var local [maxPieces]struct {
		base *byte
		len  uint64
	}
	n := 0
	for _, p := range pieces {
		if len(p.Buf) == 0 {
			continue
		}
		local[n].base, local[n].len = &p.Buf[0], uint64(len(p.Buf))
		remote[n] = iovec{p.Addr, uint64(len(p.Buf))}
		want += len(p.Buf)
		n++
	}
	if n == 0 {
		return 0, 0, nil
	}
	for {
		r, _, e := syscall.RawSyscall6(nr, uintptr(pid), uintptr(unsafe.Pointer(&local)), uintptr(n), uintptr(unsafe.Pointer(&remote)), uintptr(n), 0)
		if e == syscall.EINTR {
			continue
		}
		if e != 0 {
			return 0, want, e
		}
		return int(r), want, nil
	}
}
