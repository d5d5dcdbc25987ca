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

// visit is the file that an expression is asked about.
type visit struct {
	path string
	st   unix.Stat_t
}

// test is a compiled part of a find expression.
type test func(v *visit) bool

type finder struct {
	c        *app.Ctx
	now      time.Time
	minDepth int
	maxDepth int
	oneFS    bool
	post     bool // -depth
	follow   bool
	action   bool // an action was given: no implied -print
	prune    bool // set by -prune for the file at hand
	quit     bool
	batches  []*batch
}

// batch is one -exec ... {} +.
type batch struct {
	argv  []string
	files []string
}

func find(c *app.Ctx, args []string) int {
	f := &finder{c: c, now: time.Now(), maxDepth: 1 << 30}
	for len(args) > 0 && (args[0] == "-L" || args[0] == "-H" || args[0] == "-P") {
		f.follow = args[0] == "-L"
		args = args[1:]
	}
	if len(args) > 0 && (args[0] == "-h" || args[0] == "--help") {
		c.Help()
		return 0
	}
	var roots []string
	for len(args) > 0 && args[0] != "(" && args[0] != "!" && !strings.HasPrefix(args[0], "-") {
		roots, args = append(roots, args[0]), args[1:]
	}
	if len(roots) == 0 {
		roots = []string{"."}
	}
	p := &findParser{f: f, args: args}
	expr, err := p.parse()
	if err != nil {
		c.Errorf("%v", err)
		return 1
	}
	if !f.action {
		cond := expr
		expr = func(v *visit) bool {
			if cond(v) {
				fmt.Fprintln(c.Out, v.path)
			}
			return true
		}
	}
	for _, root := range roots {
		f.walk(root, 0, 0, expr)
	}
	for _, b := range f.batches {
		f.flush(b)
	}
	return c.Status()
}

func (f *finder) walk(path string, depth int, dev uint64, expr test) {
	if f.quit {
		return
	}
	v := &visit{path: path}
	call := unix.Lstat
	if f.follow {
		call = unix.Stat
	}
	if err := call(path, &v.st); err != nil {
		if !f.follow || unix.Lstat(path, &v.st) != nil {
			f.c.Errorf("%s: %s", app.Quote(path), app.Reason(err))
			return
		}
	}
	if depth == 0 {
		dev = uint64(v.st.Dev)
	}
	f.prune = false
	if !f.post && depth >= f.minDepth {
		expr(v)
	}
	if isDir(&v.st) && !f.prune && depth < f.maxDepth && !(f.oneFS && uint64(v.st.Dev) != dev) {
		list, err := os.ReadDir(path)
		if err != nil {
			f.c.Errorf("%s: %s", app.Quote(path), app.Reason(err))
		}
		for _, e := range list {
			f.walk(join(path, e.Name()), depth+1, dev, expr)
		}
	}
	if f.post && depth >= f.minDepth && !f.quit {
		expr(v)
	}
}

// findParser is a recursive descent over the expression; errors end it.
type findParser struct {
	f    *finder
	args []string
}

func (p *findParser) parse() (test, error) {
	if len(p.args) == 0 {
		return func(*visit) bool { return true }, nil
	}
	t, err := p.or()
	if err == nil && len(p.args) > 0 {
		err = fmt.Errorf("paths must precede expression: %s", app.Quote(p.args[0]))
	}
	return t, err
}

func (p *findParser) peek() string {
	if len(p.args) == 0 {
		return ""
	}
	return p.args[0]
}

func (p *findParser) or() (test, error) {
	left, err := p.and()
	for err == nil && (p.peek() == "-o" || p.peek() == "-or") {
		p.args = p.args[1:]
		l := left
		var r test
		r, err = p.and()
		left = func(v *visit) bool { return l(v) || r(v) }
	}
	return left, err
}

func (p *findParser) and() (test, error) {
	left, err := p.not()
	for err == nil {
		switch p.peek() {
		case "", "-o", "-or", ")":
			return left, nil
		case "-a", "-and":
			p.args = p.args[1:]
		}
		l := left
		var r test
		r, err = p.not()
		left = func(v *visit) bool { return l(v) && r(v) }
	}
	return left, err
}

