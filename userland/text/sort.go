// SPDX-License-Identifier: Apache-2.0

package text

import (
	"fmt"
	"io"
	"os"
	"sort"
	"strconv"
	"strings"

	"lodger/userland/app"
)

// order is how two texts compare: the letters of sort's ordering options.
type order struct{ numeric, human, version, general, fold, blanks, reverse, dict bool }

// sortKey is one -k: fields and characters count from 1; an end of 0 is open.
type sortKey struct {
	field, char       int
	endField, endChar int
	order
	own bool // has ordering options of its own
}

type sorter struct {
	sep  string
	keys []sortKey
	order
	unique, stable bool
}

func sortMain(c *app.Ctx, args []string) int {
	o, status, ok := c.Parse(args, "n|numeric-sort r|reverse u|unique f|ignore-case b|ignore-leading-blanks c|check C s|stable "+
		"h|human-numeric-sort V|version-sort g|general-numeric-sort d i t|field-separator: k|key: o|output: z m|merge T: S:")
	if !ok {
		return status
	}
	s := &sorter{sep: o.Str("t", ""), unique: o.Has("u"), stable: o.Has("s")}
	for _, opt := range o.Order {
		if len(opt.Key) == 1 {
			s.order.set(opt.Key[0])
		}
	}
	for _, spec := range o.All("k") {
		k, ok := parseKey(spec)
		if !ok {
			c.Errorf("invalid key specification %s", app.Quote(spec))
			return 2
		}
		if !k.own {
			k.order = s.order
		}
		s.keys = append(s.keys, k)
	}
	var lines []string
	c.EachFile(o.Args, func(_ string, r io.Reader) error {
		return eachLine(r, func(line []byte) bool {
			lines = append(lines, strings.TrimSuffix(string(line), "\n"))
			return true
		})
	})
	if o.Has("c") || o.Has("C") {
		return s.check(c, o, lines)
	}
	sort.SliceStable(lines, func(i, j int) bool { return s.compare(lines[i], lines[j], !s.stable && !s.unique) < 0 })
	out := io.Writer(c.Out)
	if name := o.Str("o", ""); name != "" {
		f, err := os.Create(name)
		if err != nil {
			c.Errorf("open failed: %s: %s", name, app.Reason(err))
			return 2
		}
		defer f.Close()
		out = f
	}
	var b strings.Builder
	for i, line := range lines {
		if s.unique && i > 0 && s.compare(lines[i-1], line, false) == 0 {
			lines[i] = lines[i-1]
			continue
		}
		b.WriteString(line)
		b.WriteByte('\n')
	}
	io.WriteString(out, b.String())
	return c.Status()
}

func (s *sorter) check(c *app.Ctx, o *app.Opts, lines []string) int {
	for i := 1; i < len(lines); i++ {
		d := s.compare(lines[i-1], lines[i], !s.unique)
		if d > 0 || d == 0 && s.unique {
			if o.Has("c") {
				name := "-"
				if len(o.Args) > 0 {
					name = o.Args[0]
				}
				c.Errorf("%s:%d: disorder: %s", name, i+1, lines[i])
			}
			return 1
		}
	}
	return c.Status()
}

func (o *order) set(letter byte) bool {
	switch letter {
	case 'n':
		o.numeric = true
	case 'h':
		o.human = true
	case 'g':
		o.general = true
	case 'V':
		o.version = true
	case 'f':
		o.fold = true
	case 'b':
		o.blanks = true
	case 'r':
		o.reverse = true
	case 'd', 'i':
		o.dict = true
	default:
		return false
	}
	return true
}

// parseKey reads F[.C][OPTS][,F[.C][OPTS]].
func parseKey(spec string) (k sortKey, ok bool) {
	start, end, hasEnd := strings.Cut(spec, ",")
	if k.field, k.char, ok = k.position(start); !ok || k.field == 0 {
		return k, false
	}
	if k.char == 0 {
		k.char = 1
	}
	if hasEnd {
		k.endField, k.endChar, ok = k.position(end)
	}
	return k, ok
}

func (k *sortKey) position(s string) (field, char int, ok bool) {
	digits := strings.TrimRight(s, "nhgVfbrdi")
	for _, l := range []byte(s[len(digits):]) {
		k.own = k.order.set(l)
	}
	f, ch, hasChar := strings.Cut(digits, ".")
	field, err := strconv.Atoi(f)
	if hasChar && err == nil {
		char, err = strconv.Atoi(ch)
	}
	return field, char, err == nil
}

func (s *sorter) compare(a, b string, last bool) int {
	if len(s.keys) == 0 {
		if d := s.order.compare(a, b); d != 0 {
			return d
		}
	}
	for i := range s.keys {
		k := &s.keys[i]
		if d := k.order.compare(s.extract(a, k), s.extract(b, k)); d != 0 {
			return d
		}
	}
	if !last {
		return 0
	}
	d := strings.Compare(a, b)
	if s.order.reverse {
		return -d
	}
	return d
}

