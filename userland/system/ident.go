// SPDX-License-Identifier: Apache-2.0

package system

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"lodger/userland/app"
)

func uname(c *app.Ctx, args []string) int {
	o, status, ok := c.Parse(args, "a|all s|kernel-name n|nodename r|kernel-release v|kernel-version m|machine p|processor i|hardware-platform o|operating-system")
	if !ok {
		return status
	}
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		c.Fail("cannot get system name", err)
		return 1
	}
	text := func(b [65]byte) string { return unix.ByteSliceToString(b[:]) }
	var out []string
	for _, f := range []struct {
		key   string
		all   bool
		value string
	}{
		{"s", true, text(u.Sysname)}, {"n", true, text(u.Nodename)}, {"r", true, text(u.Release)}, {"v", true, text(u.Version)},
		{"m", true, text(u.Machine)}, {"p", false, "unknown"}, {"i", false, "unknown"}, {"o", true, "GNU/Linux"},
	} {
		if o.Has(f.key) || o.Has("a") && f.all || len(o.Order) == 0 && f.key == "s" {
			out = append(out, f.value)
		}
	}
	fmt.Fprintln(c.Out, strings.Join(out, " "))
	return 0
}

func arch(c *app.Ctx, _ []string) int { return uname(c, []string{"-m"}) }

func hostname(c *app.Ctx, args []string) int {
	o, status, ok := c.Parse(args, "s|short f|fqdn|long i d F|file:")
	if !ok {
		return status
	}
	if name := o.Str("F", ""); name != "" {
		data, err := os.ReadFile(name)
		if err != nil {
			c.Fail(name, err)
			return 1
		}
		o.Args = []string{strings.TrimSpace(string(data))}
	}
	if len(o.Args) > 0 {
		if err := unix.Sethostname([]byte(o.Args[0])); err != nil {
			c.Errorf("sethostname: %s", app.Reason(err))
		}
		return c.Status()
	}
	name, err := os.Hostname()
	if err != nil {
		c.Errorf("%s", app.Reason(err))
		return 1
	}
	if o.Has("s") {
		name, _, _ = strings.Cut(name, ".")
	}
	fmt.Fprintln(c.Out, name)
	return 0
}

func whoami(c *app.Ctx, args []string) int {
	if _, status, ok := c.Parse(args, ""); !ok {
		return status
	}
	fmt.Fprintln(c.Out, app.UserName(uint32(os.Geteuid())))
	return 0
}

func groups(c *app.Ctx, args []string) int { return id(c, []string{"-Gn"}) }

func id(c *app.Ctx, args []string) int {
	o, status, ok := c.Parse(args, "u|user g|group G|groups n|name r|real")
	if !ok {
		return status
	}
	uid, gid := os.Geteuid(), os.Getegid()
	if o.Has("r") {
		uid, gid = os.Getuid(), os.Getgid()
	}
	list, _ := os.Getgroups()
	if len(o.Args) > 0 {
		if uid, ok = app.UserID(o.Args[0]); !ok {
			c.Errorf("%s: no such user", app.Quote(o.Args[0]))
			return 1
		}
		gid, _ = app.LoginGroup(app.UserName(uint32(uid)))
		list = nil
	}
	all := []int{gid}
	for _, g := range list {
		if g != gid {
			all = append(all, g)
		}
	}
	group := func(g int) string {
		if o.Has("n") {
			return app.GroupName(uint32(g))
		}
		return strconv.Itoa(g)
	}
	switch o.Last("ugG") {
	case "u":
		if o.Has("n") {
			fmt.Fprintln(c.Out, app.UserName(uint32(uid)))
		} else {
			fmt.Fprintln(c.Out, uid)
		}
	case "g":
		fmt.Fprintln(c.Out, group(gid))
	case "G":
		var words []string
		for _, g := range all {
			words = append(words, group(g))
		}
		fmt.Fprintln(c.Out, strings.Join(words, " "))
	default:
		var words []string
		for _, g := range all {
			words = append(words, fmt.Sprintf("%d(%s)", g, app.GroupName(uint32(g))))
		}
		fmt.Fprintf(c.Out, "uid=%d(%s) gid=%d(%s) groups=%s\n", uid, app.UserName(uint32(uid)), gid,
			app.GroupName(uint32(gid)), strings.Join(words, ","))
	}
	return 0
}

