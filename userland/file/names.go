// SPDX-License-Identifier: Apache-2.0

package file

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"lodger/userland/app"
)

func basename(c *app.Ctx, args []string) int {
	o, status, ok := c.Parse(args, "+a|multiple s|suffix: z|zero")
	if !ok {
		return status
	}
	names, suffix := o.Args, o.Str("s", "")
	switch {
	case len(names) == 0:
		return c.Missing()
	case !o.Has("a") && !o.Has("s"):
		if len(names) > 2 {
			return c.BadUsage("extra operand %s", app.Quote(names[2]))
		}
		if len(names) == 2 {
			names, suffix = names[:1], names[1]
		}
	}
	for _, name := range names {
		base := name
		if name != "" {
			base = filepath.Base(name)
		}
		if base != suffix {
			base = strings.TrimSuffix(base, suffix)
		}
		fmt.Fprint(c.Out, base, lineEnd(o))
	}
	return 0
}

func lineEnd(o *app.Opts) string {
	if o.Has("z") {
		return "\x00"
	}
	return "\n"
}

func dirname(c *app.Ctx, args []string) int {
	o, status, ok := c.Parse(args, "z|zero")
	if !ok {
		return status
	}
	if len(o.Args) == 0 {
		return c.Missing()
	}
	for _, name := range o.Args {
		fmt.Fprint(c.Out, dirOf(name), lineEnd(o))
	}
	return 0
}

// dirOf is dirname(3): it does not clean the path as filepath.Dir would.
func dirOf(name string) string {
	s := strings.TrimRight(name, "/")
	if s == "" {
		if name != "" {
			return "/"
		}
		return "."
	}
	i := strings.LastIndexByte(s, '/')
	if i < 0 {
		return "."
	}
	if s = strings.TrimRight(s[:i], "/"); s == "" {
		return "/"
	}
	return s
}

func pwd(c *app.Ctx, args []string) int {
	o, status, ok := c.Parse(args, "L P")
	if !ok {
		return status
	}
	dir, err := unix.Getwd()
	if err != nil {
		c.Fail("cannot get the current directory", err)
		return 1
	}
	if env := os.Getenv("PWD"); o.Last("LP") == "L" && filepath.IsAbs(env) {
		a, err1 := os.Stat(env)
		b, err2 := os.Stat(".")
		if err1 == nil && err2 == nil && os.SameFile(a, b) {
			dir = env
		}
	}
	fmt.Fprintln(c.Out, dir)
	return 0
}

func readlink(c *app.Ctx, args []string) int {
	o, status, ok := c.Parse(args, "f|canonicalize e|canonicalize-existing m|canonicalize-missing n|no-newline z|zero q s v")
	if !ok {
		return status
	}
	if len(o.Args) == 0 {
		return c.Missing()
	}
	status = 0
	for _, name := range o.Args {
		var target string
		var err error
		if how := o.Last("fem"); how != "" {
			target, err = canonical(name, how)
		} else {
			target, err = os.Readlink(name)
		}
		if err != nil {
			if o.Has("v") {
				c.Fail(name, err)
			}
			status = 1
			continue
		}
		c.Out.WriteString(target)
		if !o.Has("n") || len(o.Args) > 1 {
			c.Out.WriteString(lineEnd(o))
		}
	}
	return status
}

func realpath(c *app.Ctx, args []string) int {
	o, status, ok := c.Parse(args, "e|canonicalize-existing m|canonicalize-missing s|strip|no-symlinks z|zero q|quiet L P")
	if !ok {
		return status
	}
	if len(o.Args) == 0 {
		return c.Missing()
	}
	for _, name := range o.Args {
		how := o.Last("ems")
		if how == "" {
			how = "f"
		}
		path, err := canonical(name, how)
		if err != nil {
			c.Fail(name, err)
			continue
		}
		fmt.Fprint(c.Out, path, lineEnd(o))
	}
	return c.Status()
}

// canonical resolves symbolic links. how is "e": everything must exist, "f":
// all but the last component must, "m": nothing must, "s": links stay.
func canonical(name, how string) (string, error) {
	if name == "" {
		return "", unix.ENOENT
	}
	abs := name
	if !filepath.IsAbs(name) {
		dir, err := unix.Getwd()
		if err != nil {
			return "", err
		}
		abs = dir + "/" + name
	}
	if how == "s" {
		return filepath.Clean(abs), nil
	}
	todo := strings.Split(abs, "/")
	path, links := "", 0
	for len(todo) > 0 {
		part := todo[0]
		todo = todo[1:]
		switch part {
		case "", ".":
			continue
		case "..":
			path = path[:max(0, strings.LastIndexByte(path, '/'))]
			continue
		}
		next := path + "/" + part
		target, err := os.Readlink(next)
		if err == nil {
			if links++; links > 40 {
				return "", unix.ELOOP
			}
			if filepath.IsAbs(target) {
				path = ""
			}
			todo = append(strings.Split(target, "/"), todo...)
			continue
		}
		if _, err := os.Lstat(next); err != nil && how != "m" {
			last := strings.Join(todo, "") == ""
			if how == "e" || !last || !os.IsNotExist(err) {
				return "", err
			}
		}
		path = next
	}
	if path == "" {
		path = "/"
	}
	return path, nil
}
