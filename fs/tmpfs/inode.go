// SPDX-License-Identifier: Apache-2.0

package tmpfs

import (
	"runtime"
	"sort"
	"strings"
	"sync"

	"lodger/abi"
	"lodger/fs"
	"lodger/host"
)

// inode is a file of any type.
type inode struct {
	fs   *FS
	kind uint32 // S_IFMT bits

	mu         sync.Mutex // guards what follows, but for dir
	attr       fs.Attr
	opens      int  // Pin count
	dead       bool // unlinked, closed, data gone
	target     string
	xattrs     map[string][]byte
	xattrBytes int64 // charged for xattrs
	acls       [2]fs.ACL
	data       []byte // the bytes of a small file, len == size
	mem        *memfile
	alloc      int64 // bytes charged
	sparse     bool  // the memfd may have holes: ask the host what is allocated
	seals      uint32
	maps       bool // was mapped shared and writable

	dir *directory // guarded by FS.tree
}

// memfile is a memfd; it is closed when the last user lets go.
type memfile struct {
	fd int
	ro int // read-only description, -1 before it is needed
}

func newMemfile(name string) (*memfile, error) {
	fd, err := host.MemfdCreate(name)
	if err != nil {
		return nil, err
	}
	return &memfile{fd: fd, ro: -1}, nil
}

func (m *memfile) close() {
	host.CloseFD(m.fd)
	if m.ro >= 0 {
		host.CloseFD(m.ro)
	}
	m.fd, m.ro = -1, -1
}

// newInode makes an inode; ENOSPC when there are too many.
func (f *FS) newInode(na fs.NewAttr) (*inode, error) {
	if err := f.reserveInode(); err != nil {
		return nil, err
	}
	f.spaceMu.Lock()
	f.lastIno++
	ino := f.lastIno
	f.spaceMu.Unlock()
	i := &inode{fs: f, kind: na.Mode & abi.S_IFMT}
	i.attr = fs.Attr{Dev: f.sb.Dev, Ino: ino, Mode: na.Mode, Nlink: 1, UID: na.UID, GID: na.GID, Rdev: na.Rdev,
		Blksize: pageSize, Atime: na.Now, Mtime: na.Now, Ctime: na.Now, Btime: na.Now}
	i.acls = [2]fs.ACL{fs.ACLAccess: na.Access, fs.ACLDefault: na.Default}
	if i.kind == abi.S_IFDIR {
		i.attr.Nlink, i.attr.Size = 2, 2*direntSize
		i.dir = &directory{}
	}
	return i, nil
}

// Getattr gives the attributes.
func (i *inode) Getattr() (fs.Attr, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.sparse {
		i.recount()
	}
	a := i.attr
	a.Blocks = uint64(i.alloc) / 512
	return a, nil
}

// recount asks the host how much of a sparse file is allocated; mu is held.
func (i *inode) recount() {
	var st host.FileStat
	if i.mem == nil || host.StatAt(i.mem.fd, "", &st) != nil {
		return
	}
	n := int64(st.Blocks) * 512
	if i.fs.charge(n-i.alloc) != nil { // a mapping overshot: count it all the same
		i.fs.spaceMu.Lock()
		i.fs.used += n - i.alloc
		i.fs.spaceMu.Unlock()
	}
	i.alloc = n
}

// Setattr changes attributes.
func (i *inode) Setattr(_ *fs.Context, sa fs.SetAttr) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if sa.Valid&fs.AttrSize != 0 {
		if err := i.resize(sa.Size); err != nil {
			return err
		}
	}
	a := &i.attr
	if sa.Valid&fs.AttrMode != 0 {
		if i.seals&abi.F_SEAL_EXEC != 0 && (a.Mode^sa.Mode)&abi.S_IXUGO != 0 {
			return abi.EPERM
		}
		a.Mode = a.Mode&abi.S_IFMT | sa.Mode&abi.S_IALLUGO
	}
	if sa.Valid&fs.AttrUID != 0 {
		a.UID = sa.UID
	}
	if sa.Valid&fs.AttrGID != 0 {
		a.GID = sa.GID
	}
	if sa.Valid&fs.AttrAtime != 0 {
		a.Atime = sa.Atime
	}
	if sa.Valid&fs.AttrMtime != 0 {
		a.Mtime = sa.Mtime
	}
	if sa.Valid&fs.AttrCtime != 0 {
		a.Ctime = sa.Ctime
	}
	return nil
}

