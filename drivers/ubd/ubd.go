// SPDX-License-Identifier: Apache-2.0

// Package ubd is User-mode Linux's disks: arch/um/drivers/ubd_kern.c, without its
// request queue.
//
// # Model
//
// Parse reads one ubd switch of the command line into a Spec; a Config collects
// those of a guest, with UML's rules and UML's words. Open opens what a Spec names:
// a raw image, or a COW file over its base (made when it is missing), locked on the
// host as UML locks it. The Disk is a block.Device; Register makes it and its
// partitions block devices of the guest, with ubd's own ioctls.
//
//	ubd<n><flags>=<file>[(,|:)<base>[(,|:)<serial>]]
//	n      a number as C writes it, or a letter from a on
//	flags  r read-only, s synchronous, d never a COW file, c shared (no host locks),
//	       t no trim; in any order
//
// Where UML is wrong it is not followed: a COW file that cannot be understood is
// refused and not used as a raw disk, and a guest cannot make its raw disk a COW
// file over any file of the host (guard).
//
// # Locks
//
//	Config.mu, a leaf
//	guard.mu   writes to a raw disk's first bytes
//
// # Left out
//
// Hot plug's mconsole side; the fake major and fake IDE of old; O_DIRECT on the host.
package ubd

import "strings"

// Major is UBD_MAJOR; each disk has 16 minors, as UBD_SHIFT says.
const (
	Major    = 98
	Minors   = 16
	MaxDisks = 256 // UML stops at 16
)

// Name is a disk's name without /dev: ubda to ubdz, ubdaa and so on, as sd_format_disk_name
// counts.
func Name(n int) string {
	var b []byte
	for ; n >= 0; n = n/26 - 1 {
		b = append([]byte{byte('a' + n%26)}, b...)
	}
	return "ubd" + string(b)
}

// Typo is what UML says of a switch that begins with udb.
func Typo(arg string) (msg string, ok bool) {
	if !strings.HasPrefix(arg, "udb") {
		return "", false
	}
	return arg + " specified on command line is almost certainly a ubd -> udb typo", true
}
