// SPDX-License-Identifier: Apache-2.0

package file

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"lodger/userland/app"
)

// copier copies trees as cp -R does; mv uses it across file systems.
type copier struct {
	c         *app.Ctx
	recursive bool
	preserve  bool // mode, owner and times
	follow    bool // links inside the tree
	followTop bool // links named as operands
	force     bool
	noClobber bool
	update    bool
	ask       bool
	verbose   bool
	hardlink  bool
	symlink   bool
	rename    bool // mv: say "renamed"
	seen      map[[2]uint64]string
	answers   *bufio.Reader
}

func cp(c *app.Ctx, args []string) int {
	o, status, ok := c.Parse(args, "a|archive R|recursive r p d P|no-dereference L|dereference H f|force i|interactive "+
		"v|verbose n|no-clobber u|update l|link s|symbolic-link T|no-target-directory t|target-directory: x preserve? sparse: reflink?")
	if !ok {
		return status
	}
	a := o.Has("a")
	cp := &copier{c: c,
		recursive: a || o.Has("R") || o.Has("r"),
		preserve:  a || o.Has("p") || o.Has("preserve"),
		follow:    o.Last("LPHad") == "L",
		force:     o.Has("f"), noClobber: o.Has("n"), update: o.Has("u"), ask: o.Last("ifn") == "i", verbose: o.Has("v"),
		hardlink: o.Has("l"), symlink: o.Has("s"),
		seen: map[[2]uint64]string{},
	}
	switch o.Last("LPHad") {
	case "":
		cp.followTop = !cp.recursive
		cp.follow = !cp.recursive
	case "L", "H":
		cp.followTop = true
	}
	return each(c, o, cp.copy)
}

// each calls do(source, destination) for the operands of cp, mv and ln:
// SOURCE DEST, SOURCE... DIRECTORY or -t DIRECTORY SOURCE....
func each(c *app.Ctx, o *app.Opts, do func(src, dst string)) int {
	args := o.Args
	dir := o.Str("t", "")
	if len(args) == 0 {
		return c.BadUsage("missing file operand")
	}
	if dir == "" {
		if len(args) == 1 {
			return c.BadUsage("missing destination file operand after %s", app.Quote(args[0]))
		}
		dst := args[len(args)-1]
		args = args[:len(args)-1]
		st, err := os.Stat(dst)
		isDir := err == nil && st.IsDir()
		if o.Has("T") || !isDir {
			if len(args) > 1 {
				c.Errorf("target %s: Not a directory", app.Quote(dst))
				return 1
			}
			do(args[0], dst)
			return c.Status()
		}
		dir = dst
	}
	for _, src := range args {
		do(src, strings.TrimRight(dir, "/")+"/"+filepath.Base(src))
	}
	return c.Status()
}

func (cp *copier) copy(src, dst string) { cp.node(src, dst, cp.followTop) }

func (cp *copier) node(src, dst string, follow bool) {
	st, err := statOf(src, follow)
	if err != nil {
		cp.c.Errorf("cannot stat %s: %s", app.Quote(src), app.Reason(err))
		return
	}
	if st.IsDir() {
		cp.dir(src, dst, st)
		return
	}
	old, err := os.Lstat(dst)
	if err == nil {
		if os.SameFile(st, old) && !cp.hardlink {
			cp.c.Errorf("%s and %s are the same file", app.Quote(src), app.Quote(dst))
			return
		}
		if old.IsDir() {
			cp.c.Errorf("cannot overwrite directory %s with non-directory %s", app.Quote(dst), app.Quote(src))
			return
		}
		if cp.noClobber || cp.update && !st.ModTime().After(old.ModTime()) || cp.ask && !cp.confirm("overwrite", dst) {
			return
		}
	}
	if cp.verbose {
		cp.say(src, dst)
	}
	if err := cp.leaf(src, dst, st, old); err != nil {
		cp.c.Errorf("cannot copy %s to %s: %s", app.Quote(src), app.Quote(dst), app.Reason(err))
		return
	}
	if cp.preserve && !cp.hardlink && !cp.symlink {
		cp.attributes(dst, st)
	}
}

func (cp *copier) say(src, dst string) {
	word := ""
	if cp.rename {
		word = "renamed "
	}
	fmt.Fprintf(cp.c.Out, "%s%s -> %s\n", word, app.Quote(src), app.Quote(dst))
}

func (cp *copier) confirm(what, name string) bool {
	return ask(cp.c, &cp.answers, fmt.Sprintf("%s %s? ", what, app.Quote(name)))
}

