// SPDX-License-Identifier: Apache-2.0

package text

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"lodger/userland/app"
)

func echo(c *app.Ctx, args []string) int {
	newline, escapes := true, false
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' && strings.Trim(args[0][1:], "neE") == "" {
		for _, l := range args[0][1:] {
			switch l {
			case 'n':
				newline = false
			default:
				escapes = l == 'e'
			}
		}
		args = args[1:]
	}
	s := strings.Join(args, " ")
	if escapes {
		var stop bool
		if s, stop = unescape(s, true); stop {
			newline = false
		}
	}
	c.Out.WriteString(s)
	if newline {
		c.Out.WriteByte('\n')
	}
	return 0
}

// unescape expands backslash sequences. With zero octal ones are \0NNN as in
// echo, else \NNN as in a printf format; stop tells of a \c.
func unescape(s string, zero bool) (out string, stop bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		switch e := s[i]; {
		case e == 'c':
			return b.String(), true
		case e == 'e':
			b.WriteByte(0x1b)
		case strings.IndexByte("abfnrtv\\", e) >= 0:
			b.WriteByte("\a\b\f\n\r\t\v\\"[strings.IndexByte("abfnrtv\\", e)])
		case e == 'x' || e == 'u':
			n := number(s[i+1:], 16, map[byte]int{'x': 2, 'u': 4}[e])
			v, err := strconv.ParseUint(s[i+1:i+1+n], 16, 32)
			switch {
			case err != nil:
				b.WriteString(s[i-1 : i+1])
			case e == 'u':
				b.WriteRune(rune(v))
			default:
				b.WriteByte(byte(v))
			}
			i += n
		case e >= '0' && e <= '7' && (!zero || e == '0'):
			from := i
			if zero {
				from++
			}
			n := number(s[from:], 8, 3)
			v, _ := strconv.ParseUint("0"+s[from:from+n], 8, 32)
			b.WriteByte(byte(v))
			i = from + n - 1
		default:
			b.WriteString(s[i-1 : i+1])
		}
	}
	return b.String(), false
}

// number is how many digits of a base s starts with, at most limit.
func number(s string, base, limit int) int {
	n := 0
	for n < len(s) && n < limit {
		if _, err := strconv.ParseUint(s[n:n+1], base, 8); err != nil {
			break
		}
		n++
	}
	return n
}

func printf(c *app.Ctx, args []string) int {
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) == 0 {
		return c.Missing()
	}
	if args[0] == "--help" {
		c.Help()
		return 0
	}
	f := &formatter{c: c, args: args[1:]}
	for {
		used := f.once(args[0])
		if f.stop || len(f.args) == 0 || !used {
			return c.Status()
		}
	}
}

// formatter applies a printf format until its arguments are used up.
type formatter struct {
	c    *app.Ctx
	args []string
	stop bool
}

func (f *formatter) next() string {
	if len(f.args) == 0 {
		return ""
	}
	a := f.args[0]
	f.args = f.args[1:]
	return a
}

// once goes through the format and says whether it took an argument.
func (f *formatter) once(format string) (used bool) {
	for format != "" {
		i := strings.IndexByte(format, '%')
		if i < 0 {
			i = len(format)
		}
		text, stop := unescape(format[:i], false)
		f.c.Out.WriteString(text)
		if f.stop = f.stop || stop; stop || i == len(format) {
			return used
		}
		j := i + 1
		spec := "%"
		for j < len(format) && strings.IndexByte("-+ #0123456789.*", format[j]) >= 0 {
			if format[j] == '*' {
				n, _ := strconv.Atoi(f.next())
				spec += strconv.Itoa(n)
				used = true
			} else {
				spec += format[j : j+1]
			}
			j++
		}
		for j < len(format) && strings.IndexByte("hlLqjzt", format[j]) >= 0 && j+1 < len(format) && format[j] != 'q' {
			j++
		}
		if j == len(format) {
			f.c.Errorf("%s: invalid directive", format[i:])
			f.stop = true
			return used
		}
		if format[j] != '%' {
			used = true
		}
		f.directive(spec, format[j])
		if f.stop {
			return used
		}
		format = format[j+1:]
	}
	return used
}

