// SPDX-License-Identifier: Apache-2.0

package text

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"lodger/userland/app"
)

// sedCmd is one compiled command; a jump is the index it goes to.
type sedCmd struct {
	from, to *sedAddr
	negate   bool
	active   bool // inside a from,to range
	until    int  // last line of an active range by number
	op       byte
	re       *regexp.Regexp
	repl     string
	global   bool
	print    bool
	nth      int
	text     string // of a, i, c, y, r, w, : and labels
	jump     int
	status   int
}

// sedAddr is a line number, "$" (last), a step or an expression.
type sedAddr struct {
	line, step int
	last       bool
	plus       bool // "+N" as the second address
	re         *regexp.Regexp
}

type sedder struct {
	c       *app.Ctx
	cmds    []sedCmd
	quiet   bool
	out     *bufio.Writer
	in      *sedInput
	space   string
	hold    string
	queue   []string // texts of "a" and "r" for the end of the cycle
	number  int
	subst   bool // since the last "t"
	stopped bool
	status  int
}

func sed(c *app.Ctx, args []string) int {
	for i, a := range args { // -i[SUFFIX] cannot be told by getopt from a cluster
		if strings.HasPrefix(a, "-i") && len(a) > 2 {
			args = append(append(append([]string{}, args[:i]...), "--in-place="+a[2:]), args[i+1:]...)
		}
		if a == "--" {
			break
		}
	}
	o, status, ok := c.Parse(args, "n|quiet|silent E|regexp-extended r e|expression: f|file: i in-place? s|separate u z")
	if !ok {
		return status
	}
	files := o.Args
	var script []string
	for _, opt := range o.Order {
		switch opt.Key {
		case "e":
			script = append(script, opt.Value)
		case "f":
			data, err := os.ReadFile(opt.Value)
			if err != nil {
				c.Errorf("couldn't open file %s: %s", opt.Value, app.Reason(err))
				return 1
			}
			script = append(script, strings.TrimSuffix(string(data), "\n"))
		}
	}
	if !o.Has("e") && !o.Has("f") {
		if len(files) == 0 {
			return c.BadUsage("no script")
		}
		script, files = files[:1], files[1:]
	}
	text := strings.Join(script, "\n")
	p := &sedParser{src: text, ext: o.Has("E") || o.Has("r")}
	cmds, err := p.parse()
	if err != nil {
		c.Errorf("-e expression #1, char %d: %v", p.at, err)
		return 1
	}
	quiet := o.Has("n") || strings.HasPrefix(text, "#n\n")
	if !o.Has("i") && !o.Has("in-place") {
		s := &sedder{c: c, cmds: cmds, quiet: quiet, out: c.Out, in: newSedInput(c, files)}
		s.run()
		return max(s.status, c.Status())
	}
	for _, name := range files {
		if !sedInPlace(c, cmds, quiet, name, o.Str("in-place", "")) {
			c.SetStatus(4)
		}
	}
	return c.Status()
}

// sedInPlace edits one file through a temporary one beside it.
func sedInPlace(c *app.Ctx, cmds []sedCmd, quiet bool, name, suffix string) bool {
	st, err := os.Stat(name)
	if err != nil {
		c.Errorf("can't read %s: %s", name, app.Reason(err))
		return false
	}
	dir := "."
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		dir = name[:i+1]
	}
	f, err := os.CreateTemp(dir, "sed")
	if err != nil {
		c.Errorf("couldn't open temporary file: %s", app.Reason(err))
		return false
	}
	out := bufio.NewWriter(f)
	own := append([]sedCmd{}, cmds...)
	s := &sedder{c: c, cmds: own, quiet: quiet, out: out, in: newSedInput(c, []string{name})}
	s.run()
	err = out.Flush()
	f.Chmod(st.Mode().Perm())
	f.Close()
	if err == nil && suffix != "" {
		err = os.Rename(name, name+suffix)
	}
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		os.Remove(f.Name())
		c.Fail(name, err)
	}
	return err == nil
}

// sedInput reads the lines of all files with one line of look-ahead, which "$"
// needs.
type sedInput struct {
	c     *app.Ctx
	files []string
	r     *bufio.Reader
	f     io.Closer
	next  string
	have  bool
}

