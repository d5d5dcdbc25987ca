// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"lodger/block"
)

// parseSize reads a disk's size: bytes, or a number with K, M, G or T, powers of
// 1024 as truncate(1) and qemu-img take them.
func parseSize(s string) (int64, error) {
	digits, unit := s, int64(1)
	if s != "" {
		if i := strings.IndexByte("KMGT", s[len(s)-1]&^0x20); i >= 0 {
			digits, unit = s[:len(s)-1], 1<<(10*(i+1))
		}
	}
	n, err := strconv.ParseUint(digits, 10, 63) // ParseInt would take signs
	switch {
	case err != nil && strings.Trim(digits, "0123456789") == "" && digits != "", err == nil && int64(n) > math.MaxInt64/unit:
		return 0, fmt.Errorf("--size %q is too large", s)
	case err != nil:
		return 0, fmt.Errorf("--size %q: want bytes, or a number with K, M, G or T, such as 10G", s)
	case n == 0:
		return 0, fmt.Errorf("--size %q: a disk has at least %d bytes", s, block.SectorSize)
	}
	size := int64(n) * unit
	if size%block.SectorSize != 0 {
		return 0, fmt.Errorf("--size %q is no multiple of a sector's %d bytes; %d is the next", s, block.SectorSize, size/block.SectorSize*block.SectorSize+block.SectorSize)
	}
	return size, nil
}

// human writes a number of bytes for people.
func human(n int64) string {
	const step = 1024
	if n < step {
		return fmt.Sprintf("%d B", n)
	}
	v, i := float64(n)/step, 0
	for v >= 999.95 && i < 5 {
		v, i = v/step, i+1
	}
	return fmt.Sprintf("%.1f %ciB", v, "KMGTPE"[i])
}
