// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os/signal"
	"strings"
	"syscall"

	boot "lodger/init"
)

// exitProblems is the status of lodger disk check that found some.
const exitProblems = 1

// diskCommand is a subcommand of lodger disk.
type diskCommand struct {
	name, args, about string
	run               func(d *disk, args []string) error
}

// diskCommands lists them; one row each.
func diskCommands() []diskCommand {
	return []diskCommand{
		{"create", "IMAGE --size SIZE", "make an empty raw image, one hole", (*disk).create},
		{"create", "COW --base BASE", "make a COW file over a base that stays as it is", (*disk).create},
		{"create", "IMAGE --from DIR|TAR|SUITE [--size SIZE]", "make an ext4 image of a tree or a Debian suite", (*disk).create},
		{"info", "[--json] FILE", "say what an image is, and the state of its base", (*disk).info},
		{"commit", "COW", "write a COW file into its base, and empty it", (*disk).commit},
		{"rebase", "[--unsafe] COW BASE", "give a COW file another base", (*disk).rebase},
		{"convert", "[--to raw|cow] [--base BASE] SRC DST", "copy a disk into a new image", (*disk).convert},
		{"check", "FILE", "look for damage; status 1 when there is some", (*disk).check},
	}
}

// disk is one run of lodger disk.
type disk struct {
	ctx            context.Context // see untilSignal
	name           string          // the subcommand
	stdout, stderr io.Writer
}

// cmdDisk is `lodger disk COMMAND [ARG...]`.
func cmdDisk(args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		return fail(stderr, errors.New("disk: COMMAND is missing; lodger disk --help lists them"))
	}
	switch args[0] {
	case "-h", "-help", "--help", "help":
		diskHelp(stdout)
		return 0
	}
	return runDisk(context.Background(), args, stdout, stderr)
}

// untilSignal lets a signal end the work, not the process: what is half done is
// tidied up first. What only reads goes without and just dies.
func (d *disk) untilSignal() (stop func()) {
	d.ctx, stop = signal.NotifyContext(d.ctx, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	return stop
}

// runDisk runs args[0].
func runDisk(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	for _, c := range diskCommands() {
		if c.name != args[0] {
			continue
		}
		d := &disk{ctx, c.name, stdout, stderr}
		err := c.run(d, args[1:])
		switch {
		case err == nil:
			return 0
		case errors.Is(err, flag.ErrHelp):
			return 0
		case errors.Is(err, errProblems):
			return exitProblems
		}
		fmt.Fprintf(stderr, "lodger: disk %s: %s\n", c.name, diskError(err))
		return boot.ExitLodger
	}
	return fail(stderr, fmt.Errorf("disk: unknown command %q (lodger disk --help lists them)", args[0]))
}

// errProblems ends a check that found some; they have been printed.
var errProblems = errors.New("problems were found")

func diskHelp(w io.Writer) {
	fmt.Fprint(w, "usage: lodger disk COMMAND [ARG...]\n\n")
	for _, c := range diskCommands() {
		fmt.Fprintf(w, "  %-48s %s\n", c.name+" "+c.args, c.about)
	}
	fmt.Fprintf(w, `
An image is a raw file or block device, or a COW file in User-mode Linux's format:
a small file that keeps what differs from its base, which many of them can share.
SIZE is bytes, or a number with K, M, G or T. --from takes what is there under the
name, a directory or a tar, else the name of a Debian suite (bookworm, stable); it
calls mkfs.ext4 (Debian's package e2fsprogs) and, for a suite, mmdebstrap. Without
--size the image holds the tree, half as much again and 256M; it is sparse.

Nothing that is there is overwritten. What is in use is refused. Interrupted
commands leave no half image; commit and rebase can be run again. The status is 0,
%d when check found problems, %d when something failed.
`, exitProblems, boot.ExitLodger)
}

// parse reads a subcommand's flags, which may stand before, between and behind its
// other arguments, and wants as many of those as there are names.
func (d *disk) parse(fl *flag.FlagSet, args []string, names ...string) ([]string, error) {
	fl.SetOutput(io.Discard)
	fl.Usage = func() {}
	var rest []string
	for {
		err := fl.Parse(args)
		if errors.Is(err, flag.ErrHelp) {
			d.usage(fl)
			return nil, err
		}
		if err != nil {
			return nil, fmt.Errorf("%w (lodger disk %s --help lists the flags)", err, d.name)
		}
		left := fl.Args()
		if n := len(args) - len(left); n > 0 && args[n-1] == "--" {
			rest = append(rest, left...)
			break
		}
		if len(left) == 0 {
			break
		}
		rest, args = append(rest, left[0]), left[1:]
	}
	for i, name := range names {
		if i >= len(rest) || rest[i] == "" {
			return nil, fmt.Errorf("%s is missing; see lodger disk %s --help", name, d.name)
		}
	}
	if len(rest) > len(names) {
		return nil, fmt.Errorf("%q is too much: it takes %s; see lodger disk %s --help", rest[len(names)], strings.Join(names, " and "), d.name)
	}
	return rest, nil
}

// usage prints what SUBCOMMAND --help promises.
func (d *disk) usage(fl *flag.FlagSet) {
	for i, c := range diskCommands() {
		if c.name == d.name {
			head := "usage:"
			if i > 0 && diskCommands()[i-1].name == c.name {
				head = "      "
			}
			fmt.Fprintf(d.stdout, "%s lodger disk %s %s\n", head, c.name, c.args)
		}
	}
	fl.SetOutput(d.stdout)
	fl.PrintDefaults()
}

func flagsOf(d *disk) *flag.FlagSet {
	return flag.NewFlagSet("lodger disk "+d.name, flag.ContinueOnError)
}
