// SPDX-License-Identifier: Apache-2.0

package text

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"lodger/userland/app"
)

type grepper struct {
	c       *app.Ctx
	o       *app.Opts
	res     []*regexp.Regexp
	names   bool // show file names
	max     int64
	before  int
	after   int
	include []string
	exclude []string
	hit     bool
}

func grep(c *app.Ctx, args []string) int {
	o, status, ok := c.Parse(args, "E|extended-regexp F|fixed-strings G|basic-regexp P i|ignore-case y v|invert-match n|line-number c|count "+
		"l|files-with-matches L|files-without-match q|quiet|silent s|no-messages o|only-matching r|recursive R h|no-filename H|with-filename "+
		"w|word-regexp x|line-regexp e|regexp: f|file: m|max-count: A|after-context: B|before-context: C|context: a|text I include: exclude: "+
		"color? colour? line-buffered b")
	if !ok {
		return status
	}
	g := &grepper{c: c, o: o, include: o.All("include"), exclude: o.All("exclude")}
	patterns, files, ok := g.patterns()
	if !ok {
		return 2
	}
	for _, p := range patterns {
		re, err := g.compile(p)
		if err != nil {
			c.Errorf("%v", err)
			return 2
		}
		g.res = append(g.res, re)
	}
	for key, p := range map[string]*int{"A": &g.after, "B": &g.before} {
		n, ok := o.Int(key, 0)
		if ctx, ok2 := o.Int("C", 0); ok2 && !o.Has(key) {
			n = ctx
		} else if !ok || !ok2 {
			return c.BadUsage("%s: invalid context length argument", o.Str(key, ""))
		}
		*p = int(n)
	}
	if g.max, ok = o.Int("m", -1); !ok {
		return c.BadUsage("invalid max count")
	}
	recursive := o.Has("r") || o.Has("R")
	if len(files) == 0 && recursive {
		files = []string{"."}
	}
	g.names = (len(files) > 1 || recursive) && !o.Has("h") || o.Has("H")
	g.files(files, recursive)
	switch {
	case g.hit && (o.Has("q") || c.Status() == 0):
		return 0
	case c.Status() != 0:
		return 2
	}
	return 1
}

// patterns collects those of -e and -f, or the first operand.
func (g *grepper) patterns() (patterns, files []string, ok bool) {
	files = g.o.Args
	for _, p := range g.o.All("e") {
		patterns = append(patterns, strings.Split(p, "\n")...)
	}
	for _, name := range g.o.All("f") {
		f, ok := g.c.Open(name)
		if !ok {
			return nil, nil, false
		}
		eachLine(f, func(line []byte) bool {
			patterns = append(patterns, strings.TrimSuffix(string(line), "\n"))
			return true
		})
		f.Close()
	}
	if !g.o.Has("e") && !g.o.Has("f") {
		if len(files) == 0 {
			g.c.BadUsage("no pattern")
			return nil, nil, false
		}
		patterns, files = strings.Split(files[0], "\n"), files[1:]
	}
	return patterns, files, true
}

func (g *grepper) compile(p string) (*regexp.Regexp, error) {
	o := g.o
	how := o.Last("EFGP")
	var err error
	switch {
	case how == "F" || how == "" && g.c.Name == "fgrep":
		p = regexp.QuoteMeta(p)
	case how == "P":
	default:
		p, err = translate(p, how == "E" || how == "" && g.c.Name == "egrep")
	}
	if err != nil {
		return nil, err
	}
	if o.Has("w") {
		p = `\b(?:` + p + `)\b`
	}
	if o.Has("x") {
		p = "^(?:" + p + ")$"
	}
	if o.Has("i") || o.Has("y") {
		p = "(?i)" + p
	}
	re, err := regexp.Compile(p)
	if err != nil {
		return nil, fmt.Errorf("invalid regular expression: %s", p)
	}
	re.Longest()
	return re, nil
}

