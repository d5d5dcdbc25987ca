// SPDX-License-Identifier: Apache-2.0

package text

import (
	"fmt"
	"io"
	"os"
	"time"

	"lodger/userland/app"
)

// amount is the N of head and tail: the sign is kept apart from the number.
type amount struct {
	n     int64
	sign  byte // '-', '+' or 0
	bytes bool
}

// dashNumber turns the old form "-5" (and "+5") of an argument into "-n 5".
func dashNumber(args []string, signs string) []string {
	if len(args) == 0 || len(args[0]) < 2 || (args[0][0] != '-' && args[0][0] != signs[0]) {
		return args
	}
	for _, b := range args[0][1:] {
		if b < '0' || b > '9' {
			return args
		}
	}
	n := args[0][1:]
	if args[0][0] == '+' {
		n = args[0]
	}
	return append([]string{"-n", n}, args[1:]...)
}

func parseAmount(c *app.Ctx, o *app.Opts) (amount, bool) {
	a := amount{n: 10}
	s := "10"
	for _, opt := range o.Order {
		if opt.Key == "n" || opt.Key == "c" {
			s, a.bytes = opt.Value, opt.Key == "c"
		}
	}
	digits := s
	if s != "" && (s[0] == '-' || s[0] == '+') {
		a.sign, digits = s[0], s[1:]
	}
	var ok bool
	if a.n, ok = app.ParseSize(digits); !ok {
		what := map[bool]string{true: "bytes", false: "lines"}[a.bytes]
		c.Errorf("invalid number of %s: %s", what, app.Quote(s))
	}
	return a, ok
}

// banner prints the ==> name <== of several files.
type banner struct {
	c     *app.Ctx
	on    bool
	shown bool
}

func (b *banner) show(name string) {
	if !b.on {
		return
	}
	if name == "-" {
		name = "standard input"
	}
	if b.shown {
		b.c.Out.WriteByte('\n')
	}
	b.shown = true
	fmt.Fprintf(b.c.Out, "==> %s <==\n", name)
}

func head(c *app.Ctx, args []string) int {
	o, status, ok := c.Parse(dashNumber(args, "-"), "n|lines: c|bytes: q|quiet|silent v|verbose")
	if !ok {
		return status
	}
	a, ok := parseAmount(c, o)
	if !ok {
		return 1
	}
	b := banner{c: c, on: (len(o.Args) > 1 || o.Has("v")) && !o.Has("q")}
	c.EachFile(o.Args, func(name string, r io.Reader) error {
		b.show(name)
		switch {
		case a.sign == '-':
			return headBut(c, r, a)
		case a.bytes:
			_, err := io.CopyN(c.Out, r, a.n)
			if err == io.EOF {
				err = nil
			}
			return err
		}
		left := a.n
		if left == 0 {
			return nil
		}
		return eachLine(r, func(line []byte) bool {
			c.Out.Write(line)
			left--
			return left > 0
		})
	})
	return c.Status()
}

// headBut prints all but the last n.
func headBut(c *app.Ctx, r io.Reader, a amount) error {
	if a.bytes {
		data, err := io.ReadAll(r)
		c.Out.Write(data[:max(0, int64(len(data))-a.n)])
		return err
	}
	var held []string
	return eachLine(r, func(line []byte) bool {
		if held = append(held, string(line)); int64(len(held)) > a.n {
			c.Out.WriteString(held[0])
			held = held[1:]
		}
		return true
	})
}

func tail(c *app.Ctx, args []string) int {
	o, status, ok := c.Parse(dashNumber(args, "+"), "n|lines: c|bytes: f|follow? F q|quiet|silent v|verbose s: pid: retry")
	if !ok {
		return status
	}
	a, ok := parseAmount(c, o)
	if !ok {
		return 1
	}
	b := banner{c: c, on: (len(o.Args) > 1 || o.Has("v")) && !o.Has("q")}
	c.EachFile(o.Args, func(name string, r io.Reader) error {
		b.show(name)
		if a.sign == '+' {
			return tailFrom(c, r, a)
		}
		return tailLast(c, r, a)
	})
	if (o.Has("f") || o.Has("F")) && len(o.Args) == 1 && c.Status() == 0 {
		follow(c, o.Args[0])
	}
	return c.Status()
}

// tailFrom prints from the n-th line or byte, counted from 1.
func tailFrom(c *app.Ctx, r io.Reader, a amount) error {
	skip := max(0, a.n-1)
	if a.bytes {
		if _, err := io.CopyN(io.Discard, r, skip); err != nil {
			return nil
		}
		_, err := io.Copy(c.Out, r)
		return err
	}
	return eachLine(r, func(line []byte) bool {
		if skip > 0 {
			skip--
		} else {
			c.Out.Write(line)
		}
		return true
	})
}

func tailLast(c *app.Ctx, r io.Reader, a amount) error {
	if a.bytes {
		var keep []byte
		buf := make([]byte, 64<<10)
		for {
			n, err := r.Read(buf)
			keep = append(keep, buf[:n]...)
			keep = keep[max(0, int64(len(keep))-a.n):]
			if err != nil {
				c.Out.Write(keep)
				if err == io.EOF {
					err = nil
				}
				return err
			}
		}
	}
	var ring []string
	err := eachLine(r, func(line []byte) bool {
		if ring = append(ring, string(line)); int64(len(ring)) > a.n {
			ring = ring[1:]
		}
		return true
	})
	for _, line := range ring {
		c.Out.WriteString(line)
	}
	return err
}

// follow prints what is appended to a file, looking every 200 ms.
func follow(c *app.Ctx, name string) {
	f, err := os.Open(name)
	if err != nil {
		c.Fail(name, err)
		return
	}
	defer f.Close()
	at, _ := f.Seek(0, io.SeekEnd)
	for {
		c.Out.Flush()
		if st, err := f.Stat(); err == nil && st.Size() < at {
			at, _ = f.Seek(0, io.SeekStart)
		}
		n, err := io.Copy(c.Out, f)
		if at += n; err != nil {
			c.Fail(name, err)
			return
		}
		if n == 0 {
			time.Sleep(200 * time.Millisecond)
		}
	}
}
