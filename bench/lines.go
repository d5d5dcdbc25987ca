// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// line is one row of the table. A bar is a ratio to native or an absolute
// value; a line with neither is only reported.
type line struct {
	name, unit         string
	group              string // chooses several lines at once
	maxRatio, maxValue float64
	needTree           bool
	script             string // for shell lines
	native, guest      func(*bench, line) (float64, error)
}

func (l line) bar() string {
	switch {
	case l.maxRatio > 0:
		return fmt.Sprintf("<= %.3g x", l.maxRatio)
	case l.maxValue > 0:
		return fmt.Sprintf("<= %g %s", l.maxValue, l.unit)
	}
	return "report"
}

func (l line) judge(native, guest float64) string {
	switch {
	case l.maxRatio > 0 && guest <= native*l.maxRatio, l.maxValue > 0 && guest <= l.maxValue:
		return "yes"
	case l.maxRatio > 0 || l.maxValue > 0:
		return "NO"
	}
	return ""
}

// lines are the rows, in the order of the numbers table.
var lines = []line{
	nativeOnly(micro("notify-floor", "us", 0, 0)),
	micro("getppid", "us", 0, 3),
	micro("write-devnull", "us", 0, 0),
	micro("calls-4-threads", "calls/s", 0, 0),
	micro("calls-4-processes", "calls/s", 0, 0),
	micro("fork-exit-wait", "us", 2.0, 0),
	micro("fork-64MiB", "us", 1.2, 0),
	micro("spawn-static-glibc", "us", 1.6, 0),
	treeLine(micro("fork-exec-dash", "us", 1.6, 0)),
	micro("thread-create-join", "us", 3, 0),
	micro("page-fault-anon", "us", 1.1, 0),
	micro("futex-ping-pong", "us", 1.1, 0),
	micro("mmap-munmap-64KiB", "us", 1.1, 0),
	micro("clock_gettime", "us", 1.1, 0),
	micro("pipe-ping-pong", "us", 0, 14),
	micro("raise-handler", "us", 0, 14),
	micro("pread-4KiB", "us", 0, 5),
	micro("stat", "us", 0, 5),
	micro("open-close", "us", 0, 8),
	shell("bash-200-true", 1.6, `for ((i = 0; i < 200; i++)); do /bin/true; done`),
	shell("pipeline-4-stages-50", 1.6, `for ((i = 0; i < 50; i++)); do echo x | cat | tr a b | wc -c; done >/dev/null`),
	shell("gcc-O2-small", 1.4, `cd /tmp; cat >b$$.c <<'C'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
struct n { struct n *l, *r; int k; };
static struct n *ins(struct n *t, int k)
{
	if (!t) { t = calloc(1, sizeof *t); t->k = k; }
	else if (k < t->k) t->l = ins(t->l, k);
	else if (k > t->k) t->r = ins(t->r, k);
	return t;
}
static long sum(struct n *t) { return t ? t->k + sum(t->l) + sum(t->r) : 0; }
int main(int argc, char **argv)
{
	struct n *t = 0;
	char b[100];
	for (int i = 0; i < 1000; i++) t = ins(t, i * 7919 % 1009);
	snprintf(b, sizeof b, "%ld %zu", sum(t), strlen(argv[0]));
	puts(b);
}
C
for i in 1 2 3; do gcc -O2 -o b$$.out b$$.c || exit 1; done; rm -f b$$.*`),
	{name: "run-dir-true", unit: "ms", maxValue: 80, needTree: true, guest: runTrue},
	{name: "builtin-first-prompt", unit: "ms", maxValue: 80, guest: firstPrompt},
	{name: "idle-wakeups-per-minute", unit: "count", maxValue: 4, needTree: true},
	{name: "idle-private-MB", unit: "MB", maxValue: 25, needTree: true},
}

func treeLine(l line) line { l.needTree = true; return l }

// nativeOnly is a line that says something of the host: notify-floor is a notified
// call with the barest receiver in C, below which no guest's call can be.
func nativeOnly(l line) line { l.guest = nil; return l }

