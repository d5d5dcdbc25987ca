// SPDX-License-Identifier: Apache-2.0

package file

import (
	"fmt"
	"os"
	"path"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"lodger/userland/app"
)

// actionOf compiles the primaries of find that do something.
func (p *findParser) actionOf(name string) (test, error) {
	f := p.f
	switch name {
	case "-print":
		return func(v *visit) bool { fmt.Fprintln(f.c.Out, v.path); return true }, nil
	case "-print0":
		return func(v *visit) bool { fmt.Fprint(f.c.Out, v.path, "\x00"); return true }, nil
	case "-quit":
		return func(*visit) bool { f.quit, f.prune = true, true; return true }, nil
	case "-ls":
		return f.list, nil
	case "-delete":
		f.post = true
		return f.remove, nil
	case "-printf":
		format, err := p.arg(name)
		format = unescape(format)
		return func(v *visit) bool {
			fmt.Fprint(f.c.Out, expand(format, func(d string) string { return f.field(d, v) }))
			return true
		}, err
	}
	return p.exec(name)
}

func (f *finder) list(v *visit) bool {
	fmt.Fprintf(f.c.Out, "%9d %6d %s %3d %-8s %-8s %8d %s %s%s\n", v.st.Ino, v.st.Blocks/2, modeString(v.st.Mode), v.st.Nlink,
		app.UserName(v.st.Uid), app.GroupName(v.st.Gid), v.st.Size,
		time.Unix(v.st.Mtim.Unix()).Format("Jan _2 15:04"), v.path, linkTarget(&entry{path: v.path, st: v.st}))
	return true
}

func (f *finder) remove(v *visit) bool {
	if v.path == "." {
		return true
	}
	rm := unix.Unlink
	if isDir(&v.st) {
		rm = unix.Rmdir
	}
	if err := rm(v.path); err != nil {
		f.c.Errorf("cannot delete %s: %s", app.Quote(v.path), app.Reason(err))
		return false
	}
	return true
}

// field is a directive of -printf.
func (f *finder) field(d string, v *visit) string {
	switch d {
	case "p":
		return v.path
	case "f":
		return path.Base(v.path)
	case "h":
		return dirOf(v.path)
	case "m":
		return strconv.FormatUint(uint64(v.st.Mode&0o7777), 8)
	case "M":
		return modeString(v.st.Mode)
	case "l":
		s, _ := os.Readlink(v.path)
		return s
	case "n":
		return statField("h", v.path, &v.st)
	case "y":
		return strings.Replace(modeString(v.st.Mode)[:1], "-", "f", 1)
	case "s", "i", "b", "u", "g":
		if d == "u" || d == "g" {
			d = strings.ToUpper(d)
		}
		return statField(d, v.path, &v.st)
	case "U", "G":
		return statField(strings.ToLower(d), v.path, &v.st)
	case "t":
		return time.Unix(v.st.Mtim.Unix()).Format("Mon Jan _2 15:04:05.0000000000 2006")
	}
	return "%" + d
}

// exec compiles -exec COMMAND ; and -exec COMMAND {} +.
func (p *findParser) exec(name string) (test, error) {
	f := p.f
	for i, a := range p.args {
		argv := p.args[:i]
		switch {
		case a == ";" && i > 0:
			p.args = p.args[i+1:]
			return func(v *visit) bool { return f.run(argv, v.path) }, nil
		case a == "+" && i > 1 && p.args[i-1] == "{}":
			b := &batch{argv: argv[:i-1]}
			f.batches = append(f.batches, b)
			p.args = p.args[i+1:]
			return func(v *visit) bool {
				if b.files = append(b.files, v.path); len(b.files) >= 1000 {
					f.flush(b)
				}
				return true
			}, nil
		}
	}
	return nil, fmt.Errorf("missing argument to '%s'", name)
}

func (f *finder) run(argv []string, path string) bool {
	args := make([]string, len(argv))
	for i, a := range argv {
		args[i] = strings.ReplaceAll(a, "{}", path)
	}
	status, err := f.c.Command(args, nil)
	if err != nil {
		f.c.Errorf("%s: %s", app.Quote(args[0]), app.Reason(err))
	}
	return status == 0
}

func (f *finder) flush(b *batch) {
	if len(b.files) == 0 {
		return
	}
	argv := append(append([]string{}, b.argv...), b.files...)
	b.files = nil
	if status, err := f.c.Command(argv, nil); err != nil {
		f.c.Errorf("%s: %s", app.Quote(argv[0]), app.Reason(err))
	} else if status != 0 {
		f.c.SetStatus(1)
	}
}
