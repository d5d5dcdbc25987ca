// SPDX-License-Identifier: Apache-2.0

package file

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"lodger/userland/app"
)

func stat(c *app.Ctx, args []string) int {
	o, status, ok := c.Parse(args, "L|dereference f|file-system t|terse c|format: printf:")
	if !ok {
		return status
	}
	if len(o.Args) == 0 {
		return c.Missing()
	}
	format, end := o.Str("c", ""), "\n"
	if o.Has("printf") {
		format, end = unescape(o.Str("printf", "")), ""
	}
	for _, name := range o.Args {
		if o.Has("f") {
			statFS(c, name, format, end)
			continue
		}
		var st unix.Stat_t
		call := unix.Lstat
		if o.Has("L") {
			call = unix.Stat
		}
		if err := call(name, &st); err != nil {
			c.Errorf("cannot statx %s: %s", app.Quote(name), app.Reason(err))
			continue
		}
		switch {
		case format != "":
			fmt.Fprint(c.Out, expand(format, func(d string) string { return statField(d, name, &st) }), end)
		case o.Has("t"):
			const terse = "%n %s %b %f %u %g %D %i %h %t %T %X %Y %Z %W %o"
			fmt.Fprintln(c.Out, expand(terse, func(d string) string { return statField(d, name, &st) }))
		default:
			statLong(c, name, &st)
		}
	}
	return c.Status()
}