func nproc(c *app.Ctx, args []string) int {
	if _, status, ok := c.Parse(args, "all ignore:"); !ok {
		return status
	}
	fmt.Fprintln(c.Out, runtime.NumCPU())
	return 0
}

func tty(c *app.Ctx, args []string) int {
	o, status, ok := c.Parse(args, "s|silent|quiet")
	if !ok {
		return status
	}
	if _, err := unix.IoctlGetTermios(0, unix.TCGETS); err != nil {
		if !o.Has("s") {
			fmt.Fprintln(c.Out, "not a tty")
		}
		return 1
	}
	name, err := os.Readlink("/proc/self/fd/0")
	if err != nil {
		name = "/dev/tty"
	}
	if !o.Has("s") {
		fmt.Fprintln(c.Out, name)
	}
	return 0
}

func stty(c *app.Ctx, args []string) int {
	if len(args) > 0 && (args[0] == "-h" || args[0] == "--help") {
		c.Help()
		return 0
	}
	t, err := unix.IoctlGetTermios(0, unix.TCGETS)
	if err != nil {
		c.Fail("'standard input'", err)
		return 1
	}
	ws, werr := unix.IoctlGetWinsize(0, unix.TIOCGWINSZ)
	if werr != nil {
		ws = &unix.Winsize{}
	}
	if len(args) == 0 || args[0] == "-a" {
		fmt.Fprintf(c.Out, "rows %d; columns %d; iflag %#o; oflag %#o; cflag %#o; lflag %#o\n", ws.Row, ws.Col, t.Iflag, t.Oflag, t.Cflag, t.Lflag)
		return 0
	}
	bits := map[string]uint32{"echo": unix.ECHO, "icanon": unix.ICANON, "isig": unix.ISIG, "echoe": unix.ECHOE, "echok": unix.ECHOK, "tostop": unix.TOSTOP}
	for i := 0; i < len(args); i++ {
		name, off := strings.CutPrefix(args[i], "-")
		switch {
		case name == "size":
			fmt.Fprintf(c.Out, "%d %d\n", ws.Row, ws.Col)
		case name == "sane" || name == "cooked" || name == "raw" && off:
			t.Iflag |= unix.BRKINT | unix.ICRNL | unix.IXON
			t.Oflag |= unix.OPOST | unix.ONLCR
			t.Lflag |= unix.ISIG | unix.ICANON | unix.ECHO | unix.ECHOE | unix.ECHOK | unix.IEXTEN
		case name == "raw":
			t.Iflag &^= unix.BRKINT | unix.ICRNL | unix.IXON | unix.INLCR | unix.IGNCR
			t.Oflag &^= unix.OPOST
			t.Lflag &^= unix.ISIG | unix.ICANON | unix.ECHO | unix.IEXTEN
			t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
		case (name == "rows" || name == "cols" || name == "columns") && i+1 < len(args):
			i++
			n, _ := strconv.ParseUint(args[i], 10, 16)
			if name == "rows" {
				ws.Row = uint16(n)
			} else {
				ws.Col = uint16(n)
			}
			if err := unix.IoctlSetWinsize(0, unix.TIOCSWINSZ, ws); err != nil {
				c.Fail("'standard input'", err)
			}
		case bits[name] != 0:
			t.Lflag |= bits[name]
			if off {
				t.Lflag &^= bits[name]
			}
		default:
			return c.BadUsage("invalid argument %s", app.Quote(args[i]))
		}
	}
	if err := unix.IoctlSetTermios(0, unix.TCSETSW, t); err != nil {
		c.Fail("'standard input'", err)
	}
	return c.Status()
}
