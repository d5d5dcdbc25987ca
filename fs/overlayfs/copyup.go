// SPDX-License-Identifier: Apache-2.0

package overlayfs

import (
	"lodger/abi"
	"lodger/fs"
	"lodger/host"
)

// copyUp makes the node's inode an upper one and returns it. limit is how many
// bytes of a regular file will be needed; negative means all.
func (n *node) copyUp(ctx *fs.Context, limit int64) (fs.Inode, error) {
	if u := n.upperInode(); u != nil {
		return u, nil
	}
	f := n.fs
	if f.upper == nil {
		return nil, abi.EROFS
	}
	f.mu.Lock()
	parent, unlinked := n.loc.parent, n.unlinked
	f.mu.Unlock()
	if parent != nil && !unlinked {
		if _, err := parent.copyUp(ctx, -1); err != nil {
			return nil, err
		}
	}
	n.copyMu.Lock()
	defer n.copyMu.Unlock()
	if u := n.upperInode(); u != nil {
		return u, nil
	}
	if n.kind == abi.S_IFREG {
		return n.copyUpFile(ctx, limit)
	}
	return n.copyUpOther(ctx)
}

// lowerAttr gives the attributes to copy.
func (n *node) lowerAttr() (fs.Attr, fs.NewAttr, error) {
	a, err := n.lowers[0].inode.Getattr()
	return a, fs.NewAttr{Mode: a.Mode, UID: a.UID, GID: a.GID, Rdev: a.Rdev, Now: a.Ctime}, err
}

