// SPDX-License-Identifier: Apache-2.0

package proc

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"lodger/abi"
	"lodger/fs"
	"lodger/fs/kernfs"
)

// pidNode is the directory of one process or thread: its entries are made when
// somebody looks for them.
type pidNode struct {
	t    *tree
	task Task
	rows *pidRows
}

// pidRows says what a directory of a process, or of a thread, holds.
type pidRows struct {
	names []kernfs.Name
	makes []func(p *pidNode) fs.Inode
}

// Names implements kernfs.Lazy.
func (p *pidNode) Names() []kernfs.Name { return p.rows.names }

// Make implements kernfs.Lazy.
func (p *pidNode) Make(i int) fs.Inode { return p.rows.makes[i](p) }

func newPIDRows(thread bool) *pidRows {
	r := new(pidRows)
	r.addState()
	r.addMemory()
	r.addPlaces()
	dir := func(name string, mk func(p *pidNode) *kernfs.DirNode) {
		r.add(name, abi.DT_DIR, func(p *pidNode) fs.Inode { return mk(p) })
	}
	dir("fd", func(p *pidNode) *kernfs.DirNode { return p.fdDir(false) })
	dir("fdinfo", func(p *pidNode) *kernfs.DirNode { return p.fdDir(true) })
	dir("ns", (*pidNode).nsDir)
	if !thread {
		dir("task", (*pidNode).taskDir)
	}
	return r
}

func (r *pidRows) add(name string, typ uint8, mk func(p *pidNode) fs.Inode) {
	r.names = append(r.names, kernfs.Name{Name: name, Type: typ})
	r.makes = append(r.makes, mk)
}

// pidDir makes /proc/PID or /proc/PID/task/TID.
func (t *tree) pidDir(task Task, thread bool) *kernfs.DirNode {
	p := &pidNode{t: t, task: task, rows: t.pidRows}
	if thread {
		p.rows = t.tidRows
	}
	d := t.fs.NewDir(0o555)
	d.Owner = p.owner
	d.SetLazy(p)
	return d
}

// owner is the task's effective user, or root when it must not be looked into
// (task_dump_owner of fs/proc/base.c).
func (p *pidNode) owner() (uid, gid uint32) {
	if i, err := p.task.Ident(); err != nil || !i.Dumpable {
		return 0, 0
	}
	c := p.task.Creds()
	return c.EUID, c.EGID
}

// mayInspect is ptrace_may_access(PTRACE_MODE_READ_FSCREDS): EACCES.
func (p *pidNode) mayInspect(ctx *fs.Context) error {
	i, err := p.task.Ident()
	if err != nil {
		return err
	}
	if me := p.t.sys.Caller(ctx); me != nil {
		if m, err := me.Ident(); err == nil && m.PID == i.PID {
			return nil
		}
	}
	c, o := ctx.Creds, p.task.Creds()
	if c.Capable(abi.CAP_SYS_PTRACE) {
		return nil
	}
	u, g := c.FSUID, c.FSGID
	same := u == o.UID && u == o.EUID && u == o.SUID && g == o.GID && g == o.EGID && g == o.SGID
	if !same || !i.Dumpable {
		return abi.EACCES
	}
	return nil
}

// show gives a file's text from the task's values.
type show func(p *pidNode, ctx *fs.Context, i *Info) (string, error)

// file makes a file from the task's values.
func (p *pidNode) file(perm uint32, text show) *kernfs.FileNode {
	f := p.t.fs.NewFile(perm, func(ctx *fs.Context) ([]byte, error) {
		i, err := p.task.Info()
		if err != nil {
			return nil, err
		}
		s, err := text(p, ctx, &i)
		return []byte(s), err
	})
	f.Owner = p.owner
	return f
}

func (r *pidRows) file(name string, perm uint32, text show) {
	r.add(name, abi.DT_REG, func(p *pidNode) fs.Inode { return p.file(perm, text) })
}

// stored is file that can be written too.
func (r *pidRows) stored(name string, perm uint32, text show, store func(p *pidNode, ctx *fs.Context, b []byte) error) {
	r.add(name, abi.DT_REG, func(p *pidNode) fs.Inode {
		f := p.file(perm, text)
		f.Store = func(ctx *fs.Context, b []byte) error { return store(p, ctx, b) }
		return f
	})
}

// private is file for what only those may read who may trace the task.
func (r *pidRows) private(name string, perm uint32, text show) {
	r.file(name, perm, func(p *pidNode, ctx *fs.Context, i *Info) (string, error) {
		if err := p.mayInspect(ctx); err != nil {
			return "", err
		}
		return text(p, ctx, i)
	})
}

// constant is file for what is the same for all.
func (r *pidRows) constant(name string, perm uint32, s string) {
	r.file(name, perm, func(*pidNode, *fs.Context, *Info) (string, error) { return s, nil })
}

