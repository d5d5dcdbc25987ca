// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"strings"
	"testing"
)

// Each bad command line ends in one line on standard error that names what was
// wrong, and status 125.
func TestBadCommandLines(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{"bogus", `unknown command "bogus"`},
		{"--bogus", `unknown flag "--bogus"`},
		{"info all", `info takes no arguments, not "all"`},
		{"version 2", `version takes no arguments`},
		{"run", "ROOT is missing"},
		{"run --", "ROOT is missing"},
		{"run builtin", "COMMAND is missing"},
		{"run builtin --", "COMMAND is missing"},
		{"run --bogus builtin ls", "flag provided but not defined: -bogus"},
		{"run --ncpus", "flag needs an argument: -ncpus"},
		{"run --ncpus many builtin ls", `invalid value "many" for flag -ncpus`},
		{"run --ncpus -1 builtin ls", "--ncpus -1"},
		{"run --pids 1 builtin ls", "--pids 1: want 4 to"},
		{"run --rw=perhaps builtin ls", `invalid boolean value "perhaps" for -rw`},
		{"run --volume /a builtin ls", `--volume "/a": want HOST:GUEST[:ro]`},
		{"run --volume /a:b builtin ls", "absolute GUEST"},
		{"run --volume /a:/b:rx builtin ls", "want HOST:GUEST[:ro]"},
		{"run --volume :/b builtin ls", "want HOST:GUEST[:ro]"},
		{"run --env =x builtin ls", `--env "=x": want NAME=VALUE`},
		{"run --strace=/nonexistent/dir/file builtin ls", "--strace: open /nonexistent/dir/file"},
	} {
		var out, msg bytes.Buffer
		status := runCommand(strings.Fields(c.line), &out, &msg)
		text := msg.String()
		if status != 125 || out.Len() != 0 || strings.Count(text, "\n") != 1 ||
			!strings.HasPrefix(text, "lodger: ") || !strings.Contains(text, c.want) {
			t.Errorf("lodger %s: status %d, stdout %q, stderr %q; want 125 and %q", c.line, status, out.String(), text, c.want)
		}
	}
}

// What was asked for comes on standard output.
func TestHelp(t *testing.T) {
	for line, want := range map[string]string{
		"help":       "lodger run [flags] ROOT",
		"--help":     "lodger info",
		"run --help": "-volume",
		"version":    "lodger ",
	} {
		var out, msg bytes.Buffer
		if status := runCommand(strings.Fields(line), &out, &msg); status != 0 || msg.Len() != 0 || !strings.Contains(out.String(), want) {
			t.Errorf("lodger %s: status %d, stdout %q, stderr %q", line, status, out.String(), msg.String())
		}
	}
}

func TestParseRun(t *testing.T) {
	o, err := parseRun(strings.Fields("--rw --strace=log --volume /a:/b:ro --env A=1 --env B -ncpus=2 /root -- sh -c x --rw"))
	if err != nil {
		t.Fatal(err)
	}
	c := o.cfg
	if !c.RW || c.Root != "/root" || strings.Join(c.Command, " ") != "sh -c x --rw" || c.NCPUs != 2 || o.strace.file != "log" ||
		len(c.Volumes) != 1 || c.Volumes[0].Host != "/a" || c.Volumes[0].Guest != "/b" || !c.Volumes[0].ReadOnly ||
		strings.Join(o.env, " ") != "A=1 B" {
		t.Errorf("%+v", o)
	}
}

// FuzzParseRun: no command line makes the parser panic, and what it accepts can
// be acted upon.
func FuzzParseRun(f *testing.F) {
	for _, s := range []string{
		"builtin ls", "--rw -- / sh", "--volume /a:/b:ro x y", "--strace=f --env A= --ncpus 3 a -- b", "--help", "-=", "--pids=0x10 a b",
	} {
		f.Add(strings.ReplaceAll(s, " ", "\x00"))
	}
	f.Fuzz(func(t *testing.T, line string) {
		o, err := parseRun(strings.Split(line, "\x00"))
		if err != nil {
			if strings.TrimSpace(err.Error()) == "" {
				t.Error("an error without text")
			}
			return
		}
		if o.cfg.Root == "" || len(o.cfg.Command) == 0 || o.cfg.PIDs < 4 || o.cfg.NCPUs < 0 {
			t.Errorf("accepted %q as %+v", line, o.cfg)
		}
		for _, v := range o.cfg.Volumes {
			if v.Host == "" || !strings.HasPrefix(v.Guest, "/") {
				t.Errorf("accepted volume %+v", v)
			}
		}
	})
}
