// SPDX-License-Identifier: Apache-2.0

package ext4

import (
	"runtime"
	"weak"
)

// recentInodes is how many inodes stay in memory by themselves.
const recentInodes = 1024

// cached is a place in the table of inodes. The newest ones are held as they are:
// what makes a weak pointer and its clean-up costs as much as all else about an
// inode, and many a file is gone before it is one of the older ones.
type cached struct {
	held *inode
	weak weak.Pointer[inode] // when held is nil
}

func (c cached) inode() *inode {
	if c.held != nil {
		return c.held
	}
	return c.weak.Value()
}

// remember makes i the inode of its number, unless there is one already.
func (s *FS) remember(i *inode) *inode {
	s.inodeMu.Lock()
	defer s.inodeMu.Unlock()
	if old := s.inodes[i.ino].inode(); old != nil {
		return old
	}
	s.hold(i)
	return i
}

// renew makes i the inode of its number; whoever had it is dead.
func (s *FS) renew(i *inode) {
	s.inodeMu.Lock()
	defer s.inodeMu.Unlock()
	s.hold(i)
}

// hold makes i one of the newest and lets go of the oldest of them. inodeMu is held.
func (s *FS) hold(i *inode) {
	s.inodes[i.ino] = cached{held: i}
	if len(s.recent) < recentInodes {
		s.recent = append(s.recent, i)
		return
	}
	old := s.recent[s.oldest]
	s.recent[s.oldest] = i
	s.oldest = (s.oldest + 1) % recentInodes
	if s.inodes[old.ino].held == old {
		s.inodes[old.ino] = cached{weak: weak.Make(old)}
		runtime.AddCleanup(old, collected, lostInode{weak.Make(s), old.ino})
	}
}

// lostInode is an inode that nobody holds any more. It does not hold the file
// system, which holds its root: both would stay for ever.
type lostInode struct {
	fs  weak.Pointer[FS]
	ino uint32
}

// collected forgets it.
func collected(l lostInode) {
	s, ino := l.fs.Value(), l.ino
	if s == nil {
		return
	}
	s.inodeMu.Lock()
	defer s.inodeMu.Unlock()
	if s.inodes[ino].inode() == nil {
		delete(s.inodes, ino)
	}
}

// forgetInode makes room for another inode of the same number.
func (s *FS) forgetInode(i *inode) {
	s.inodeMu.Lock()
	defer s.inodeMu.Unlock()
	if s.inodes[i.ino].inode() == i {
		delete(s.inodes, i.ino)
	}
	delete(s.lazy, i)
}
