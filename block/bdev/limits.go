// SPDX-License-Identifier: Apache-2.0

package bdev

import (
	"math"

	"lodger/block"
)

// Limits is what of struct queue_limits a guest can see. Zero values mean Linux's
// defaults.
type Limits struct {
	LogicalBlock  int   // bytes; 512
	PhysicalBlock int   // bytes; LogicalBlock
	IOMin, IOOpt  int   // bytes; PhysicalBlock, 0
	MaxSectors    int   // of 512 bytes in a request; 2560 (BLK_DEF_MAX_SECTORS_CAP)
	MaxHWSectors  int   // MaxSectors
	MaxDiscard    int64 // bytes; 0 where the device cannot discard
	// DiscardGranularity: bytes; 0 where the device cannot discard.
	DiscardGranularity int
	MaxWriteZeroes     int64 // bytes; 0 where zeroes must be written as data
	Rotational         bool
	WriteCache         bool // has something to flush
}

const (
	maxRequest        = math.MaxUint32 &^ (block.SectorSize - 1) // UINT_MAX sectors are said in bytes of 32 bits
	defaultMaxSectors = 2560
	defaultReadahead  = 256 // sectors: VM_READAHEAD_PAGES
)

// withDefaults fills in what a driver left open, from what the device can do.
func (l Limits) withDefaults(d block.Device) Limits {
	set := func(p *int, v int) {
		if *p == 0 {
			*p = v
		}
	}
	set(&l.LogicalBlock, block.SectorSize)
	set(&l.PhysicalBlock, l.LogicalBlock)
	set(&l.IOMin, l.PhysicalBlock)
	set(&l.MaxSectors, defaultMaxSectors)
	set(&l.MaxHWSectors, l.MaxSectors)
	if canDiscard(d) {
		set(&l.DiscardGranularity, l.LogicalBlock)
		if l.MaxDiscard == 0 {
			l.MaxDiscard = maxRequest
		}
	} else {
		l.DiscardGranularity, l.MaxDiscard = 0, 0
	}
	if d == nil || block.ReadOnly(d) {
		l.MaxWriteZeroes = 0
	} else if _, ok := bottom(d).(block.Zeroer); !ok {
		l.MaxWriteZeroes = 0
	} else if l.MaxWriteZeroes == 0 {
		l.MaxWriteZeroes = maxRequest
	}
	return l
}

// discardTeller is the ability to know in advance whether discards are refused.
type discardTeller interface{ CanDiscard() bool }

func canDiscard(d block.Device) bool {
	if d == nil || block.ReadOnly(d) {
		return false
	}
	d = bottom(d)
	if c, ok := d.(discardTeller); ok {
		return c.CanDiscard()
	}
	_, ok := d.(block.Discarder)
	return ok
}

// bottom is what a section of a section is of: those have every ability in name.
func bottom(d block.Device) block.Device {
	for {
		s, ok := d.(*block.Section)
		if !ok {
			return d
		}
		d = s.Whole()
	}
}
