// SPDX-License-Identifier: Apache-2.0

package fstest

import (
	"bytes"
	"fmt"
	"math/rand"
	"slices"
	"strings"
	"syscall"
	"testing"

	"lodger/abi"
	"lodger/fs"
)

// Extras are the operations that DifferAttrs mixes with ordinary ones.
type Extras struct {
	Attrs  bool // ACLs and extended attributes
	Ioctls bool // chattr flags, FIEMAP and other controls
	Falloc int  // fallocate; block size in bytes, 0: none
	Seeks  bool // SEEK_DATA and SEEK_HOLE; not together with Falloc
	// Keeps tells that small files keep their data in the inode on one side only:
	// maps are not compared.
	Keeps bool
}

// DifferAttrs is Differ in a given host directory, with further operations among
// the others. dir must be of the same kind of file system as mk's, and empty.
func DifferAttrs(t *testing.T, dir string, seed int64, steps int, x Extras, mk Maker) {
	d := &differ{Env: New(t, mk), Extras: x, dir: dir, rnd: rand.New(rand.NewSource(seed))}
	d.Ctx.Umask = 0
	d.root = d.jail(t, d.Ctx, 0)
	d.user = d.jail(t, d.As(user, user), user)
	defer close(d.root.calls)
	defer close(d.user.calls)
	for i := 0; i < steps && !t.Failed(); i++ {
		d.side = d.root
		if d.rnd.Intn(3) > 0 {
			d.side = d.user
		}
		d.Ctx = d.side.ctx
		umask := []int{0, 0o22, 0o77}[d.rnd.Intn(3)]
		d.Ctx.Umask = uint32(umask)
		d.in(func() error { syscall.Umask(umask); return nil })
		switch op := d.rnd.Intn(10); {
		case d.Attrs && op < 4:
			d.attrStep(i)
		case d.Ioctls && op < 7:
			d.ioctlStep(i)
		case d.Falloc != 0 && op == 7:
			d.fallocStep(i, d.Falloc)
		case d.Seeks && op == 7:
			d.seekStep(i)
		default:
			d.step(i)
		}
	}
	d.side, d.Ctx = d.root, d.root.ctx
	d.compare()
}

// acl makes a random ACL, now and then a wrong one.
func (d *differ) acl() []byte {
	perm := func() uint16 { return uint16(d.rnd.Intn(8)) }
	acl := fs.ACL{{Tag: fs.ACLUserObj, Perm: perm(), ID: fs.NoACLID}}
	for range d.rnd.Intn(3) {
		acl = append(acl, fs.ACLEntry{Tag: fs.ACLUser, Perm: perm(), ID: []uint32{user, 7, 0}[d.rnd.Intn(3)]})
	}
	acl = append(acl, fs.ACLEntry{Tag: fs.ACLGroupObj, Perm: perm(), ID: fs.NoACLID})
	for range d.rnd.Intn(2) {
		acl = append(acl, fs.ACLEntry{Tag: fs.ACLGroup, Perm: perm(), ID: []uint32{user, 7}[d.rnd.Intn(2)]})
	}
	if len(acl) > 2 || d.rnd.Intn(2) == 0 {
		acl = append(acl, fs.ACLEntry{Tag: fs.ACLMask, Perm: perm(), ID: fs.NoACLID})
	}
	acl = append(acl, fs.ACLEntry{Tag: fs.ACLOther, Perm: perm(), ID: fs.NoACLID})
	if d.rnd.Intn(12) == 0 {
		k := d.rnd.Intn(len(acl))
		switch d.rnd.Intn(4) {
		case 0:
			acl = slices.Delete(acl, k, k+1)
		case 1:
			acl[k].Perm |= 8
		case 2:
			acl[k].Tag = 0x40
		case 3:
			acl = append(acl, acl[k])
		}
	}
	b := acl.Bytes()
	switch d.rnd.Intn(30) {
	case 0:
		b = b[:d.rnd.Intn(len(b))]
	case 1:
		b[0] = 1
	}
	return b
}

