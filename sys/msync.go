// SPDX-License-Identifier: Apache-2.0

package sys

import (
	"lodger/abi"
	"lodger/kernel"
)

// Flags of msync(2), include/uapi/asm-generic/mman-common.h.
const (
	msAsync      = 1
	msInvalidate = 2
	msSync       = 4
)

// msync is mm/msync.c. The host can do all of it but for files of disk images: it
// knows neither what of them is in a memory copy, nor that a block is worth nothing
// after a power cut without the journal that says whose it is. So these are made
// durable as fdatasync(2) does.
func msync(t *kernel.Task, a Args) (uint64, error) {
	addr, length, flags := a[0], (a[1]+pageSize-1)&^(pageSize-1), a[2]
	switch {
	case flags&^(msAsync|msInvalidate|msSync) != 0, addr%pageSize != 0, flags&(msAsync|msSync) == msAsync|msSync:
		return 0, abi.EINVAL
	case addr+length < addr:
		return 0, abi.ENOMEM
	case flags&msSync == 0 || length == 0:
		return t.Continue()
	}
	files, images, err := t.SharedFiles(addr, length)
	if err != nil {
		return 0, abi.ENOMEM
	}
	if !images {
		return t.Continue()
	}
	ctx := *t.Context()
	ctx.MayWait = true
	return t.Slow(func() (uint64, error) {
		var failed error
		for _, f := range files {
			if failed == nil {
				failed = f.Fsync(&ctx, true)
			}
			f.DecRef()
		}
		if failed == nil && !t.Mapped(addr, length) {
			failed = abi.ENOMEM // what is mapped of it was written all the same
		}
		return 0, failed
	})
}
