// SPDX-License-Identifier: Apache-2.0

package ext4

import (
	"runtime"
	"weak"

	"lodger/fs"
)

// recentInodes is how many inodes stay in memory by themselves.
const recentInodes = 1024

// remember makes i the inode of its number, unless there is one already.
func (s *FS) remember(i *inode) *inode {
	s.inodeMu.Lock()
	defer s.inodeMu.Unlock()
	if old := s.inodes[i.ino].Get(); old != nil {
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
	s.inodes[i.ino] = fs.NewRef(i)
	if len(s.recent) < recentInodes {
		s.recent = append(s.recent, i)
		return
	}
	old := s.recent[s.oldest]
	s.recent[s.oldest] = i
	s.oldest = (s.oldest + 1) % recentInodes
	if r := s.inodes[old.ino]; r.Holds(old) {
		s.inodes[old.ino] = r.Loosen()
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
	if s.inodes[ino].Get() == nil {
		delete(s.inodes, ino)
	}
}

// forgetInode makes room for another inode of the same number.
func (s *FS) forgetInode(i *inode) {
	s.inodeMu.Lock()
	defer s.inodeMu.Unlock()
	if s.inodes[i.ino].Get() == i {
		delete(s.inodes, i.ino)
	}
	delete(s.lazy, i)
}