func newSedInput(c *app.Ctx, files []string) *sedInput {
	if len(files) == 0 {
		files = []string{"-"}
	}
	in := &sedInput{c: c, files: files}
	in.fill()
	return in
}

func (in *sedInput) fill() {
	in.have = false
	for {
		if in.r == nil {
			if len(in.files) == 0 {
				return
			}
			name := in.files[0]
			in.files = in.files[1:]
			f := io.ReadCloser(io.NopCloser(in.c.In))
			if name != "-" {
				file, err := os.Open(name)
				if err != nil {
					in.c.Errorf("can't read %s: %s", name, app.Reason(err))
					in.c.SetStatus(2)
					continue
				}
				f = file
			}
			in.r, in.f = bufio.NewReaderSize(f, 64<<10), f
		}
		line, err := in.r.ReadString('\n')
		if err != nil {
			in.f.Close()
			in.r = nil
		}
		if line != "" {
			in.next, in.have = line, true
			return
		}
	}
}

// line takes the next line; missing says that it had no newline.
func (in *sedInput) line() (s string, missing, ok bool) {
	if !in.have {
		return "", false, false
	}
	s, found := strings.CutSuffix(in.next, "\n")
	in.fill()
	return s, !found, true
}

func (s *sedder) run() {
	missing := false
	emit := func() {
		if !s.quiet {
			s.out.WriteString(s.space)
			if !missing || s.in.have {
				s.out.WriteByte('\n')
			}
		}
		s.flushQueue()
	}
	next := func() bool {
		line, miss, ok := s.in.line()
		if ok {
			s.space, missing = line, miss
			s.number++
			s.subst = false
		}
		return ok
	}
	restart := false
	for restart || next() {
		restart = false
		action := s.cycle(func(join bool) bool {
			if !s.in.have {
				return false
			}
			if !join {
				emit()
				return next()
			}
			s.flushQueue()
			old := s.space
			ok := next()
			s.space = old + "\n" + s.space
			return ok
		})
		switch action {
		case 'd':
			s.flushQueue()
		case 'D':
			s.flushQueue()
			restart = true
		case 'Q':
			return
		default:
			emit()
		}
		if action == 'q' || s.stopped {
			return
		}
	}
}

func (s *sedder) flushQueue() {
	for _, t := range s.queue {
		s.out.WriteString(t)
	}
	s.queue = s.queue[:0]
}

func (s *sedder) matches(a *sedAddr) bool {
	switch {
	case a.last:
		return !s.in.have
	case a.re != nil:
		return a.re.MatchString(s.space)
	case a.step > 0:
		return s.number >= a.line && (s.number-a.line)%a.step == 0
	}
	return s.number == a.line
}

func (s *sedder) selected(c *sedCmd) bool {
	switch {
	case c.from == nil:
		return true
	case c.to == nil:
		return s.matches(c.from)
	case c.active:
		switch {
		case c.to.re != nil || c.to.last:
			c.active = !s.matches(c.to)
		case s.number > c.until:
			c.active = false
			return s.start(c)
		default:
			c.active = s.number < c.until
		}
		return true
	}
	return s.start(c)
}

// start begins a range when its first address matches.
func (s *sedder) start(c *sedCmd) bool {
	if !s.matches(c.from) && !(c.from.line == 0 && c.from.re == nil && !c.from.last && c.from.step == 0 && s.number == 1) {
		return false
	}
	c.until = c.to.line
	if c.to.plus {
		c.until = s.number + c.to.line
	}
	c.active = c.to.re != nil || c.to.last && s.in.have || !c.to.last && c.until > s.number
	return true
}

