// SPDX-License-Identifier: Apache-2.0

package file

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"lodger/userland/app"
)

// parseMode applies an octal or symbolic mode (chmod(1)) to the permission bits
// old. X adds execution only to directories and to what someone may execute; an
// omitted "who" means all but what mask, the umask, keeps.
func parseMode(s string, old uint32, dir bool, mask uint32) (uint32, bool) {
	if s == "" {
		return 0, false
	}
	if n, err := strconv.ParseUint(s, 8, 32); err == nil {
		return uint32(n), n <= 0o7777
	}
	mode := old
	for clause := range strings.SplitSeq(s, ",") {
		i := strings.IndexAny(clause, "+-=")
		if i < 0 {
			return 0, false
		}
		who, limit := uint32(0), uint32(0o7777)
		for _, w := range clause[:i] {
			switch w {
			case 'u':
				who |= 0o4700
			case 'g':
				who |= 0o2070
			case 'o':
				who |= 0o1007
			case 'a':
				who |= 0o7777
			default:
				return 0, false
			}
		}
		if i == 0 {
			who, limit = 0o7777, ^mask
		}
		for rest := clause[i:]; rest != ""; {
			op := rest[0]
			n := strings.IndexAny(rest[1:], "+-=")
			if n < 0 {
				n = len(rest) - 1
			}
			bits, ok := permBits(rest[1:1+n], mode, dir)
			if !ok {
				return 0, false
			}
			bits &= who & limit
			switch op {
			case '+':
				mode |= bits
			case '-':
				mode &^= bits
			case '=':
				mode = mode&^(who&0o777|who&0o7000&^dirBits(dir)) | bits
			}
			rest = rest[1+n:]
		}
	}
	return mode, true
}

// dirBits are the set-id bits that "=" keeps on a directory, as GNU chmod does.
func dirBits(dir bool) uint32 {
	if dir {
		return 0o6000
	}
	return 0
}

func permBits(letters string, mode uint32, dir bool) (bits uint32, ok bool) {
	for _, l := range letters {
		switch l {
		case 'r':
			bits |= 0o444
		case 'w':
			bits |= 0o222
		case 'x':
			bits |= 0o111
		case 'X':
			if dir || mode&0o111 != 0 {
				bits |= 0o111
			}
		case 's':
			bits |= 0o6000
		case 't':
			bits |= 0o1000
		case 'u':
			bits |= mode >> 6 & 7 * 0o111
		case 'g':
			bits |= mode >> 3 & 7 * 0o111
		case 'o':
			bits |= mode & 7 * 0o111
		default:
			return 0, false
		}
	}
	return bits, true
}

// walk calls do for name and, when recursive, for everything below it.
func walk(c *app.Ctx, name string, recursive bool, do func(path string)) {
	if !recursive {
		do(name)
		return
	}
	filepath.WalkDir(name, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			c.Errorf("cannot access %s: %s", app.Quote(path), app.Reason(err))
			return nil
		}
		do(path)
		return nil
	})
}

func chmod(c *app.Ctx, args []string) int {
	var early []string // "chmod -x file": the mode looks like an option
	for i, a := range args {
		if len(a) > 1 && a[0] == '-' && strings.Trim(a[1:], "rwxXstugo,=+-") == "" && !strings.HasPrefix(a, "--") && a != "-R" {
			early = append(early, a)
			args = append(append([]string{}, args[:i]...), args[i+1:]...)
			break
		}
	}
	o, status, ok := c.Parse(args, "R|recursive v|verbose c|changes f|silent|quiet reference:")
	if !ok {
		return status
	}
	operands := append(early, o.Args...)
	if ref := o.Str("reference", ""); ref != "" {
		var st unix.Stat_t
		if err := unix.Stat(ref, &st); err != nil {
			c.Errorf("failed to get attributes of %s: %s", app.Quote(ref), app.Reason(err))
			return 1
		}
		operands = append([]string{strconv.FormatUint(uint64(st.Mode&0o7777), 8)}, operands...)
	}
	if len(operands) < 2 {
		return c.Missing()
	}
	spec, mask := operands[0], umask()
	if _, ok := parseMode(spec, 0, false, mask); !ok {
		return c.BadUsage("invalid mode: %s", app.Quote(spec))
	}
	for _, name := range operands[1:] {
		walk(c, name, o.Has("R"), func(path string) { chmodOne(c, o, path, spec, mask) })
	}
	return c.Status()
}

