// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"bytes"
	"fmt"
	"unsafe"
)

// stubStart returns the address of the stub's code in this binary.
func stubStart() unsafe.Pointer

// stubText returns a copy of the stub's machine code.
//
// SAFETY: the stub ends with a marker that the assembly puts there, in the same
// text section; the search stops at the size that the region leaves for it.
// WHY: the code is written in Go assembly and must reach other processes as bytes.
func stubText() ([]byte, error) {
	const most = stubData - stubCode
	end := []byte("LodgerEn")
	start := stubStart()
	for n := uintptr(0); n < most; n += 16 {
		b := unsafe.Slice((*byte)(unsafe.Add(start, n)), len(end))
		if bytes.Equal(b, end) {
			return bytes.Clone(unsafe.Slice((*byte)(start), n)), nil
		}
	}
	return nil, fmt.Errorf("stub code has no end marker within %d bytes", most)
}

// futexWindow returns the addresses between which a kick must keep the timed
// futex wait from starting: after the first SYSCALL of the slot up to the second.
func futexWindow(code []byte) (lo, hi uint64, err error) {
	syscallInsn := []byte{0x0f, 0x05}
	at := 16 * slotFutexWait
	if !bytes.HasPrefix(code[at:], syscallInsn) {
		return 0, 0, fmt.Errorf("stub slot %d does not start with SYSCALL", slotFutexWait)
	}
	n := bytes.Index(code[at+2:], syscallInsn)
	if n < 0 {
		return 0, 0, fmt.Errorf("stub slot %d has no second SYSCALL", slotFutexWait)
	}
	return stubCode + uint64(at) + 2, stubCode + uint64(at) + 2 + uint64(n), nil
}
