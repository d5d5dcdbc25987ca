// SPDX-License-Identifier: Apache-2.0

package kernel

import (
	"lodger/abi"
	"lodger/host"
)

// CopyInPieces fills the pieces in order, several with one host call. It returns
// the bytes copied before unreadable memory; EFAULT when there are none.
func (t *Task) CopyInPieces(p []host.Piece) (int, error) {
	n, err := host.ReadMem(t.hostTID, p...)
	if err != nil {
		return 0, abi.EFAULT
	}
	return n, nil
}

// CopyOutPieces stores the pieces in order, several with one host call. It
// returns the bytes stored before memory that cannot be written as it stands;
// unlike CopyOut it grows no stack.
func (t *Task) CopyOutPieces(p []host.Piece) int {
	n, err := host.WriteMem(t.hostTID, p...)
	if err != nil {
		return 0
	}
	return n
}