// ask prompts on standard error and reads a line; in is kept between calls so
// that no answer is lost in a buffer.
func ask(c *app.Ctx, in **bufio.Reader, prompt string) bool {
	if *in == nil {
		*in = bufio.NewReader(c.In)
	}
	c.Out.Flush()
	fmt.Fprintf(c.Err, "%s: %s", c.Name, prompt)
	line, _ := (*in).ReadString('\n')
	return strings.HasPrefix(line, "y") || strings.HasPrefix(line, "Y")
}

func statOf(name string, follow bool) (os.FileInfo, error) {
	if follow {
		return os.Stat(name)
	}
	return os.Lstat(name)
}

func (cp *copier) dir(src, dst string, st os.FileInfo) {
	if !cp.recursive {
		cp.c.Errorf("-r not specified; omitting directory %s", app.Quote(src))
		return
	}
	if inside(src, dst) {
		cp.c.Errorf("cannot copy a directory, %s, into itself, %s", app.Quote(src), app.Quote(dst))
		return
	}
	made := false
	if old, err := os.Stat(dst); err != nil {
		if err := os.Mkdir(dst, st.Mode().Perm()|0o700); err != nil {
			cp.c.Errorf("cannot create directory %s: %s", app.Quote(dst), app.Reason(err))
			return
		}
		made = true
		if cp.verbose {
			cp.say(src, dst)
		}
	} else if !old.IsDir() {
		cp.c.Errorf("cannot overwrite non-directory %s with directory %s", app.Quote(dst), app.Quote(src))
		return
	}
	list, err := os.ReadDir(src)
	if err != nil {
		cp.c.Errorf("cannot access %s: %s", app.Quote(src), app.Reason(err))
	}
	for _, e := range list {
		cp.node(src+"/"+e.Name(), dst+"/"+e.Name(), cp.follow)
	}
	if cp.preserve {
		cp.attributes(dst, st)
	} else if made && st.Mode().Perm()&0o700 != 0o700 {
		os.Chmod(dst, st.Mode().Perm())
	}
}

// inside says whether dst would be made below the directory src.
func inside(src, dst string) bool {
	a, err1 := canonical(src, "f")
	b, err2 := canonical(dst, "m")
	return err1 == nil && err2 == nil && strings.HasPrefix(b+"/", a+"/")
}

// leaf copies whatever is not a directory.
func (cp *copier) leaf(src, dst string, st, old os.FileInfo) error {
	sys := st.Sys().(*syscall.Stat_t)
	replace := func(make func() error) error {
		err := make()
		if errors.Is(err, unix.EEXIST) && old != nil {
			if err = os.Remove(dst); err == nil {
				err = make()
			}
		}
		return err
	}
	switch {
	case cp.hardlink:
		return replace(func() error { return os.Link(src, dst) })
	case cp.symlink:
		return replace(func() error { return os.Symlink(src, dst) })
	case st.Mode()&os.ModeSymlink != 0:
		target, err := os.Readlink(src)
		if err != nil {
			return err
		}
		return replace(func() error { return os.Symlink(target, dst) })
	case !st.Mode().IsRegular() && cp.recursive:
		return replace(func() error { return unix.Mknod(dst, sys.Mode, int(sys.Rdev)) })
	}
	if cp.preserve && sys.Nlink > 1 {
		id := [2]uint64{uint64(sys.Dev), sys.Ino}
		if first, ok := cp.seen[id]; ok {
			return replace(func() error { return os.Link(first, dst) })
		}
		cp.seen[id] = dst
	}
	return copyData(src, dst, st.Mode().Perm(), cp.force)
}

