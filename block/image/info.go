// SPDX-License-Identifier: Apache-2.0

package image

import (
	"errors"
	"fmt"
	"os"

	"lodger/block"
	"lodger/block/cow"
	"lodger/host"
)

// Info is what an image is.
type Info struct {
	Path      string
	Format    string // "raw" or "cow"
	Size      int64  // of the disk
	FileSize  int64
	Allocated int64 // bytes that the host keeps for the file

	// Of COW files.
	Header      cow.Header
	Layout      cow.Layout
	Owned       int64 // bytes of the disk that are in the COW file
	BaseState   error // nil when the base is there and unchanged
	Interrupted bool  // a commit did not finish
}

// Inspect looks at an image without locking it: a running guest's can be looked
// at, and what it wrote since its last flush may not show.
func Inspect(path string) (Info, error) {
	f, err := block.OpenFile(path, block.Options{ReadOnly: true, Shared: true})
	if err != nil {
		return Info{}, err
	}
	defer f.Close()
	i := Info{Path: path, Format: "raw", Size: f.Size(), FileSize: f.Size()}
	var st host.FileStat
	if err := host.StatAt(f.FD(), "", &st); err != nil {
		return i, &os.PathError{Op: "stat disk", Path: path, Err: err}
	}
	i.Allocated = int64(st.Blocks) * 512
	h, err := cow.HeaderOf(f)
	if errors.Is(err, cow.ErrNotCOW) {
		return i, nil
	}
	if err != nil {
		return i, err
	}
	i.Format, i.Size, i.Header, i.Layout = "cow", h.Size, h, h.Layout()
	i.BaseState = h.Verify(h.Backing)
	i.Interrupted = cow.Interrupted(path) != nil
	d, err := cow.New(f, sized(h.Size), h)
	if err != nil {
		return i, fmt.Errorf("%s: %w", path, err)
	}
	i.Owned = min(d.Owned()*h.SectorSize, h.Size)
	return i, nil
}

// sized stands for a base whose bytes nobody asks for.
type sized int64

func (s sized) Size() int64                           { return int64(s) }
func (s sized) ReadAt(p []byte, _ int64) (int, error) { clear(p); return len(p), nil }
func (s sized) WriteAt([]byte, int64) (int, error)    { return 0, os.ErrPermission }
