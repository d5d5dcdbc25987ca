// SPDX-License-Identifier: Apache-2.0

package ext4

import (
	"bytes"
	"encoding/binary"

	"lodger/abi"
	"lodger/fs"
)

// Ioctl answers the controls of ext4 files (ext4_ioctl).
func (f *file) Ioctl(ctx *fs.Context, cmd uint32, arg uint64, mem fs.UserMemory) (uint64, error) {
	return 0, f.i.ioctl(ctx, cmd, arg, mem)
}

// Ioctl answers the controls of directories, which are the same.
func (d *dirFile) Ioctl(ctx *fs.Context, cmd uint32, arg uint64, mem fs.UserMemory) (uint64, error) {
	return 0, d.i.ioctl(ctx, cmd, arg, mem)
}

// UUID gives the file system's UUID.
func (s *FS) UUID() [16]byte { return s.es.uuid }

const labelMax = 16 // EXT4_LABEL_MAX

func (i *inode) ioctl(ctx *fs.Context, cmd uint32, arg uint64, mem fs.UserMemory) error {
	s := i.s
	switch cmd {
	case abi.FS_IOC_GETVERSION, abi.EXT4_IOC_GETVERSION:
		return mem.CopyOut(arg, binary.LittleEndian.AppendUint32(nil, i.gen))
	case abi.FS_IOC_SETVERSION, abi.EXT4_IOC_SETVERSION:
		return i.setVersion(ctx, arg, mem)
	case abi.FITRIM:
		return s.ioctlTrim(ctx, arg, mem)
	case abi.FS_IOC_GETFSLABEL:
		s.mu.RLock()
		defer s.runlock()
		return mem.CopyOut(arg, append([]byte(s.es.volumeName), make([]byte, labelMax+1-len(s.es.volumeName))...))
	case abi.FS_IOC_SETFSLABEL:
		return s.setLabel(ctx, arg, mem)
	case abi.EXT4_IOC_RESIZE_FS:
		return s.ioctlResize(ctx, arg, mem, false)
	case abi.EXT4_IOC_GROUP_EXTEND:
		return s.ioctlResize(ctx, arg, mem, true)
	case abi.EXT4_IOC_GETFSUUID:
		return s.getUUID(arg, mem)
	}
	return abi.ENOTTY
}

// setVersion changes the generation. With metadata checksums it is part of
// them, and stays.
func (i *inode) setVersion(ctx *fs.Context, arg uint64, mem fs.UserMemory) error {
	i.mu.Lock()
	owner := ctx.Creds.FSUID == i.uid
	i.mu.Unlock()
	if !owner && !ctx.Creds.Capable(abi.CAP_FOWNER) {
		return abi.EPERM
	}
	if i.s.es.metadataCsum() {
		return abi.ENOTTY
	}
	if err := i.s.writable(); err != nil {
		return err
	}
	var b [4]byte
	if err := mem.CopyIn(arg, b[:]); err != nil {
		return err
	}
	return i.s.change(ctx, creditsInode, func(h *handle) error {
		now := i.clampTime(ctx.Time())
		return i.update(h, func() {
			i.gen = le32(b[:], 0)
			i.ctime = now
		})
	})
}

// setLabel is ext4_ioctl_setlabel: the super block and its copies get it.
func (s *FS) setLabel(ctx *fs.Context, arg uint64, mem fs.UserMemory) error {
	if !ctx.Creds.Capable(abi.CAP_SYS_ADMIN) {
		return abi.EPERM
	}
	var b [labelMax + 1]byte
	if err := mem.CopyIn(arg, b[:]); err != nil {
		return err
	}
	n := bytes.IndexByte(b[:], 0)
	if n < 0 {
		return abi.EINVAL
	}
	clear(b[n:])
	return s.modify(ctx, func() error {
		for g := range s.es.groups {
			if !s.es.groupHasSuper(g) {
				continue
			}
			err := s.changeLocked(ctx, creditsInode, func(h *handle) error { return s.putLabel(h, g, b[:labelMax]) })
			if err != nil {
				return err
			}
		}
		s.es.volumeName = cString(b[:])
		return nil
	})
}

// putLabel writes the label into a group's copy of the super block.
func (s *FS) putLabel(h *handle, g uint32, label []byte) error {
	block, off := s.superBlock(), int(superOffset%s.es.blockSize)
	if g > 0 {
		block, off = s.es.groupFirst(g), 0
	}
	b, err := s.bread(block)
	if err != nil {
		return err
	}
	r := b.data[off : off+superSize]
	if le16(r, 0x38) != superMagic {
		return nil // no copy here, whatever the geometry says
	}
	if err := h.access(b); err != nil {
		return err
	}
	copy(r[0x78:0x88], label)
	if g == 0 {
		return s.writeSuper(h)
	}
	if s.es.metadataCsum() {
		put32(r, 0x3fc, superCsum(r))
	}
	return h.dirty(b)
}

// getUUID is ext4_ioctl_getuuid, of struct fsuuid: length, flags, bytes. It tells what a
// program has written to the super block since the mount, which UUID does not.
func (s *FS) getUUID(arg uint64, mem fs.UserMemory) error {
	var h [8]byte
	if err := mem.CopyIn(arg, h[:]); err != nil {
		return err
	}
	n, flags := le32(h[:], 0), le32(h[:], 4)
	var uuid [16]byte
	put32(h[:], 0, uint32(len(uuid)))
	switch {
	case n == 0:
		return mem.CopyOut(arg, h[:4])
	case n < uint32(len(uuid)) || flags != 0:
		return abi.EINVAL
	}
	s.mu.RLock()
	b, err := s.bread(s.superBlock())
	if err == nil {
		copy(uuid[:], b.data[superOffset%s.es.blockSize+0x68:])
	}
	s.runlock()
	if err != nil {
		return err
	}
	return mem.CopyOut(arg, append(h[:], uuid[:]...))
}
