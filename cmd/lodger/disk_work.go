// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"lodger/block/cow"
	"lodger/block/image"
)

// commit is `lodger disk commit COW`.
func (d *disk) commit(args []string) error {
	rest, err := d.parse(flagsOf(d), args, "COW")
	if err != nil {
		return err
	}
	path := rest[0]
	defer d.untilSignal()()
	b := d.progress("commit")
	err = image.Commit(d.ctx, path, b.tell)
	b.end()
	switch {
	case errors.Is(err, context.Canceled) && cow.Interrupted(path) != nil:
		return advised{fmt.Errorf("%s: interrupted, and its base has a part of it; run \"lodger disk commit %s\" again to finish, "+
			"no guest can use it until then", path, path)}
	case errors.Is(err, fs.ErrNotExist) && isCOW(path):
		return advised{fmt.Errorf("%w; put the base back, or name where it is now with \"lodger disk rebase --unsafe\"", err)}
	}
	return err
}

// isCOW reports whether an error was not about the COW file itself.
func isCOW(path string) bool {
	_, err := cow.ReadHeader(path)
	return err == nil
}

// rebase is `lodger disk rebase [--unsafe] COW BASE`.
func (d *disk) rebase(args []string) error {
	fl := flagsOf(d)
	unsafe := fl.Bool("unsafe", false, "only note the new base: its content is taken to be the old one's")
	rest, err := d.parse(fl, args, "COW", "BASE")
	if err != nil {
		return err
	}
	defer d.untilSignal()()
	b := d.progress("rebase")
	err = image.Rebase(d.ctx, rest[0], rest[1], *unsafe, b.tell)
	b.end()
	switch {
	case errors.Is(err, context.Canceled):
		return advised{fmt.Errorf("%s: interrupted; its old base and its content are as they were, run the same again to finish", rest[0])}
	case errors.Is(err, fs.ErrNotExist) && isCOW(rest[0]) && exists(rest[1]):
		return advised{fmt.Errorf("%w; put it back, or use --unsafe if %s has the same content", err, rest[1])}
	}
	return err
}

// convert is `lodger disk convert [--to raw|cow] [--base BASE] SRC DST`.
func (d *disk) convert(args []string) error {
	fl := flagsOf(d)
	to := fl.String("to", "", "`FORMAT` of the new image: raw, or cow with --base; raw unless there is a base")
	base := fl.String("base", "", "make a COW file of what differs from this `BASE`")
	rest, err := d.parse(fl, args, "SRC", "DST")
	if err != nil {
		return err
	}
	switch {
	case *to != "" && *to != "raw" && *to != "cow":
		return fmt.Errorf("--to %q: want raw or cow", *to)
	case *to == "cow" && *base == "":
		return errors.New("--to cow needs --base BASE, the image that the COW file is to stand over")
	case *to == "raw" && *base != "":
		return errors.New("--base is of COW files; leave it out, or use --to cow")
	}
	defer d.untilSignal()()
	b := d.progress("convert")
	err = image.Convert(d.ctx, rest[0], rest[1], *base, b.tell)
	b.end()
	if errors.Is(err, context.Canceled) {
		return advised{fmt.Errorf("interrupted; %s is not made", rest[1])}
	}
	return err
}

// check is `lodger disk check FILE`.
func (d *disk) check(args []string) error {
	rest, err := d.parse(flagsOf(d), args, "FILE")
	if err != nil {
		return err
	}
	b := d.progress("check")
	r, err := image.Check(rest[0], b.tell)
	b.end()
	if err != nil {
		return err
	}
	notes := r.Notes
	if i, err := inspect(rest[0]); err == nil { // else its own problems say why
		for _, s := range i.Problems {
			notes = append(notes, i.Scheme+" partition table: "+s)
		}
	}
	for _, s := range notes {
		fmt.Fprintf(d.stdout, "note: %s\n", printable(s))
	}
	for _, s := range r.Problems {
		fmt.Fprintf(d.stdout, "problem: %s\n", printable(s))
	}
	switch n := len(r.Problems); n {
	case 0:
		fmt.Fprintf(d.stdout, "%s: clean\n", rest[0])
		return nil
	case 1:
		fmt.Fprintf(d.stdout, "%s: 1 problem\n", rest[0])
	default:
		fmt.Fprintf(d.stdout, "%s: %d problems\n", rest[0], n)
	}
	return errProblems
}
