// SPDX-License-Identifier: Apache-2.0

// Package userland is the world of the built-in guest: a shell and the core
// utilities, linked into the one executable that is also the kernel, in the
// manner of busybox. In the guest every program is a link to that executable,
// which looks up its argv[0] here.
//
// It is guest code: it runs on top of a kernel (Lodger's or the host's) through
// ordinary system calls and knows nothing of Lodger's inside.
//
// The Go runtime and all package initialisation are paid at each start of a
// program, so nothing here has an init function or a table built at start, and
// no library with costly initialisation is used.
package userland

import (
	"os"
	"os/signal"
	"path"
	"strings"
	"syscall"

	"lodger/userland/app"
	"lodger/userland/archive"
	"lodger/userland/file"
	"lodger/userland/shell"
	"lodger/userland/system"
	"lodger/userland/text"
)

// Entry is one built-in program and the place of its link in the guest.
type Entry struct {
	Name string // argv[0]
	Path string // absolute
}

func table() []app.Applet {
	var all []app.Applet
	for _, family := range [][]app.Applet{
		shell.Applets(), file.Applets(), text.Applets(), system.Applets(), archive.Applets(),
	} {
		all = append(all, family...)
	}
	return all
}

// Lookup finds the built-in program that argv0 names: its last component,
// without the "-" that marks a login shell. The function runs the program with
// the arguments after argv0 on the standard streams and returns the exit status.
func Lookup(argv0 string) (func(args []string) int, bool) {
	a, login := find(argv0)
	if a == nil {
		return nil, false
	}
	return func(args []string) int {
		dieOnQuit()
		if login {
			args = append([]string{"-l"}, args...)
		}
		return a.Run(args, os.Stdin, os.Stdout, os.Stderr)
	}, true
}

// dieOnQuit ends the program on SIGQUIT with the status that a shell shows, instead
// of the Go runtime's print of all stacks.
func dieOnQuit() {
	ch := make(chan os.Signal, 1)
	signal.Notify(ch, syscall.SIGQUIT)
	go func() {
		<-ch
		os.Exit(128 + int(syscall.SIGQUIT))
	}()
}

func find(argv0 string) (a *app.Applet, login bool) {
	name, login := strings.CutPrefix(path.Base(argv0), "-")
	for _, a := range table() {
		if a.Name == name {
			return &a, login && a.Dir == "/bin" && (name == "sh" || name == "gosh")
		}
	}
	return nil, false
}

// Names lists all built-in programs, with where they live.
func Names() []Entry {
	var list []Entry
	for _, a := range table() {
		list = append(list, Entry{Name: a.Name, Path: a.Dir + "/" + a.Name})
	}
	return list
}
