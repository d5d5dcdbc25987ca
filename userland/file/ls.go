// SPDX-License-Identifier: Apache-2.0

package file

import (
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"lodger/userland/app"
)

// entry is one name that ls shows.
type entry struct {
	name string // as shown
	path string
	st   unix.Stat_t
	bad  bool // stat failed: shown with question marks
}

type lister struct {
	c     *app.Ctx
	o     *app.Opts
	long  bool
	width int // columns to fill; 0 is one name per line
	multi bool
	shown bool // something was printed before
}

func ls(c *app.Ctx, args []string) int {
	o, status, ok := c.Parse(args, "a|all A|almost-all l n|numeric-uid-gid d|directory h|human-readable i|inode r|reverse "+
		"R|recursive t S U F|classify p 1 C x L|dereference H s|size g o k c u q b color? full-time group-directories-first")
	if !ok {
		return status
	}
	l := &lister{c: c, o: o, long: o.Has("n") || o.Has("g") || o.Has("o") || o.Has("full-time") || o.Last("lC1x") == "l"}
	if o.Has("l") && o.Last("lCx") == "l" {
		l.long = true
	}
	if o.Last("1Cxl") == "C" || o.Last("1Cxl") == "x" {
		l.width = 80
	}
	if ws, err := unix.IoctlGetWinsize(1, unix.TIOCGWINSZ); err == nil && c.Err == os.Stderr && o.Last("1Cx") != "1" {
		l.width = 80
		if ws.Col > 0 {
			l.width = int(ws.Col)
		}
	}
	names := o.Args
	if len(names) == 0 {
		names = []string{"."}
	}
	l.multi = len(names) > 1
	var files, dirs []entry
	for _, name := range names {
		e, err := l.stat(name, name, true)
		if err != nil {
			c.Errorf("cannot access %s: %s", app.Quote(name), app.Reason(err))
			continue
		}
		if isDir(&e.st) && !o.Has("d") {
			dirs = append(dirs, e)
		} else {
			files = append(files, e)
		}
	}
	l.sort(files)
	l.sort(dirs)
	if len(files) > 0 {
		l.print(files)
	}
	for _, d := range dirs {
		l.dir(d.path)
	}
	return c.Status()
}

func isDir(st *unix.Stat_t) bool { return st.Mode&unix.S_IFMT == unix.S_IFDIR }

// stat fills an entry. An operand that is a link to a directory is followed
// unless -l, -d or -F ask about the link itself.
func (l *lister) stat(name, path string, operand bool) (entry, error) {
	e := entry{name: name, path: path}
	follow := l.o.Has("L") || operand && (l.o.Has("H") || !l.long && !l.o.Has("d") && !l.o.Has("F"))
	if follow && unix.Stat(path, &e.st) == nil {
		return e, nil
	}
	return e, unix.Lstat(path, &e.st)
}

func (l *lister) dir(path string) {
	f, err := os.Open(path)
	if err != nil {
		l.c.Errorf("cannot open directory %s: %s", app.Quote(path), app.Reason(err))
		return
	}
	names, err := f.Readdirnames(-1)
	f.Close()
	if err != nil {
		l.c.Errorf("reading directory %s: %s", app.Quote(path), app.Reason(err))
	}
	if l.o.Has("a") && !l.o.Has("A") {
		names = append(names, ".", "..")
	}
	var list []entry
	blocks := int64(0)
	for _, name := range names {
		if name[0] == '.' && !l.o.Has("a") && !l.o.Has("A") {
			continue
		}
		e := entry{name: name, path: path + "/" + name}
		if l.needStat() {
			var err error
			if e, err = l.stat(name, path+"/"+name, false); err != nil {
				l.c.Errorf("cannot access %s: %s", app.Quote(e.path), app.Reason(err))
				e.bad = true
			}
		}
		blocks += e.st.Blocks
		list = append(list, e)
	}
	l.sort(list)
	if l.multi || l.o.Has("R") {
		if l.shown {
			l.c.Out.WriteByte('\n')
		}
		fmt.Fprintf(l.c.Out, "%s:\n", path)
	}
	if l.long || l.o.Has("s") {
		total := strconv.FormatInt(blocks/2, 10)
		if l.o.Has("h") {
			total = app.HumanSize(uint64(blocks) * 512)
		}
		fmt.Fprintf(l.c.Out, "total %s\n", total)
	}
	l.shown = true
	l.print(list)
	if !l.o.Has("R") {
		return
	}
	for _, e := range list {
		if isDir(&e.st) && e.name != "." && e.name != ".." {
			l.dir(e.path)
		}
	}
}

