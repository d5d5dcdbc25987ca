// SPDX-License-Identifier: Apache-2.0

package cow

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"lodger/abi"
	"lodger/block"
	"lodger/host"
)

// Create makes a new COW file over a base: init_cow_file in cow_user.c, and the
// bytes of uml_mkcow. It gives the file, open and locked.
func Create(path, base string, opt block.Options) (*block.File, Header, error) {
	h, err := HeaderFor(base)
	if err != nil {
		return nil, h, err
	}
	raw, err := h.Encode()
	if err != nil {
		return nil, h, err
	}
	f, err := block.CreateFile(path, h.FileSize(), opt)
	if err != nil {
		return nil, h, err
	}
	if _, err = f.WriteAt(raw, 0); err == nil {
		// UML sets the size by writing the last byte, so that block exists.
		_, err = f.WriteAt([]byte{0}, h.FileSize()-1)
	}
	if err == nil {
		err = f.Flush()
	}
	if err != nil {
		f.Close()
		os.Remove(path)
		return nil, h, fmt.Errorf("create COW file %s: %w", path, err)
	}
	return f, h, nil
}

// Scratch gives a disk over a base that keeps what is written in memory, until it
// is closed. The base is not written, and is closed with it.
func Scratch(base block.Device) (*Device, error) {
	h := Header{Version: 3, SectorSize: defaultSector, Align: int64(os.Getpagesize()), Size: base.Size(), Backing: "memory"}
	f, err := block.MemFile("lodger-scratch", h.FileSize())
	if err != nil {
		return nil, err
	}
	d, err := New(f, base, h)
	if err != nil {
		f.Close()
		return nil, err
	}
	return d, nil
}

// HeaderFor gives the header of a new COW file over a base: version 3, sectors of
// 512 bytes, aligned to the host's pages.
func HeaderFor(base string) (Header, error) {
	h := Header{Version: 3, SectorSize: defaultSector, Align: int64(os.Getpagesize())}
	err := h.SetBacking(base)
	return h, err
}

// SetBacking makes h point at a base, with its size and time of now.
func (h *Header) SetBacking(base string) error {
	abs, err := Absolutize(base)
	if err != nil {
		return err
	}
	st, err := Stat(abs)
	if err != nil {
		return err
	}
	switch _, err := ReadHeader(abs); {
	case err == nil:
		return fmt.Errorf("%s is a COW file itself and cannot be a base; commit or convert it first: %w", abs, abi.EINVAL)
	case !errors.Is(err, ErrNotCOW):
		return err
	case st.Size > maxSize:
		return fmt.Errorf("%s: %d bytes are too many: %w", abs, st.Size, abi.EFBIG)
	}
	h.Backing, h.Size, h.Mtime = abs, st.Size, uint32(st.Mtime)
	return nil
}

// Absolutize gives the name that UML stores: the directory as getcwd(2) shows it,
// links resolved, and the last component as it was given, a link or not.
func Absolutize(path string) (string, error) {
	dir, err := filepath.Abs(filepath.Dir(path))
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
	if err != nil {
		return "", fmt.Errorf("backing file %s: its directory: %w", path, err)
	}
	return filepath.Join(dir, filepath.Base(path)), nil
}

// BaseStat is what a header keeps of a base.
type BaseStat struct {
	Size, Mtime int64
	Dev, Ino    uint64
}

// Stat looks at a base by its name.
func Stat(path string) (BaseStat, error) {
	fd, err := host.OpenPath(path, abi.O_RDONLY, 0)
	if err != nil {
		return BaseStat{}, &os.PathError{Op: "open backing file", Path: path, Err: err}
	}
	defer host.CloseFD(fd)
	return statFD(fd, path)
}

// StatFile looks at an open base: one that is locked does not change any more.
func StatFile(f *block.File) (BaseStat, error) { return statFD(f.FD(), f.Path()) }

func statFD(fd int, path string) (BaseStat, error) {
	var st host.FileStat
	if err := host.StatAt(fd, "", &st); err != nil {
		return BaseStat{}, &os.PathError{Op: "stat backing file", Path: path, Err: err}
	}
	size, err := host.FileSize(fd) // st_size is 0 for block devices
	if err != nil {
		return BaseStat{}, &os.PathError{Op: "get size of backing file", Path: path, Err: err}
	}
	return BaseStat{size, st.Mtime[0], st.Dev, st.Ino}, nil
}

// ReadHeader reads a file's header, without locks.
func ReadHeader(path string) (Header, error) {
	f, err := block.OpenFile(path, block.Options{ReadOnly: true, Shared: true})
	if err != nil {
		return Header{}, err
	}
	defer f.Close()
	return HeaderOf(f)
}

// HeaderOf reads the header of an open file.
func HeaderOf(f *block.File) (Header, error) {
	b := make([]byte, min(HeaderSize, f.Size()))
	if _, err := f.ReadAt(b, 0); err != nil {
		return Header{}, &os.PathError{Op: "read COW header of", Path: f.Path(), Err: err}
	}
	h, err := Parse(b)
	if err != nil {
		err = fmt.Errorf("%s: %w", f.Path(), err)
	}
	return h, err
}

// WriteHeader replaces a header in place, in its own version, between two syncs.
// What changes of versions 1 and 3 lies in the first sector unless a path is
// longer than about 480 bytes, and is old or new after a crash.
func WriteHeader(d block.Device, h Header) error {
	raw, err := h.Encode()
	if err != nil {
		return err
	}
	if err := block.Flush(d); err != nil {
		return err
	}
	if _, err := d.WriteAt(raw, 0); err != nil {
		return err
	}
	return block.Flush(d)
}
