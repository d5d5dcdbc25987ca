// SPDX-License-Identifier: Apache-2.0

package file

import (
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"

	"lodger/userland/app"
)

type diskUsage struct {
	c     *app.Ctx
	o     *app.Opts
	depth int64
	dev   uint64
	seen  map[[2]uint64]bool // files with several links count once
}

func du(c *app.Ctx, args []string) int {
	o, status, ok := c.Parse(args, "a|all s|summarize k h|human-readable x|one-file-system c|total b|bytes d|max-depth: m L P S apparent-size")
	if !ok {
		return status
	}
	depth, ok := o.Int("d", 1<<30)
	if !ok {
		return c.BadUsage("invalid maximum depth %s", app.Quote(o.Str("d", "")))
	}
	if o.Has("s") {
		depth = 0
	}
	d := &diskUsage{c: c, o: o, depth: depth, seen: map[[2]uint64]bool{}}
	names := o.Args
	if len(names) == 0 {
		names = []string{"."}
	}
	total := int64(0)
	for _, name := range names {
		total += d.tree(name, 0)
	}
	if o.Has("c") {
		d.show(total, "total")
	}
	return c.Status()
}

// tree is the bytes used by name and what is below it.
func (d *diskUsage) tree(name string, depth int64) int64 {
	var st unix.Stat_t
	call := unix.Lstat
	if d.o.Has("L") {
		call = unix.Stat
	}
	if err := call(name, &st); err != nil {
		d.c.Errorf("cannot access %s: %s", app.Quote(name), app.Reason(err))
		return 0
	}
	if depth == 0 {
		d.dev = uint64(st.Dev)
	} else if d.o.Has("x") && uint64(st.Dev) != d.dev {
		return 0
	}
	size := st.Blocks * 512
	if d.o.Has("b") || d.o.Has("apparent-size") {
		size = st.Size
	}
	if !isDir(&st) {
		id := [2]uint64{uint64(st.Dev), st.Ino}
		if st.Nlink > 1 && d.seen[id] {
			return 0
		}
		d.seen[id] = st.Nlink > 1
		if depth == 0 || d.o.Has("a") && depth <= d.depth {
			d.show(size, name)
		}
		return size
	}
	list, err := os.ReadDir(name)
	if err != nil {
		d.c.Errorf("cannot read directory %s: %s", app.Quote(name), app.Reason(err))
	}
	for _, e := range list {
		size += d.tree(join(name, e.Name()), depth+1)
	}
	if depth <= d.depth {
		d.show(size, name)
	}
	return size
}

// join does not clean dir, as filepath.Join would.
func join(dir, name string) string {
	if dir != "" && dir[len(dir)-1] == '/' {
		return dir + name
	}
	return dir + "/" + name
}

func (d *diskUsage) show(size int64, name string) {
	s := strconv.FormatInt((size+1023)/1024, 10)
	switch d.o.Last("hbkm") {
	case "h":
		s = app.HumanSize(uint64(size))
	case "b":
		s = strconv.FormatInt(size, 10)
	case "m":
		s = strconv.FormatInt((size+1<<20-1)>>20, 10)
	}
	fmt.Fprintf(d.c.Out, "%s\t%s\n", s, name)
}
