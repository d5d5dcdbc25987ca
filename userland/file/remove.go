// SPDX-License-Identifier: Apache-2.0

package file

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"lodger/userland/app"
)

type remover struct {
	c         *app.Ctx
	recursive bool
	force     bool
	ask       bool
	dirs      bool
	verbose   bool
	answers   *bufio.Reader
}

func rm(c *app.Ctx, args []string) int {
	o, status, ok := c.Parse(args, "r|recursive R f|force i I v|verbose d|dir one-file-system preserve-root? no-preserve-root interactive?")
	if !ok {
		return status
	}
	r := &remover{c: c, recursive: o.Has("r") || o.Has("R"), force: o.Last("fi") == "f",
		ask: o.Last("fi") == "i", dirs: o.Has("d"), verbose: o.Has("v")}
	if len(o.Args) == 0 && !r.force {
		return c.Missing()
	}
	for _, name := range o.Args {
		switch base := filepath.Base(name); {
		case base == "." || base == "..":
			c.Errorf("refusing to remove '.' or '..' directory: skipping %s", app.Quote(name))
		case base == "/" && r.recursive && !o.Has("no-preserve-root"):
			c.Errorf("it is dangerous to operate recursively on '/'")
			c.Errorf("use --no-preserve-root to override this failsafe")
		default:
			r.remove(name)
		}
	}
	return c.Status()
}

// remove removes name and, with -r, what is below it; false means it is still
// there.
func (r *remover) remove(name string) bool {
	st, err := os.Lstat(name)
	if err != nil {
		if os.IsNotExist(err) && r.force {
			return true
		}
		r.fail(name, err)
		return false
	}
	if !st.IsDir() {
		if r.ask && !ask(r.c, &r.answers, fmt.Sprintf("remove file %s? ", app.Quote(name))) {
			return false
		}
		return r.done(name, unix.Unlink(name), "removed")
	}
	if !r.recursive && !r.dirs {
		r.fail(name, unix.EISDIR)
		return false
	}
	if r.recursive && !r.below(name) {
		return false
	}
	if r.ask && !ask(r.c, &r.answers, fmt.Sprintf("remove directory %s? ", app.Quote(name))) {
		return false
	}
	return r.done(name, unix.Rmdir(name), "removed directory")
}

// below empties a directory.
func (r *remover) below(name string) bool {
	f, err := os.Open(name)
	if err != nil {
		r.fail(name, err)
		return false
	}
	list, err := f.Readdirnames(-1)
	f.Close()
	if err != nil {
		r.fail(name, err)
		return false
	}
	if r.ask && len(list) > 0 && !ask(r.c, &r.answers, fmt.Sprintf("descend into directory %s? ", app.Quote(name))) {
		return false
	}
	empty := true
	for _, sub := range list {
		empty = r.remove(name+"/"+sub) && empty
	}
	return empty
}

func (r *remover) done(name string, err error, word string) bool {
	if err != nil {
		r.fail(name, err)
		return false
	}
	if r.verbose {
		fmt.Fprintf(r.c.Out, "%s %s\n", word, app.Quote(name))
	}
	return true
}

func (r *remover) fail(name string, err error) {
	r.c.Errorf("cannot remove %s: %s", app.Quote(name), app.Reason(err))
}

func rmdir(c *app.Ctx, args []string) int {
	o, status, ok := c.Parse(args, "p|parents v|verbose ignore-fail-on-non-empty")
	if !ok {
		return status
	}
	if len(o.Args) == 0 {
		return c.Missing()
	}
	for _, name := range o.Args {
		for {
			if o.Has("v") {
				fmt.Fprintf(c.Out, "rmdir: removing directory, %s\n", app.Quote(name))
			}
			if err := unix.Rmdir(name); err != nil {
				if err != unix.ENOTEMPTY || !o.Has("ignore-fail-on-non-empty") {
					c.Errorf("failed to remove %s: %s", app.Quote(name), app.Reason(err))
				}
				break
			}
			if name = dirOf(name); !o.Has("p") || name == "." || name == "/" {
				break
			}
		}
	}
	return c.Status()
}

func unlink(c *app.Ctx, args []string) int {
	o, status, ok := c.Parse(args, "")
	if !ok {
		return status
	}
	if len(o.Args) != 1 {
		return c.Missing()
	}
	if err := unix.Unlink(o.Args[0]); err != nil {
		c.Errorf("cannot unlink %s: %s", app.Quote(o.Args[0]), app.Reason(err))
	}
	return c.Status()
}