// micro is a line of micro.c.
func micro(name, unit string, maxRatio, maxValue float64) line {
	return line{name: name, unit: unit, maxRatio: maxRatio, maxValue: maxValue,
		native: func(b *bench, l line) (float64, error) {
			return parse(b.output(nil, filepath.Join(b.tmp, "micro"), l.name))
		},
		guest: func(b *bench, l line) (float64, error) {
			return parse(b.output(nil, b.lodger, b.guestArgs("/t/micro", l.name)...))
		}}
}

// shell is a bash script that times itself, so that boot does not count. The
// host runs the tree's own bash and gcc when it may (as root, by chroot).
func shell(name string, maxRatio float64, script string) line {
	script = "s=$EPOCHREALTIME\n" + script + "\ne=$EPOCHREALTIME\necho t $(( (${e/./} - ${s/./}) / 1000 ))"
	return line{name: name, unit: "ms", maxRatio: maxRatio, needTree: true, script: script,
		native: func(b *bench, l line) (float64, error) {
			var attr *syscall.SysProcAttr
			if syscall.Getuid() == 0 {
				attr = &syscall.SysProcAttr{Chroot: b.tree}
			}
			return parse(b.output(attr, "/bin/bash", "-c", l.script))
		},
		guest: func(b *bench, l line) (float64, error) {
			return parse(b.output(nil, b.lodger, b.guestArgs("/bin/bash", "-c", l.script)...))
		}}
}

func (b *bench) guestArgs(cmd ...string) []string {
	root := b.tree
	if root == "" {
		root = "builtin"
	}
	return append([]string{"run", "--volume", b.tmp + ":/t:ro", root, "--"}, cmd...)
}

// output runs a command for two minutes at most and returns what it printed.
func (b *bench) output(attr *syscall.SysProcAttr, name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(b.ctx, 2*time.Minute)
	defer cancel()
	var out, msg bytes.Buffer
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdout, cmd.Stderr, cmd.Dir = &out, &msg, "/"
	cmd.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/", "LC_ALL=C"}
	cmd.SysProcAttr, cmd.WaitDelay = attr, 2*time.Second
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%w: %s", err, strings.TrimSpace(msg.String()))
	}
	return out.String(), nil
}

// parse takes the number of the last line "name number".
func parse(out string, err error) (float64, error) {
	if err != nil {
		return 0, err
	}
	var name string
	var v float64
	rows := strings.Split(strings.TrimSpace(out), "\n")
	if _, err := fmt.Sscan(rows[len(rows)-1], &name, &v); err != nil {
		return 0, fmt.Errorf("no figure in %q", out)
	}
	return v, nil
}

// runTrue times `lodger run DIR /bin/true` from start to end, in milliseconds:
// the median of nine.
func runTrue(b *bench, _ line) (float64, error) {
	var v []float64
	for range 9 {
		s := time.Now()
		if _, err := b.output(nil, b.lodger, "run", b.tree, "/bin/true"); err != nil {
			return 0, err
		}
		v = append(v, time.Since(s).Seconds()*1000)
	}
	m, _ := median(v)
	return m, nil
}

// firstPrompt times plain `lodger` on a terminal (script's) until a prompt
// stands there, in milliseconds. The few milliseconds of script count too.
func firstPrompt(b *bench, _ line) (float64, error) {
	var v []float64
	for range 9 {
		ms, err := onePrompt(b.lodger)
		if err != nil {
			return 0, err
		}
		v = append(v, ms)
	}
	m, _ := median(v)
	return m, nil
}

func onePrompt(lodger string) (float64, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "script", "-qfc", lodger, "/dev/null")
	in, err := cmd.StdinPipe()
	if err != nil {
		return 0, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	s := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	defer cmd.Wait()
	var seen []byte
	for buf := make([]byte, 4096); !bytes.ContainsAny(seen, "#$>"); {
		n, err := out.Read(buf)
		if err != nil {
			return 0, fmt.Errorf("no prompt, only %q: %w", seen, err)
		}
		seen = append(seen, buf[:n]...)
	}
	ms := time.Since(s).Seconds() * 1000
	io.WriteString(in, "exit\n")
	in.Close()
	io.Copy(io.Discard, out)
	return ms, nil
}
