// SPDX-License-Identifier: Apache-2.0

package fs

import (
	"strings"
)

// Path is a place in a mount tree. The zero Path is nowhere.
type Path struct {
	Mnt    *Mount
	Dentry *Dentry
}

// Ok reports whether p is a place.
func (p Path) Ok() bool { return p.Dentry != nil }

// Inode gives the inode at p; nil at a negative dentry.
func (p Path) Inode() Inode { return p.Dentry.inode }

// Getattr gives the attributes of the inode at p.
func (p Path) Getattr() (Attr, error) { return p.Dentry.inode.Getattr() }

// DPath gives the path of p as seen from root, as /proc and getcwd show it:
// " (deleted)" is appended to an unlinked name, "(unreachable)" put before a
// place that root does not contain. Names of pipes and the like are their own.
func DPath(p, root Path) string {
	s, reachable := dpath(p, root)
	if !reachable && strings.HasPrefix(s, "/") {
		s = "(unreachable)" + s
	}
	if p.Dentry.Unlinked() && !isNameless(p) {
		s += " (deleted)"
	}
	return s
}

func isNameless(p Path) bool { _, ok := p.Dentry.inode.(DentryNamer); return ok }

// Reachable reports whether p lies below root.
func Reachable(p, root Path) bool { _, ok := dpath(p, root); return ok }

func dpath(p, root Path) (string, bool) {
	if n, ok := p.Dentry.inode.(DentryNamer); ok {
		return n.Dname(), true
	}
	var parts []string
	reachable := false
	for {
		if p == root {
			reachable = true
			break
		}
		if p.Dentry == p.Mnt.Root {
			up, ok := p.Mnt.above()
			if !ok {
				break
			}
			p = up
			continue
		}
		l := p.Dentry.loc.Load()
		if l.parent == nil {
			break
		}
		parts = append(parts, l.name)
		p.Dentry = l.parent
	}
	if len(parts) == 0 {
		return "/", reachable
	}
	var b strings.Builder
	for i := len(parts) - 1; i >= 0; i-- {
		b.WriteByte('/')
		b.WriteString(parts[i])
	}
	return b.String(), reachable
}
