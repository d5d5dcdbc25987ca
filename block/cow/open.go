// SPDX-License-Identifier: Apache-2.0

package cow

import (
	"errors"
	"fmt"
	"os"

	"lodger/abi"
	"lodger/block"
)

// MismatchError: the base is not what it was when the COW file was made.
type MismatchError struct {
	Path, Backing string // Path is empty when only a header is known
	What          string // "size" or "mtime"
	Header, Base  int64
}

func (e *MismatchError) Error() string {
	s := fmt.Sprintf("%s mismatch (%d vs %d) of COW header vs backing file %s", e.What, e.Header, e.Base, e.Backing)
	if e.Path != "" {
		s = e.Path + ": " + s
	}
	if e.What == "size" {
		return s + ": the base was replaced or resized, and the COW file is of no use without the old one; put that back"
	}
	return s + ": if the base was only copied or touched, say so with \"lodger disk rebase --unsafe\"; " +
		"if something wrote to it, put the old one back, since the COW file's content depends on it"
}

// Unwrap gives the errno of UML's refusal.
func (e *MismatchError) Unwrap() error { return abi.EINVAL }

// Verify compares a header with a base (backing_file_mismatch in ubd_kern.c).
func (h *Header) Verify(backing string) error {
	st, err := Stat(backing)
	if err != nil {
		return err
	}
	return h.compare(st, backing)
}

// VerifyFile compares a header with an open base. Whoever goes on to use the base
// locks it first and then asks.
func (h *Header) VerifyFile(base *block.File) error {
	st, err := StatFile(base)
	if err != nil {
		return err
	}
	return h.compare(st, base.Path())
}

func (h *Header) compare(st BaseStat, backing string) error {
	switch {
	case st.Size != h.Size:
		return &MismatchError{"", backing, "size", h.Size, st.Size}
	case uint32(st.Mtime) != h.Mtime:
		return &MismatchError{"", backing, "mtime", int64(h.Mtime), st.Mtime}
	}
	return nil
}

// Config says how Open treats a COW file.
type Config struct {
	block.Options
	// Base is the base that the user asked for, "" for the header's.
	Base string
	// AnyMtime lets a base of another time pass: for tools that mend the header.
	AnyMtime bool
	// Warn is told what UML would print and go on after; nil for nobody.
	Warn func(string)
}

func (c *Config) warn(format string, args ...any) {
	if c.Warn != nil {
		c.Warn(fmt.Sprintf(format, args...))
	}
}

// OpenOn gives the disk of a COW file that is open, with its header h: it finds
// the base, compares it with the header, opens it read-only with a read lock, and
// takes over f when it succeeds.
func OpenOn(f *block.File, h Header, c Config) (*Device, error) {
	if err := Interrupted(f.Path()); err != nil && !c.AnyMtime {
		return nil, err
	}
	backing, err := c.choose(f, &h)
	if err != nil {
		return nil, err
	}
	base, err := block.OpenFile(backing, block.Options{ReadOnly: true, Shared: c.Shared})
	if err != nil {
		return nil, fmt.Errorf("%s: its base: %w", f.Path(), err)
	}
	d, err := c.on(f, base, h)
	if err != nil {
		base.Close()
		return nil, err
	}
	return d, nil
}

// on checks the base, now that it is locked.
func (c *Config) on(f, base *block.File, h Header) (*Device, error) {
	if err := h.VerifyFile(base); err != nil {
		var m *MismatchError
		if errors.As(err, &m) {
			m.Path = f.Path()
		}
		if m == nil || !c.AnyMtime || m.What != "mtime" {
			return nil, err
		}
	}
	d, err := New(f, base, h)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Path(), err)
	}
	d.sync = c.Sync
	if f.Size() < h.FileSize() {
		c.warn("%s: the file has %d bytes, not %d, and what it lost cannot be read; see \"lodger disk check\"", f.Path(), f.Size(), h.FileSize())
	}
	return d, nil
}

// choose finds the base to use: the header's, unless the user names another file
// that has the header's size and time; then the header is changed to it
// (path_requires_switch and open_ubd_file).
func (c *Config) choose(f *block.File, h *Header) (string, error) {
	if c.Base == "" || c.Base == h.Backing {
		return h.Backing, nil
	}
	want, err := Stat(c.Base)
	if err != nil {
		return "", err
	}
	if have, err := Stat(h.Backing); err == nil && have.Dev == want.Dev && have.Ino == want.Ino {
		return h.Backing, nil
	}
	c.warn("Backing file mismatch - \"%s\" requested, \"%s\" specified in COW header of \"%s\"", c.Base, h.Backing, f.Path())
	if err := h.Verify(c.Base); err != nil {
		c.warn("%s: the header's backing file is used: %v", f.Path(), err)
		return h.Backing, nil
	}
	c.warn("Switching backing file to '%s'", c.Base)
	if f.ReadOnly() {
		return c.Base, nil // this time only
	}
	abs, err := Absolutize(c.Base)
	if err != nil {
		return "", err
	}
	// In the header's own version: UML writes one of version 3 over the bitmaps
	// of older ones.
	h.Backing = abs
	if err := WriteHeader(f, *h); err != nil {
		return "", fmt.Errorf("%s: switch to backing file %s: %w", f.Path(), abs, err)
	}
	return abs, nil
}

// Open opens a COW file by its path, and its base.
func Open(path string, c Config) (*Device, error) {
	f, err := block.OpenFile(path, c.Options)
	if err != nil {
		return nil, err
	}
	h, err := HeaderOf(f)
	if err == nil {
		var d *Device
		if d, err = OpenOn(f, h, c); err == nil {
			return d, nil
		}
	}
	f.Close()
	return nil, err
}

// Marker is the file beside a COW file that says that a commit into its base has
// begun and not ended: the base has some of the COW file's sectors and another
// time, and only a commit may be made with them.
func Marker(path string) string { return path + ".commit" }

// Interrupted reports an unfinished commit.
func Interrupted(path string) error {
	if _, err := os.Lstat(Marker(path)); err == nil {
		return fmt.Errorf("%s: a commit into its base did not finish (%s is there); run \"lodger disk commit %s\" again: %w",
			path, Marker(path), path, abi.EBUSY)
	}
	return nil
}