// needStat says whether names alone are not enough.
func (l *lister) needStat() bool {
	return l.long || l.o.Last("tSFpiRs") != "" || l.o.Has("group-directories-first")
}

func (l *lister) time(e *entry) unix.Timespec {
	t := e.st.Mtim
	if l.o.Has("c") {
		t = e.st.Ctim
	} else if l.o.Has("u") {
		t = e.st.Atim
	}
	return t
}

func (l *lister) sort(list []entry) {
	if l.o.Has("U") {
		return
	}
	key := l.o.Last("tS")
	sort.SliceStable(list, func(i, j int) bool {
		a, b := &list[i], &list[j]
		if l.o.Has("r") {
			a, b = b, a
		}
		switch key {
		case "t":
			if ta, tb := l.time(a), l.time(b); ta != tb {
				return ta.Nano() > tb.Nano()
			}
		case "S":
			if a.st.Size != b.st.Size {
				return a.st.Size > b.st.Size
			}
		}
		return a.name < b.name
	})
	if l.o.Has("group-directories-first") {
		sort.SliceStable(list, func(i, j int) bool { return isDir(&list[i].st) && !isDir(&list[j].st) })
	}
}

func (l *lister) print(list []entry) {
	l.shown = true
	switch {
	case l.long:
		l.printLong(list)
	case l.width > 0:
		l.printColumns(list)
	default:
		for i := range list {
			fmt.Fprintln(l.c.Out, l.prefix(&list[i])+l.label(&list[i]))
		}
	}
}

// prefix is what -i and -s put before the name.
func (l *lister) prefix(e *entry) string {
	s := ""
	if l.o.Has("i") {
		s += strconv.FormatUint(e.st.Ino, 10) + " "
	}
	if l.o.Has("s") {
		s += strconv.FormatInt(e.st.Blocks/2, 10) + " "
	}
	return s
}

// label is the name with the mark of its type that -F or -p add.
func (l *lister) label(e *entry) string {
	f, p := l.o.Has("F"), l.o.Has("p")
	switch e.st.Mode & unix.S_IFMT {
	case unix.S_IFDIR:
		if f || p {
			return e.name + "/"
		}
	case unix.S_IFLNK:
		if f && !l.long {
			return e.name + "@"
		}
	case unix.S_IFIFO:
		if f {
			return e.name + "|"
		}
	case unix.S_IFSOCK:
		if f {
			return e.name + "="
		}
	case unix.S_IFREG:
		if f && e.st.Mode&0o111 != 0 {
			return e.name + "*"
		}
	}
	return e.name
}

// printColumns fills columns downwards with as many as fit the width.
func (l *lister) printColumns(list []entry) {
	names := make([]string, len(list))
	widest := 0
	for i := range list {
		names[i] = l.prefix(&list[i]) + l.label(&list[i])
		widest = max(widest, len([]rune(names[i])))
	}
	if len(names) == 0 {
		return
	}
	cols := max(1, (l.width+1)/(widest+2))
	rows := (len(names) + cols - 1) / cols
	for r := range rows {
		for i := r; i < len(names); i += rows {
			l.c.Out.WriteString(names[i])
			if i+rows < len(names) {
				l.c.Out.WriteString(strings.Repeat(" ", widest+2-len([]rune(names[i]))))
			}
		}
		l.c.Out.WriteByte('\n')
	}
}

