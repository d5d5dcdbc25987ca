// SPDX-License-Identifier: Apache-2.0

package file

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"lodger/userland/app"
)

// umask is read from the process: umask(2) cannot be asked without setting it.
func umask() uint32 {
	old := unix.Umask(0)
	unix.Umask(old)
	return uint32(old)
}

// modeOption is the value of -m, or def when it was not given.
func modeOption(c *app.Ctx, o *app.Opts, def uint32) (mode uint32, given, ok bool) {
	if !o.Has("m") {
		return def, false, true
	}
	mode, ok = parseMode(o.Str("m", ""), 0o777, false, umask())
	if !ok {
		c.Errorf("invalid mode %s", app.Quote(o.Str("m", "")))
	}
	return mode, true, ok
}

func mkdir(c *app.Ctx, args []string) int {
	o, status, ok := c.Parse(args, "p|parents v|verbose m|mode:")
	if !ok {
		return status
	}
	if len(o.Args) == 0 {
		return c.Missing()
	}
	mode, given, ok := modeOption(c, o, 0o777)
	if !ok {
		return 1
	}
	made := func(name string) {
		if o.Has("v") {
			fmt.Fprintf(c.Out, "mkdir: created directory %s\n", app.Quote(name))
		}
	}
	for _, name := range o.Args {
		var err error
		if o.Has("p") {
			err = mkdirParents(name, made)
		} else if err = unix.Mkdir(name, mode); err == nil {
			made(name)
		}
		if err == nil && given {
			err = unix.Chmod(name, mode)
		}
		if err != nil {
			c.Errorf("cannot create directory %s: %s", app.Quote(name), app.Reason(err))
		}
	}
	return c.Status()
}

// mkdirParents makes name and what is missing above it.
func mkdirParents(name string, made func(string)) error {
	err := unix.Mkdir(name, 0o777)
	switch {
	case err == nil:
		made(name)
		return nil
	case errors.Is(err, unix.EEXIST):
		if st, e := os.Stat(name); e == nil && st.IsDir() {
			return nil
		}
		return err
	case !errors.Is(err, unix.ENOENT) || dirOf(name) == name:
		return err
	}
	if err := mkdirParents(dirOf(name), made); err != nil {
		return err
	}
	return mkdirParents(name, made)
}

func mkfifo(c *app.Ctx, args []string) int {
	o, status, ok := c.Parse(args, "m|mode:")
	if !ok {
		return status
	}
	if len(o.Args) == 0 {
		return c.Missing()
	}
	for _, name := range o.Args {
		makeNode(c, o, name, unix.S_IFIFO, 0)
	}
	return c.Status()
}

func makeNode(c *app.Ctx, o *app.Opts, name string, kind uint32, dev uint64) {
	mode, given, ok := modeOption(c, o, 0o666)
	if !ok {
		return
	}
	err := unix.Mknod(name, kind|mode, int(dev))
	if err == nil && given {
		err = unix.Chmod(name, mode)
	}
	if err != nil {
		c.Fail(name, err)
	}
}

func mknod(c *app.Ctx, args []string) int {
	o, status, ok := c.Parse(args, "m|mode:")
	if !ok {
		return status
	}
	a := o.Args
	if len(a) == 2 && a[1] == "p" {
		makeNode(c, o, a[0], unix.S_IFIFO, 0)
		return c.Status()
	}
	if len(a) != 4 {
		return c.Missing()
	}
	major, err1 := strconv.ParseUint(a[2], 0, 32)
	minor, err2 := strconv.ParseUint(a[3], 0, 32)
	kind := map[string]uint32{"b": unix.S_IFBLK, "c": unix.S_IFCHR, "u": unix.S_IFCHR}[a[1]]
	if err1 != nil || err2 != nil || kind == 0 {
		return c.BadUsage("invalid device type or number %s", app.Quote(strings.Join(a[1:], " ")))
	}
	makeNode(c, o, a[0], kind, unix.Mkdev(uint32(major), uint32(minor)))
	return c.Status()
}