func (p *findParser) not() (test, error) {
	switch p.peek() {
	case "!", "-not":
		p.args = p.args[1:]
		t, err := p.not()
		return func(v *visit) bool { return !t(v) }, err
	case "(":
		p.args = p.args[1:]
		t, err := p.or()
		if err == nil && p.peek() != ")" {
			err = fmt.Errorf("missing closing ')'")
		}
		if err == nil {
			p.args = p.args[1:]
		}
		return t, err
	}
	return p.primary()
}

// arg takes the argument of the primary name.
func (p *findParser) arg(name string) (string, error) {
	if len(p.args) == 0 {
		return "", fmt.Errorf("missing argument to '%s'", name)
	}
	a := p.args[0]
	p.args = p.args[1:]
	return a, nil
}

func (p *findParser) primary() (test, error) {
	if len(p.args) == 0 {
		return nil, fmt.Errorf("invalid expression; expected one more primary")
	}
	name := p.args[0]
	p.args = p.args[1:]
	f := p.f
	yes := func(*visit) bool { return true }
	switch name {
	case "-true":
		return yes, nil
	case "-false":
		return func(*visit) bool { return false }, nil
	case "-xdev", "-mount":
		f.oneFS = true
		return yes, nil
	case "-depth", "-d":
		f.post = true
		return yes, nil
	case "-prune":
		return func(*visit) bool { f.prune = true; return true }, nil
	case "-empty":
		return isEmpty, nil
	case "-nouser", "-nogroup":
		return func(*visit) bool { return false }, nil
	case "-executable", "-readable", "-writable":
		bit := map[string]uint32{"-executable": unix.X_OK, "-readable": unix.R_OK, "-writable": unix.W_OK}[name]
		return func(v *visit) bool { return unix.Access(v.path, bit) == nil }, nil
	case "-print", "-print0", "-ls", "-delete", "-quit", "-exec", "-ok", "-printf":
		f.action = true
		return p.actionOf(name)
	}
	a, err := p.arg(name)
	if err != nil {
		if !strings.HasPrefix(name, "-") {
			err = fmt.Errorf("paths must precede expression: %s", app.Quote(name))
		}
		return nil, err
	}
	return p.withArg(name, a)
}

func isEmpty(v *visit) bool {
	switch v.st.Mode & unix.S_IFMT {
	case unix.S_IFREG:
		return v.st.Size == 0
	case unix.S_IFDIR:
		list, err := os.ReadDir(v.path)
		return err == nil && len(list) == 0
	}
	return false
}

// withArg compiles the primaries that take one argument.
func (p *findParser) withArg(name, a string) (test, error) {
	f := p.f
	bad := fmt.Errorf("invalid argument %s to '%s'", app.Quote(a), name)
	switch name {
	case "-name", "-iname", "-path", "-wholename", "-ipath":
		fold := name[1] == 'i'
		if fold {
			a = strings.ToLower(a)
		}
		whole := strings.HasSuffix(name, "path") || name == "-wholename"
		return func(v *visit) bool {
			s := v.path
			if !whole {
				s = path.Base(s)
			}
			if fold {
				s = strings.ToLower(s)
			}
			return app.Match(a, s)
		}, nil
	case "-maxdepth", "-mindepth":
		n, err := strconv.Atoi(a)
		if err != nil || n < 0 {
			return nil, bad
		}
		if name == "-maxdepth" {
			f.maxDepth = n
		} else {
			f.minDepth = n
		}
		return func(*visit) bool { return true }, nil
	case "-type":
		kinds := map[string]uint32{"f": unix.S_IFREG, "d": unix.S_IFDIR, "l": unix.S_IFLNK, "c": unix.S_IFCHR,
			"b": unix.S_IFBLK, "p": unix.S_IFIFO, "s": unix.S_IFSOCK}
		want := map[uint32]bool{}
		for k := range strings.SplitSeq(a, ",") {
			if kinds[k] == 0 {
				return nil, fmt.Errorf("Unknown argument to -type: %s", a)
			}
			want[kinds[k]] = true
		}
		return func(v *visit) bool { return want[v.st.Mode&unix.S_IFMT] }, nil
	case "-newer":
		var ref unix.Stat_t
		if err := unix.Stat(a, &ref); err != nil {
			return nil, fmt.Errorf("%s: %s", app.Quote(a), app.Reason(err))
		}
		return func(v *visit) bool { return v.st.Mtim.Nano() > ref.Mtim.Nano() }, nil
	case "-perm":
		return permTest(a, bad)
	case "-user":
		uid, ok := app.UserID(a)
		if !ok {
			return nil, fmt.Errorf("%s is not the name of a known user", app.Quote(a))
		}
		return func(v *visit) bool { return int(v.st.Uid) == uid }, nil
	case "-group":
		gid, ok := app.GroupID(a)
		if !ok {
			return nil, fmt.Errorf("%s is not the name of an existing group", app.Quote(a))
		}
		return func(v *visit) bool { return int(v.st.Gid) == gid }, nil
	}
	return p.numeric(name, a, bad)
}