func chmodOne(c *app.Ctx, o *app.Opts, path, spec string, mask uint32) {
	var st unix.Stat_t
	if o.Has("R") && unix.Lstat(path, &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFLNK {
		return
	}
	if err := unix.Stat(path, &st); err != nil {
		if !o.Has("f") {
			c.Errorf("cannot access %s: %s", app.Quote(path), app.Reason(err))
		}
		return
	}
	old := st.Mode & 0o7777
	mode, _ := parseMode(spec, old, isDir(&st), mask)
	if err := unix.Chmod(path, mode); err != nil {
		if !o.Has("f") {
			c.Errorf("changing permissions of %s: %s", app.Quote(path), app.Reason(err))
		}
		return
	}
	if o.Has("v") || o.Has("c") && mode != old {
		fmt.Fprintf(c.Out, "mode of %s changed from %04o (%s) to %04o (%s)\n",
			app.Quote(path), old, modeString(old)[1:], mode, modeString(mode)[1:])
	}
}

func chown(c *app.Ctx, args []string) int {
	return changeOwner(c, args, func(s string) (uid, gid int, ok bool) {
		owner, group, hasGroup := strings.Cut(s, ":")
		uid, gid, ok = -1, -1, true
		if owner != "" {
			uid, ok = app.UserID(owner)
		}
		if hasGroup && ok {
			if group != "" {
				gid, ok = app.GroupID(group)
			} else if owner != "" {
				gid, ok = app.LoginGroup(owner)
			}
		}
		return uid, gid, ok
	})
}

func chgrp(c *app.Ctx, args []string) int {
	return changeOwner(c, args, func(s string) (uid, gid int, ok bool) {
		gid, ok = app.GroupID(s)
		return -1, gid, ok
	})
}

func changeOwner(c *app.Ctx, args []string, parse func(string) (uid, gid int, ok bool)) int {
	o, status, ok := c.Parse(args, "R|recursive h|no-dereference v|verbose c f|silent H L P reference:")
	if !ok {
		return status
	}
	operands := o.Args
	uid, gid := -1, -1
	if ref := o.Str("reference", ""); ref != "" {
		var st unix.Stat_t
		if err := unix.Stat(ref, &st); err != nil {
			c.Errorf("failed to get attributes of %s: %s", app.Quote(ref), app.Reason(err))
			return 1
		}
		uid, gid = int(st.Uid), int(st.Gid)
		if c.Name == "chgrp" {
			uid = -1
		}
	} else {
		if len(operands) < 2 {
			return c.Missing()
		}
		if uid, gid, ok = parse(operands[0]); !ok {
			what := map[string]string{"chown": "user", "chgrp": "group"}[c.Name]
			c.Errorf("invalid %s: %s", what, app.Quote(operands[0]))
			return 1
		}
		operands = operands[1:]
	}
	change := os.Chown
	if o.Has("h") || o.Has("R") {
		change = os.Lchown
	}
	for _, name := range operands {
		walk(c, name, o.Has("R"), func(path string) {
			if err := change(path, uid, gid); err != nil && !o.Has("f") {
				what := map[string]string{"chown": "ownership", "chgrp": "group"}[c.Name]
				c.Errorf("changing %s of %s: %s", what, app.Quote(path), app.Reason(err))
			}
		})
	}
	return c.Status()
}
