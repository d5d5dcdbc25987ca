// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"lodger/block"
	"lodger/block/cow"
	"lodger/block/image"
	"lodger/block/partitions"
)

// diskInfo is what info tells; its names are those of --json, and stay.
type diskInfo struct {
	File       string          `json:"file"`
	Format     string          `json:"format"`
	Size       int64           `json:"virtual_size"`
	FileSize   int64           `json:"file_size"`
	Allocated  int64           `json:"allocated"`
	COW        *cowInfo        `json:"cow,omitempty"`
	Scheme     string          `json:"partition_table,omitempty"`
	Partitions []partitionInfo `json:"partitions,omitempty"`
	Problems   []string        `json:"partition_problems,omitempty"`
}

type cowInfo struct {
	Version      int    `json:"version"`
	Layout64     bool   `json:"layout_64bit_2005,omitempty"`
	SectorSize   int64  `json:"sector_size"`
	DataOffset   int64  `json:"data_offset"`
	OwnedBlocks  int64  `json:"owned_blocks"` // of sector_size
	OwnedBytes   int64  `json:"owned_bytes"`
	Base         string `json:"base"`
	BaseState    string `json:"base_state"` // unchanged, missing, size-mismatch, mtime-mismatch or unreadable
	BaseProblem  string `json:"base_problem,omitempty"`
	HeaderMtime  int64  `json:"base_mtime"` // as the header says
	BaseSizeNow  *int64 `json:"base_size_now,omitempty"`
	BaseMtimeNow *int64 `json:"base_mtime_now,omitempty"`
	Interrupted  bool   `json:"commit_interrupted"`
}

type partitionInfo struct {
	Number   int    `json:"number"`
	Start    int64  `json:"start"`
	Size     int64  `json:"size"`
	Type     string `json:"type"`
	UUID     string `json:"partuuid,omitempty"`
	Name     string `json:"name,omitempty"`
	Bootable bool   `json:"bootable,omitempty"`
}

// info is `lodger disk info [--json] FILE`.
func (d *disk) info(args []string) error {
	fl := flagsOf(d)
	asJSON := fl.Bool("json", false, "print it as JSON; numbers are bytes and seconds since 1970")
	rest, err := d.parse(fl, args, "FILE")
	if err != nil {
		return err
	}
	i, err := inspect(rest[0])
	if err != nil {
		return err
	}
	if *asJSON {
		e := json.NewEncoder(d.stdout)
		e.SetIndent("", "  ")
		return e.Encode(i)
	}
	i.print(func(name, format string, args ...any) {
		fmt.Fprintf(d.stdout, "%-14s %s\n", name, fmt.Sprintf(format, args...))
	})
	return nil
}

// inspect gathers it. Nothing is locked: a running guest's disk can be looked at.
func inspect(path string) (*diskInfo, error) {
	i, err := image.Inspect(path)
	if err != nil {
		return nil, err
	}
	out := &diskInfo{File: i.Path, Format: i.Format, Size: i.Size, FileSize: i.FileSize, Allocated: i.Allocated}
	opt := block.Options{ReadOnly: true, Shared: true}
	var dev block.Device
	if i.Format == "raw" {
		dev, err = block.OpenFile(path, opt)
	} else {
		out.COW = cowState(i)
		if i.BaseState != nil {
			return out, nil // without its base a disk has no content
		}
		dev, err = cow.Open(path, cow.Config{Options: opt, AnyMtime: true})
	}
	if err != nil {
		return nil, err
	}
	defer block.Close(dev)
	t, err := partitions.Scan(dev)
	if err != nil {
		return nil, fmt.Errorf("%s: read its partition table: %w", path, err)
	}
	out.Scheme, out.Problems = string(t.Scheme), t.Problems
	for _, p := range t.Partitions {
		out.Partitions = append(out.Partitions, partitionInfo{p.Number, p.Start, p.Size, p.Type, p.UUID, p.Name, p.Bootable})
	}
	return out, nil
}

func cowState(i image.Info) *cowInfo {
	h := i.Header
	c := &cowInfo{
		Version: h.Version, Layout64: h.Broken, SectorSize: h.SectorSize, DataOffset: i.Layout.DataOffset,
		OwnedBlocks: (i.Owned + h.SectorSize - 1) / h.SectorSize, OwnedBytes: i.Owned,
		Base: h.Backing, BaseState: "unchanged", HeaderMtime: int64(h.Mtime), Interrupted: i.Interrupted,
	}
	if st, err := cow.Stat(h.Backing); err == nil {
		c.BaseSizeNow, c.BaseMtimeNow = &st.Size, &st.Mtime
	}
	if i.BaseState == nil {
		return c
	}
	c.BaseProblem = diskError(i.BaseState)
	var m *cow.MismatchError
	switch {
	case errors.As(i.BaseState, &m):
		c.BaseState = m.What + "-mismatch"
	case errors.Is(i.BaseState, fs.ErrNotExist):
		c.BaseState = "missing"
	default:
		c.BaseState = "unreadable"
	}
	return c
}

// print writes it for people.
func (i *diskInfo) print(line func(name, format string, args ...any)) {
	line("file", "%q", i.File)
	c := i.COW
	if c == nil {
		line("format", "raw")
	} else {
		layout := ""
		if c.Layout64 {
			layout = ", 64-bit layout of 2005"
		}
		line("format", "COW, version %d%s, blocks of %d bytes", c.Version, layout, c.SectorSize)
	}
	line("virtual size", "%d (%s)", i.Size, human(i.Size))
	line("file size", "%d (%s)", i.FileSize, human(i.FileSize))
	line("allocated", "%d (%s)", i.Allocated, human(i.Allocated))
	if c != nil {
		share := 0.0
		if i.Size > 0 {
			share = 100 * float64(c.OwnedBytes) / float64(i.Size)
		}
		line("blocks owned", "%d (%s, %.1f%% of the disk)", c.OwnedBlocks, human(c.OwnedBytes), share)
		line("base", "%q", c.Base)
		line("base state", "%s", c.BaseState)
		if c.BaseProblem != "" {
			line("", "%s", c.BaseProblem)
		}
		line("base size", "%d in the header%s", i.Size, now(c.BaseSizeNow, func(n int64) string { return fmt.Sprint(n) }))
		line("base mtime", "%s in the header%s", date(c.HeaderMtime), now(c.BaseMtimeNow, date))
		if c.Interrupted {
			line("commit", "did not finish; run \"lodger disk commit %s\" again", i.File)
		}
	}
	if i.Scheme != "" {
		line("partitions", "%s table", i.Scheme)
	}
	for _, p := range i.Partitions {
		name := ""
		if p.Name != "" {
			// A name is the guest's bytes, which must not drive a terminal.
			name = fmt.Sprintf(" %q", p.Name)
		}
		line(fmt.Sprintf("  %d", p.Number), "start %d, size %d (%s), type %s, partuuid %s%s", p.Start, p.Size, human(p.Size), p.Type, p.UUID, name)
	}
	for _, p := range i.Problems {
		line("  problem", "%s", printable(p))
	}
}

func now(n *int64, text func(int64) string) string {
	if n == nil {
		return ""
	}
	return ", " + text(*n) + " now"
}

func date(s int64) string { return time.Unix(s, 0).UTC().Format("2006-01-02T15:04:05Z") }