// extract cuts the key out of a line. Without -t a field begins with the
// blanks before it.
func (s *sorter) extract(line string, k *sortKey) string {
	start := min(fieldStart(line, s.sep, k.field)+k.char-1, len(line))
	if k.blanks {
		f := fieldStart(line, s.sep, k.field)
		f += len(line[f:]) - len(strings.TrimLeft(line[f:], " \t"))
		start = min(f+k.char-1, len(line))
	}
	end := len(line)
	if k.endField > 0 {
		if k.endChar > 0 {
			end = min(fieldStart(line, s.sep, k.endField)+k.endChar, len(line))
		} else {
			end = fieldEnd(line, s.sep, k.endField)
		}
	}
	return line[start:max(start, end)]
}

func fieldStart(line, sep string, n int) int {
	at := 0
	for ; n > 1; n-- {
		at = nextField(line, sep, at)
		if sep != "" && at < len(line) {
			at += len(sep)
		}
	}
	return at
}

func fieldEnd(line, sep string, n int) int { return nextField(line, sep, fieldStart(line, sep, n)) }

// nextField is the end of the field that starts at from.
func nextField(line, sep string, from int) int {
	if sep != "" {
		if i := strings.Index(line[from:], sep); i >= 0 {
			return from + i
		}
		return len(line)
	}
	for from < len(line) && (line[from] == ' ' || line[from] == '\t') {
		from++
	}
	for from < len(line) && line[from] != ' ' && line[from] != '\t' {
		from++
	}
	return from
}

func (o *order) compare(a, b string) int {
	d := 0
	if o.blanks {
		a, b = strings.TrimLeft(a, " \t"), strings.TrimLeft(b, " \t")
	}
	if o.fold {
		a, b = strings.ToUpper(a), strings.ToUpper(b)
	}
	switch {
	case o.numeric, o.general, o.human:
		x, y := o.number(a), o.number(b)
		if x < y {
			d = -1
		} else if x > y {
			d = 1
		}
	case o.version:
		d = versionCompare(a, b)
	default:
		d = strings.Compare(a, b)
	}
	if o.reverse {
		return -d
	}
	return d
}

func (o *order) number(s string) float64 {
	s = strings.TrimLeft(s, " \t")
	end := 0
	for end < len(s) && (s[end] >= '0' && s[end] <= '9' || s[end] == '.' || end == 0 && s[end] == '-' ||
		o.general && strings.IndexByte("eE+-", s[end]) >= 0) {
		end++
	}
	n, _ := strconv.ParseFloat(s[:end], 64)
	if o.human && end < len(s) {
		for range strings.IndexByte("KMGTPE", s[end]&^0x20) + 1 {
			n *= 1024
		}
	}
	return n
}

// versionCompare compares runs of digits as numbers.
func versionCompare(a, b string) int {
	for a != "" && b != "" {
		da, db := digits(a), digits(b)
		if da > 0 && db > 0 {
			x, y := strings.TrimLeft(a[:da], "0"), strings.TrimLeft(b[:db], "0")
			if len(x) != len(y) {
				return len(x) - len(y)
			}
			if x != y {
				return strings.Compare(x, y)
			}
			a, b = a[da:], b[db:]
			continue
		}
		if a[0] != b[0] {
			return int(a[0]) - int(b[0])
		}
		a, b = a[1:], b[1:]
	}
	return len(a) - len(b)
}

func digits(s string) int { return len(s) - len(strings.TrimLeft(s, "0123456789")) }

func uniq(c *app.Ctx, args []string) int {
	o, status, ok := c.Parse(args, "c|count d|repeated u|unique i|ignore-case f|skip-fields: s|skip-chars: w|check-chars: z D")
	if !ok {
		return status
	}
	fields, ok1 := o.Int("f", 0)
	chars, ok2 := o.Int("s", 0)
	width, ok3 := o.Int("w", 1<<30)
	if !ok1 || !ok2 || !ok3 {
		return c.BadUsage("invalid number")
	}
	key := func(line string) string {
		for range fields {
			line = line[nextField(line, "", 0):]
		}
		line = line[min(int(chars), len(line)):]
		line = line[:min(int(width), len(line))]
		if o.Has("i") {
			line = strings.ToLower(line)
		}
		return line
	}
	out := io.Writer(c.Out)
	if len(o.Args) > 1 {
		f, err := os.Create(o.Args[1])
		if err != nil {
			c.Fail(o.Args[1], err)
			return 1
		}
		defer f.Close()
		out = f
		o.Args = o.Args[:1]
	}
	first, n := "", 0
	show := func() {
		if n == 0 || o.Has("d") && n < 2 || o.Has("u") && n > 1 {
			return
		}
		if o.Has("c") {
			fmt.Fprintf(out, "%7d ", n)
		}
		fmt.Fprintln(out, first)
	}
	c.EachFile(o.Args, func(_ string, r io.Reader) error {
		return eachLine(r, func(raw []byte) bool {
			line := strings.TrimSuffix(string(raw), "\n")
			if n > 0 && key(line) == key(first) {
				n++
				return true
			}
			show()
			first, n = line, 1
			return true
		})
	})
	show()
	return c.Status()
}
