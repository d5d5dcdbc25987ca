// SPDX-License-Identifier: Apache-2.0

package text

import (
	"bytes"
	"io"
	"strconv"
	"strings"

	"lodger/userland/app"
)

// span is a range of positions counted from 1, ends included.
type span struct{ from, to int }

// parseList reads N, N-, -M and N-M with commas between them.
func parseList(s string) ([]span, bool) {
	var list []span
	for part := range strings.SplitSeq(s, ",") {
		a, b, isRange := strings.Cut(part, "-")
		sp := span{1, 1 << 30}
		var err1, err2 error
		if a != "" {
			sp.from, err1 = strconv.Atoi(a)
		}
		if !isRange {
			sp.to = sp.from
		} else if b != "" {
			sp.to, err2 = strconv.Atoi(b)
		}
		if err1 != nil || err2 != nil || sp.from < 1 || sp.to < sp.from || part == "" || part == "-" {
			return nil, false
		}
		list = append(list, sp)
	}
	return list, true
}

func cut(c *app.Ctx, args []string) int {
	o, status, ok := c.Parse(args, "b|bytes: c|characters: f|fields: d|delimiter: s|only-delimited n complement output-delimiter: z")
	if !ok {
		return status
	}
	how := o.Last("bcf")
	if how == "" {
		return c.BadUsage("you must specify a list of bytes, characters, or fields")
	}
	list, ok := parseList(o.Str(how, ""))
	if !ok {
		return c.BadUsage("invalid field value %s", app.Quote(o.Str(how, "")))
	}
	chosen := func(i int) bool {
		for _, sp := range list {
			if sp.from <= i && i <= sp.to {
				return !o.Has("complement")
			}
		}
		return o.Has("complement")
	}
	delim := o.Str("d", "\t")
	if len([]rune(delim)) > 1 {
		return c.BadUsage("the delimiter must be a single character")
	}
	joiner := o.Str("output-delimiter", delim)
	c.EachFile(o.Args, func(_ string, r io.Reader) error {
		return eachLine(r, func(raw []byte) bool {
			line := string(bytes.TrimSuffix(raw, []byte("\n")))
			var parts []string
			switch how {
			case "f":
				if delim == "" || !strings.Contains(line, delim) {
					if !o.Has("s") {
						c.Out.WriteString(line + "\n")
					}
					return true
				}
				parts = strings.Split(line, delim)
			case "b":
				for i := range len(line) {
					parts = append(parts, line[i:i+1])
				}
			default:
				parts = strings.Split(line, "")
			}
			var keep []string
			for i, p := range parts {
				if chosen(i + 1) {
					keep = append(keep, p)
				}
			}
			sep := joiner
			if how != "f" {
				sep = ""
			}
			c.Out.WriteString(strings.Join(keep, sep) + "\n")
			return true
		})
	})
	return c.Status()
}

// classes are the [:name:] sets of tr, as its arguments spell them.
func class(name string) string {
	const lower, upper, digit = "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789"
	const punct = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
	switch name {
	case "alpha":
		return upper + lower
	case "lower":
		return lower
	case "upper":
		return upper
	case "digit":
		return digit
	case "alnum":
		return digit + upper + lower
	case "space":
		return "\t\n\v\f\r "
	case "blank":
		return "\t "
	case "punct":
		return punct
	case "xdigit":
		return digit + "ABCDEFabcdef"
	case "graph":
		return digit + upper + lower + punct
	case "print":
		return digit + upper + lower + punct + " "
	case "cntrl":
		var b []byte
		for i := range 32 {
			b = append(b, byte(i))
		}
		return string(append(b, 127))
	}
	return ""
}

// expandSet spells out ranges, classes and escapes of a tr set.
func expandSet(s string) []byte {
	var out []byte
	in := []byte(s)
	for i := 0; i < len(in); {
		if in[i] == '[' && i+1 < len(in) && in[i+1] == ':' {
			if end := strings.Index(s[i:], ":]"); end > 0 {
				out = append(out, class(s[i+2:i+end])...)
				i += end + 2
				continue
			}
		}
		b, n := escaped(in[i:])
		i += n
		if i+1 < len(in) && in[i] == '-' {
			hi, n := escaped(in[i+1:])
			i += 1 + n
			for x := int(b); x <= int(hi); x++ {
				out = append(out, byte(x))
			}
			continue
		}
		out = append(out, b)
	}
	return out
}

// escaped reads one character, which may be a backslash sequence.
func escaped(in []byte) (b byte, n int) {
	if in[0] != '\\' || len(in) < 2 {
		return in[0], 1
	}
	if i := strings.IndexByte("abfnrtv", in[1]); i >= 0 {
		return "\a\b\f\n\r\t\v"[i], 2
	}
	v, n := 0, 1
	for n < len(in) && n < 4 && in[n] >= '0' && in[n] <= '7' {
		v = v*8 + int(in[n]-'0')
		n++
	}
	if n == 1 {
		return in[1], 2
	}
	return byte(v), n
}

func tr(c *app.Ctx, args []string) int {
	o, status, ok := c.Parse(args, "+c|complement C d|delete s|squeeze-repeats t|truncate-set1")
	if !ok {
		return status
	}
	del, squeeze := o.Has("d"), o.Has("s")
	if len(o.Args) == 0 || len(o.Args) < 2 && !del && !squeeze {
		return c.Missing()
	}
	set1 := expandSet(o.Args[0])
	var in1 [256]bool
	for _, b := range set1 {
		in1[b] = true
	}
	if o.Has("c") || o.Has("C") {
		set1 = set1[:0:0]
		for i := range in1 {
			if in1[i] = !in1[i]; in1[i] {
				set1 = append(set1, byte(i))
			}
		}
	}
	var table [256]byte
	for i := range table {
		table[i] = byte(i)
	}
	squeezed := in1
	if len(o.Args) > 1 {
		set2 := expandSet(o.Args[1])
		if squeeze {
			squeezed = [256]bool{}
			for _, b := range set2 {
				squeezed[b] = true
			}
		}
		if !del && len(set2) > 0 {
			for i, b := range set1 {
				table[b] = set2[min(i, len(set2)-1)]
			}
		}
	}
	last := -1
	buf := make([]byte, 64<<10)
	for {
		n, err := c.In.Read(buf)
		for _, b := range buf[:n] {
			if del && in1[b] {
				continue
			}
			b = table[b]
			if squeeze && squeezed[b] && int(b) == last {
				continue
			}
			last = int(b)
			c.Out.WriteByte(b)
		}
		if err != nil {
			return 0
		}
	}
}