func permTest(a string, bad error) (test, error) {
	how := byte(0)
	if a != "" && (a[0] == '-' || a[0] == '/') {
		how, a = a[0], a[1:]
	}
	mode, ok := parseMode(a, 0, false, 0)
	if !ok {
		return nil, bad
	}
	return func(v *visit) bool {
		have := v.st.Mode & 0o7777
		switch how {
		case '-':
			return have&mode == mode
		case '/':
			return mode == 0 || have&mode != 0
		}
		return have == mode
	}, nil
}

// numeric compiles the primaries whose argument is +N, -N or N.
func (p *findParser) numeric(name, a string, bad error) (test, error) {
	unit := int64(1)
	num := strings.TrimLeft(a, "+-")
	if name == "-size" && num != "" {
		unit = 512
		if u, ok := map[byte]int64{'c': 1, 'w': 2, 'b': 512, 'k': 1 << 10, 'M': 1 << 20, 'G': 1 << 30}[num[len(num)-1]]; ok {
			unit, num = u, num[:len(num)-1]
		}
	}
	now := p.f.now
	age := func(t unix.Timespec, unit time.Duration) int64 { return int64(now.Sub(time.Unix(t.Unix())) / unit) }
	const day = 24 * time.Hour
	value := map[string]func(v *visit) int64{
		"-size":  func(v *visit) int64 { return (v.st.Size + unit - 1) / unit },
		"-links": func(v *visit) int64 { return int64(v.st.Nlink) },
		"-inum":  func(v *visit) int64 { return int64(v.st.Ino) },
		"-uid":   func(v *visit) int64 { return int64(v.st.Uid) },
		"-gid":   func(v *visit) int64 { return int64(v.st.Gid) },
		"-mtime": func(v *visit) int64 { return age(v.st.Mtim, day) },
		"-atime": func(v *visit) int64 { return age(v.st.Atim, day) },
		"-ctime": func(v *visit) int64 { return age(v.st.Ctim, day) },
		"-mmin":  func(v *visit) int64 { return age(v.st.Mtim, time.Minute) },
		"-amin":  func(v *visit) int64 { return age(v.st.Atim, time.Minute) },
		"-cmin":  func(v *visit) int64 { return age(v.st.Ctim, time.Minute) },
	}[name]
	if value == nil {
		return nil, fmt.Errorf("unknown predicate '%s'", name)
	}
	n, err := strconv.ParseInt(num, 10, 64)
	if err != nil {
		return nil, bad
	}
	switch a[0] {
	case '+':
		return func(v *visit) bool { return value(v) > n }, nil
	case '-':
		return func(v *visit) bool { return value(v) < n }, nil
	}
	return func(v *visit) bool { return value(v) == n }, nil
}
