// SPDX-License-Identifier: Apache-2.0

package fs

import (
	"fmt"
	"sort"
	"strings"

	"lodger/abi"
)

// list gives all mounts in the order of mounting.
func (ns *MountNS) list() []*Mount {
	ns.mu.RLock()
	defer ns.mu.RUnlock()
	var l []*Mount
	var walk func(m *Mount)
	walk = func(m *Mount) {
		l = append(l, m)
		for _, c := range m.children {
			walk(c)
		}
	}
	walk(ns.root)
	sort.Slice(l, func(i, j int) bool { return l[i].seq < l[j].seq })
	return l
}

// mangle escapes what /proc/mounts escapes.
var mangle = strings.NewReplacer(" ", `\040`, "\t", `\011`, "\n", `\012`, `\`, `\134`, "#", `\043`)

func rw(ro bool) string {
	if ro {
		return "ro"
	}
	return "rw"
}

// options formats the flags of the mount.
func (m *Mount) options() string {
	var b strings.Builder
	f := m.flags.Load()
	for _, o := range [...]struct {
		bit  uint32
		name string
	}{
		{abi.MS_NOSUID, "nosuid"}, {abi.MS_NODEV, "nodev"}, {abi.MS_NOEXEC, "noexec"}, {abi.MS_NOATIME, "noatime"},
		{abi.MS_NODIRATIME, "nodiratime"}, {abi.MS_RELATIME, "relatime"}, {abi.MS_NOSYMFOLLOW, "nosymfollow"},
	} {
		if f&o.bit != 0 {
			b.WriteString("," + o.name)
		}
	}
	return b.String()
}

func (m *Mount) superOptions() string {
	if s, ok := m.SB.Ops.(OptionShower); ok {
		return s.ShowOptions()
	}
	return ""
}

// place gives the mountpoint as seen from root; not ok when root does not
// contain it.
func (m *Mount) place(root Path) (string, bool) { return dpath(Path{m, m.Root}, root) }

// Mounts formats /proc/PID/mounts as seen from root.
func (ns *MountNS) Mounts(root Path) string {
	var b strings.Builder
	for _, m := range ns.list() {
		p, ok := m.place(root)
		if !ok {
			continue
		}
		fmt.Fprintf(&b, "%s %s %s %s%s%s 0 0\n", mangle.Replace(m.Source), mangle.Replace(p), m.SB.Type,
			rw(m.ReadOnly())+m.SB.flagOptions(), m.options(), m.superOptions())
	}
	return b.String()
}

// MountInfo formats /proc/PID/mountinfo as seen from root.
func (ns *MountNS) MountInfo(root Path) string {
	var b strings.Builder
	for _, m := range ns.list() {
		p, ok := m.place(root)
		if !ok {
			continue
		}
		parent := m.ID
		if up, ok := m.above(); ok {
			parent = up.Mnt.ID
		}
		fmt.Fprintf(&b, "%d %d %d:%d %s %s %s%s - %s %s %s%s\n", m.ID, parent, abi.Major(m.SB.Dev), abi.Minor(m.SB.Dev),
			mangle.Replace(rootName(m.Root)), mangle.Replace(p), rw(m.flags.Load()&abi.MS_RDONLY != 0), m.options(),
			m.SB.Type, mangle.Replace(m.Source), rw(m.SB.ReadOnly())+m.SB.flagOptions(), m.superOptions())
	}
	return b.String()
}

// rootName gives the path of d in its own super block.
func rootName(d *Dentry) string {
	var s string
	for l := d.loc.Load(); l.parent != nil; l = l.parent.loc.Load() {
		s = "/" + l.name + s
	}
	if s == "" {
		return "/"
	}
	return s
}
