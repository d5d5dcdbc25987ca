// SPDX-License-Identifier: Apache-2.0

// Command bench measures a guest against the host it runs on: native and guest
// interleaved in one run, medians over the rounds, one markdown table.
//
//	go run ./bench [-rounds 3] [-idle 60s] [-tree DIR] [-lodger BIN] [-only NAME,...]
//
// It needs gcc (for micro/micro.c) and a Debian tree (test/fixture makes one). The
// disk lines (-only disk, or each by its name) need mkfs.ext4, 8 GiB below $TMPDIR
// and, to have ext4 natively beside the guest's, root; sqlite needs libsqlite3-dev. The
// figures depend on the machine; only a ratio or a bar says something. It is
// no test: nothing fails when a bar is missed.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"lodger/test/fixture"
)

func main() {
	var b bench
	only := flag.String("only", "", "comma-separated names of lines to measure, or `disk` for all that need images (default: all)")
	flag.IntVar(&b.rounds, "rounds", 3, "how often native and guest are measured in turn")
	flag.DurationVar(&b.idle, "idle", 60*time.Second, "how long the idle guest is watched (0: not at all)")
	flag.StringVar(&b.tree, "tree", "", "Debian tree (default: the one of test/fixture)")
	flag.StringVar(&b.lodger, "lodger", "", "lodger binary (default: built from this module)")
	flag.BoolVar(&b.nativeOnly, "native", false, "measure the host only")
	flag.Parse()
	if *only != "" {
		b.only = strings.Split(*only, ",")
	}
	var stop context.CancelFunc
	b.ctx, stop = signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := b.main(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// bench is one run of the benchmark.
type bench struct {
	ctx        context.Context // ends when somebody interrupts
	rounds     int
	idle       time.Duration
	tree       string // empty: lines that need programs are left out
	lodger     string
	nativeOnly bool
	only       []string
	tmp        string               // holds micro; a volume of the guest
	native     map[string][]float64 // samples by line name
	guest      map[string][]float64
	disks      *disks // nil: the disk lines are not measured
}

func (b *bench) main() (err error) {
	defer func() { os.RemoveAll(b.tmp) }()
	if err := b.prepare(); err != nil {
		return err
	}
	if b.disks != nil {
		defer func() { err = errors.Join(err, b.disks.close()) }()
	}
	b.native, b.guest = map[string][]float64{}, map[string][]float64{}
	for r := range b.rounds {
		fmt.Fprintf(os.Stderr, "round %d of %d\n", r+1, b.rounds)
		for _, l := range allLines() {
			if !b.wants(l) || b.ctx.Err() != nil {
				continue
			}
			b.sample(b.native, "native", l, l.native)
			if !b.nativeOnly {
				b.sample(b.guest, "guest", l, l.guest)
			}
		}
	}
	for _, w := range []struct {
		name  string
		line  string // any line of this prefix
		watch func() error
	}{
		{"idle guest", "idle-", b.watchIdle},
		{"guests of one base", "cow20-", b.watchCOW},
	} {
		if !b.wantsPrefix(w.line) || b.nativeOnly || b.ctx.Err() != nil {
			continue
		}
		if err := w.watch(); err != nil {
			fmt.Fprintf(os.Stderr, "bench: %s: %v\n", w.name, err)
		}
	}
	b.print()
	return b.ctx.Err()
}

// allLines are the rows of the table.
func allLines() []line { return slices.Concat(lines, diskLines) }

// prepare builds what is measured.
func (b *bench) prepare() (err error) {
	if b.tree == "" {
		tree, skip := fixture.Debian()
		if skip != "" {
			fmt.Fprintln(os.Stderr, "bench: only the micro lines, on the built-in root:", skip)
		}
		b.tree = tree
	}
	if b.tmp, err = os.MkdirTemp("", "lodger-bench"); err != nil {
		return err
	}
	if err := os.Chmod(b.tmp, 0o755); err != nil {
		return err
	}
	src, err := source("micro/micro.c")
	if err != nil {
		return err
	}
	if err := build("gcc", "-O2", "-static", "-pthread", "-o", filepath.Join(b.tmp, "micro"), src); err != nil {
		return err
	}
	if b.lodger == "" && !b.nativeOnly {
		if b.lodger, err = fixture.Lodger(b.tmp); err != nil {
			return err
		}
	}
	if slices.ContainsFunc(diskLines, b.wants) {
		if b.disks, err = newDisks(b); err != nil {
			fmt.Fprintln(os.Stderr, "bench: no disk lines:", err)
		}
	}
	return nil
}

// source finds a program's source from the module's root or from this directory.
func source(name string) (string, error) {
	for _, p := range []string{"bench/" + name, name} {
		if _, err := os.Stat(p); err == nil {
			return p, nil
		}
	}
	return "", fmt.Errorf("bench/%s not found: run it from the module's root", name)
}

func build(name string, args ...string) error {
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, out)
	}
	return nil
}

// wants is whether a line was chosen, by its name or by its group's.
func (b *bench) wants(l line) bool {
	return len(b.only) == 0 || slices.Contains(b.only, l.name) || l.group != "" && slices.Contains(b.only, l.group)
}

// wantsPrefix is whether a line of a common beginning was chosen and can be had.
func (b *bench) wantsPrefix(prefix string) bool {
	return slices.ContainsFunc(allLines(), func(l line) bool {
		return strings.HasPrefix(l.name, prefix) && b.wants(l) && (l.group != "disk" || b.disks != nil)
	})
}

// sample measures one line on one side.
func (b *bench) sample(into map[string][]float64, side string, l line, f func(*bench, line) (float64, error)) {
	if f == nil || (l.needTree && b.tree == "") || (l.group == "disk" && b.disks == nil) {
		return
	}
	v, err := f(b, l)
	if err != nil {
		fmt.Fprintf(os.Stderr, "bench: %s %s: %v\n", side, l.name, err)
		return
	}
	into[l.name] = append(into[l.name], v)
}

func (b *bench) print() {
	fmt.Println("| work | native | guest | ratio | bar | ok |")
	fmt.Println("|---|--:|--:|--:|---|---|")
	for _, l := range allLines() {
		n, haveN := median(b.native[l.name])
		g, haveG := median(b.guest[l.name])
		if !haveN && !haveG {
			continue
		}
		ratio, ok := "", ""
		if haveN && haveG {
			ratio = fmt.Sprintf("%.2f", g/n)
		}
		if haveG && (haveN || l.maxRatio == 0) {
			ok = l.judge(n, g)
		}
		fmt.Printf("| %s (%s) | %s | %s | %s | %s | %s |\n", l.name, l.unit, figure(n, haveN), figure(g, haveG), ratio, l.bar(), ok)
	}
	if b.disks != nil {
		for _, n := range b.disks.notes {
			fmt.Println("\n" + n)
		}
	}
}

func figure(v float64, have bool) string {
	switch {
	case !have:
		return ""
	case v >= 1000:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	default:
		return fmt.Sprintf("%.3g", v)
	}
}

func median(v []float64) (float64, bool) {
	if len(v) == 0 {
		return 0, false
	}
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2], true
}
