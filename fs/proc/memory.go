// SPDX-License-Identifier: Apache-2.0

package proc

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"lodger/fs"
	"lodger/host"
)

// The stub's region of a guest process's address space, which guests are not
// shown.
const (
	stubStart = 0x7f0000000000
	stubEnd   = stubStart + 1<<20
)

// mostArgs bounds what is read of arguments and environment: what exec accepts.
const mostArgs = 8 << 20

// addMemory adds the files about the address space.
func (r *pidRows) addMemory() {
	r.file("cmdline", 0o444, func(p *pidNode, _ *fs.Context, i *Info) (string, error) { return p.cmdline(i), nil })
	r.private("environ", 0o400, func(p *pidNode, _ *fs.Context, i *Info) (string, error) {
		return string(p.read(i.Layout.EnvStart, i.Layout.EnvEnd)), nil
	})
	r.private("auxv", 0o400, func(_ *pidNode, _ *fs.Context, i *Info) (string, error) { return string(i.Layout.Auxv), nil })
	for _, name := range []string{"maps", "smaps"} {
		r.private(name, 0o444, func(p *pidNode, ctx *fs.Context, i *Info) (string, error) {
			if i.HostPID == 0 || i.State == 'Z' {
				return "", nil
			}
			b, err := host.ProcFile(i.HostPID, name)
			if err != nil {
				return "", nil
			}
			return guestMaps(b, p.names(ctx)), nil
		})
	}
}

// read reads guest memory; what cannot be read ends it.
func (p *pidNode) read(start, end uint64) []byte {
	if end <= start || end-start > mostArgs {
		return nil
	}
	b := make([]byte, end-start)
	return b[:p.task.ReadMemory(start, b)]
}

// cmdline reads the arguments. A program that has overwritten the last
// argument's NUL has set its title (setproctitle), which may go on into the
// environment (get_mm_cmdline of fs/proc/base.c).
func (p *pidNode) cmdline(i *Info) string {
	l := i.Layout
	b := p.read(l.ArgStart, l.ArgEnd)
	if len(b) == 0 || b[len(b)-1] == 0 {
		return string(b)
	}
	if l.EnvStart == l.ArgEnd {
		b = p.read(l.ArgStart, l.EnvEnd)
	}
	b, _, _ = bytes.Cut(b, []byte{0})
	return string(b) + "\x00"
}

// guestFile is how a mapped file is shown.
type guestFile struct {
	path         string
	major, minor uint32
	ino          uint64
}

// names finds the guest's names of files that may be mapped.
func (p *pidNode) names(ctx *fs.Context) func(FileID) (guestFile, bool) {
	files := p.task.Mapped()
	return func(id FileID) (guestFile, bool) {
		at, ok := files[id]
		if !ok {
			return guestFile{}, false
		}
		g := guestFile{path: fs.DPath(at, ctx.Root)}
		if a, err := at.Getattr(); err == nil {
			g.major, g.minor, g.ino = uint32(a.Dev>>8&0xfff), uint32(a.Dev&0xff|a.Dev>>12&^0xff), a.Ino
		}
		return g, true
	}
}

// guestMaps rewrites the host's maps or smaps for the guest.
func guestMaps(b []byte, find func(FileID) (guestFile, bool)) string {
	var out strings.Builder
	skip := false
	for line := range strings.Lines(string(b)) {
		start, ok := mapStart(line)
		if !ok { // a figure of smaps
			if !skip {
				out.WriteString(line)
			}
			continue
		}
		skip = start >= stubStart && start < stubEnd
		if !skip {
			out.WriteString(guestLine(line, find))
		}
	}
	return out.String()
}

// mapStart reads the address that a mapping's first line begins with.
func mapStart(line string) (uint64, bool) {
	lo, _, ok := strings.Cut(line, "-")
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseUint(lo, 16, 64)
	return n, err == nil
}

// guestLine translates the file of one mapping. Of a file that the guest does not
// know, only the last component is shown: the rest is the host's business.
func guestLine(line string, find func(FileID) (guestFile, bool)) string {
	f := strings.SplitN(strings.TrimRight(line, "\n"), " ", 6)
	if len(f) < 5 || f[4] == "0" {
		return line
	}
	var id FileID
	if n, err := fmt.Sscanf(f[3], "%x:%x", &id.Major, &id.Minor); n != 2 || err != nil {
		return line
	}
	id.Ino, _ = strconv.ParseUint(f[4], 10, 64)
	g, ok := find(id)
	if !ok {
		name := ""
		if len(f) == 6 {
			name = strings.TrimLeft(f[5], " ")
		}
		if strings.HasPrefix(name, "/dev/zero") {
			return line
		}
		g = guestFile{path: name[strings.LastIndexByte(name, '/')+1:], major: id.Major, minor: id.Minor, ino: id.Ino}
	}
	head := fmt.Sprintf("%s %s %s %02x:%02x %d ", f[0], f[1], f[2], g.major, g.minor, g.ino)
	return fmt.Sprintf("%-73s%s\n", head, strings.ReplaceAll(g.path, "\n", `\012`))
}
