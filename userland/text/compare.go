// SPDX-License-Identifier: Apache-2.0

package text

import (
	"bufio"
	"fmt"
	"io"

	"lodger/userland/app"
)

func cmp(c *app.Ctx, args []string) int {
	o, status, ok := c.Parse(args, "s|quiet|silent l|verbose b n|bytes: i:")
	if !ok {
		return status
	}
	if len(o.Args) == 0 {
		return c.Missing()
	}
	names := append(o.Args, "-")[:2]
	limit, ok := o.Int("n", 1<<62)
	if !ok {
		return c.BadUsage("invalid --bytes value")
	}
	var in [2]*bufio.Reader
	for i, name := range names {
		f, ok := c.Open(name)
		if !ok {
			return 2
		}
		defer f.Close()
		in[i] = bufio.NewReaderSize(f, 64<<10)
	}
	line, differs := 1, false
	for at := int64(1); at <= limit; at++ {
		a, err1 := in[0].ReadByte()
		b, err2 := in[1].ReadByte()
		switch {
		case err1 == io.EOF && err2 == io.EOF:
			at = limit
		case err1 != nil || err2 != nil:
			short := names[0]
			if err1 == nil {
				short = names[1]
			}
			if !o.Has("s") {
				c.Errorf("EOF on %s after byte %d", app.Quote(short), at-1)
			}
			return 1
		case a != b:
			differs = true
			switch {
			case o.Has("s"):
				return 1
			case !o.Has("l"):
				fmt.Fprintf(c.Out, "%s %s differ: char %d, line %d\n", names[0], names[1], at, line)
				return 1
			}
			fmt.Fprintf(c.Out, "%d %3o %3o\n", at, a, b)
		case a == '\n':
			line++
		}
	}
	if differs {
		return 1
	}
	return 0
}

func hexdump(c *app.Ctx, args []string) int {
	o, status, ok := c.Parse(args, "C|canonical v n: s: x b")
	if !ok {
		return status
	}
	limit, ok1 := app.ParseSize(o.Str("n", "1000000T"))
	skip, ok2 := app.ParseSize(o.Str("s", "0"))
	if !ok1 || !ok2 {
		return c.BadUsage("invalid number")
	}
	d := &dumper{c: c, canonical: o.Has("C"), all: o.Has("v"), at: skip}
	c.EachFile(o.Args, func(_ string, r io.Reader) error {
		if skip > 0 {
			n, _ := io.CopyN(io.Discard, r, skip)
			skip -= n
		}
		buf := make([]byte, 16)
		for limit > 0 {
			n, err := io.ReadFull(r, buf[:min(16, limit)])
			limit -= int64(n)
			d.row(buf[:n])
			if err == io.EOF || err == io.ErrUnexpectedEOF {
				return nil
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if d.at > 0 {
		fmt.Fprintf(c.Out, "%0*x\n", d.width(), d.at)
	}
	return c.Status()
}

type dumper struct {
	c         *app.Ctx
	canonical bool
	all       bool // show repeated rows
	at        int64
	last      string
	starred   bool
}

func (d *dumper) width() int {
	if d.canonical {
		return 8
	}
	return 7
}

func (d *dumper) row(b []byte) {
	if len(b) == 0 {
		return
	}
	if !d.all && string(b) == d.last && len(b) == 16 {
		if !d.starred {
			d.c.Out.WriteString("*\n")
		}
		d.starred = true
		d.at += 16
		return
	}
	d.last, d.starred = string(b), false
	out := d.c.Out
	fmt.Fprintf(out, "%0*x", d.width(), d.at)
	d.at += int64(len(b))
	if !d.canonical {
		for i := 0; i < len(b); i += 2 {
			word := uint16(b[i])
			if i+1 < len(b) {
				word |= uint16(b[i+1]) << 8
			}
			fmt.Fprintf(out, " %04x", word)
		}
		for i := (len(b) + 1) / 2; i < 8; i++ {
			out.WriteString("     ")
		}
		out.WriteByte('\n')
		return
	}
	for i := range 16 {
		if i%8 == 0 {
			out.WriteByte(' ')
		}
		if i < len(b) {
			fmt.Fprintf(out, " %02x", b[i])
		} else {
			out.WriteString("   ")
		}
	}
	out.WriteString("  |")
	for _, ch := range b {
		if ch < 32 || ch > 126 {
			ch = '.'
		}
		out.WriteByte(ch)
	}
	out.WriteString("|\n")
}
