// SPDX-License-Identifier: Apache-2.0

package ubd

import (
	"errors"
	"fmt"
	"os"

	"lodger/abi"
	"lodger/block"
	"lodger/block/cow"
)

// Disk is one open disk.
type Disk struct {
	*block.Section // the whole sectors of the file or *cow.Device, with all its abilities
	Spec           Spec
}

// Open opens what s names. warn is told what UML prints and goes on after; it may
// be nil.
func Open(s Spec, warn func(string)) (*Disk, error) {
	if warn == nil {
		warn = func(string) {}
	}
	if s.File == "" {
		return nil, fmt.Errorf("%s: no file: %w", Name(s.N), abi.ENXIO)
	}
	if s.Shared {
		warn(fmt.Sprintf("Not locking \"%s\" on the host", s.File))
	}
	d, err := open(s, warn)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", Name(s.N), err)
	}
	if d.Size()%block.SectorSize != 0 {
		warn(fmt.Sprintf("%s: the last %d bytes of \"%s\" are no whole sector and are not shown", Name(s.N), d.Size()%block.SectorSize, s.File))
	}
	return &Disk{Section: block.NewSection(d, 0, d.Size()&^(block.SectorSize-1)), Spec: s}, nil
}

func open(s Spec, warn func(string)) (block.Device, error) {
	if s.Scratch {
		s.Scratch, s.ReadOnly = false, true
		base, err := open(s, warn)
		if err != nil {
			return nil, err
		}
		d, err := cow.Scratch(base)
		if err != nil {
			block.Close(base)
			return nil, err
		}
		return d, nil
	}
	opt := block.Options{ReadOnly: s.ReadOnly, Sync: s.Sync, Shared: s.Shared, NoTrim: s.NoTrim}
	f, err := block.OpenFile(s.File, opt)
	if errors.Is(err, os.ErrNotExist) && s.Base != "" {
		return create(s, opt, warn)
	}
	if err != nil {
		return nil, err
	}
	if s.NoCOW {
		return f, nil
	}
	h, err := cow.HeaderOf(f)
	switch {
	case errors.Is(err, cow.ErrNotCOW) && s.Base == "" && (f.ReadOnly() || f.Size() < magicLen):
		return f, nil
	case errors.Is(err, cow.ErrNotCOW) && s.Base == "":
		return &guard{File: f, warn: warn}, nil
	case errors.Is(err, cow.ErrNotCOW):
		err = fmt.Errorf("%s is no COW file, but the base %s was given with it; name a new file to have one made: %w", s.File, s.Base, abi.EINVAL)
	case err == nil:
		var d *cow.Device
		if d, err = cow.OpenOn(f, h, cow.Config{Options: opt, Base: s.Base, Warn: warn}); err == nil {
			return d, nil
		}
	}
	f.Close()
	return nil, err
}

// create makes the COW file of a switch with two files whose first is missing.
func create(s Spec, opt block.Options, warn func(string)) (block.Device, error) {
	if s.ReadOnly {
		return nil, fmt.Errorf("%s does not exist, and a read-only disk (flag r) cannot be made: %w", s.File, abi.ENOENT)
	}
	// The base must be lockable before anything is made.
	base, err := block.OpenFile(s.Base, block.Options{ReadOnly: true, Shared: s.Shared})
	if err != nil {
		return nil, err
	}
	defer base.Close() // the disk has its own
	f, h, err := cow.Create(s.File, s.Base, opt)
	if err != nil {
		return nil, err
	}
	warn(fmt.Sprintf("Creating \"%s\" as COW file for \"%s\"", s.File, s.Base))
	d, err := cow.OpenOn(f, h, cow.Config{Options: opt, Warn: warn})
	if err != nil {
		f.Close()
		os.Remove(s.File)
		return nil, err
	}
	return d, nil
}

// Name is the disk's name without /dev.
func (d *Disk) Name() string { return Name(d.Spec.N) }

// Close implements block.Closer: it flushes and gives up the host's locks.
func (d *Disk) Close() error { return block.Close(d.Whole()) }
