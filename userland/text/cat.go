// SPDX-License-Identifier: Apache-2.0

package text

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"

	"lodger/userland/app"
)

func cat(c *app.Ctx, args []string) int {
	o, status, ok := c.Parse(args, "n|number b|number-nonblank s|squeeze-blank A|show-all E|show-ends T|show-tabs v|show-nonprinting e t u")
	if !ok {
		return status
	}
	plain := len(o.Order) == o.Count("u")
	number, blank := 0, false
	c.EachFile(o.Args, func(_ string, r io.Reader) error {
		if plain {
			return copyThrough(c, r)
		}
		return eachLine(r, func(line []byte) bool {
			empty := len(bytes.TrimRight(line, "\n")) == 0
			if o.Has("s") && empty && blank {
				return true
			}
			blank = empty
			if o.Has("b") && !empty || o.Has("n") && !o.Has("b") {
				number++
				fmt.Fprintf(c.Out, "%6d\t", number)
			}
			showLine(c.Out, o, line)
			return true
		})
	})
	return c.Status()
}

// copyThrough hands data on as it comes, so that "cat" in a pipe or on a
// terminal answers at once.
func copyThrough(c *app.Ctx, r io.Reader) error {
	buf := make([]byte, 128<<10)
	for {
		n, err := r.Read(buf)
		if n > 0 {
			c.Out.Write(buf[:n])
			if e := c.Out.Flush(); e != nil {
				return nil // reported when the program ends
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// showLine makes ends, tabs and control characters visible as asked.
func showLine(out *bufio.Writer, o *app.Opts, line []byte) {
	ends := o.Has("A") || o.Has("E") || o.Has("e")
	tabs := o.Has("A") || o.Has("T") || o.Has("t")
	other := o.Has("A") || o.Has("v") || o.Has("e") || o.Has("t")
	for _, b := range line {
		switch {
		case b == '\n':
			if ends {
				out.WriteByte('$')
			}
			out.WriteByte(b)
			continue
		case b == '\t':
			if tabs {
				out.WriteString("^I")
			} else {
				out.WriteByte(b)
			}
			continue
		case !other:
			out.WriteByte(b)
			continue
		}
		if b >= 128 {
			out.WriteString("M-")
			b -= 128
		}
		switch {
		case b == 127:
			out.WriteString("^?")
		case b < 32:
			out.Write([]byte{'^', b + 64})
		default:
			out.WriteByte(b)
		}
	}
}

// eachLine calls do with each line and its newline; the last may lack one.
func eachLine(r io.Reader, do func(line []byte) bool) error {
	in := bufio.NewReaderSize(r, 64<<10)
	var long []byte
	for {
		line, err := in.ReadSlice('\n')
		if err == bufio.ErrBufferFull {
			long = append(long, line...)
			continue
		}
		if len(long) > 0 {
			line = append(long, line...)
			long = nil
		}
		if len(line) > 0 && !do(line) {
			return nil
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func tac(c *app.Ctx, args []string) int {
	o, status, ok := c.Parse(args, "")
	if !ok {
		return status
	}
	c.EachFile(o.Args, func(_ string, r io.Reader) error {
		var lines []string
		err := eachLine(r, func(line []byte) bool { lines = append(lines, string(line)); return true })
		for i := len(lines) - 1; i >= 0; i-- {
			c.Out.WriteString(lines[i])
		}
		return err
	})
	return c.Status()
}

func tee(c *app.Ctx, args []string) int {
	o, status, ok := c.Parse(args, "a|append i|ignore-interrupts p")
	if !ok {
		return status
	}
	flags := os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	if o.Has("a") {
		flags = os.O_WRONLY | os.O_CREATE | os.O_APPEND
	}
	var files []*os.File
	for _, name := range o.Args {
		f, err := os.OpenFile(name, flags, 0o666)
		if err != nil {
			c.Fail(name, err)
			continue
		}
		defer f.Close()
		files = append(files, f)
	}
	buf := make([]byte, 64<<10)
	for {
		n, err := c.In.Read(buf)
		for _, f := range files {
			if _, e := f.Write(buf[:n]); e != nil {
				c.Fail(f.Name(), e)
			}
		}
		c.Out.Write(buf[:n])
		if c.Out.Flush(); err != nil {
			return c.Status()
		}
	}
}

func clearMain(c *app.Ctx, _ []string) int {
	c.Out.WriteString("\x1b[H\x1b[2J\x1b[3J")
	return 0
}

func yes(c *app.Ctx, args []string) int {
	line := "y\n"
	if len(args) > 0 {
		line = strings.Join(args, " ") + "\n"
	}
	block := []byte(strings.Repeat(line, 1+8192/len(line)))
	for {
		if _, err := c.Out.Write(block); err != nil {
			return 1
		}
	}
}