func unescape(s string) string {
	return strings.NewReplacer(`\n`, "\n", `\t`, "\t", `\\`, `\`, `\0`, "\x00").Replace(s)
}

// expand replaces the %-directives of a format by what field says for each
// letter; a width or flags before the letter are honoured as in printf(3).
func expand(format string, field func(directive string) string) string {
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' || i+1 == len(format) {
			b.WriteByte(format[i])
			continue
		}
		j := i + 1
		for j < len(format)-1 && strings.IndexByte("-0+ #123456789.", format[j]) >= 0 {
			j++
		}
		flags := format[i+1 : j]
		d := format[j : j+1]
		if (d == "H" || d == "L") && j+1 < len(format) {
			j++
			d += format[j : j+1]
		}
		i = j
		if d == "%" {
			b.WriteByte('%')
			continue
		}
		s := field(d)
		if d == "a" && strings.Contains(flags, "#") {
			s, flags = "0"+s, strings.ReplaceAll(flags, "#", "")
		}
		if width, err := strconv.Atoi(strings.TrimPrefix(flags, "-")); err == nil {
			if pad := width - len(s); pad > 0 && strings.HasPrefix(flags, "-") {
				s += strings.Repeat(" ", pad)
			} else if pad > 0 && strings.HasPrefix(flags, "0") {
				s = strings.Repeat("0", pad) + s
			} else if pad > 0 {
				s = strings.Repeat(" ", pad) + s
			}
		}
		b.WriteString(s)
	}
	return b.String()
}

func typeName(st *unix.Stat_t) string {
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFREG:
		if st.Size == 0 {
			return "regular empty file"
		}
		return "regular file"
	case unix.S_IFDIR:
		return "directory"
	case unix.S_IFLNK:
		return "symbolic link"
	case unix.S_IFCHR:
		return "character special file"
	case unix.S_IFBLK:
		return "block special file"
	case unix.S_IFIFO:
		return "fifo"
	case unix.S_IFSOCK:
		return "socket"
	}
	return "weird file"
}

func stamp(t unix.Timespec) string {
	return time.Unix(t.Unix()).Format("2006-01-02 15:04:05.000000000 -0700")
}

func statField(d, name string, st *unix.Stat_t) string {
	u := func(n uint64) string { return strconv.FormatUint(n, 10) }
	dev, rdev := uint64(st.Dev), uint64(st.Rdev)
	switch d {
	case "n":
		return name
	case "N":
		if target, err := os.Readlink(name); err == nil {
			return app.Quote(name) + " -> " + app.Quote(target)
		}
		return app.Quote(name)
	case "a":
		return strconv.FormatUint(uint64(st.Mode&0o7777), 8)
	case "A":
		return modeString(st.Mode)
	case "f":
		return strconv.FormatUint(uint64(st.Mode), 16)
	case "F":
		return typeName(st)
	case "s":
		return strconv.FormatInt(st.Size, 10)
	case "b":
		return strconv.FormatInt(st.Blocks, 10)
	case "B":
		return "512"
	case "o":
		return strconv.FormatInt(int64(st.Blksize), 10)
	case "i":
		return u(st.Ino)
	case "h":
		return u(uint64(st.Nlink))
	case "u":
		return u(uint64(st.Uid))
	case "U":
		return app.UserName(st.Uid)
	case "g":
		return u(uint64(st.Gid))
	case "G":
		return app.GroupName(st.Gid)
	case "d":
		return u(dev)
	case "D":
		return strconv.FormatUint(dev, 16)
	case "Hd":
		return u(uint64(unix.Major(dev)))
	case "Ld":
		return u(uint64(unix.Minor(dev)))
	case "r":
		return u(rdev)
	case "t":
		return strconv.FormatUint(uint64(unix.Major(rdev)), 16)
	case "T":
		return strconv.FormatUint(uint64(unix.Minor(rdev)), 16)
	case "x":
		return stamp(st.Atim)
	case "y":
		return stamp(st.Mtim)
	case "z":
		return stamp(st.Ctim)
	case "X":
		return strconv.FormatInt(int64(st.Atim.Sec), 10)
	case "Y":
		return strconv.FormatInt(int64(st.Mtim.Sec), 10)
	case "Z":
		return strconv.FormatInt(int64(st.Ctim.Sec), 10)
	case "w":
		return "-"
	case "W":
		return "0"
	}
	return "?"
}

func statLong(c *app.Ctx, name string, st *unix.Stat_t) {
	label := name
	if target, err := os.Readlink(name); err == nil {
		label += " -> " + target
	}
	kind := ""
	if m := st.Mode & unix.S_IFMT; m == unix.S_IFCHR || m == unix.S_IFBLK {
		kind = fmt.Sprintf("\tDevice type: %d,%d", unix.Major(uint64(st.Rdev)), unix.Minor(uint64(st.Rdev)))
	}
	fmt.Fprintf(c.Out, "  File: %s\n  Size: %-10d\tBlocks: %-10d IO Block: %-6d %s\n", label, st.Size, st.Blocks, st.Blksize, typeName(st))
	fmt.Fprintf(c.Out, "Device: %d,%d\tInode: %-11d Links: %d%s\n",
		unix.Major(uint64(st.Dev)), unix.Minor(uint64(st.Dev)), st.Ino, st.Nlink, kind)
	fmt.Fprintf(c.Out, "Access: (%04o/%s)  Uid: (%5d/%8s)   Gid: (%5d/%8s)\n", st.Mode&0o7777, modeString(st.Mode),
		st.Uid, app.UserName(st.Uid), st.Gid, app.GroupName(st.Gid))
	fmt.Fprintf(c.Out, "Access: %s\nModify: %s\nChange: %s\n Birth: -\n", stamp(st.Atim), stamp(st.Mtim), stamp(st.Ctim))
}

func statFS(c *app.Ctx, name, format, end string) {
	var fs unix.Statfs_t
	if err := unix.Statfs(name, &fs); err != nil {
		c.Errorf("cannot read file system information for %s: %s", app.Quote(name), app.Reason(err))
		return
	}
	if format == "" {
		format, end = "  File: \"%n\"\n    ID: %i Namelen: %l       Type: %T\n"+
			"Block size: %s       Fundamental block size: %S\nBlocks: Total: %b Free: %f Available: %a\nInodes: Total: %c Free: %d", "\n"
	}
	fmt.Fprint(c.Out, expand(format, func(d string) string {
		switch d {
		case "n":
			return name
		case "a":
			return strconv.FormatUint(fs.Bavail, 10)
		case "b":
			return strconv.FormatUint(fs.Blocks, 10)
		case "c":
			return strconv.FormatUint(fs.Files, 10)
		case "d":
			return strconv.FormatUint(fs.Ffree, 10)
		case "f":
			return strconv.FormatUint(fs.Bfree, 10)
		case "i":
			return fmt.Sprintf("%x%08x", uint32(fs.Fsid.Val[0]), uint32(fs.Fsid.Val[1]))
		case "l":
			return strconv.FormatInt(int64(fs.Namelen), 10)
		case "s":
			return strconv.FormatInt(int64(fs.Bsize), 10)
		case "S":
			return strconv.FormatInt(int64(fs.Frsize), 10)
		case "t":
			return strconv.FormatInt(int64(fs.Type), 16)
		case "T":
			return fsName(int64(fs.Type))
		}
		return "?"
	}), end)
}

// fsName is the name of a statfs(2) f_type of those a guest meets.
func fsName(t int64) string {
	switch uint32(t) {
	case unix.TMPFS_MAGIC:
		return "tmpfs"
	case unix.PROC_SUPER_MAGIC:
		return "proc"
	case unix.SYSFS_MAGIC:
		return "sysfs"
	case unix.EXT4_SUPER_MAGIC:
		return "ext2/ext3"
	case unix.OVERLAYFS_SUPER_MAGIC:
		return "overlayfs"
	case unix.V9FS_MAGIC:
		return "v9fs"
	case unix.DEVPTS_SUPER_MAGIC:
		return "devpts"
	case unix.CGROUP2_SUPER_MAGIC:
		return "cgroup2fs"
	}
	return fmt.Sprintf("UNKNOWN (0x%x)", uint32(t))
}