func (f *formatter) directive(spec string, verb byte) {
	out := f.c.Out
	switch verb {
	case '%':
		out.WriteByte('%')
	case 's':
		fmt.Fprintf(out, spec+"s", f.next())
	case 'b':
		var text string
		text, f.stop = unescape(f.next(), true)
		fmt.Fprintf(out, spec+"s", text)
	case 'q':
		fmt.Fprintf(out, spec+"s", app.Quote(f.next()))
	case 'c':
		if a := f.next(); a != "" {
			fmt.Fprintf(out, spec+"s", a[:1])
		}
	case 'd', 'i':
		fmt.Fprintf(out, spec+"d", f.integer(f.next()))
	case 'u':
		fmt.Fprintf(out, spec+"d", uint64(f.integer(f.next())))
	case 'o', 'x', 'X':
		fmt.Fprintf(out, spec+string(verb), uint64(f.integer(f.next())))
	case 'e', 'E', 'f', 'F', 'g', 'G':
		a := f.next()
		v, err := strconv.ParseFloat(a, 64)
		if err != nil && a != "" {
			f.c.Errorf("%s: expected a numeric value", app.Quote(a))
		}
		fmt.Fprintf(out, spec+string(verb), v)
	default:
		f.c.Errorf("%%%c: invalid directive", verb)
		f.stop = true
	}
}

// integer reads a C constant: decimal, 0 octal, 0x hexadecimal or 'c.
func (f *formatter) integer(s string) int64 {
	if s == "" {
		return 0
	}
	if s[0] == '\'' || s[0] == '"' {
		r, _ := utf8.DecodeRuneInString(s[1:])
		return int64(r)
	}
	v, err := strconv.ParseInt(strings.TrimPrefix(strings.TrimSpace(s), "+"), 0, 64)
	if err != nil {
		if u, e := strconv.ParseUint(s, 0, 64); e == nil {
			return int64(u)
		}
		f.c.Errorf("%s: expected a numeric value", app.Quote(s))
		n := number(strings.TrimPrefix(s, "-"), 10, 18)
		v, _ = strconv.ParseInt(s[:len(s)-len(strings.TrimPrefix(s, "-"))+n], 10, 64)
	}
	return v
}

func seq(c *app.Ctx, args []string) int {
	sep, format, wide := "\n", "", false
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' && (args[0][1] < '0' || args[0][1] > '9') && args[0][1] != '.' {
		switch {
		case args[0] == "-w":
			wide = true
		case args[0] == "-s" && len(args) > 1:
			sep, args = args[1], args[1:]
		case args[0] == "-f" && len(args) > 1:
			format, args = args[1], args[1:]
		case strings.HasPrefix(args[0], "-s"):
			sep = args[0][2:]
		case args[0] == "-h" || args[0] == "--help":
			c.Help()
			return 0
		default:
			return c.BadUsage("invalid option -- '%s'", args[0][1:])
		}
		args = args[1:]
	}
	if len(args) == 0 || len(args) > 3 {
		return c.Missing()
	}
	v := [3]float64{1, 1, 0} // first, step, last
	places, width := 0, 0
	for i, a := range args {
		n, err := strconv.ParseFloat(a, 64)
		if err != nil {
			return c.BadUsage("invalid floating point argument: %s", app.Quote(a))
		}
		v[[][]int{{2}, {0, 2}, {0, 1, 2}}[len(args)-1][i]] = n
		if _, frac, ok := strings.Cut(a, "."); ok && (i < len(args)-1 || len(args) == 1) {
			places = max(places, len(frac))
		}
	}
	if v[1] == 0 {
		return c.BadUsage("invalid Zero increment value: %s", app.Quote(args[1]))
	}
	if format == "" {
		if wide {
			width = max(len(fmt.Sprintf("%.*f", places, v[0])), len(fmt.Sprintf("%.*f", places, v[2])))
		}
		format = fmt.Sprintf("%%0%d.%df", width, places)
	}
	any := false
	for i := 0; ; i++ {
		x := v[0] + float64(i)*v[1]
		if slack := v[1] * 1e-9; v[1] > 0 && x > v[2]+slack || v[1] < 0 && x < v[2]+slack {
			break
		}
		if any {
			c.Out.WriteString(sep)
		}
		if _, err := fmt.Fprintf(c.Out, format, x); err != nil {
			return 1
		}
		any = true
	}
	if any {
		c.Out.WriteByte('\n')
	}
	return 0
}
