// SPDX-License-Identifier: Apache-2.0

package ext4

import (
	"errors"

	"lodger/abi"
	"lodger/block"
	"lodger/fs"
	"lodger/fs/jbd2"
	"lodger/lib/printk"
)

// Types are the names that mount(2) knows the file system by.
func Types() []string { return []string{"ext3", "ext2", "ext4"} } // in the order in which Linux tries them for a root

// Env is what a mount needs of the machine.
type Env struct {
	Log   func(printk.Level, string) // gets lines for the kernel log; may be nil
	Name  string                     // the device's, for those
	Panic func(string)               // stops the guest: errors=panic
	Timer jbd2.Timer                 // the guest's clock; nil: the host's
}

// Mount mounts what lies on a block device with number rdev: ext4_mount. typ is one
// of Types; flags and data are mount(2)'s.
func Mount(v *fs.VFS, dev block.Device, rdev uint64, typ string, flags uint32, data string, env Env) (*fs.SuperBlock, error) {
	if block.ReadOnly(dev) && flags&abi.MS_RDONLY == 0 {
		return nil, abi.EACCES // mount(8) tries again, read-only
	}
	o, err := ParseOptions(data, flags)
	if err != nil {
		return nil, (&FS{opt: Options{Log: env.Log, Name: env.Name}}).tell(err)
	}
	o.Name = env.Name
	o.Log, o.Panic, o.Timer, o.Type, o.Dev = env.Log, env.Panic, env.Timer, typ, rdev
	sb, err := New(v, onBlock{dev}, o)
	return sb, (&FS{opt: o}).tell(err)
}

// tell logs why a mount is refused, which the caller's errno does not say.
func (s *FS) tell(err error) error {
	var refused *RefusedError
	if errors.As(err, &refused) {
		s.log(printk.Err, "%s", refused.Reason)
	}
	return err
}

// onBlock makes a block device a Device.
type onBlock struct{ block.Device }

// Flush implements Device.
func (d onBlock) Flush() error { return block.Flush(d.Device) }

// ReadOnly implements readOnlyer.
func (d onBlock) ReadOnly() bool { return block.ReadOnly(d.Device) }

// Discard implements Discarder.
func (d onBlock) Discard(off, n int64) error { return block.Discard(d.Device, off, n) }

// HostRange implements HostRanger.
func (d onBlock) HostRange(off, length int64, write bool) (fd int, hostOff, n int64, ok bool) {
	r, err := block.Locate(d.Device, off, length)
	if err != nil {
		return -1, 0, 0, false
	}
	if write {
		return r.FD, r.Off, r.Len, r.Writable
	}
	return r.ReadFD, r.Off, r.Len, r.ReadFD >= 0
}

// Own implements Owner.
func (d onBlock) Own(off, n int64) error { return block.Own(d.Device, off, n) }

// fits reports whether a file system has only what its older name stands for
// (ext2_feature_set_ok, ext3_feature_set_ok).
func (es *super) fits(typ string, readOnly bool) bool {
	incompat := uint32(incompatFiletype | incompatMetaBG)
	switch typ {
	case "ext2":
	case "ext3":
		incompat |= incompatRecover
		if !es.hasCompat(compatHasJournal) {
			return false
		}
	default:
		return true
	}
	return es.incompat&^incompat == 0 && (readOnly || es.roCompat&^(roSparseSuper|roLargeFile|roBtreeDir) == 0)
}
