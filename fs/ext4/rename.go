// SPDX-License-Identifier: Apache-2.0

package ext4

import (
	"lodger/abi"
	"lodger/fs"
)

// moving is one rename on its way.
type moving struct {
	s                *FS
	from, to         *inode
	oldName, newName string
	v, t             *inode // what moves; what it replaces, or nil
	flags            uint32
	now              abi.Timespec
}

// Rename moves a name (ext4_rename2).
func (i *inode) Rename(ctx *fs.Context, oldName string, victim, newDir fs.Inode, newName string, target fs.Inode, flags uint32) error {
	to, ok := newDir.(*inode)
	if !ok || to.s != i.s {
		return abi.EXDEV
	}
	m := moving{s: i.s, from: i, to: to, oldName: oldName, newName: newName, flags: flags, now: ctx.Time()}
	m.v, _ = victim.(*inode)
	m.t, _ = target.(*inode)
	return i.s.modifyDir(ctx, func() error { return m.run(ctx) }, i, to)
}

// run checks and moves, with FS.mu held for writing.
func (m *moving) run(ctx *fs.Context) error {
	s, flags := m.s, m.flags
	if err := m.check(); err != nil {
		return err
	}
	if m.t != nil && flags&abi.RENAME_EXCHANGE == 0 {
		if err := m.t.mayFree(ctx); err != nil {
			return err
		}
	}
	err := s.changeLocked(ctx, creditsMove, func(h *handle) error {
		if flags&abi.RENAME_EXCHANGE != 0 {
			return m.exchange(h)
		}
		return m.move(ctx, h)
	})
	if err == nil && m.t != nil && flags&abi.RENAME_EXCHANGE == 0 {
		err = s.freed(m.t)
	}
	return err
}

func (m *moving) check() error {
	if err := m.from.mayEdit(); err != nil {
		return err
	}
	if err := m.to.mayEdit(); err != nil {
		return err
	}
	grows := m.from != m.to && m.v.isDir() && (m.t == nil || !m.t.isDir())
	switch {
	case m.v == nil:
		return abi.ENOENT
	case m.from.is(flAppend) || m.v.is(flImmutable|flAppend):
		return abi.EPERM
	case m.t != nil && (m.to.is(flAppend) || m.t.is(flImmutable|flAppend)):
		return abi.EPERM
	case grows && m.to.links >= linkMax && !m.s.es.hasRO(roDirNlink):
		return abi.EMLINK
	case m.flags&abi.RENAME_EXCHANGE != 0:
		if m.t == nil {
			return abi.ENOENT
		}
		return nil
	case m.t == nil:
		return nil
	case m.flags&abi.RENAME_NOREPLACE != 0:
		return abi.EEXIST
	}
	if m.t.isDir() && !m.v.isDir() {
		return abi.EISDIR
	}
	return m.to.mayRemove(m.t, m.v.isDir())
}

// move makes the new name, then takes the old one away.
func (m *moving) move(ctx *fs.Context, h *handle) error {
	var white *inode
	if m.flags&abi.RENAME_WHITEOUT != 0 {
		var err error
		na := fs.NewAttr{Mode: abi.S_IFCHR, UID: ctx.Creds.FSUID, GID: ctx.Creds.FSGID, Now: m.now}
		if white, err = m.s.newInode(h, m.from, na); err != nil {
			return err
		}
		if err := white.update(h, func() { white.links = 1 }); err != nil {
			return err
		}
	}
	err := m.newEntry(h)
	if err != nil {
		if white != nil {
			m.s.undoInode(h, white)
		}
		return err
	}
	old, err := m.from.locate(h, m.oldName) // after newEntry, which may have moved it
	if err != nil {
		return err
	}
	if white != nil {
		err = m.from.setEntry(h, old, white.ino, fileType(white.mode))
	} else {
		err = m.from.deleteEntry(h, old)
	}
	if err != nil {
		return err
	}
	if m.v.isDir() && m.from != m.to {
		if err := m.v.setParent(h, m.to.ino); err != nil {
			return err
		}
	}
	if m.t != nil {
		if err := m.s.dropName(h, m.t, m.now); err != nil {
			return err
		}
	}
	if m.v.isDir() {
		m.from.addLinks(-1)
		if m.t == nil {
			m.to.addLinks(1)
		}
	}
	return m.touchAll(h)
}

func (m *moving) newEntry(h *handle) error {
	if m.t == nil {
		return m.to.addEntry(h, m.newName, m.v.ino, fileType(m.v.mode))
	}
	f, err := m.to.locate(h, m.newName)
	if err != nil {
		return err
	}
	return m.to.setEntry(h, f, m.v.ino, fileType(m.v.mode))
}

// exchange swaps two names (ext4_cross_rename).
func (m *moving) exchange(h *handle) error {
	if _, err := m.from.locate(h, m.oldName); err != nil {
		return err
	}
	b, err := m.to.locate(h, m.newName)
	if err != nil {
		return err
	}
	a, err := m.from.locate(h, m.oldName)
	if err != nil {
		return err
	}
	if err := m.from.setEntry(h, a, m.t.ino, fileType(m.t.mode)); err != nil {
		return err
	}
	if err := m.to.setEntry(h, b, m.v.ino, fileType(m.v.mode)); err != nil {
		return err
	}
	if m.from != m.to {
		if m.v.isDir() {
			if err := m.v.setParent(h, m.to.ino); err != nil {
				return err
			}
		}
		if m.t.isDir() {
			if err := m.t.setParent(h, m.from.ino); err != nil {
				return err
			}
		}
		if m.v.isDir() != m.t.isDir() {
			d := 1
			if m.t.isDir() {
				d = -1
			}
			m.from.addLinks(-d)
			m.to.addLinks(d)
		}
	}
	if err := m.t.touch(h, m.now, false); err != nil {
		return err
	}
	return m.touchAll(h)
}

// setParent changes a directory's "..".
func (i *inode) setParent(h *handle, parent uint32) error {
	f, err := i.find("..")
	if err != nil {
		return i.s.corrupt(i.ino, 0, "directory without ..")
	}
	return i.setEntry(h, f, parent, 2)
}

func (m *moving) touchAll(h *handle) error {
	if err := m.v.touch(h, m.now, false); err != nil {
		return err
	}
	if err := m.from.touch(h, m.now, true); err != nil {
		return err
	}
	if m.to != m.from {
		return m.to.touch(h, m.now, true)
	}
	return nil
}
