// SPDX-License-Identifier: Apache-2.0

package sys

import (
	"lodger/abi"
	"lodger/block/bdev"
	"lodger/fs"
	"lodger/kernel"
)

// Flags of swapon(2), include/linux/swap.h.
const (
	swapPrefer   = 0x8000
	swapPrioMask = 0x7fff
	swapDiscards = 0x70000
)

// The swap header, union swap_header: its place in the first page.
const (
	swapMagic       = "SWAPSPACE2"
	swapInfo        = 1024 // version, last_page, nr_badpages
	swapBadPages    = 1536
	maxSwapBadPages = (pageSize - swapBadPages - 10) / 4
)

// swapon takes a swap area; see kernel.Swaps for what becomes of it.
func swapon(t *kernel.Task, a Args) (uint64, error) {
	flags := a.Uint(1)
	if flags&^(swapPrefer|swapPrioMask|swapDiscards) != 0 {
		return 0, abi.EINVAL
	}
	if !t.Creds().Capable(abi.CAP_SYS_ADMIN) {
		return 0, abi.EPERM
	}
	f, err := openSwap(t, a[0], abi.O_EXCL)
	if err != nil {
		return 0, err
	}
	pages, err := checkSwap(t.Context(), f)
	if err == nil {
		prio := -1
		if flags&swapPrefer != 0 {
			prio = int(flags & swapPrioMask)
		}
		err = t.Kernel().Swaps.Add(f, pages, prio)
	}
	if err != nil {
		f.DecRef()
	}
	return 0, err
}

func swapoff(t *kernel.Task, a Args) (uint64, error) {
	if !t.Creds().Capable(abi.CAP_SYS_ADMIN) {
		return 0, abi.EPERM
	}
	f, err := openSwap(t, a[0], 0)
	if err != nil {
		return 0, err
	}
	defer f.DecRef()
	return 0, t.Kernel().Swaps.Remove(f)
}

func openSwap(t *kernel.Task, addr uint64, flags uint64) (*fs.File, error) {
	name, err := userPath(t, addr)
	if err != nil {
		return nil, err
	}
	return fs.Open(t.Context(), fs.Path{}, name, abi.OpenHow{Flags: abi.O_RDWR | flags})
}

// checkSwap is claim_swapfile, read_swap_header and setup_swap_map: it gives the
// number of pages that the area has.
func checkSwap(ctx *fs.Context, f *fs.File) (uint64, error) {
	a, err := f.Stat()
	if err != nil {
		return 0, err
	}
	size, file := a.Size, false
	switch f.Kind() {
	case abi.S_IFBLK:
		size = bdev.DeviceOf(f).Size()
	case abi.S_IFREG:
		// Without a block device below (tmpfs, hostfs), or with holes, a file system
		// cannot say where the blocks are.
		file = true
		if abi.Major(a.Dev) == 0 || int64(a.Blocks) < size/512 {
			return 0, abi.EINVAL
		}
	default:
		return 0, abi.EINVAL
	}
	var h [pageSize]byte
	if n, err := f.Pread(ctx, h[:], 0); err != nil {
		return 0, err
	} else if n < len(h) || string(h[pageSize-len(swapMagic):]) != swapMagic {
		return 0, abi.EINVAL
	}
	version, last, bad := le.Uint32(h[swapInfo:]), le.Uint32(h[swapInfo+4:]), le.Uint32(h[swapInfo+8:])
	pages := uint64(last) + 1
	switch {
	case version != 1, last == 0, pages > uint64(size)/pageSize,
		bad > 0 && file, uint64(bad) > maxSwapBadPages, uint64(bad) >= pages-1:
		return 0, abi.EINVAL
	}
	for i := range int(bad) {
		if n := le.Uint32(h[swapBadPages+4*i:]); n == 0 || n > last {
			return 0, abi.EINVAL
		}
	}
	return pages - 1 - uint64(bad), nil
}
