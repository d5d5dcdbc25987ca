// SPDX-License-Identifier: Apache-2.0

package ext4

import (
	"lodger/abi"
	"lodger/fs"
)

// Flags of an inode that only chattr(1) and lsattr(1) know by name; nothing here
// obeys them.
const (
	flSecrm      = 0x1
	flUnrm       = 0x2
	flCompr      = 0x4
	flDirty      = 0x100
	flComprblk   = 0x200
	flNocompr    = 0x400
	flNotail     = 0x8000
	flEOFBlocks  = 0x400000
	flDAX        = 0x2000000
	flModifiable = flSecrm | flUnrm | flCompr | flSync | flImmutable | flAppend | flNodump | flNoatime | flJournalData | flNotail |
		flDirsync | flTopdir | flExtents | flEOFBlocks | flDAX | flProjInherit | flCasefold
	flVisible = flModifiable | flDirty | flComprblk | flNocompr | flEncrypt | flIndex | flVerity | flInlineData

	flOtherOnly = flNodump | flNoatime // what is neither directory nor regular file can have
)

// FileAttr gives the flags (ext4_fileattr_get).
func (i *inode) FileAttr() (fs.FileAttr, error) {
	if i.kind != abi.S_IFREG && i.kind != abi.S_IFDIR {
		return fs.FileAttr{}, abi.ENOTTY
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	f := i.flags & flVisible
	if i.kind == abi.S_IFREG {
		f &^= flProjInherit
	}
	return fs.FileAttrOf(f), nil
}

// SetFileAttr changes the flags (ext4_fileattr_set). A change of the kind of
// block map (ext4_ext_migrate) is refused.
func (i *inode) SetFileAttr(ctx *fs.Context, fa fs.FileAttr) error {
	if fa.Flags&^flVisible != 0 {
		return abi.EOPNOTSUPP
	}
	want := fa.Flags & flModifiable
	if i.kind == abi.S_IFREG && want&(flRegOnly|flCasefold|flProjInherit) != 0 {
		return abi.EOPNOTSUPP
	}
	s := i.s
	// The log cannot hold what processes store into the blocks themselves.
	logs := func() bool { return (i.flags^want)&flJournalData != 0 && i.kind == abi.S_IFREG }
	err := i.modifyUnmapped(ctx, logs, func() error {
		if i.dead {
			return abi.ENOENT
		}
		if i.flags&want&flImmutable != 0 && (i.flags^want)&^flImmutable != 0 {
			return abi.EPERM // immutable is to stay, and so is all else
		}
		changed := i.flags ^ want
		switch {
		case changed&flJournalData != 0 && !ctx.Creds.Capable(abi.CAP_SYS_RESOURCE):
			return abi.EPERM
		case changed&flExtents != 0 && (!s.es.hasIncompat(incompatExtents) || i.is(flInlineData)):
			return abi.EINVAL
		case changed&(flCasefold|flExtents) != 0:
			return abi.EOPNOTSUPP
		}
		if !s.es.hasCompat(compatHasJournal) {
			want = want&^flJournalData | i.flags&flJournalData
		}
		if changed&flJournalData != 0 && i.kind == abi.S_IFREG {
			if !mayWait(ctx) {
				return fs.ErrMustWait
			}
			if err := i.setLogged(want&flJournalData != 0); err != nil {
				return err
			}
		}
		return s.changeLocked(ctx, creditsInode, func(h *handle) error {
			now := i.clampTime(ctx.Time())
			return i.update(h, func() {
				i.flags = i.flags&^flModifiable | want
				i.ctime = now
			})
		})
	})
	if err == nil && fa.ProjID != 0 { // too late for the flags, as on Linux
		err = abi.EOPNOTSUPP
	}
	return err
}
