// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"unicode"

	"lodger/abi"
	"lodger/block/cow"
)

// advised is an error whose text says already what to do.
type advised struct{ error }

func (a advised) Unwrap() error { return a.error }

// diskError makes one line of an error: joined ones have several. Where the cause
// alone says what to do, that is added.
func diskError(err error) string {
	s := strings.ReplaceAll(strings.TrimSpace(err.Error()), "\n", "; ")
	if a := advice(err); a != "" {
		s += "; " + a
	}
	return printable(s)
}

// printable writes out what would drive a terminal: a COW header's base, which
// messages name, may be any bytes.
func printable(s string) string {
	var b strings.Builder
	for _, r := range s { // bytes that are no UTF-8 become U+FFFD
		if unicode.IsPrint(r) {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, "\\x%02x", r)
		}
	}
	return b.String()
}

// advice is the next step after the common causes; the errors of packages block
// and cow that are not here bring theirs along.
func advice(err error) string {
	var done advised
	var mismatch *cow.MismatchError
	var header *cow.HeaderError
	var path *fs.PathError
	switch { // the first that fits
	case errors.As(err, &done), errors.As(err, &mismatch), errors.As(err, &header):
		return ""
	case errors.Is(err, context.Canceled):
		return "it was interrupted, and nothing is left behind"
	case errors.Is(err, cow.ErrNotCOW):
		return `"lodger disk info" says what it is, "lodger disk create COW --base BASE" makes one`
	case errors.Is(err, fs.ErrExist):
		return "remove it or choose another name"
	case errors.Is(err, fs.ErrNotExist) && errors.As(err, &path) && strings.HasPrefix(path.Op, "create"):
		return "make its directory first, or check the name"
	case errors.Is(err, fs.ErrNotExist):
		return "check the name"
	case errors.Is(err, abi.ENOSPC), errors.Is(err, abi.EDQUOT), toolSaid(err, abi.ENOSPC.Error()):
		return "free some space there, or use another file system"
	case toolSaid(err, "cannot mknod"):
		return "only root can unpack device files outside of dev; run this as root, or leave them out of the tar"
	case errors.Is(err, abi.EFBIG):
		return "the file system there holds no file so large; use another"
	case errors.Is(err, abi.EISDIR):
		return "a disk is a file or a block device"
	case errors.Is(err, abi.EROFS):
		return "mount it writable, or copy it elsewhere"
	case toolSaid(err, abi.EACCES.Error()):
		return "run this as root, or as whoever can read it all"
	case errors.Is(err, fs.ErrPermission) && !errors.Is(err, abi.EPERM):
		return "change its permissions, or run as its owner"
	}
	return ""
}

// toolSaid reports whether a program failed with a text, in any case: it tells the
// host's errors in words only.
func toolSaid(err error, text string) bool {
	var e *toolError
	return errors.As(err, &e) && strings.Contains(strings.ToLower(e.text), strings.ToLower(text))
}
