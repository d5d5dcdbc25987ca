// SPDX-License-Identifier: Apache-2.0

package shell

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/interp"
	"mvdan.cc/sh/v3/syntax"

	"lodger/userland/app"
)

// DefaultPath is PATH when the environment has none.
const DefaultPath = "/bin:/sbin:/usr/bin:/usr/sbin"

// Applets is the table of this family.
func Applets() []app.Applet {
	usage := "[-efilnsux] [-o OPTION] [-c COMMAND [NAME] | SCRIPT] [ARG]...\nThe command interpreter."
	return []app.Applet{
		{Name: "sh", Dir: "/bin", Usage: usage, Main: Main, Trouble: 2},
		{Name: "gosh", Dir: "/bin", Usage: usage, Main: Main, Trouble: 2},
	}
}

type shell struct {
	runner *interp.Runner
	stdin  *os.File
	stdout io.Writer
	stderr io.Writer
	name   string // $0
	intr   interrupts
	// inPlace are the simple commands that may replace this process.
	inPlace map[syntax.Pos]bool
}

// options are the parsed arguments of sh.
type options struct {
	command     string
	hasCommand  bool
	login       bool
	interactive bool
	stdin       bool
	set         []string // for the set builtin
	args        []string
}

// Main is the program sh.
func Main(c *app.Ctx, args []string) int {
	o, status, ok := parse(c, args)
	if !ok {
		return status
	}
	c.Out.Flush()
	s := &shell{name: c.Name, stdout: c.Stdout(), stderr: c.Err}
	s.stdin, _ = c.In.(*os.File)
	if s.stdin == nil {
		return c.BadUsage("standard input is not a file")
	}
	run := s.lines
	switch {
	case o.hasCommand:
		if len(o.args) > 0 {
			s.name, o.args = o.args[0], o.args[1:]
		}
		run = func(bool) int { return s.script(o.command) }
	case len(o.args) > 0 && !o.stdin:
		s.name, o.args = o.args[0], o.args[1:]
		text, err := os.ReadFile(s.name)
		if err != nil {
			c.Errorf("cannot open %s: %s", s.name, app.Reason(err))
			if os.IsNotExist(err) {
				return 127
			}
			return 126
		}
		run = func(bool) int { return s.script(string(text)) }
	default:
		o.interactive = o.interactive || term.IsTerminal(int(s.stdin.Fd()))
	}
	if err := s.start(o); err != nil {
		c.Errorf("%v", err)
		return 2
	}
	if o.login {
		s.profile()
	}
	return run(o.interactive)
}

func parse(c *app.Ctx, args []string) (o options, status int, ok bool) {
	for len(args) > 0 && len(args[0]) > 1 && (args[0][0] == '-' || args[0][0] == '+') {
		arg := args[0]
		args = args[1:]
		switch arg {
		case "--":
			o.args = args
			return o, 0, o.finish(c)
		case "--help", "-h":
			c.Help()
			return o, 0, false
		case "--login":
			o.login = true
			continue
		}
		sign := arg[:1]
		for _, l := range arg[1:] {
			switch l {
			case 'c':
				o.hasCommand = true
			case 'l':
				o.login = true
			case 'i':
				o.interactive = true
			case 's':
				o.stdin = true
			case 'o':
				if len(args) == 0 {
					return o, c.BadUsage("option requires an argument -- 'o'"), false
				}
				o.set = append(o.set, sign+"o", args[0])
				args = args[1:]
			case 'e', 'f', 'n', 'u', 'x', 'a':
				o.set = append(o.set, sign+string(l))
			case 'm', 'b', 'v', 'C', 'E', 'p', 'h':
			default:
				return o, c.BadUsage("invalid option -- '%c'", l), false
			}
		}
	}
	o.args = args
	return o, 2, o.finish(c)
}

func (o *options) finish(c *app.Ctx) bool {
	if !o.hasCommand {
		return true
	}
	if len(o.args) == 0 {
		c.Errorf("-c requires an argument")
		return false
	}
	o.command, o.args = o.args[0], o.args[1:]
	return true
}

// start makes the interpreter.
func (s *shell) start(o options) error {
	env := os.Environ()
	if os.Getenv("PATH") == "" {
		env = append(env, "PATH="+DefaultPath)
	}
	if os.Getenv("HOME") == "" {
		env = append(env, "HOME=/root")
	}
	params := append(append(o.set, "--"), o.args...)
	var err error
	s.runner, err = interp.New(
		interp.Env(expand.ListEnviron(env...)),
		interp.StdIO(s.stdin, s.stdout, s.stderr),
		interp.Interactive(o.interactive),
		interp.Params(params...),
		interp.CallHandler(s.call),
		interp.ExecHandlers(func(interp.ExecHandlerFunc) interp.ExecHandlerFunc { return s.exec }),
	)
	return err
}

// profile reads what a login shell reads.
func (s *shell) profile() {
	for _, name := range []string{"/etc/profile", os.Getenv("HOME") + "/.profile"} {
		text, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		prog, err := newParser().Parse(strings.NewReader(string(text)), name)
		if err != nil {
			s.complain(err)
			continue
		}
		s.stmts(prog.Stmts)
	}
}

func newParser() *syntax.Parser { return syntax.NewParser(syntax.Variant(syntax.LangBash)) }

// script runs a whole text, as of -c or of a script file.
func (s *shell) script(text string) int {
	prog, err := newParser().Parse(strings.NewReader(text), s.name)
	if err != nil {
		s.complain(err)
		return 2
	}
	if len(prog.Stmts) == 1 {
		s.inPlace = replaceable(prog.Stmts[0], true)
	} else {
		s.inPlace = map[syntax.Pos]bool{}
		for _, st := range prog.Stmts {
			for pos := range replaceable(st, false) {
				s.inPlace[pos] = true
			}
		}
	}
	return s.status(s.runner.Run(context.Background(), prog))
}

// stmts runs statements in the shell itself and says whether it is to exit.
func (s *shell) stmts(list []*syntax.Stmt) (status int, exit bool) {
	for _, st := range list {
		s.inPlace = replaceable(st, false)
		ctx, done := s.intr.begin()
		err := s.runner.Run(ctx, st)
		cancelled := ctx.Err() != nil
		done()
		if cancelled {
			fmt.Fprintln(s.stderr) // after the ^C
			s.setStatus(130)
			return 130, false
		}
		status = s.status(err)
		if s.runner.Exited() {
			return status, true
		}
	}
	return status, false
}

// setStatus makes n the value of $?.
func (s *shell) setStatus(n int) {
	prog, err := newParser().Parse(strings.NewReader(fmt.Sprintf("(exit %d)", n)), "")
	if err == nil {
		interp.StdIO(s.stdin, s.stdout, s.stderr)(s.runner)
		s.runner.Run(context.Background(), prog.Stmts[0])
	}
}

func (s *shell) status(err error) int {
	var es interp.ExitStatus
	switch {
	case err == nil:
		return 0
	case errors.As(err, &es):
		return int(es)
	}
	s.complain(err)
	return 1
}

func (s *shell) complain(err error) {
	fmt.Fprintf(s.stderr, "%s: %v\n", s.name, err)
}
