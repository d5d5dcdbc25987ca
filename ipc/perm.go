// SPDX-License-Identifier: Apache-2.0

package ipc

import (
	"encoding/binary"

	"lodger/abi"
	"lodger/fs"
)

// Flags and commands, include/uapi/linux/ipc.h.
const (
	Private = 0 // IPC_PRIVATE
	Creat   = 0o1000
	Excl    = 0o2000

	Rmid = 0
	Set  = 1
	Stat = 2
	Info = 3
)

// perm is struct kern_ipc_perm.
type perm struct {
	id, key              int32
	uid, gid, cuid, cgid uint32
	mode                 uint32
	seq                  uint32
}

// permSize is struct ipc64_perm's, of 64-bit processors.
const permSize = 48

func (p *perm) encode(b []byte) {
	le := binary.LittleEndian
	le.PutUint32(b, uint32(p.key))
	for i, v := range []uint32{p.uid, p.gid, p.cuid, p.cgid, p.mode} {
		le.PutUint32(b[4+4*i:], v)
	}
	le.PutUint16(b[24:], uint16(p.seq))
}

// may is ipcperms: want has the bits of a mode.
func (p *perm) may(c *fs.Creds, want uint32) error {
	want |= want>>6 | want>>3
	granted := p.mode
	switch {
	case c.EUID == p.cuid || c.EUID == p.uid:
		granted >>= 6
	case c.InGroup(p.cgid) || c.InGroup(p.gid):
		granted >>= 3
	}
	if want&^granted&7 != 0 && !c.Capable(abi.CAP_IPC_OWNER) {
		return abi.EACCES
	}
	return nil
}

// owns is ipcctl_obtain_check's: who may change and remove.
func (p *perm) owns(c *fs.Creds) error {
	if c.EUID != p.cuid && c.EUID != p.uid && !c.Capable(abi.CAP_SYS_ADMIN) {
		return abi.EPERM
	}
	return nil
}

// set is ipc_update_perm, from a struct ipc64_perm.
func (p *perm) set(b []byte) error {
	le := binary.LittleEndian
	uid, gid := le.Uint32(b[4:]), le.Uint32(b[8:])
	if uid == ^uint32(0) || gid == ^uint32(0) {
		return abi.EINVAL
	}
	p.uid, p.gid = uid, gid
	p.mode = p.mode&^0o777 | le.Uint32(b[20:])&0o777
	return nil
}

// Identifiers are a sequence number above an index (ipc_buildid).
const (
	indexBits = 15
	indexMask = 1<<indexBits - 1
	seqMax    = 1<<(31-indexBits) - 1
)

// ids gives out identifiers: of indices the least that is free, which a new sequence
// number tells from those that had it before.
type ids struct {
	seq  uint32
	last int // the index given out last
}

func (s *ids) take(used func(index int) bool) (id int32, seq uint32) {
	index := 0
	for used(index) {
		index++
	}
	if index <= s.last {
		s.seq = (s.seq + 1) & seqMax
	}
	s.last = index
	return int32(s.seq<<indexBits | uint32(index)), s.seq
}
