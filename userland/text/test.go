// SPDX-License-Identifier: Apache-2.0

package text

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"lodger/userland/app"
)

// test is test(1) and "[": 0 is true, 1 false and 2 an error.
func test(c *app.Ctx, args []string) int {
	if c.Name == "[" {
		if len(args) == 0 || args[len(args)-1] != "]" {
			c.Errorf("missing ']'")
			return 2
		}
		args = args[:len(args)-1]
	}
	t := &condition{args: args}
	v, err := t.whole()
	switch {
	case err != nil:
		c.Errorf("%v", err)
		return 2
	case v:
		return 0
	}
	return 1
}

// condition parses by the number of arguments as POSIX lays down, and beyond
// four of them by precedence.
type condition struct{ args []string }

func (t *condition) whole() (bool, error) {
	switch a := t.args; len(a) {
	case 0:
		return false, nil
	case 1:
		return a[0] != "", nil
	case 2:
		if a[0] == "!" {
			return a[1] == "", nil
		}
	case 3:
		if isBinary(a[1]) {
			return binary(a[0], a[1], a[2])
		}
		if a[0] == "!" {
			t.args = a[1:]
			v, err := t.whole()
			return !v, err
		}
	case 4:
		if a[0] == "!" {
			t.args = a[1:]
			v, err := t.whole()
			return !v, err
		}
	}
	v, err := t.or()
	if err == nil && len(t.args) > 0 {
		err = fmt.Errorf("extra argument %s", app.Quote(t.args[0]))
	}
	return v, err
}

func (t *condition) or() (bool, error) {
	v, err := t.and()
	for err == nil && len(t.args) > 0 && t.args[0] == "-o" {
		t.args = t.args[1:]
		var r bool
		r, err = t.and()
		v = v || r
	}
	return v, err
}

func (t *condition) and() (bool, error) {
	v, err := t.primary()
	for err == nil && len(t.args) > 0 && t.args[0] == "-a" {
		t.args = t.args[1:]
		var r bool
		r, err = t.primary()
		v = v && r
	}
	return v, err
}

func (t *condition) primary() (bool, error) {
	a := t.args
	switch {
	case len(a) == 0:
		return false, fmt.Errorf("argument expected")
	case len(a) >= 3 && isBinary(a[1]):
		t.args = a[3:]
		return binary(a[0], a[1], a[2])
	case a[0] == "!":
		t.args = a[1:]
		v, err := t.primary()
		return !v, err
	case a[0] == "(":
		t.args = a[1:]
		v, err := t.or()
		if err == nil && (len(t.args) == 0 || t.args[0] != ")") {
			err = fmt.Errorf("')' expected")
		}
		if err == nil {
			t.args = t.args[1:]
		}
		return v, err
	case len(a) >= 2 && len(a[0]) == 2 && a[0][0] == '-':
		t.args = a[2:]
		return unary(a[0], a[1])
	}
	t.args = a[1:]
	return a[0] != "", nil
}

func isBinary(op string) bool {
	switch op {
	case "=", "==", "!=", "<", ">", "-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-nt", "-ot", "-ef":
		return true
	}
	return false
}

func unary(op, a string) (bool, error) {
	var st unix.Stat_t
	kind := func(want uint32) (bool, error) {
		return unix.Stat(a, &st) == nil && st.Mode&unix.S_IFMT == want, nil
	}
	bit := func(want uint32) (bool, error) { return unix.Stat(a, &st) == nil && st.Mode&want != 0, nil }
	switch op {
	case "-n":
		return a != "", nil
	case "-z":
		return a == "", nil
	case "-e":
		return unix.Stat(a, &st) == nil, nil
	case "-f":
		return kind(unix.S_IFREG)
	case "-d":
		return kind(unix.S_IFDIR)
	case "-b":
		return kind(unix.S_IFBLK)
	case "-c":
		return kind(unix.S_IFCHR)
	case "-p":
		return kind(unix.S_IFIFO)
	case "-S":
		return kind(unix.S_IFSOCK)
	case "-L", "-h":
		return unix.Lstat(a, &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFLNK, nil
	case "-s":
		return unix.Stat(a, &st) == nil && st.Size > 0, nil
	case "-u":
		return bit(unix.S_ISUID)
	case "-g":
		return bit(unix.S_ISGID)
	case "-k":
		return bit(unix.S_ISVTX)
	case "-r", "-w", "-x":
		how := map[string]uint32{"-r": unix.R_OK, "-w": unix.W_OK, "-x": unix.X_OK}[op]
		return unix.Faccessat(unix.AT_FDCWD, a, how, unix.AT_EACCESS) == nil, nil
	case "-O":
		return unix.Stat(a, &st) == nil && int(st.Uid) == os.Geteuid(), nil
	case "-G":
		return unix.Stat(a, &st) == nil && int(st.Gid) == os.Getegid(), nil
	case "-t":
		fd, err := strconv.Atoi(a)
		if err != nil {
			return false, fmt.Errorf("invalid integer %s", app.Quote(a))
		}
		_, err = unix.IoctlGetTermios(fd, unix.TCGETS)
		return err == nil, nil
	}
	return false, fmt.Errorf("%s: unary operator expected", app.Quote(op))
}

func binary(a, op, b string) (bool, error) {
	switch op {
	case "=", "==":
		return a == b, nil
	case "!=":
		return a != b, nil
	case "<":
		return a < b, nil
	case ">":
		return a > b, nil
	case "-nt", "-ot", "-ef":
		return compareFiles(a, op, b), nil
	}
	x, err1 := strconv.ParseInt(strings.TrimSpace(a), 10, 64)
	y, err2 := strconv.ParseInt(strings.TrimSpace(b), 10, 64)
	if err1 != nil {
		return false, fmt.Errorf("invalid integer %s", app.Quote(a))
	}
	if err2 != nil {
		return false, fmt.Errorf("invalid integer %s", app.Quote(b))
	}
	switch op {
	case "-eq":
		return x == y, nil
	case "-ne":
		return x != y, nil
	case "-lt":
		return x < y, nil
	case "-le":
		return x <= y, nil
	case "-gt":
		return x > y, nil
	}
	return x >= y, nil
}

func compareFiles(a, op, b string) bool {
	var x, y unix.Stat_t
	err1, err2 := unix.Stat(a, &x), unix.Stat(b, &y)
	switch op {
	case "-nt":
		return err1 == nil && (err2 != nil || x.Mtim.Nano() > y.Mtim.Nano())
	case "-ot":
		return err2 == nil && (err1 != nil || x.Mtim.Nano() < y.Mtim.Nano())
	}
	return err1 == nil && err2 == nil && x.Dev == y.Dev && x.Ino == y.Ino
}
