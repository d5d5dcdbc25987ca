// SPDX-License-Identifier: Apache-2.0

package block

import "lodger/abi"

// SectorSize is what a block device never tears, and the unit of partition
// tables here (SECTOR_SIZE; every device has logical blocks of this size).
const SectorSize = 512

// Device is a disk or a part of one. Both calls move all of p or say why not; what
// lies beyond the end is abi.EIO, as in Linux's block layer ("attempt to access
// beyond end of device"). Calls may be made at the same time.
type Device interface {
	ReadAt(p []byte, off int64) (int, error)
	WriteAt(p []byte, off int64) (int, error)
	Size() int64
}

// Flusher is the ability to write back: a barrier (REQ_PREFLUSH). A device
// without it has nothing that could be lost.
type Flusher interface {
	Flush() error
}

// Discarder is the ability to give space back (REQ_OP_DISCARD). What a discarded
// run reads as afterwards is not said. abi.EOPNOTSUPP when it turns out that the
// host cannot.
type Discarder interface {
	Discard(off, n int64) error
}

// Zeroer is the ability to make a run zero without sending zeroes
// (REQ_OP_WRITE_ZEROES).
type Zeroer interface {
	WriteZeroes(off, n int64) error
}

// ReadOnlyer is the ability to be read-only. Writes then give abi.EROFS.
type ReadOnlyer interface {
	ReadOnly() bool
}

// Waiter is the ability to say that a write, flush or discard may have to wait for
// more than the host (a loop device's: for the file system of its file). It then
// belongs on a goroutine that may wait (fs.Context.MayWait).
type Waiter interface {
	Waits() bool
}

// Waits asks a device.
func Waits(d Device) bool {
	w, ok := d.(Waiter)
	return ok && w.Waits()
}

// Closer lets go of the host's files, after a flush.
type Closer interface {
	Close() error
}

// Extents is the ability to know holes. NextData gives the first run at or after
// off that may hold anything but zeroes; n is 0 when none follows.
type Extents interface {
	NextData(off int64) (start, n int64, err error)
}

// CheckRange reports abi.EIO for what does not lie within size.
func CheckRange(off int64, n int, size int64) error {
	if off < 0 || n < 0 || off > size || int64(n) > size-off {
		return abi.EIO
	}
	return nil
}

// checkRun is CheckRange for lengths beyond int's.
func checkRun(off, n, size int64) error {
	if off < 0 || n < 0 || off > size || n > size-off {
		return abi.EIO
	}
	return nil
}

// Flush writes a device back, if it must be.
func Flush(d Device) error {
	if f, ok := d.(Flusher); ok {
		return f.Flush()
	}
	return nil
}

// ReadOnly reports whether a device refuses writes.
func ReadOnly(d Device) bool {
	r, ok := d.(ReadOnlyer)
	return ok && r.ReadOnly()
}

// Discard gives a run's space back; abi.EOPNOTSUPP when the device cannot.
func Discard(d Device, off, n int64) error {
	if f, ok := d.(Discarder); ok {
		return f.Discard(off, n)
	}
	return abi.EOPNOTSUPP
}

// WriteZeroes makes a run zero, by writing zeroes where the device knows no
// better way (blkdev_issue_zeroout).
func WriteZeroes(d Device, off, n int64) error {
	if f, ok := d.(Zeroer); ok {
		if err := f.WriteZeroes(off, n); err != abi.EOPNOTSUPP {
			return err
		}
	}
	return writeZeroes(d, off, n)
}

func writeZeroes(d Device, off, n int64) error {
	if err := checkRun(off, n, d.Size()); err != nil {
		return err
	}
	zeroes := make([]byte, min(n, 64<<10))
	for n > 0 {
		m := min(n, int64(len(zeroes)))
		if _, err := d.WriteAt(zeroes[:m], off); err != nil {
			return err
		}
		off, n = off+m, n-m
	}
	return nil
}

// NextData finds the next run that may hold data; without the ability that is
// all the rest.
func NextData(d Device, off int64) (start, n int64, err error) {
	if e, ok := d.(Extents); ok {
		return e.NextData(off)
	}
	return off, max(d.Size()-off, 0), nil
}

// Close closes a device that can be closed.
func Close(d Device) error {
	if c, ok := d.(Closer); ok {
		return c.Close()
	}
	return nil
}