func copyData(src, dst string, perm os.FileMode, force bool) error {
	in, err := os.Open(src)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(dst, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, perm)
	if err != nil && force {
		if os.Remove(dst) == nil {
			out, err = os.OpenFile(dst, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
		}
	}
	if err != nil {
		return err
	}
	// Hide ReadFrom: one plain read and write loop serves every file type,
	// also /proc files whose size is 0, for which copy_file_range(2) fails.
	_, err = io.CopyBuffer(struct{ io.Writer }{out}, struct{ io.Reader }{in}, make([]byte, 128<<10))
	if e := out.Close(); err == nil {
		err = e
	}
	return err
}

func (cp *copier) attributes(dst string, st os.FileInfo) {
	sys := st.Sys().(*syscall.Stat_t)
	os.Lchown(dst, int(sys.Uid), int(sys.Gid)) // only root may: cp -p ignores it too
	if st.Mode()&os.ModeSymlink == 0 {
		if err := unix.Chmod(dst, sys.Mode&0o7777); err != nil {
			cp.c.Errorf("preserving permissions for %s: %s", app.Quote(dst), app.Reason(err))
		}
	}
	ts := []unix.Timespec{{Sec: sys.Atim.Sec, Nsec: sys.Atim.Nsec}, {Sec: sys.Mtim.Sec, Nsec: sys.Mtim.Nsec}}
	if err := unix.UtimesNanoAt(unix.AT_FDCWD, dst, ts, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		cp.c.Errorf("preserving times for %s: %s", app.Quote(dst), app.Reason(err))
	}
}

func mv(c *app.Ctx, args []string) int {
	o, status, ok := c.Parse(args, "f|force i|interactive n|no-clobber v|verbose u|update T|no-target-directory t|target-directory:")
	if !ok {
		return status
	}
	cp := &copier{c: c, recursive: true, preserve: true, force: true, rename: true, seen: map[[2]uint64]string{},
		verbose: o.Has("v"), ask: o.Last("fin") == "i", noClobber: o.Last("fin") == "n", update: o.Has("u")}
	return each(c, o, cp.move)
}

func (cp *copier) move(src, dst string) {
	st, err := os.Lstat(src)
	if err != nil {
		cp.c.Errorf("cannot stat %s: %s", app.Quote(src), app.Reason(err))
		return
	}
	if old, err := os.Lstat(dst); err == nil {
		if os.SameFile(st, old) {
			cp.c.Errorf("%s and %s are the same file", app.Quote(src), app.Quote(dst))
			return
		}
		if cp.noClobber || cp.update && !st.ModTime().After(old.ModTime()) || cp.ask && !cp.confirm("overwrite", dst) {
			return
		}
		if !old.IsDir() && st.IsDir() {
			cp.c.Errorf("cannot overwrite non-directory %s with directory %s", app.Quote(dst), app.Quote(src))
			return
		}
	}
	if st.IsDir() && inside(src, dst) {
		cp.c.Errorf("cannot move %s to a subdirectory of itself, %s", app.Quote(src), app.Quote(dst))
		return
	}
	err = unix.Rename(src, dst)
	if err == nil {
		if cp.verbose {
			cp.say(src, dst)
		}
		return
	}
	if !errors.Is(err, unix.EXDEV) {
		cp.c.Errorf("cannot move %s to %s: %s", app.Quote(src), app.Quote(dst), app.Reason(err))
		return
	}
	if st.Mode().IsRegular() {
		os.Remove(dst)
	}
	before := cp.c.Status()
	cp.node(src, dst, false)
	if before == 0 && cp.c.Status() == 0 {
		if err := os.RemoveAll(src); err != nil {
			cp.c.Errorf("cannot remove %s: %s", app.Quote(src), app.Reason(err))
		}
	}
}

func install(c *app.Ctx, args []string) int {
	o, status, ok := c.Parse(args, "d|directory D m|mode: v|verbose c s p|preserve-timestamps o|owner: g|group: T t|target-directory:")
	if !ok {
		return status
	}
	mode, ok := parseMode(o.Str("m", "755"), 0, false, 0)
	if !ok {
		return c.BadUsage("invalid mode %s", app.Quote(o.Str("m", "")))
	}
	finish := func(name string) {
		uid, gid := -1, -1
		if s := o.Str("o", ""); s != "" {
			uid, _ = app.UserID(s)
		}
		if s := o.Str("g", ""); s != "" {
			gid, _ = app.GroupID(s)
		}
		if uid >= 0 || gid >= 0 {
			if err := os.Chown(name, uid, gid); err != nil {
				c.Errorf("cannot change ownership of %s: %s", app.Quote(name), app.Reason(err))
			}
		}
		if err := unix.Chmod(name, mode); err != nil {
			c.Errorf("cannot change permissions of %s: %s", app.Quote(name), app.Reason(err))
		}
	}
	if o.Has("d") {
		for _, name := range o.Args {
			if err := os.MkdirAll(name, 0o755); err != nil {
				c.Errorf("cannot create directory %s: %s", app.Quote(name), app.Reason(err))
				continue
			}
			finish(name)
		}
		return c.Status()
	}
	return each(c, o, func(src, dst string) {
		if o.Has("D") {
			os.MkdirAll(dirOf(dst), 0o755)
		}
		os.Remove(dst)
		if err := copyData(src, dst, 0o600, false); err != nil {
			c.Errorf("cannot install %s to %s: %s", app.Quote(src), app.Quote(dst), app.Reason(err))
			return
		}
		finish(dst)
		if st, err := os.Stat(src); err == nil && o.Has("p") {
			os.Chtimes(dst, time.Time{}, st.ModTime())
		}
	})
}
