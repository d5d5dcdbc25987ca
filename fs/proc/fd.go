// SPDX-License-Identifier: Apache-2.0

package proc

import (
	"fmt"
	"sort"
	"strconv"
	"sync"

	"lodger/abi"
	"lodger/fs"
	"lodger/fs/kernfs"
)

// fdNodes are the entries of one fd or fdinfo directory that were looked up. A
// node stands for a descriptor number and the right to see how it is open; it is
// made anew when that changes.
type fdNodes struct {
	p    *pidNode
	info bool
	mu   sync.Mutex
	made map[int]fdNode // guarded by mu
}

type fdNode struct {
	inode fs.Inode
	perm  uint32
}

// fdDir makes /proc/PID/fd or, with info, fdinfo.
func (p *pidNode) fdDir(info bool) *kernfs.DirNode {
	perm := uint32(0o500)
	if info {
		perm = 0o555
	}
	d := p.t.fs.NewDir(perm)
	d.Owner = p.owner
	n := &fdNodes{p: p, info: info, made: map[int]fdNode{}}
	d.Find = func(ctx *fs.Context, name string) (fs.Inode, error) {
		fd, ok := number(name)
		if !ok {
			return nil, abi.ENOENT
		}
		if err := p.mayInspect(ctx); err != nil {
			return nil, err
		}
		return n.find(int(fd))
	}
	d.List = func(ctx *fs.Context, pos int64, emit func(fs.Dirent) bool) error {
		if err := p.mayInspect(ctx); err != nil {
			return err
		}
		return n.list(pos, emit)
	}
	return d
}

// find gives the node of a descriptor in use.
func (n *fdNodes) find(fd int) (fs.Inode, error) {
	perm, err := n.perm(fd)
	n.mu.Lock()
	defer n.mu.Unlock()
	if err != nil {
		delete(n.made, fd)
		return nil, abi.ENOENT
	}
	if m, ok := n.made[fd]; ok && m.perm == perm {
		return m.inode, nil
	}
	f := n.p.t.fs
	var i fs.Inode
	if n.info {
		file := f.NewFile(perm, func(ctx *fs.Context) ([]byte, error) {
			if err := n.p.mayInspect(ctx); err != nil {
				return nil, err
			}
			return n.text(fd)
		})
		file.Owner = n.p.owner
		i = file
	} else {
		l := f.NewMagic(perm, func(ctx *fs.Context) (fs.Path, error) { return n.place(ctx, fd) })
		l.Owner = n.p.owner
		i = l
	}
	n.made[fd] = fdNode{i, perm}
	return i, nil
}

// get gives the file of a descriptor.
func (n *fdNodes) get(fd int) (*fs.File, error) {
	files := n.p.task.Files()
	if files == nil {
		return nil, abi.ENOENT
	}
	return files.Get(fd)
}

// perm tells in the owner's bits how the descriptor is open.
func (n *fdNodes) perm(fd int) (uint32, error) {
	f, err := n.get(fd)
	if err != nil {
		return 0, err
	}
	defer f.DecRef()
	if n.info {
		return 0o444, nil
	}
	perm := uint32(0o100)
	if f.Readable() {
		perm |= 0o400
	}
	if f.Writable() {
		perm |= 0o200
	}
	return perm, nil
}

func (n *fdNodes) place(ctx *fs.Context, fd int) (fs.Path, error) {
	if err := n.p.mayInspect(ctx); err != nil {
		return fs.Path{}, err
	}
	f, err := n.get(fd)
	if err != nil {
		return fs.Path{}, abi.ENOENT
	}
	defer f.DecRef()
	return f.Path, nil
}

// text makes a file of fdinfo (fs/proc/fd.c, seq_show).
func (n *fdNodes) text(fd int) ([]byte, error) {
	f, err := n.get(fd)
	if err != nil {
		return nil, abi.ENOENT
	}
	defer f.DecRef()
	pos := f.PosHint()
	flags := f.Flags()
	if on, _ := n.p.task.Files().Cloexec(fd); on {
		flags |= abi.O_CLOEXEC
	}
	var ino uint64
	if a, err := f.Inode().Getattr(); err == nil {
		ino = a.Ino
	}
	var mnt int32
	if f.Path.Mnt != nil {
		mnt = int32(f.Path.Mnt.ID)
	}
	b := fmt.Appendf(nil, "pos:\t%d\nflags:\t0%o\nmnt_id:\t%d\nino:\t%d\n", pos, flags, mnt, ino)
	if x, ok := f.Ops().(fs.FDInfoer); ok {
		b = append(b, x.FDInfo()...)
	}
	return b, nil
}

// list emits the descriptors in use; a position is one more than the last.
func (n *fdNodes) list(pos int64, emit func(fs.Dirent) bool) error {
	files := n.p.task.Files()
	if files == nil {
		return nil
	}
	fds := files.List()
	typ := uint8(abi.DT_LNK)
	if n.info {
		typ = abi.DT_REG
	}
	for i := sort.Search(len(fds), func(i int) bool { return int64(fds[i]) >= pos }); i < len(fds); i++ {
		node, err := n.find(fds[i])
		if err != nil {
			continue
		}
		a, err := node.Getattr()
		if err != nil {
			return err
		}
		if !emit(fs.Dirent{Name: strconv.Itoa(fds[i]), Ino: a.Ino, Off: int64(fds[i]) + 1, Type: typ}) {
			return nil
		}
	}
	return nil
}
