// SPDX-License-Identifier: Apache-2.0

package jbd2

import (
	"errors"
	"fmt"
	"syscall"

	"lodger/abi"
)

// What include/linux/jbd2.h calls them.
const (
	EFSCORRUPTED abi.Errno = syscall.EUCLEAN // the journal is damaged
	EFSBADCRC    abi.Errno = syscall.EBADMSG // a checksum is wrong
)

// ErrExternal is the error of a journal that is a device of its own.
var ErrExternal = errors.New("jbd2: external journal devices are not supported")

// errShort is a transfer that ended early without an error.
var errShort = errors.New("short transfer")

// ioError is EIO with what failed, whatever the device's own error was: the
// guest's file system knows only this one.
func ioError(what string, off int64, err error) error {
	return fmt.Errorf("jbd2: %s at %d: %w (%v)", what, off, abi.EIO, err)
}

// UnsupportedError names the features of a journal that are not known here.
type UnsupportedError struct{ Features string }

// Error makes *UnsupportedError an error.
func (e *UnsupportedError) Error() string {
	return "jbd2: unsupported journal feature: " + e.Features
}

// Is makes errors.Is(err, abi.EINVAL) true, as Linux answers the mount.
func (*UnsupportedError) Is(err error) bool { return err == error(abi.EINVAL) }

// corrupt is EFSCORRUPTED with what is wrong.
func corrupt(format string, args ...any) error {
	return fmt.Errorf("jbd2: "+format+": %w", append(args, EFSCORRUPTED)...)
}

// badCRC is EFSBADCRC with what is wrong.
func badCRC(format string, args ...any) error {
	return fmt.Errorf("jbd2: "+format+": %w", append(args, EFSBADCRC)...)
}

// invalid is EINVAL with what is wrong.
func invalid(format string, args ...any) error {
	return fmt.Errorf("jbd2: "+format+": %w", append(args, abi.EINVAL)...)
}

// errnoOf is the error number that the superblock keeps.
func errnoOf(err error) abi.Errno {
	var e abi.Errno
	if errors.As(err, &e) && e != 0 {
		return e
	}
	return abi.EIO
}