func mktemp(c *app.Ctx, args []string) int {
	o, status, ok := c.Parse(args, "d|directory u|dry-run q|quiet t p|tmpdir: suffix:")
	if !ok {
		return status
	}
	tmp := os.Getenv("TMPDIR")
	if tmp == "" {
		tmp = "/tmp"
	}
	template := "tmp.XXXXXXXXXX"
	if len(o.Args) > 0 {
		template = o.Args[0]
	}
	if len(o.Args) == 0 || o.Has("p") || o.Has("t") {
		template = filepath.Join(o.Str("p", tmp), template)
	}
	suffix := o.Str("suffix", "")
	if i := strings.LastIndexByte(template, 'X'); i >= 0 && suffix == "" {
		template, suffix = template[:i+1], template[i+1:]
	}
	stem := strings.TrimRight(template, "X")
	xs := len(template) - len(stem)
	if xs < 3 {
		c.Errorf("too few X's in template %s", app.Quote(template))
		return 1
	}
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	var err error
	for range 100 {
		b := make([]byte, xs)
		for i := range b {
			b[i] = letters[rand.IntN(len(letters))]
		}
		name := stem + string(b) + suffix
		if err = makeTemp(name, o.Has("d"), o.Has("u")); err == nil {
			fmt.Fprintln(c.Out, name)
			return 0
		}
		if !errors.Is(err, unix.EEXIST) {
			break
		}
	}
	if !o.Has("q") {
		what := "file"
		if o.Has("d") {
			what = "directory"
		}
		c.Errorf("failed to create %s via template %s: %s", what, app.Quote(template+suffix), app.Reason(err))
	}
	return 1
}