func (r *pidRows) addState() {
	r.file("stat", 0o444, func(p *pidNode, _ *fs.Context, i *Info) (string, error) { return p.stat(i), nil })
	r.file("status", 0o444, func(p *pidNode, _ *fs.Context, i *Info) (string, error) { return p.status(i), nil })
	r.file("statm", 0o444, func(p *pidNode, _ *fs.Context, i *Info) (string, error) { return p.memory(i).statm(), nil })
	r.file("limits", 0o444, func(_ *pidNode, _ *fs.Context, i *Info) (string, error) { return limits(i), nil })
	r.stored("comm", 0o644, func(_ *pidNode, _ *fs.Context, i *Info) (string, error) { return i.Comm + "\n", nil }, (*pidNode).setComm)
	r.constant("cgroup", 0o444, "0::/\n")
	r.constant("oom_score", 0o444, "0\n")
	r.constant("wchan", 0o444, "0")
	for _, m := range []string{"uid_map", "gid_map"} {
		r.constant(m, 0o644, fmt.Sprintf("%10d %10d %10d\n", 0, 0, uint32(1<<32-1)))
	}
	r.constant("setgroups", 0o644, "allow\n")
	r.private("personality", 0o400, func(*pidNode, *fs.Context, *Info) (string, error) { return "00000000\n", nil })
	r.stored("oom_score_adj", 0o644, func(p *pidNode, _ *fs.Context, _ *Info) (string, error) {
		return fmt.Sprintf("%d\n", p.task.OOMAdjust()), nil
	}, (*pidNode).setOOM)
}

// setComm renames a thread of the caller's own process (comm_write).
func (p *pidNode) setComm(ctx *fs.Context, b []byte) error {
	i, err := p.task.Ident()
	if err != nil {
		return err
	}
	me := p.t.sys.Caller(ctx)
	if me == nil {
		return abi.EINVAL
	}
	if m, err := me.Ident(); err != nil || m.PID != i.PID {
		return abi.EINVAL
	}
	b, _, _ = bytes.Cut(b, []byte{0})
	b, _, _ = bytes.Cut(b, []byte{'\n'})
	p.task.SetComm(string(b))
	return nil
}

// setOOM keeps the value; lowering it takes CAP_SYS_RESOURCE.
func (p *pidNode) setOOM(ctx *fs.Context, b []byte) error {
	v, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil || v < -1000 || v > 1000 {
		return abi.EINVAL
	}
	if v < p.task.OOMAdjust() && !ctx.Creds.Capable(abi.CAP_SYS_RESOURCE) {
		return abi.EACCES
	}
	p.task.SetOOMAdjust(v)
	return nil
}

// addPlaces adds the magic links and the mount tables.
func (r *pidRows) addPlaces() {
	place := func(name string, pick func(root, cwd, exe fs.Path) fs.Path) {
		r.add(name, abi.DT_LNK, func(p *pidNode) fs.Inode {
			l := p.t.fs.NewMagic(0o777, func(ctx *fs.Context) (fs.Path, error) {
				if err := p.mayInspect(ctx); err != nil {
					return fs.Path{}, err
				}
				at := pick(p.task.Places())
				if !at.Ok() {
					return at, abi.ENOENT
				}
				return at, nil
			})
			l.Owner = p.owner
			return l
		})
	}
	place("cwd", func(_, cwd, _ fs.Path) fs.Path { return cwd })
	place("root", func(root, _, _ fs.Path) fs.Path { return root })
	place("exe", func(_, _, exe fs.Path) fs.Path { return exe })
	table := func(name string, format func(ns *fs.MountNS, root fs.Path) string) {
		r.file(name, 0o444, func(p *pidNode, _ *fs.Context, _ *Info) (string, error) {
			root, _, _ := p.task.Places()
			if !root.Ok() {
				return "", abi.EINVAL
			}
			return format(root.Mnt.NS(), root), nil
		})
	}
	table("mounts", (*fs.MountNS).Mounts)
	table("mountinfo", (*fs.MountNS).MountInfo)
}

// taskDir makes /proc/PID/task.
func (p *pidNode) taskDir() *kernfs.DirNode {
	d := p.t.fs.NewDir(0o555)
	d.Owner = p.owner
	d.Find = func(_ *fs.Context, name string) (fs.Inode, error) {
		id, ok := number(name)
		if !ok {
			return nil, abi.ENOENT
		}
		for _, tid := range p.task.Threads() {
			if tid == id {
				return p.t.find(id, true)
			}
		}
		return nil, abi.ENOENT
	}
	d.List = func(_ *fs.Context, pos int64, emit func(fs.Dirent) bool) error {
		return p.t.list(p.task.Threads(), pos, true, emit)
	}
	return d
}

// nsDir makes /proc/PID/ns with the initial name spaces (linux/proc_ns.h).
func (p *pidNode) nsDir() *kernfs.DirNode {
	d := p.t.fs.NewDir(0o511)
	d.Owner = p.owner
	for _, n := range [...]struct {
		name string
		ino  uint32
	}{{"cgroup", 0xEFFFFFFB}, {"ipc", 0xEFFFFFFF}, {"mnt", 4026531840}, {"net", 4026531833}, {"pid", 0xEFFFFFFC},
		{"time", 0xEFFFFFFA}, {"user", 0xEFFFFFFD}, {"uts", 0xEFFFFFFE}} {
		l := p.t.fs.NewSymlink(fmt.Sprintf("%s:[%d]", n.name, n.ino))
		l.Owner = p.owner
		d.Add(entry(n.name, l))
	}
	return d
}

// thread: it is /proc/PID/task/TID.
func (p *pidNode) thread() bool { return p.rows == p.t.tidRows }