func (g *grepper) files(files []string, recursive bool) {
	if len(files) == 0 {
		files = []string{"-"}
	}
	for _, name := range files {
		if !recursive || name == "-" {
			g.file(name)
			continue
		}
		filepath.WalkDir(name, func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				g.fail(path, err)
			case d.Type().IsRegular() && g.wanted(d.Name()):
				g.file(path)
			case path == name && d.Type()&fs.ModeSymlink != 0:
				g.file(path)
			}
			return nil
		})
	}
}

func (g *grepper) wanted(base string) bool {
	for _, p := range g.exclude {
		if app.Match(p, base) {
			return false
		}
	}
	for _, p := range g.include {
		if app.Match(p, base) {
			return true
		}
	}
	return len(g.include) == 0
}

func (g *grepper) fail(name string, err error) {
	if g.o.Has("s") {
		g.c.SetStatus(2)
		return
	}
	g.c.Fail(name, err)
}

func (g *grepper) file(name string) {
	r := io.Reader(g.c.In)
	label := "(standard input)"
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			g.fail(name, err)
			return
		}
		defer f.Close()
		if st, err := f.Stat(); err == nil && st.IsDir() {
			g.c.Errorf("%s: Is a directory", name)
			return
		}
		r, label = f, name
	}
	n, err := g.search(label, r)
	if err != nil {
		g.fail(name, err)
	}
	if n > 0 != g.o.Has("L") {
		g.hit = true
	}
	switch {
	case g.o.Has("q"):
	case g.o.Has("l") && n > 0, g.o.Has("L") && n == 0:
		fmt.Fprintln(g.c.Out, label)
	case g.o.Has("c") && !g.o.Has("l") && !g.o.Has("L"):
		if g.names {
			fmt.Fprintf(g.c.Out, "%s:", label)
		}
		fmt.Fprintln(g.c.Out, n)
	}
}

// search prints the selected lines of one file and returns their number.
func (g *grepper) search(label string, r io.Reader) (n int64, err error) {
	quiet := g.o.Last("qlLc") != ""
	binary := false
	number, lastShown, afterLeft := 0, 0, 0
	var held [][]byte
	err = eachLine(r, func(raw []byte) bool {
		number++
		line := bytes.TrimSuffix(raw, []byte("\n"))
		if !binary && !g.o.Has("a") && bytes.IndexByte(line, 0) >= 0 {
			binary = true
		}
		if g.match(line) == g.o.Has("v") {
			switch {
			case quiet:
			case afterLeft > 0:
				afterLeft--
				g.show(label, number, '-', line)
				lastShown = number
			case g.before > 0:
				if held = append(held, bytes.Clone(line)); len(held) > g.before {
					held = held[1:]
				}
			}
			return true
		}
		n++
		if g.o.Has("q") || g.o.Has("l") || g.o.Has("L") {
			return false
		}
		if binary && !quiet {
			fmt.Fprintf(g.c.Out, "%s: %s: binary file matches\n", g.c.Name, label)
			return false
		}
		if !quiet {
			first := number - len(held)
			if (g.before > 0 || g.after > 0) && lastShown > 0 && first > lastShown+1 {
				fmt.Fprintln(g.c.Out, "--")
			}
			for i, h := range held {
				g.show(label, first+i, '-', h)
			}
			held = held[:0]
			g.selected(label, number, line)
			lastShown, afterLeft = number, g.after
		}
		return g.max < 0 || n < g.max
	})
	return n, err
}

func (g *grepper) match(line []byte) bool {
	for _, re := range g.res {
		if re.Match(line) {
			return true
		}
	}
	return false
}

func (g *grepper) selected(label string, number int, line []byte) {
	if !g.o.Has("o") {
		g.show(label, number, ':', line)
		return
	}
	for _, re := range g.res {
		for _, m := range re.FindAll(line, -1) {
			if len(m) > 0 && !g.o.Has("v") {
				g.show(label, number, ':', m)
			}
		}
	}
}

func (g *grepper) show(label string, number int, mark byte, line []byte) {
	if g.names {
		g.c.Out.WriteString(label)
		g.c.Out.WriteByte(mark)
	}
	if g.o.Has("n") {
		g.c.Out.WriteString(strconv.Itoa(number))
		g.c.Out.WriteByte(mark)
	}
	g.c.Out.Write(line)
	g.c.Out.WriteByte('\n')
}
