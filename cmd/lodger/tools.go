// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// tools runs the host's programs.
type tools struct {
	ctx context.Context
	ids []string // see idMapping
}

// toolPackage is the Debian package of a program.
func toolPackage(name string) string {
	switch name {
	case "mkfs.ext4":
		return "e2fsprogs"
	case "unshare":
		return "util-linux"
	case "newuidmap":
		return "uidmap"
	case "xz":
		return "xz-utils"
	case "du", "rm":
		return "coreutils"
	}
	return name // tar, gzip, bzip2, zstd, mmdebstrap
}

// tool finds a program. An ordinary user's PATH has no sbin.
func tool(name string) (string, error) {
	path, err := exec.LookPath(name)
	if err == nil {
		return path, nil
	}
	for _, dir := range []string{"/usr/local/sbin", "/usr/sbin", "/sbin"} {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return path, nil
		}
	}
	return "", advised{fmt.Errorf("%s is missing; install Debian's package %s", name, toolPackage(name))}
}

// toolError is the failure of a program, with the end of what it said.
type toolError struct {
	name, text string
	err        error
}

func (e *toolError) Error() string {
	if e.text == "" {
		return fmt.Sprintf("%s failed: %v", e.name, e.err)
	}
	return fmt.Sprintf("%s failed: %s", e.name, e.text)
}
func (e *toolError) Unwrap() error { return e.err }

// run runs a program to its end. One that is canceled is asked to stop, with all
// that it started, and has time to tidy up: mmdebstrap has mounts and directories.
func (t *tools) run(stdin io.Reader, stdout io.Writer, name string, args ...string) error {
	const patience = 10 * time.Second
	argv := append(append([]string(nil), t.ids...), name)
	path, err := tool(name)
	if err != nil {
		return err
	}
	argv[len(argv)-1] = path
	argv = append(argv, args...)
	cmd := exec.CommandContext(t.ctx, argv[0], argv[1:]...)
	var msg bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.WaitDelay = stdin, stdout, &msg, patience
	// A group of its own: the terminal's Ctrl-C goes to us alone, and what we pass on
	// reaches the program's children too.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	// Messages are looked into, and shown in our own English lines.
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	err = cmd.Run()
	if t.ctx.Err() != nil {
		if cmd.Process != nil {
			syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // whoever did not listen
		}
		return t.ctx.Err()
	}
	if err != nil {
		return &toolError{name, gist(msg.String()), err}
	}
	return nil
}

// gist keeps what counts of a message, on one line: the first error where errors
// are marked, as apt and mmdebstrap do amid much else, or the end.
func gist(s string) string {
	const most, marked = 3, "E: "
	var keep []string
	for l := range strings.Lines(s) {
		l = strings.TrimRight(strings.TrimSpace(l), ".")
		if text, ok := strings.CutPrefix(l, marked); ok {
			return text
		}
		if l != "" {
			keep = append(keep, l)
		}
	}
	return strings.Join(keep[max(0, len(keep)-most):], "; ")
}

// idMapping gives the command before all others that lets an ordinary user make
// files of root and others: a user name space in which the user is root, and the
// subordinate ids of subuid(5) are the rest. A directory alone does without those:
// what is the user's becomes root's, as where a guest runs in it.
func idMapping(ctx context.Context, owners bool) ([]string, error) {
	if os.Geteuid() == 0 {
		return nil, nil
	}
	path, err := tool("unshare")
	if err != nil {
		return nil, err
	}
	try := func(ids ...string) ([]string, error) {
		ids = append([]string{path}, ids...)
		out, err := exec.CommandContext(ctx, ids[0], append(ids[1:], "true")...).CombinedOutput()
		if err != nil {
			return nil, errors.New(gist(string(out)))
		}
		return ids, nil
	}
	ids, err := try("--map-root-user", "--map-auto")
	if err == nil {
		return ids, nil
	}
	if !owners {
		if ids, err = try("--map-root-user"); err == nil {
			return ids, nil
		}
		return nil, advised{fmt.Errorf("no user name space (%w); allow them on the host, or run this as root", err)}
	}
	return nil, advised{fmt.Errorf("the files' owners cannot be kept (%w); install Debian's package uidmap and give yourself a line in /etc/subuid "+
		"and /etc/subgid, or run this as root", err)}
}
