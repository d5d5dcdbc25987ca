// SPDX-License-Identifier: Apache-2.0

package proc

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync/atomic"

	"lodger/abi"
	"lodger/fs"
	"lodger/fs/kernfs"
	"lodger/host"
)

// sysctl makes /proc/sys.
func (t *tree) sysctl() *kernfs.DirNode {
	d := t.fs.NewDir(0o555)
	d.Add(entry("kernel", t.sysKernel()))
	files := t.constants([][2]string{
		{"file-max", "9223372036854775807"}, {"nr_open", "1048576"}, {"pipe-max-size", "1048576"},
		{"file-nr", "0\t0\t9223372036854775807"}, {"inode-nr", "0\t0"}, {"protected_hardlinks", "1"}, {"protected_symlinks", "1"},
	})
	files.Add(entry("inotify", t.sysInotify()))
	d.Add(entry("fs", files))
	d.Add(entry("vm", t.constants([][2]string{
		{"overcommit_memory", "0"}, {"max_map_count", "65530"}, {"swappiness", "60"}, {"mmap_min_addr", "65536"},
	})))
	return d
}

// constants makes a directory of values that cannot be changed.
func (t *tree) constants(rows [][2]string) *kernfs.DirNode {
	d := t.fs.NewDir(0o555)
	for _, r := range rows {
		d.Add(entry(r[0], t.fs.NewText(0o444, r[1]+"\n")))
	}
	return d
}

// sysInotify makes /proc/sys/fs/inotify (fs/notify/inotify/inotify_user.c).
func (t *tree) sysInotify() *kernfs.DirNode {
	d := t.fs.NewDir(0o555)
	l := &t.fs.SB.VFS.Notify
	d.Add(entry("max_queued_events", t.number(&l.QueuedEvents)))
	d.Add(entry("max_user_instances", t.number(&l.UserInstances)))
	d.Add(entry("max_user_watches", t.number(&l.UserWatches)))
	return d
}

// number makes a file of a value from 0 to the largest int (proc_dointvec_minmax).
func (t *tree) number(v *atomic.Int64) fs.Inode {
	f := t.fs.NewFile(0o644, text(func() string { return fmt.Sprintln(v.Load()) }))
	f.Store = func(_ *fs.Context, b []byte) error {
		n, err := strconv.ParseInt(strings.TrimSpace(string(b)), 0, 64)
		if err != nil || n < 0 || n > math.MaxInt32 {
			return abi.EINVAL
		}
		v.Store(n)
		return nil
	}
	return f
}

func (t *tree) sysKernel() *kernfs.DirNode {
	d := t.constants([][2]string{
		{"ostype", "Linux"}, {"cap_last_cap", fmt.Sprint(abi.CAP_LAST_CAP)}, {"ngroups_max", "65536"},
		{"overflowuid", "65534"}, {"overflowgid", "65534"}, {"randomize_va_space", "2"},
	})
	add := func(name string, f func(m Machine) string) {
		d.Add(entry(name, t.fs.NewFile(0o444, text(func() string { return f(t.sys.Machine()) + "\n" }))))
	}
	add("osrelease", func(m Machine) string { return m.Release })
	add("version", func(m Machine) string { return m.Version })
	add("pid_max", func(m Machine) string { return fmt.Sprint(m.PIDMax) })
	add("threads-max", func(m Machine) string { return fmt.Sprint(m.PIDMax) })
	name := func(file string, get func(m Machine) string, set func(string)) {
		f := t.fs.NewFile(0o644, text(func() string { return get(t.sys.Machine()) + "\n" }))
		f.Store = func(ctx *fs.Context, b []byte) error {
			if !ctx.Creds.Capable(abi.CAP_SYS_ADMIN) {
				return abi.EPERM
			}
			s, _, _ := strings.Cut(string(b), "\n")
			set(s[:min(len(s), 64)])
			return nil
		}
		d.Add(entry(file, f))
	}
	name("hostname", func(m Machine) string { return m.NodeName }, t.sys.SetNodeName)
	name("domainname", func(m Machine) string { return m.DomainName }, t.sys.SetDomainName)
	d.Add(entry("random", t.random()))
	t.addPrintk(d)
	return d
}

// random makes /proc/sys/kernel/random.
func (t *tree) random() *kernfs.DirNode {
	d := t.constants([][2]string{{"entropy_avail", "256"}, {"poolsize", "256"}, {"boot_id", t.bootID}})
	d.Add(entry("uuid", t.fs.NewFile(0o444, text(func() string { return uuid() + "\n" }))))
	return d
}

// uuid makes a random UUID (RFC 9562, version 4).
func uuid() string {
	var b [16]byte
	_ = host.Random(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