func (l *lister) printLong(list []entry) {
	rows := make([][6]string, len(list)) // links, owner, group, size, time, name
	var width [6]int
	users, groups := map[uint32]string{}, map[uint32]string{}
	now := time.Now()
	for i := range list {
		e := &list[i]
		rows[i] = [6]string{
			strconv.FormatUint(uint64(e.st.Nlink), 10),
			l.owner(users, e.st.Uid, app.UserName), l.owner(groups, e.st.Gid, app.GroupName),
			l.sizeOf(e), l.when(e, now), l.label(e) + linkTarget(e),
		}
		for j, s := range rows[i] {
			width[j] = max(width[j], len(s))
		}
	}
	for i, r := range rows {
		out := l.c.Out
		fmt.Fprintf(out, "%s%s %*s ", l.prefix(&list[i]), modeString(list[i].st.Mode), width[0], r[0])
		if !l.o.Has("g") {
			fmt.Fprintf(out, "%-*s ", width[1], r[1])
		}
		if !l.o.Has("o") {
			fmt.Fprintf(out, "%-*s ", width[2], r[2])
		}
		fmt.Fprintf(out, "%*s %s %s\n", width[3], r[3], r[4], r[5])
	}
}

func (l *lister) owner(seen map[uint32]string, id uint32, name func(uint32) string) string {
	if l.o.Has("n") {
		return strconv.FormatUint(uint64(id), 10)
	}
	s, ok := seen[id]
	if !ok {
		s = name(id)
		seen[id] = s
	}
	return s
}

func (l *lister) sizeOf(e *entry) string {
	switch e.st.Mode & unix.S_IFMT {
	case unix.S_IFCHR, unix.S_IFBLK:
		return fmt.Sprintf("%d, %3d", unix.Major(uint64(e.st.Rdev)), unix.Minor(uint64(e.st.Rdev)))
	}
	if l.o.Has("h") {
		return app.HumanSize(uint64(e.st.Size))
	}
	return strconv.FormatInt(e.st.Size, 10)
}

// when is the time of the entry; a time half a year away shows its year.
func (l *lister) when(e *entry, now time.Time) string {
	ts := l.time(e)
	t := time.Unix(ts.Unix())
	switch {
	case l.o.Has("full-time"):
		return t.Format("2006-01-02 15:04:05.000000000 -0700")
	case now.Sub(t) > 182*24*time.Hour || t.After(now.Add(time.Hour)):
		return t.Format("Jan _2  2006")
	}
	return t.Format("Jan _2 15:04")
}

func linkTarget(e *entry) string {
	if e.st.Mode&unix.S_IFMT != unix.S_IFLNK {
		return ""
	}
	target, err := os.Readlink(filepath.Clean(e.path))
	if err != nil {
		return ""
	}
	return " -> " + target
}

// modeString is the ten letters of ls -l for a st_mode.
func modeString(mode uint32) string {
	b := []byte("?rwxrwxrwx")
	switch mode & unix.S_IFMT {
	case unix.S_IFREG:
		b[0] = '-'
	case unix.S_IFDIR:
		b[0] = 'd'
	case unix.S_IFLNK:
		b[0] = 'l'
	case unix.S_IFCHR:
		b[0] = 'c'
	case unix.S_IFBLK:
		b[0] = 'b'
	case unix.S_IFIFO:
		b[0] = 'p'
	case unix.S_IFSOCK:
		b[0] = 's'
	}
	for i := range 9 {
		if mode&(0o400>>i) == 0 {
			b[i+1] = '-'
		}
	}
	special := func(bit uint32, at int, set, plain byte) {
		if mode&bit == 0 {
			return
		}
		if b[at] == '-' {
			b[at] = plain
		} else {
			b[at] = set
		}
	}
	special(unix.S_ISUID, 3, 's', 'S')
	special(unix.S_ISGID, 6, 's', 'S')
	special(unix.S_ISVTX, 9, 't', 'T')
	return string(b)
}