func makeTemp(name string, dir, dry bool) error {
	if dry {
		return nil
	}
	if dir {
		return os.Mkdir(name, 0o700)
	}
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

func ln(c *app.Ctx, args []string) int {
	o, status, ok := c.Parse(args, "s|symbolic f|force n|no-dereference v|verbose T|no-target-directory t|target-directory: r|relative L P i")
	if !ok {
		return status
	}
	make := func(src, dst string) {
		kind, link := "hard", os.Link
		if o.Has("s") {
			kind, link = "symbolic", os.Symlink
			if o.Has("r") {
				from, _ := canonical(dirOf(dst), "m")
				to, _ := canonical(src, "m")
				if rel, err := filepath.Rel(from, to); err == nil {
					src = rel
				}
			}
		}
		err := link(src, dst)
		if errors.Is(err, unix.EEXIST) && o.Has("f") {
			if err = unix.Unlink(dst); err == nil {
				err = link(src, dst)
			}
		}
		switch {
		case err == nil && o.Has("v"):
			arrow := map[string]string{"hard": "=>", "symbolic": "->"}[kind]
			fmt.Fprintf(c.Out, "%s %s %s\n", app.Quote(dst), arrow, app.Quote(src))
		case err != nil && kind == "hard" && !exists(src):
			c.Errorf("failed to access %s: %s", app.Quote(src), app.Reason(err))
		case err != nil:
			c.Errorf("failed to create %s link %s: %s", kind, app.Quote(dst), app.Reason(err))
		}
	}
	if len(o.Args) == 1 && !o.Has("t") { // ln TARGET: in this directory
		make(o.Args[0], filepath.Base(o.Args[0]))
		return c.Status()
	}
	if n := len(o.Args); n == 2 && o.Has("n") {
		if st, err := os.Lstat(o.Args[1]); err == nil && st.Mode()&os.ModeSymlink != 0 {
			make(o.Args[0], o.Args[1])
			return c.Status()
		}
	}
	return each(c, o, make)
}

func exists(name string) bool {
	_, err := os.Lstat(name)
	return err == nil
}

func link(c *app.Ctx, args []string) int {
	o, status, ok := c.Parse(args, "")
	if !ok {
		return status
	}
	if len(o.Args) != 2 {
		return c.Missing()
	}
	if err := unix.Link(o.Args[0], o.Args[1]); err != nil {
		c.Errorf("cannot create link %s to %s: %s", app.Quote(o.Args[1]), app.Quote(o.Args[0]), app.Reason(err))
	}
	return c.Status()
}

func touch(c *app.Ctx, args []string) int {
	o, status, ok := c.Parse(args, "a c|no-create m h|no-dereference r|reference: d|date: t: f time:")
	if !ok {
		return status
	}
	if len(o.Args) == 0 {
		return c.BadUsage("missing file operand")
	}
	now := unix.Timespec{Nsec: unix.UTIME_NOW}
	ts := []unix.Timespec{now, now}
	if ref := o.Str("r", ""); ref != "" {
		var st unix.Stat_t
		if err := unix.Stat(ref, &st); err != nil {
			c.Errorf("failed to get attributes of %s: %s", app.Quote(ref), app.Reason(err))
			return 1
		}
		ts = []unix.Timespec{st.Atim, st.Mtim}
	} else if d := o.Str("d", ""); d != "" {
		t, ok := app.ParseTime(d, time.Now())
		if !ok {
			c.Errorf("invalid date format %s", app.Quote(d))
			return 1
		}
		v, _ := unix.TimeToTimespec(t)
		ts = []unix.Timespec{v, v}
	} else if s := o.Str("t", ""); s != "" {
		t, ok := parseStamp(s, time.Now())
		if !ok {
			c.Errorf("invalid date format %s", app.Quote(s))
			return 1
		}
		v, _ := unix.TimeToTimespec(t)
		ts = []unix.Timespec{v, v}
	}
	switch {
	case o.Has("a") && !o.Has("m"):
		ts[1].Nsec = unix.UTIME_OMIT
	case o.Has("m") && !o.Has("a"):
		ts[0].Nsec = unix.UTIME_OMIT
	}
	for _, name := range o.Args {
		if err := touchOne(name, ts, o.Has("h"), o.Has("c")); err != nil {
			c.Errorf("cannot touch %s: %s", app.Quote(name), app.Reason(err))
		}
	}
	return c.Status()
}

func touchOne(name string, ts []unix.Timespec, noFollow, noCreate bool) error {
	flags := 0
	if noFollow {
		flags = unix.AT_SYMLINK_NOFOLLOW
	}
	err := unix.UtimesNanoAt(unix.AT_FDCWD, name, ts, flags)
	if !errors.Is(err, unix.ENOENT) {
		return err
	}
	if noCreate {
		return nil
	}
	fd, err := unix.Open(name, unix.O_WRONLY|unix.O_CREAT|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0o666)
	if err != nil {
		return err
	}
	unix.Close(fd)
	return unix.UtimesNanoAt(unix.AT_FDCWD, name, ts, flags)
}

// parseStamp reads the [[CC]YY]MMDDhhmm[.ss] of touch -t.
func parseStamp(s string, now time.Time) (time.Time, bool) {
	layout := map[int]string{8: "01021504", 10: "0601021504", 12: "200601021504"}
	main, sec, hasSec := strings.Cut(s, ".")
	l := layout[len(main)]
	if hasSec {
		l, main = l+".05", main+"."+sec
	}
	t, err := time.ParseInLocation(l, main, time.Local)
	if err == nil && t.Year() == 0 {
		t = t.AddDate(now.Year(), 0, 0)
	}
	return t, err == nil && l != ""
}

func truncate(c *app.Ctx, args []string) int {
	o, status, ok := c.Parse(args, "c|no-create s|size: o r|reference:")
	if !ok {
		return status
	}
	spec := o.Str("s", "")
	if len(o.Args) == 0 || spec == "" {
		return c.BadUsage("you must specify a size and a file")
	}
	how := byte(0)
	if strings.ContainsRune("+-<>", rune(spec[0])) {
		how, spec = spec[0], spec[1:]
	}
	size, ok := app.ParseSize(spec)
	if !ok {
		c.Errorf("Invalid number: %s", app.Quote(spec))
		return 1
	}
	for _, name := range o.Args {
		if err := truncateOne(name, how, size, o.Has("c")); err != nil {
			c.Errorf("cannot open %s for writing: %s", app.Quote(name), app.Reason(err))
		}
	}
	return c.Status()
}

func truncateOne(name string, how byte, size int64, noCreate bool) error {
	flags := os.O_WRONLY | os.O_CREATE
	if noCreate {
		flags = os.O_WRONLY
	}
	f, err := os.OpenFile(name, flags, 0o666)
	if err != nil {
		if noCreate && os.IsNotExist(err) {
			return nil
		}
		return err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return err
	}
	switch how {
	case '+':
		size += st.Size()
	case '-':
		size = max(0, st.Size()-size)
	case '<':
		size = min(size, st.Size())
	case '>':
		size = max(size, st.Size())
	}
	return f.Truncate(size)
}

func syncMain(c *app.Ctx, args []string) int {
	o, status, ok := c.Parse(args, "d|data f|file-system")
	if !ok {
		return status
	}
	if len(o.Args) == 0 {
		unix.Sync()
		return 0
	}
	for _, name := range o.Args {
		f, err := os.Open(name)
		if err == nil {
			err = f.Sync()
			f.Close()
		}
		if err != nil {
			c.Errorf("error syncing %s: %s", app.Quote(name), app.Reason(err))
		}
	}
	return c.Status()
}
