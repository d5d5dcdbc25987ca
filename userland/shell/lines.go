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
	"mvdan.cc/sh/v3/syntax"
)

// errInterrupted is what reading a line returns after ctrl-C.
var errInterrupted = errors.New("interrupted")

// lines reads standard input line by line and runs each as soon as it is a
// whole command. It takes no byte beyond the line, so that the commands can
// read what follows.
func (s *shell) lines(interactive bool) int {
	next := s.readLine
	if interactive {
		s.intr.catch()
		next = s.editor()
	}
	status, text := 0, ""
	for {
		prompt := ""
		if interactive {
			prompt = s.prompt(text != "")
		}
		line, err := next(prompt)
		if errors.Is(err, errInterrupted) {
			text = ""
			s.setStatus(130)
			continue
		}
		text += line
		if err == nil && continued(text) {
			continue
		}
		prog, perr := newParser().Parse(strings.NewReader(text), s.name)
		if perr != nil && err == nil && syntax.IsIncomplete(perr) {
			continue
		}
		text = ""
		exit := false
		if perr != nil {
			s.complain(perr)
			status = 2
			s.setStatus(2)
			exit = !interactive
		} else if len(prog.Stmts) > 0 {
			status, exit = s.stmts(prog.Stmts)
		}
		if exit {
			return status
		}
		if err != nil {
			if interactive {
				fmt.Fprintln(s.stderr, "exit")
			}
			s.runner.Run(context.Background(), &syntax.File{}) // for the exit trap
			return status
		}
	}
}

// continued says whether the text ends in an escaped newline.
func continued(text string) bool {
	body, ok := strings.CutSuffix(text, "\n")
	return ok && (len(body)-len(strings.TrimRight(body, `\`)))%2 == 1
}

// readLine reads up to a newline, byte by byte.
func (s *shell) readLine(prompt string) (string, error) {
	io.WriteString(s.stderr, prompt)
	var line []byte
	var b [1]byte
	for {
		n, err := s.stdin.Read(b[:])
		if n > 0 {
			if line = append(line, b[0]); b[0] == '\n' {
				return string(line), nil
			}
		}
		if err != nil || n == 0 {
			return string(line), io.EOF
		}
	}
}

// prompt is PS1 or PS2, or without them user@host:dir# and "> ".
func (s *shell) prompt(more bool) string {
	name, form := "PS1", `\u@\h:\w\$ `
	if more {
		name, form = "PS2", "> "
	}
	if v, ok := s.runner.Vars[name]; ok && v.IsSet() {
		form = v.String()
	} else if v := os.Getenv(name); v != "" {
		form = v
	}
	host, _ := os.Hostname()
	host, _, _ = strings.Cut(host, ".")
	home := os.Getenv("HOME")
	if home == "" {
		home = "/root"
	}
	dir := s.runner.Dir
	if rest, ok := strings.CutPrefix(dir, home); ok && home != "/" && (rest == "" || rest[0] == '/') {
		dir = "~" + rest
	}
	user, mark := os.Getenv("USER"), "$"
	if os.Geteuid() == 0 {
		mark = "#"
		if user == "" {
			user = "root"
		}
	}
	return strings.NewReplacer(`\u`, user, `\h`, host, `\w`, dir, `\$`, mark, `\n`, "\r\n", `\e`, "\x1b", `\[`, "", `\]`, "",
		`\\`, `\`).Replace(form)
}

// tty is what the line editor reads and writes. It hands out one byte at a
// time: what is typed ahead stays in the terminal for the next command.
type tty struct {
	in   *os.File
	out  io.Writer
	last byte
}

func (t *tty) Read(p []byte) (int, error) {
	n, err := t.in.Read(p[:1])
	if n == 1 {
		t.last = p[0]
	}
	return n, err
}

func (t *tty) Write(p []byte) (int, error) { return t.out.Write(p) }

// editor returns a line reader with editing and history, or the plain one when
// the terminal cannot be set raw.
func (s *shell) editor() func(prompt string) (string, error) {
	fd := int(s.stdin.Fd())
	if os.Getenv("TERM") == "dumb" || !term.IsTerminal(fd) {
		return s.readLine
	}
	t := &tty{in: s.stdin, out: s.stderr}
	if term.IsTerminal(1) {
		t.out = s.stdout
	}
	ed := term.NewTerminal(t, "")
	ed.AutoCompleteCallback = s.complete
	return func(prompt string) (string, error) {
		old, err := term.MakeRaw(fd)
		if err != nil {
			return s.readLine(prompt)
		}
		defer term.Restore(fd, old)
		if w, h, err := term.GetSize(fd); err == nil && w > 0 && h > 0 {
			ed.SetSize(w, h)
		}
		ed.SetPrompt(prompt)
		t.last = 0
		line, err := ed.ReadLine()
		if err == io.EOF && t.last == 3 {
			// The editor keeps the abandoned line: go on with a new one.
			io.WriteString(t, "^C\r\n")
			history := ed.History
			ed = term.NewTerminal(t, "")
			ed.AutoCompleteCallback = s.complete
			ed.History = history
			return "", errInterrupted
		}
		if err != nil && !errors.Is(err, term.ErrPasteIndicator) {
			io.WriteString(t, "\r\n")
			return "", io.EOF
		}
		return line + "\n", nil
	}
}