// place gives our side's place of a name.
func (d *differ) place(name string) (fs.Path, error) {
	return fs.Lookup(d.Ctx, fs.Path{}, name, fs.LookupFollow)
}

func (d *differ) attrStep(i int) {
	name := d.name()
	attr := []string{"system.posix_acl_access", "system.posix_acl_default", "user.a", "user.b", "trusted.c", "security.d",
		"system.e", "other.f", "user."}[d.rnd.Intn(9)]
	acl := strings.HasPrefix(attr, "system.posix")
	switch d.rnd.Intn(6) {
	case 0, 1, 2:
		value, flags := d.acl(), 0
		if !acl {
			value = make([]byte, d.rnd.Intn(40)*d.rnd.Intn(2))
			if d.rnd.Intn(4) == 0 {
				value = make([]byte, []int{100, 800, 2500, 4000, 9000, 65536}[d.rnd.Intn(6)])
			}
			d.rnd.Read(value)
			flags = []int{0, 0, abi.XATTR_CREATE, abi.XATTR_REPLACE}[d.rnd.Intn(4)]
		}
		var ours, hosts error
		d.both(i, fmt.Sprintf("setxattr %s %s %d bytes %.80x %d", name, attr, len(value), value, flags), name,
			func(p fs.Path) error { ours = fs.Setxattr(d.Ctx, p, attr, value, flags); return notFull(ours) },
			func() error { hosts = syscall.Setxattr(hostName(name), attr, value, flags); return notFull(hosts) })
		if ours == abi.ENOSPC || hosts == abi.ENOSPC { // who finds room for what may differ
			d.both(i, "removexattr "+name+" "+attr, name,
				func(p fs.Path) error { fs.Removexattr(d.Ctx, p, attr); return nil },
				func() error { syscall.Removexattr(hostName(name), attr); return nil })
		}
	case 3:
		d.both(i, "removexattr "+name+" "+attr, name,
			func(p fs.Path) error { return fs.Removexattr(d.Ctx, p, attr) },
			func() error { return syscall.Removexattr(hostName(name), attr) })
	case 4:
		var ours, hosts []byte
		d.both(i, "getxattr "+name+" "+attr, name,
			func(p fs.Path) (err error) { ours, err = fs.Getxattr(d.Ctx, p, attr); return err },
			func() error {
				b := make([]byte, 1<<16)
				n, err := syscall.Getxattr(hostName(name), attr, b)
				hosts = b[:max(n, 0)]
				return err
			})
		if !bytes.Equal(ours, hosts) {
			d.T.Errorf("step %d: getxattr %s %s: ours %x, the host's %x", i, name, attr, ours, hosts)
		}
	case 5:
		d.list(i, name)
	}
}

func notFull(err error) error {
	if err == abi.ENOSPC {
		return nil
	}
	return err
}

// both does the same on our side and on the host's.
func (d *differ) both(i int, what, name string, ours func(fs.Path) error, hosts func() error) {
	p, err := d.place(name)
	if err == nil {
		err = ours(p)
	}
	d.same(i, what, err, d.in(hosts))
}

func (d *differ) list(i int, name string) {
	var ours, hosts []string
	d.both(i, "listxattr "+name, name,
		func(p fs.Path) (err error) { ours, err = fs.Listxattr(d.Ctx, p); return err },
		func() error {
			b := make([]byte, 1<<16)
			n, err := syscall.Listxattr(hostName(name), b)
			if n > 0 {
				hosts = strings.Split(string(b[:n-1]), "\x00")
			}
			return err
		})
	slices.Sort(ours)
	slices.Sort(hosts)
	if !slices.Equal(ours, hosts) {
		d.T.Errorf("step %d: listxattr %s: ours %q, the host's %q", i, name, ours, hosts)
	}
}
