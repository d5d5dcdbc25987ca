// SPDX-License-Identifier: Apache-2.0

package text

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"lodger/userland/app"
)

// counts are in the order in which wc prints them.
type counts struct{ lines, words, chars, bytes, longest int64 }

func wc(c *app.Ctx, args []string) int {
	o, status, ok := c.Parse(args, "l|lines w|words c|bytes m|chars L|max-line-length")
	if !ok {
		return status
	}
	all := len(o.Order) == 0
	type row struct {
		counts
		name string
	}
	var rows []row
	var total counts
	c.EachFile(o.Args, func(name string, r io.Reader) error {
		n, err := count(r)
		if len(o.Args) == 0 {
			name = ""
		}
		rows = append(rows, row{n, name})
		total.lines += n.lines
		total.words += n.words
		total.chars += n.chars
		total.bytes += n.bytes
		total.longest = max(total.longest, n.longest)
		return err
	})
	if len(o.Args) > 1 {
		rows = append(rows, row{total, "total"})
	}
	pick := func(n counts) []int64 {
		var list []int64
		for _, f := range []struct {
			on bool
			n  int64
		}{{all || o.Has("l"), n.lines}, {all || o.Has("w"), n.words}, {o.Has("m"), n.chars},
			{all || o.Has("c"), n.bytes}, {o.Has("L"), n.longest}} {
			if f.on {
				list = append(list, f.n)
			}
		}
		return list
	}
	width := len(fmt.Sprint(total.bytes))
	if len(pick(total)) == 1 && len(rows) == 1 {
		width = 1
	} else if len(o.Args) == 0 {
		width = 7
	}
	for _, r := range rows {
		var cells []string
		for _, n := range pick(r.counts) {
			cells = append(cells, fmt.Sprintf("%*d", width, n))
		}
		if r.name != "" {
			cells = append(cells, r.name)
		}
		fmt.Fprintln(c.Out, strings.Join(cells, " "))
	}
	return c.Status()
}

func count(r io.Reader) (n counts, err error) {
	buf := make([]byte, 64<<10)
	inWord, width := false, int64(0)
	for {
		got, err := r.Read(buf)
		n.bytes += int64(got)
		for _, b := range buf[:got] {
			if utf8.RuneStart(b) {
				n.chars++
				width++
			}
			switch b {
			case '\n':
				n.lines++
				n.longest = max(n.longest, width-1)
				width = 0
				inWord = false
			case ' ', '\t', '\r', '\v', '\f':
				inWord = false
			default:
				if !inWord {
					n.words++
				}
				inWord = true
			}
		}
		if err != nil {
			n.longest = max(n.longest, width)
			if err == io.EOF {
				err = nil
			}
			return n, err
		}
	}
}
