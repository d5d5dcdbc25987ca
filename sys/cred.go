// SPDX-License-Identifier: Apache-2.0

package sys

import (
	"slices"

	"lodger/abi"
	"lodger/fs"
	"lodger/kernel"
)

const keep = ^uint32(0) // -1: leave this id alone

func getuid(t *kernel.Task, a Args) (uint64, error)  { return uint64(t.Creds().UID), nil }
func getgid(t *kernel.Task, a Args) (uint64, error)  { return uint64(t.Creds().GID), nil }
func geteuid(t *kernel.Task, a Args) (uint64, error) { return uint64(t.Creds().EUID), nil }
func getegid(t *kernel.Task, a Args) (uint64, error) { return uint64(t.Creds().EGID), nil }

// commitUIDs publishes changed user ids with the capability rules of
// capabilities(7), "Effect of user ID changes on capabilities".
func commitUIDs(t *kernel.Task, old, n *fs.Creds) {
	n.FSUID = n.EUID
	hadRoot := old.UID == 0 || old.EUID == 0 || old.SUID == 0
	hasRoot := n.UID == 0 || n.EUID == 0 || n.SUID == 0
	if hadRoot && !hasRoot {
		if !t.KeepCaps {
			n.Permitted = 0
		}
		n.Effective, n.Ambient = 0, 0
	}
	if old.EUID == 0 && n.EUID != 0 {
		n.Effective = 0
	}
	if old.EUID != 0 && n.EUID == 0 {
		n.Effective = n.Permitted
	}
	if old.EUID != n.EUID || old.UID != n.UID {
		t.PDeathSig = 0
		t.Group().SetDumpable(0)
	}
	t.SetCreds(n)
}

func setuid(t *kernel.Task, a Args) (uint64, error) {
	old, uid := t.Creds(), a.Uint(0)
	n := *old
	switch {
	case uid == keep:
		return 0, abi.EINVAL
	case old.Capable(abi.CAP_SETUID):
		n.UID, n.EUID, n.SUID = uid, uid, uid
	case uid == old.UID || uid == old.SUID:
		n.EUID = uid
	default:
		return 0, abi.EPERM
	}
	commitUIDs(t, old, &n)
	return 0, nil
}

func setreuid(t *kernel.Task, a Args) (uint64, error) {
	old, r, e := t.Creds(), a.Uint(0), a.Uint(1)
	n := *old
	can := old.Capable(abi.CAP_SETUID)
	if r != keep {
		if !can && r != old.UID && r != old.EUID {
			return 0, abi.EPERM
		}
		n.UID = r
	}
	if e != keep {
		if !can && e != old.UID && e != old.EUID && e != old.SUID {
			return 0, abi.EPERM
		}
		n.EUID = e
	}
	if r != keep || (e != keep && e != old.UID) {
		n.SUID = n.EUID
	}
	commitUIDs(t, old, &n)
	return 0, nil
}

func setresuid(t *kernel.Task, a Args) (uint64, error) {
	old := t.Creds()
	n := *old
	for i, p := range []*uint32{&n.UID, &n.EUID, &n.SUID} {
		id := a.Uint(i)
		if id == keep {
			continue
		}
		if !old.Capable(abi.CAP_SETUID) && id != old.UID && id != old.EUID && id != old.SUID {
			return 0, abi.EPERM
		}
		*p = id
	}
	commitUIDs(t, old, &n)
	return 0, nil
}

func getresuid(t *kernel.Task, a Args) (uint64, error) {
	c := t.Creds()
	return putIDs(t, a, c.UID, c.EUID, c.SUID)
}

func getresgid(t *kernel.Task, a Args) (uint64, error) {
	c := t.Creds()
	return putIDs(t, a, c.GID, c.EGID, c.SGID)
}

func putIDs(t *kernel.Task, a Args, ids ...uint32) (uint64, error) {
	for i, id := range ids {
		if err := putUint32(t, a[i], id); err != nil {
			return 0, err
		}
	}
	return 0, nil
}

func setgid(t *kernel.Task, a Args) (uint64, error) {
	old, gid := t.Creds(), a.Uint(0)
	n := *old
	switch {
	case gid == keep:
		return 0, abi.EINVAL
	case old.Capable(abi.CAP_SETGID):
		n.GID, n.EGID, n.SGID = gid, gid, gid
	case gid == old.GID || gid == old.SGID:
		n.EGID = gid
	default:
		return 0, abi.EPERM
	}
	n.FSGID = n.EGID
	t.SetCreds(&n)
	return 0, nil
}

func setregid(t *kernel.Task, a Args) (uint64, error) {
	old, r, e := t.Creds(), a.Uint(0), a.Uint(1)
	n := *old
	can := old.Capable(abi.CAP_SETGID)
	if r != keep {
		if !can && r != old.GID && r != old.EGID {
			return 0, abi.EPERM
		}
		n.GID = r
	}
	if e != keep {
		if !can && e != old.GID && e != old.EGID && e != old.SGID {
			return 0, abi.EPERM
		}
		n.EGID = e
	}
	if r != keep || (e != keep && e != old.GID) {
		n.SGID = n.EGID
	}
	n.FSGID = n.EGID
	t.SetCreds(&n)
	return 0, nil
}

func setresgid(t *kernel.Task, a Args) (uint64, error) {
	old := t.Creds()
	n := *old
	for i, p := range []*uint32{&n.GID, &n.EGID, &n.SGID} {
		id := a.Uint(i)
		if id == keep {
			continue
		}
		if !old.Capable(abi.CAP_SETGID) && id != old.GID && id != old.EGID && id != old.SGID {
			return 0, abi.EPERM
		}
		*p = id
	}
	n.FSGID = n.EGID
	t.SetCreds(&n)
	return 0, nil
}

