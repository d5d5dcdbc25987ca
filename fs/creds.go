// SPDX-License-Identifier: Apache-2.0

package fs

import "lodger/abi"

// Creds are the credentials of a task as file systems see them. A Creds value
// never changes after it was published; a task changes credentials by pointing
// at a new one.
type Creds struct {
	UID, EUID, SUID, FSUID uint32
	GID, EGID, SGID, FSGID uint32
	Groups                 []uint32 // supplementary groups
	Effective              uint64   // capability bits, 1<<abi.CAP_*
	Permitted              uint64
	Inheritable            uint64
	Bounding               uint64
	Ambient                uint64
}

// AllCaps has every capability's bit.
const AllCaps = 1<<(abi.CAP_LAST_CAP+1) - 1

// RootCreds gives new credentials of an all-powerful root.
func RootCreds() *Creds {
	return &Creds{Effective: AllCaps, Permitted: AllCaps, Bounding: AllCaps}
}

// Capable reports whether capability c is effective.
func (c *Creds) Capable(capability uint) bool { return c.Effective>>capability&1 != 0 }

// InGroup reports whether gid is the file system group or a supplementary one.
func (c *Creds) InGroup(gid uint32) bool {
	if c.FSGID == gid {
		return true
	}
	for _, g := range c.Groups {
		if g == gid {
			return true
		}
	}
	return false
}

// ForAccess gives the credentials that access(2) checks with: real ids, and the
// capabilities that go with them (man 2 access, NOTES).
func (c *Creds) ForAccess() *Creds {
	n := *c
	n.FSUID, n.FSGID = c.UID, c.GID
	if c.UID == 0 {
		n.Effective = c.Permitted
	} else {
		n.Effective = 0
	}
	return &n
}