// cycle runs the script once over the pattern space. It returns what ends the
// cycle: 0 the end of the script, else d, D, q or Q. more reads the next line
// in, with join behind the present one.
func (s *sedder) cycle(more func(join bool) bool) byte {
	for pc := 0; pc < len(s.cmds); pc++ {
		c := &s.cmds[pc]
		if s.selected(c) == c.negate {
			if c.op == '{' {
				pc = c.jump
			}
			continue
		}
		switch c.op {
		case 's':
			s.substitute(c)
		case 'y':
			s.space = transliterate(s.space, c.text, c.repl)
		case 'p':
			s.out.WriteString(s.space + "\n")
		case 'P':
			first, _, _ := strings.Cut(s.space, "\n")
			s.out.WriteString(first + "\n")
		case 'd':
			return 'd'
		case 'D':
			if _, rest, ok := strings.Cut(s.space, "\n"); ok {
				s.space = rest
				return 'D'
			}
			return 'd'
		case 'q', 'Q':
			s.status = c.status
			return c.op
		case '=':
			fmt.Fprintln(s.out, s.number)
		case 'a':
			s.queue = append(s.queue, c.text+"\n")
		case 'i':
			s.out.WriteString(c.text + "\n")
		case 'c':
			if c.to == nil || !c.active || c.negate {
				s.out.WriteString(c.text + "\n")
			}
			return 'd'
		case 'r':
			if data, err := os.ReadFile(c.text); err == nil {
				s.queue = append(s.queue, string(data))
			}
		case 'w':
			s.write(c.text)
		case 'n', 'N':
			if !more(c.op == 'N') {
				s.stopped = true
				return 0 // GNU sed prints the pattern space then
			}
		case 'g':
			s.space = s.hold
		case 'G':
			s.space += "\n" + s.hold
		case 'h':
			s.hold = s.space
		case 'H':
			s.hold += "\n" + s.space
		case 'x':
			s.space, s.hold = s.hold, s.space
		case 'b':
			pc = c.jump
		case 't':
			if s.subst {
				s.subst = false
				pc = c.jump
			}
		}
	}
	return 0
}

func (s *sedder) write(name string) {
	if name == "/dev/stdout" {
		s.out.WriteString(s.space + "\n")
		return
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o666)
	if err != nil {
		s.c.Fail(name, err)
		return
	}
	f.WriteString(s.space + "\n")
	f.Close()
}

func (s *sedder) substitute(c *sedCmd) {
	limit := -1
	if !c.global {
		limit = max(c.nth, 1)
	}
	found := c.re.FindAllStringSubmatchIndex(s.space, limit)
	if len(found) < max(c.nth, 1) {
		return
	}
	var b strings.Builder
	at := 0
	for i, m := range found {
		if i+1 < c.nth {
			continue
		}
		b.WriteString(s.space[at:m[0]])
		b.WriteString(expandReplacement(c.repl, s.space, m))
		at = m[1]
	}
	b.WriteString(s.space[at:])
	s.space, s.subst = b.String(), true
	if c.print {
		s.out.WriteString(s.space + "\n")
	}
	if c.text != "" {
		s.write(c.text)
	}
}

// expandReplacement fills in &, \1 to \9, \n and the case letters \U \L \E.
func expandReplacement(repl, src string, m []int) string {
	var b strings.Builder
	mode := byte('E')
	put := func(t string) {
		switch mode {
		case 'U':
			t = strings.ToUpper(t)
		case 'L':
			t = strings.ToLower(t)
		}
		b.WriteString(t)
	}
	group := func(n int) {
		if 2*n+1 < len(m) && m[2*n] >= 0 {
			put(src[m[2*n]:m[2*n+1]])
		}
	}
	for i := 0; i < len(repl); i++ {
		switch {
		case repl[i] == '&':
			group(0)
		case repl[i] == '\\' && i+1 < len(repl):
			i++
			switch e := repl[i]; {
			case e >= '0' && e <= '9':
				group(int(e - '0'))
			case e == 'n':
				b.WriteByte('\n')
			case e == 't':
				b.WriteByte('\t')
			case e == 'U' || e == 'L' || e == 'E':
				mode = e
			default:
				put(string(e))
			}
		default:
			put(repl[i : i+1])
		}
	}
	return b.String()
}

func transliterate(s, from, to string) string {
	a, b := []rune(from), []rune(to)
	return strings.Map(func(r rune) rune {
		for i, x := range a {
			if x == r {
				return b[i]
			}
		}
		return r
	}, s)
}