// fsCaps are the capabilities that follow the file system user id.
const fsCaps = 1<<abi.CAP_CHOWN | 1<<abi.CAP_DAC_OVERRIDE | 1<<abi.CAP_DAC_READ_SEARCH | 1<<abi.CAP_FOWNER |
	1<<abi.CAP_FSETID | 1<<abi.CAP_LINUX_IMMUTABLE | 1<<abi.CAP_MAC_OVERRIDE | 1<<abi.CAP_MKNOD

// setfsuid returns the old id whatever happens.
func setfsuid(t *kernel.Task, a Args) (uint64, error) {
	old, id := t.Creds(), a.Uint(0)
	if id == old.FSUID || (id != old.UID && id != old.EUID && id != old.SUID && !old.Capable(abi.CAP_SETUID)) || id == keep {
		return uint64(old.FSUID), nil
	}
	n := *old
	n.FSUID = id
	if old.FSUID == 0 && id != 0 {
		n.Effective &^= fsCaps
	}
	if old.FSUID != 0 && id == 0 {
		n.Effective |= n.Permitted & fsCaps
	}
	t.SetCreds(&n)
	return uint64(old.FSUID), nil
}

func setfsgid(t *kernel.Task, a Args) (uint64, error) {
	old, id := t.Creds(), a.Uint(0)
	if id == keep || (id != old.GID && id != old.EGID && id != old.SGID && !old.Capable(abi.CAP_SETGID)) {
		return uint64(old.FSGID), nil
	}
	n := *old
	n.FSGID = id
	t.SetCreds(&n)
	return uint64(old.FSGID), nil
}

func getgroups(t *kernel.Task, a Args) (uint64, error) {
	g, size := t.Creds().Groups, a.Int(0)
	if size < 0 {
		return 0, abi.EINVAL
	}
	if size == 0 {
		return uint64(len(g)), nil
	}
	if size < len(g) {
		return 0, abi.EINVAL
	}
	b := make([]byte, 4*len(g))
	for i, id := range g {
		le.PutUint32(b[4*i:], id)
	}
	return uint64(len(g)), t.CopyOut(a[1], b)
}

func setgroups(t *kernel.Task, a Args) (uint64, error) {
	const most = 65536 // NGROUPS_MAX
	old := t.Creds()
	if !old.Capable(abi.CAP_SETGID) {
		return 0, abi.EPERM
	}
	if a.Uint(0) > most {
		return 0, abi.EINVAL
	}
	b := make([]byte, 4*a.Uint(0))
	if err := t.CopyIn(a[1], b); err != nil {
		return 0, err
	}
	n := *old
	n.Groups = make([]uint32, a.Uint(0))
	for i := range n.Groups {
		n.Groups[i] = le.Uint32(b[4*i:])
	}
	slices.Sort(n.Groups)
	t.SetCreds(&n)
	return 0, nil
}

// capHeader reads a struct __user_cap_header_struct and returns how many 32-bit
// sets follow; an unknown version is answered with the preferred one.
func capHeader(t *kernel.Task, addr uint64) (pid int32, sets int, err error) {
	const v1, v2, v3 = 0x19980330, 0x20071026, 0x20080522
	var b [8]byte
	if err := t.CopyIn(addr, b[:]); err != nil {
		return 0, 0, err
	}
	pid = int32(le.Uint32(b[4:]))
	switch le.Uint32(b[:]) {
	case v1:
		return pid, 1, nil
	case v2, v3:
		return pid, 2, nil
	}
	if err := putUint32(t, addr, v3); err != nil {
		return 0, 0, err
	}
	return pid, 0, abi.EINVAL
}

func capget(t *kernel.Task, a Args) (uint64, error) {
	pid, sets, err := capHeader(t, a[0])
	if err != nil {
		if err == abi.EINVAL && a[1] == 0 {
			return 0, nil
		}
		return 0, err
	}
	if pid < 0 {
		return 0, abi.EINVAL
	}
	o, err := taskOrSelf(t, pid)
	if err != nil {
		return 0, err
	}
	c := o.Creds()
	b := make([]byte, 12*sets)
	for i := range sets {
		le.PutUint32(b[12*i:], uint32(c.Effective>>(32*i)))
		le.PutUint32(b[12*i+4:], uint32(c.Permitted>>(32*i)))
		le.PutUint32(b[12*i+8:], uint32(c.Inheritable>>(32*i)))
	}
	return 0, t.CopyOut(a[1], b)
}

func capset(t *kernel.Task, a Args) (uint64, error) {
	pid, sets, err := capHeader(t, a[0])
	if err != nil {
		return 0, err
	}
	if pid != 0 && pid != t.TID() {
		return 0, abi.EPERM
	}
	b := make([]byte, 12*sets)
	if err := t.CopyIn(a[1], b); err != nil {
		return 0, err
	}
	var e, p, i uint64
	for n := range sets {
		e |= uint64(le.Uint32(b[12*n:])) << (32 * n)
		p |= uint64(le.Uint32(b[12*n+4:])) << (32 * n)
		i |= uint64(le.Uint32(b[12*n+8:])) << (32 * n)
	}
	old := t.Creds()
	e, p, i = e&fs.AllCaps, p&fs.AllCaps, i&fs.AllCaps
	switch {
	case p&^old.Permitted != 0, e&^p != 0,
		i&^(old.Inheritable|old.Permitted) != 0 && !old.Capable(abi.CAP_SETPCAP),
		i&^(old.Inheritable|old.Bounding) != 0:
		return 0, abi.EPERM
	}
	n := *old
	n.Effective, n.Permitted, n.Inheritable = e, p, i
	n.Ambient &= p & i
	t.SetCreds(&n)
	return 0, nil
}
