// SPDX-License-Identifier: Apache-2.0

// Package app is the small frame that every built-in program stands in: its
// streams, the reporting of errors in the form of the GNU core utilities, and
// getopt(3)-like option parsing.
//
// A program is a plain function of a Ctx and its arguments; it holds no global
// state, so tests run programs in their own process with other streams.
package app

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
)

// Main is the body of a built-in program. It returns the exit status.
type Main func(c *Ctx, args []string) int

// Applet is one row of the table of built-in programs.
type Applet struct {
	Name  string // base name, as in argv[0]
	Dir   string // where it lives: "/bin", "/sbin", "/usr/bin"
	Usage string // "[OPTION]... FILE...\nWhat it does"
	Main  Main

	Trouble int  // exit status of a usage error when it is not 1
	Literal bool // --help is an argument like any other
}

// Ctx is what a running program sees of the world beside the system calls.
type Ctx struct {
	Name  string
	Usage string
	In    io.Reader
	Out   *bufio.Writer // flushed when the program returns
	Err   io.Writer

	stdout  io.Writer // Out without its buffer, for children
	status  int
	trouble int
}

// Run runs a with the given streams and returns its exit status.
func (a *Applet) Run(args []string, in io.Reader, out, err io.Writer) int {
	c := &Ctx{Name: a.Name, Usage: a.Usage, In: in, Out: bufio.NewWriterSize(out, 32<<10), Err: err, stdout: out, trouble: max(a.Trouble, 1)}
	status := 0
	if len(args) == 1 && args[0] == "--help" && !a.Literal {
		c.Help()
	} else {
		status = a.Main(c, args)
	}
	if e := c.Out.Flush(); e != nil && !errors.Is(e, syscall.EPIPE) {
		c.Errorf("write error: %s", Reason(e))
		if status == 0 {
			status = 1
		}
	}
	return status
}

// Errorf reports "name: message" on standard error and remembers
// the failure for Status.
// Output so far is flushed first, so that the two appear
// in order.
func (c *Ctx) Errorf(format string, args ...any) {
	c.Out.Flush()
	fmt.Fprintf(c.Err, "%s: %s\n", c.Name, fmt.Sprintf(format, args...))
	c.status = c.trouble
}

// Fail reports err about what was tried, as "name: what: reason".
func (c *Ctx) Fail(what string, err error) {
	c.Errorf("%s: %s", what, Reason(err))
}

// Status is the status of trouble (mostly 1) once an error was reported, else 0.
func (c *Ctx) Status() int { return c.status }

// BadUsage reports a usage error and returns its exit status.
func (c *Ctx) BadUsage(format string, args ...any) int {
	c.Errorf(format, args...)
	fmt.Fprintf(c.Err, "Try '%s --help' for more information.\n", c.Name)
	return c.trouble
}

// Missing reports that an operand is missing and returns the exit status.
func (c *Ctx) Missing() int { return c.BadUsage("missing operand") }

// Help prints the help text.
func (c *Ctx) Help() {
	fmt.Fprintf(c.Out, "Usage: %s %s\n", c.Name, c.Usage)
}

// Open opens a file for reading; "-" is standard input. An error is reported.
func (c *Ctx) Open(name string) (io.ReadCloser, bool) {
	if name == "-" {
		return io.NopCloser(c.In), true
	}
	f, err := os.Open(name)
	if err != nil {
		c.Fail(name, err)
		return nil, false
	}
	return f, true
}

// EachFile calls do with every named file opened, or with standard input when
// there is no name. Errors of opening and reading are reported.
func (c *Ctx) EachFile(names []string, do func(name string, r io.Reader) error) {
	if len(names) == 0 {
		names = []string{"-"}
	}
	for _, name := range names {
		f, ok := c.Open(name)
		if !ok {
			continue
		}
		if err := do(name, f); err != nil {
			c.Fail(name, err)
		}
		f.Close()
	}
}

// Reason is the strerror(3) text of err, without the path that Go adds.
func Reason(err error) string {
	var no syscall.Errno
	if !errors.As(err, &no) {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			no = syscall.ENOENT
		case errors.Is(err, fs.ErrExist):
			no = syscall.EEXIST
		default:
			return err.Error()
		}
	}
	s := no.Error()
	return strings.ToUpper(s[:1]) + s[1:]
}

// Quote puts name in the single quotes that the core utilities use.
func Quote(name string) string {
	return "'" + strings.ReplaceAll(name, "'", `'\''`) + "'"
}

// Stdout is standard output without the buffer of Out, for a program that
// writes through other hands.
func (c *Ctx) Stdout() io.Writer { return c.stdout }
