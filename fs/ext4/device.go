// SPDX-License-Identifier: Apache-2.0

package ext4

import "io"

// Device is the disk that holds the file system: byte ranges, as a block device
// gives them. ReadAt and WriteAt transfer everything or fail.
type Device interface {
	io.ReaderAt
	io.WriterAt
	// Size is in bytes.
	Size() int64
	// Flush makes everything written so far survive a power cut.
	Flush() error
}

// HostRanger is the ability of devices whose bytes lie in host files: it tells
// where the bytes from off on lie, and for how many bytes (at most length) that
// place goes on. ok is false where they lie nowhere (a COW hole, a RAM disk), or with
// write where stores there are no writes to the device (a COW file's base). The
// descriptor is read-only without write.
type HostRanger interface {
	HostRange(off, length int64, write bool) (fd int, hostOff, n int64, ok bool)
}

// Owner is the ability of HostRangers whose bytes move to a writable place when they
// are written: Own moves them now, and never again.
type Owner interface {
	Own(off, length int64) error
}

// Discarder is the ability of devices to forget byte ranges.
type Discarder interface {
	Discard(off, length int64) error
}

// readFull reads all of p; the error is the device's, whatever ReadAt's contract
// on EOF makes of it.
func readFull(d Device, p []byte, off int64) error {
	n, err := d.ReadAt(p, off)
	if n == len(p) {
		return nil
	}
	if err == nil {
		err = io.ErrUnexpectedEOF
	}
	return err
}

func writeFull(d Device, p []byte, off int64) error {
	n, err := d.WriteAt(p, off)
	if err == nil && n != len(p) {
		err = io.ErrShortWrite
	}
	return err
}