// Accessed sets the access time.
func (i *inode) Accessed(now abi.Timespec, relatime bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if relatime && !RelatimeDue(&i.attr, now) {
		return
	}
	i.attr.Atime = now
}

// RelatimeDue is relatime_need_update: the access time is set when it is not
// after the last change, or a day old.
func RelatimeDue(a *fs.Attr, now abi.Timespec) bool {
	return !a.Mtime.Less(a.Atime) || !a.Ctime.Less(a.Atime) || now.Sec-a.Atime.Sec >= 24*3600
}

// Readlink gives a link's text.
func (i *inode) Readlink(*fs.Context) (string, error) {
	if i.kind != abi.S_IFLNK {
		return "", abi.EINVAL
	}
	return i.target, nil
}

// Pin counts an open file. A removed directory can still be opened, as "." of
// whoever stands in it; all that it had is its name.
func (i *inode) Pin() error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.dead && i.dir == nil {
		return abi.ENOENT
	}
	i.opens++
	return nil
}

// Unpin forgets an open file; the last one of an unlinked inode frees its data.
func (i *inode) Unpin() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.opens--
	i.reap()
}

// unlinked drops n links; FS.tree is held.
func (i *inode) unlinked(n uint32, now abi.Timespec) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.attr.Nlink -= n
	i.attr.Ctime = now
	if i.attr.Nlink > 0 && i.dir == nil {
		i.fs.freeInode() // what the further link took
	}
	i.reap()
}

// reap frees the data of an inode without names and users; mu is held.
func (i *inode) reap() {
	if i.attr.Nlink > 0 || i.opens > 0 || i.dead {
		return
	}
	i.dead = true
	i.fs.charge(-i.alloc - i.xattrBytes)
	i.alloc, i.xattrBytes, i.data, i.xattrs = 0, 0, nil, nil
	if i.kind == abi.S_IFREG {
		i.attr.Size = 0
	}
	if i.mem != nil {
		i.mem.close()
		i.mem = nil
	}
	i.fs.freeInode()
}

// Getxattr gives the value of an extended attribute.
func (i *inode) Getxattr(_ *fs.Context, name string) ([]byte, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	v, ok := i.xattrs[name]
	if !ok {
		return nil, abi.ENODATA
	}
	return v, nil
}

// Setxattr sets an extended attribute.
func (i *inode) Setxattr(ctx *fs.Context, name string, value []byte, flags int) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	_, ok := i.xattrs[name]
	if ok && flags&abi.XATTR_CREATE != 0 {
		return abi.EEXIST
	}
	if !ok && flags&abi.XATTR_REPLACE != 0 {
		return abi.ENODATA
	}
	if i.dead {
		return abi.ENOENT
	}
	grow := int64(len(value) - len(i.xattrs[name]))
	if !ok {
		grow += int64(len(name))
	}
	if err := i.fs.charge(grow); err != nil {
		return err
	}
	i.xattrBytes += grow
	if i.xattrs == nil {
		i.xattrs = map[string][]byte{}
	}
	i.xattrs[strings.Clone(name)] = append([]byte{}, value...)
	i.attr.Ctime = ctx.Time()
	return nil
}

// Removexattr removes an extended attribute.
func (i *inode) Removexattr(ctx *fs.Context, name string) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if _, ok := i.xattrs[name]; !ok {
		return abi.ENODATA
	}
	n := int64(len(name) + len(i.xattrs[name]))
	i.xattrBytes -= n
	i.fs.charge(-n)
	delete(i.xattrs, name)
	i.attr.Ctime = ctx.Time()
	return nil
}

// Listxattr lists the extended attributes.
func (i *inode) Listxattr(*fs.Context) ([]string, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	l := make([]string, 0, len(i.xattrs))
	for n := range i.xattrs {
		l = append(l, n)
	}
	sort.Strings(l)
	return l, nil
}

// closeMem is the clean-up of inodes that were dropped with their file system.
func closeMem(m *memfile) {
	if m.fd >= 0 {
		m.close()
	}
}

// ownMem makes the collector close the memfd when the whole file system goes.
func (i *inode) ownMem(m *memfile) {
	i.mem = m
	runtime.AddCleanup(i, closeMem, m)
}

// DirectAlign says that O_DIRECT makes no difference.
func (i *inode) DirectAlign() uint32 { return 1 }