// copyUpFile fills a nameless upper file and then gives it the name, so that
// nobody sees half of it.
func (n *node) copyUpFile(ctx *fs.Context, limit int64) (fs.Inode, error) {
	f := n.fs
	a, na, err := n.lowerAttr()
	if err != nil {
		return nil, err
	}
	u, err := f.upper.Root.Inode().(fs.Tmpfiler).Tmpfile(ctx, na)
	if err != nil {
		return nil, err
	}
	pin := u.(fs.Pinner)
	if err := pin.Pin(); err != nil {
		return nil, err
	}
	size := a.Size
	if limit >= 0 {
		size = min(size, limit)
	}
	if err := copyData(ctx, u, n.lowers[0].inode, size); err != nil {
		pin.Unpin()
		return nil, err
	}
	if err := n.copyMeta(ctx, u, &a); err != nil {
		pin.Unpin()
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	named := false
	if p := n.loc.parent; p != nil && !n.unlinked && p.upperInode() != nil {
		if err := n.linkUpper(ctx, p, u); err != nil {
			pin.Unpin()
			return nil, err
		}
		named = true
	}
	n.becomeUpper(u)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.pinned, n.keep = true, !named
	n.updatePin()
	return u, nil
}

// linkUpper names u, leaving the directory's times as they were; FS.mu is held.
func (n *node) linkUpper(ctx *fs.Context, p *node, u fs.Inode) error {
	return keepTimes(ctx, p.upperInode(), func(dir fs.Inode) error {
		return dir.(fs.DirEditor).Link(ctx, n.loc.name, u)
	})
}

// keepTimes runs change on dir without a visible change of its times: a
// copy-up is none of the guest's doing.
func keepTimes(ctx *fs.Context, dir fs.Inode, change func(fs.Inode) error) error {
	a, err := dir.Getattr()
	if err != nil {
		return err
	}
	if err := change(dir); err != nil {
		return err
	}
	return dir.(fs.Setattrer).Setattr(ctx, fs.SetAttr{Valid: fs.AttrMtime | fs.AttrCtime, Mtime: a.Mtime, Ctime: a.Ctime})
}

// copyUpOther copies up a directory, link or special file.
func (n *node) copyUpOther(ctx *fs.Context) (fs.Inode, error) {
	f := n.fs
	a, na, err := n.lowerAttr()
	if err != nil {
		return nil, err
	}
	target := ""
	if n.kind == abi.S_IFLNK {
		if target, err = n.Readlink(ctx); err != nil {
			return nil, err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	p := n.loc.parent
	if n.unlinked || p == nil || p.upperInode() == nil {
		return nil, abi.ESTALE
	}
	var u fs.Inode
	err = keepTimes(ctx, p.upperInode(), func(dir fs.Inode) (err error) {
		ed := dir.(fs.DirEditor)
		switch n.kind {
		case abi.S_IFDIR:
			u, err = ed.Mkdir(ctx, n.loc.name, na)
		case abi.S_IFLNK:
			u, err = ed.Symlink(ctx, n.loc.name, target, na)
		default:
			u, err = ed.Mknod(ctx, n.loc.name, na)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := n.copyMeta(ctx, u, &a); err != nil {
		return nil, err
	}
	n.becomeUpper(u)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.updatePin()
	return u, nil
}

// becomeUpper switches the node over; FS.mu is held.
func (n *node) becomeUpper(u fs.Inode) {
	n.fs.byUpper[u] = n
	n.fs.index[n.lowers[0].inode] = n
	n.real.Store(&realInode{inode: u, upper: true})
}

// copyMeta copies extended attributes and times.
func (n *node) copyMeta(ctx *fs.Context, u fs.Inode, a *fs.Attr) error {
	if from, ok := n.lowers[0].inode.(fs.Xattrs); ok && (n.kind == abi.S_IFREG || n.kind == abi.S_IFDIR) {
		names, _ := from.Listxattr(ctx)
		for _, name := range names {
			v, err := from.Getxattr(ctx, name)
			if err != nil {
				continue
			}
			if err := u.(fs.Xattrs).Setxattr(ctx, name, v, 0); err != nil {
				return err
			}
		}
	}
	if err := copyACLs(ctx, u, n.lowers[0].inode, a.Mode); err != nil {
		return err
	}
	return u.(fs.Setattrer).Setattr(ctx, fs.SetAttr{Valid: fs.AttrAtime | fs.AttrMtime | fs.AttrCtime, Atime: a.Atime, Mtime: a.Mtime, Ctime: a.Ctime})
}

// copyChunk is how much is copied at a time through Go memory, in bytes.
const copyChunk = 256 << 10

// copyData copies size bytes, within the host when both files lie there.
func copyData(ctx *fs.Context, to, from fs.Inode, size int64) error {
	if size == 0 {
		return nil
	}
	src, err := openReal(ctx, from, abi.O_RDONLY)
	if err != nil {
		return err
	}
	defer release(src)
	dst, err := openReal(ctx, to, abi.O_RDWR)
	if err != nil {
		return err
	}
	defer release(dst)
	done := int64(0)
	if size > copyChunk {
		done = copyInHost(ctx, to, dst, src, size)
	}
	buf := make([]byte, min(size-done, copyChunk))
	for done < size {
		r, err := src.(fs.ReaderAt).ReadAt(ctx, buf[:min(int64(len(buf)), size-done)], done)
		if err != nil {
			return err
		}
		if r == 0 {
			return nil
		}
		w, err := dst.(fs.WriterAt).WriteAt(ctx, buf[:r], done)
		if err != nil {
			return err
		}
		done += int64(w)
	}
	return nil
}

// copyInHost copies what it can by sendfile and says how much.
func copyInHost(ctx *fs.Context, to fs.Inode, dst, src fs.FileOps, size int64) int64 {
	in, ok1 := src.(fs.HostFile)
	out, ok2 := dst.(fs.HostFile)
	if !ok1 || !ok2 {
		return 0
	}
	if err := to.(fs.Setattrer).Setattr(ctx, fs.SetAttr{Valid: fs.AttrSize, Size: size}); err != nil {
		return 0
	}
	ofd, odone, err := out.BorrowFD(true)
	if err != nil {
		return 0
	}
	defer odone()
	ifd, idone, err := in.BorrowFD(false)
	if err != nil {
		return 0
	}
	defer idone()
	n, _ := host.SendFile(ofd, ifd, size)
	return n
}
