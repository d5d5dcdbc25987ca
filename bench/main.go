// SPDX-License-Identifier: Apache-2.0

// Command bench measures a guest against the host it runs on: native and guest
// interleaved in one run, medians over the rounds, one markdown table.
//
//	go run ./bench [-rounds 3] [-idle 60s] [-tree DIR] [-lodger BIN] [-only NAME,...]
//
// It needs gcc (for micro/micro.c) and a Debian tree (test/fixture makes one). The
// figures depend on the machine; only a ratio or a bar says something. It is
// no test: nothing fails when a bar is missed.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"lodger/test/fixture"
)

func main() {
	var b bench
	only := flag.String("only", "", "comma-separated names of lines to measure (default: all)")
	flag.IntVar(&b.rounds, "rounds", 3, "how often native and guest are measured in turn")
	flag.DurationVar(&b.idle, "idle", 60*time.Second, "how long the idle guest is watched (0: not at all)")
	flag.StringVar(&b.tree, "tree", "", "Debian tree (default: the one of test/fixture)")
	flag.StringVar(&b.lodger, "lodger", "", "lodger binary (default: built from this module)")
	flag.BoolVar(&b.nativeOnly, "native", false, "measure the host only")
	flag.Parse()
	if *only != "" {
		b.only = strings.Split(*only, ",")
	}
	if err := b.main(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// bench is one run of the benchmark.
type bench struct {
	rounds     int
	idle       time.Duration
	tree       string // empty: lines that need programs are left out
	lodger     string
	nativeOnly bool
	only       []string
	tmp        string               // holds micro; a volume of the guest
	native     map[string][]float64 // samples by line name
	guest      map[string][]float64
}

func (b *bench) main() error {
	if err := b.prepare(); err != nil {
		return err
	}
	defer os.RemoveAll(b.tmp)
	b.native, b.guest = map[string][]float64{}, map[string][]float64{}
	for r := range b.rounds {
		fmt.Fprintf(os.Stderr, "round %d of %d\n", r+1, b.rounds)
		for _, l := range lines {
			if !b.wants(l.name) {
				continue
			}
			b.sample(b.native, "native", l, l.native)
			if !b.nativeOnly {
				b.sample(b.guest, "guest", l, l.guest)
			}
		}
	}
	if b.idle > 0 && !b.nativeOnly && (b.wants("idle-wakeups-per-minute") || b.wants("idle-private-MB")) {
		if err := b.watchIdle(); err != nil {
			fmt.Fprintln(os.Stderr, "bench: idle guest:", err)
		}
	}
	b.print()
	return nil
}

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
	src, err := microSource()
	if err != nil {
		return err
	}
	if err := build("gcc", "-O2", "-static", "-pthread", "-o", filepath.Join(b.tmp, "micro"), src); err != nil {
		return err
	}
	if b.lodger == "" && !b.nativeOnly {
		b.lodger, err = fixture.Lodger(b.tmp)
	}
	return err
}

// microSource finds micro.c from the module's root or from this directory.
func microSource() (string, error) {
	for _, p := range []string{"bench/micro/micro.c", "micro/micro.c"} {
		if _, err := os.Stat(p); err == nil {
			return p, nil
		}
	}
	return "", fmt.Errorf("bench/micro/micro.c not found: run it from the module's root")
}

func build(name string, args ...string) error {
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, out)
	}
	return nil
}

func (b *bench) wants(name string) bool {
	return len(b.only) == 0 || slices.Contains(b.only, name)
}

// sample measures one line on one side.
func (b *bench) sample(into map[string][]float64, side string, l line, f func(*bench, line) (float64, error)) {
	if f == nil || (l.needTree && b.tree == "") {
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
	for _, l := range lines {
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
