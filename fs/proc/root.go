// SPDX-License-Identifier: Apache-2.0

package proc

import (
	"fmt"
	"sort"
	"strconv"

	"lodger/abi"
	"lodger/fs"
	"lodger/fs/kernfs"
)

// root makes /proc.
func (t *tree) root() *kernfs.DirNode {
	d := t.fs.NewDir(0o555)
	self := func(format string) *kernfs.LinkNode {
		return t.fs.NewLink(func(ctx *fs.Context) (string, error) {
			c := t.sys.Caller(ctx)
			if c == nil {
				return "", abi.ENOENT
			}
			i, err := c.Ident()
			if err != nil {
				return "", abi.ENOENT
			}
			if format == "" {
				return strconv.Itoa(int(i.PID)), nil
			}
			return fmt.Sprintf(format, i.PID, i.TID), nil
		})
	}
	d.Add(entry("self", self("")))
	d.Add(entry("thread-self", self("%d/task/%d")))
	d.Add(entry("mounts", t.fs.NewSymlink("self/mounts")))
	t.addSystem(d)
	t.addKmsg(d)
	d.Add(entry("sys", t.sysctl()))
	d.Find = func(_ *fs.Context, name string) (fs.Inode, error) {
		id, ok := number(name)
		if !ok {
			return nil, abi.ENOENT
		}
		return t.find(id, false)
	}
	d.List = func(_ *fs.Context, pos int64, emit func(fs.Dirent) bool) error {
		t.sweep()
		return t.list(t.sys.Processes(), pos, false, emit)
	}
	return d
}

// number reads a directory's name: a positive number without leading zeros.
func number(name string) (int32, bool) {
	n, err := strconv.ParseInt(name, 10, 32)
	if err != nil || n < 0 || name[0] == '+' || strconv.FormatInt(n, 10) != name {
		return 0, false
	}
	return int32(n), true
}

// find gives the directory of a process or thread; one node as long as it lives.
func (t *tree) find(id int32, thread bool) (fs.Inode, error) {
	task := t.sys.Process(id)
	if task == nil {
		return nil, abi.ENOENT
	}
	k := dirKey{task.Key(), thread}
	t.mu.Lock()
	d := t.dirs[k]
	full := d == nil && len(t.dirs) >= max(t.sweepAt, 64)
	if d == nil {
		d = t.pidDir(task, thread)
		t.dirs[k] = d
	}
	t.mu.Unlock()
	if full {
		t.sweep()
	}
	return d, nil
}

// sweep forgets the directories of tasks that are gone.
func (t *tree) sweep() {
	alive := map[any]bool{}
	for _, pid := range t.sys.Processes() {
		p := t.sys.Process(pid)
		if p == nil {
			continue
		}
		alive[p.Key()] = true
		for _, tid := range p.Threads() {
			if th := t.sys.Process(tid); th != nil {
				alive[th.Key()] = true
			}
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for k := range t.dirs {
		if !alive[k.task] {
			delete(t.dirs, k)
		}
	}
	t.sweepAt = 2 * len(t.dirs)
}

// list emits the directories of ids from position pos on; a position is one more
// than the last id that was listed.
func (t *tree) list(ids []int32, pos int64, thread bool, emit func(fs.Dirent) bool) error {
	for i := sort.Search(len(ids), func(i int) bool { return int64(ids[i]) >= pos }); i < len(ids); i++ {
		d, err := t.find(ids[i], thread)
		if err != nil {
			continue
		}
		e := fs.Dirent{Name: strconv.Itoa(int(ids[i])), Ino: d.(*kernfs.DirNode).Ino(), Off: int64(ids[i]) + 1, Type: abi.DT_DIR}
		if !emit(e) {
			return nil
		}
	}
	return nil
}
