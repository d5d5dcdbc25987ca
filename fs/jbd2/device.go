// SPDX-License-Identifier: Apache-2.0

package jbd2

// Device is what the file system lies on; the journal needs no more than this of
// a block device. Writes may be kept in a volatile cache and reach the medium in
// any order, whole sectors at a time, until Flush returns.
type Device interface {
	ReadAt(p []byte, off int64) (int, error)
	WriteAt(p []byte, off int64) (int, error)
	// Flush is a barrier: what was written before is on the medium after it.
	Flush() error
}

// FUAWriter is an ability of devices that can write through their cache
// (REQ_FUA; pwritev2's RWF_DSYNC on a host file): cheaper than write and Flush.
type FUAWriter interface {
	WriteFUA(p []byte, off int64) error
}

// readFull reads all of p; a short read is an error.
func readFull(d Device, p []byte, off int64) error {
	n, err := d.ReadAt(p, off)
	if n == len(p) {
		return nil
	}
	if err == nil {
		err = errShort
	}
	return ioError("read", off, err)
}

// writeFull writes all of p.
func writeFull(d Device, p []byte, off int64) error {
	n, err := d.WriteAt(p, off)
	if err == nil && n != len(p) {
		err = errShort
	}
	if err != nil {
		return ioError("write", off, err)
	}
	return nil
}

// writeThrough writes p so that it is on the medium afterwards. Like REQ_FUA it
// says nothing of earlier writes.
func writeThrough(d Device, p []byte, off int64) error {
	if f, ok := d.(FUAWriter); ok {
		if err := f.WriteFUA(p, off); err != nil {
			return ioError("write", off, err)
		}
		return nil
	}
	if err := writeFull(d, p, off); err != nil {
		return err
	}
	return flush(d)
}

func flush(d Device) error {
	if err := d.Flush(); err != nil {
		return ioError("flush", 0, err)
	}
	return nil
}
