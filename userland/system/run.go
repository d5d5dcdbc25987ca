// SPDX-License-Identifier: Apache-2.0

package system

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"lodger/userland/app"
)

// execve replaces this process by a program found in PATH. It returns only
// when that failed, with the status for it.
func execve(c *app.Ctx, argv, env []string) int {
	c.Out.Flush()
	path, err := exec.LookPath(argv[0])
	if err == nil || errors.Is(err, exec.ErrDot) {
		err = syscall.Exec(path, argv, env)
	}
	if errors.Is(err, exec.ErrNotFound) {
		err = syscall.ENOENT
	}
	c.Fail(app.Quote(argv[0]), err)
	if errors.Is(err, syscall.ENOENT) {
		return 127
	}
	return 126
}

func env(c *app.Ctx, args []string) int {
	if len(args) > 0 && args[0] == "-" {
		args[0] = "-i"
	}
	o, status, ok := c.Parse(args, "+i|ignore-environment u|unset: C|chdir: 0|null S|split-string:")
	if !ok {
		return status
	}
	vars := os.Environ()
	if o.Has("i") {
		vars = nil
	}
	drop := func(name string) {
		vars = slices.DeleteFunc(vars, func(kv string) bool { return strings.HasPrefix(kv, name+"=") })
	}
	for _, name := range o.All("u") {
		drop(name)
	}
	argv := append(strings.Fields(o.Str("S", "")), o.Args...)
	for len(argv) > 0 && strings.IndexByte(argv[0], '=') > 0 {
		name, _, _ := strings.Cut(argv[0], "=")
		drop(name)
		if name == "PATH" {
			os.Setenv("PATH", argv[0][5:])
		}
		vars, argv = append(vars, argv[0]), argv[1:]
	}
	if len(argv) == 0 {
		end := "\n"
		if o.Has("0") {
			end = "\x00"
		}
		for _, kv := range vars {
			c.Out.WriteString(kv + end)
		}
		return 0
	}
	if dir := o.Str("C", ""); dir != "" {
		if err := os.Chdir(dir); err != nil {
			c.Errorf("cannot change directory to %s: %s", app.Quote(dir), app.Reason(err))
			return 125
		}
	}
	return execve(c, argv, vars)
}

func printenv(c *app.Ctx, args []string) int {
	o, status, ok := c.Parse(args, "0|null")
	if !ok {
		return status
	}
	if len(o.Args) == 0 {
		for _, kv := range os.Environ() {
			fmt.Fprintln(c.Out, kv)
		}
		return 0
	}
	for _, name := range o.Args {
		if v, ok := os.LookupEnv(name); ok {
			fmt.Fprintln(c.Out, v)
		} else {
			status = 1
		}
	}
	return status
}

func sleep(c *app.Ctx, args []string) int {
	o, status, ok := c.Parse(args, "")
	if !ok {
		return status
	}
	if len(o.Args) == 0 {
		return c.Missing()
	}
	var total time.Duration
	for _, a := range o.Args {
		d, ok := app.ParseDuration(a)
		if !ok {
			return c.BadUsage("invalid time interval %s", app.Quote(a))
		}
		if total += d; total < 0 {
			total = 1<<63 - 1
		}
	}
	nap(total)
	return 0
}

// nap waits in one nanosleep(2), not in the runtime's poller with its timers
// and threads: a guest may have many sleepers.
func nap(d time.Duration) {
	ts := unix.NsecToTimespec(int64(d))
	for unix.Nanosleep(&ts, &ts) == unix.EINTR {
	}
}

func usleep(c *app.Ctx, args []string) int {
	if len(args) == 0 {
		return c.Missing()
	}
	n, err := strconv.ParseInt(args[0], 10, 64)
	if err != nil {
		return c.BadUsage("invalid time interval %s", app.Quote(args[0]))
	}
	nap(time.Duration(n) * time.Microsecond)
	return 0
}

func timeMain(c *app.Ctx, args []string) int {
	o, status, ok := c.Parse(args, "+p")
	if !ok {
		return status
	}
	if len(o.Args) == 0 {
		return c.Missing()
	}
	start := time.Now()
	status, err := c.Command(o.Args, nil)
	if err != nil {
		c.Fail(o.Args[0], err)
	}
	real := time.Since(start).Seconds()
	var ru unix.Rusage
	unix.Getrusage(unix.RUSAGE_CHILDREN, &ru)
	user, sys := float64(ru.Utime.Nano())/1e9, float64(ru.Stime.Nano())/1e9
	if o.Has("p") {
		fmt.Fprintf(c.Err, "real %.2f\nuser %.2f\nsys %.2f\n", real, user, sys)
	} else {
		fmt.Fprintf(c.Err, "real\t%dm%.3fs\nuser\t%dm%.3fs\nsys\t%dm%.3fs\n", int(real)/60, real-float64(int(real)/60*60),
			int(user)/60, user-float64(int(user)/60*60), int(sys)/60, sys-float64(int(sys)/60*60))
	}
	return status
}

func timeout(c *app.Ctx, args []string) int {
	o, status, ok := c.Parse(args, "+s|signal: k|kill-after: foreground preserve-status v|verbose")
	if !ok {
		return status
	}
	if len(o.Args) < 2 {
		return c.Missing()
	}
	limit, ok1 := app.ParseDuration(o.Args[0])
	after, ok2 := app.ParseDuration(o.Str("k", "0"))
	sig, ok3 := signalOf(o.Str("s", "TERM"))
	if !ok1 || !ok2 {
		return c.BadUsage("invalid time interval %s", app.Quote(o.Args[0]))
	}
	if !ok3 {
		return c.BadUsage("%s: invalid signal", app.Quote(o.Str("s", "")))
	}
	cmd := exec.Command(o.Args[1], o.Args[2:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = c.In, c.Stdout(), c.Err
	if err := cmd.Start(); err != nil {
		status, err := app.ExitStatus(err)
		c.Errorf("failed to run command %s: %s", app.Quote(o.Args[1]), app.Reason(err))
		return status
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	expired := (<-chan time.Time)(nil)
	if limit > 0 {
		expired = time.After(limit)
	}
	late := false
	for {
		select {
		case err := <-done:
			status, _ := app.ExitStatus(err)
			if late && !o.Has("preserve-status") && status != 137 {
				return 124
			}
			return status
		case <-expired:
			cmd.Process.Signal(sig)
			cmd.Process.Signal(syscall.SIGCONT)
			expired = nil
			if late || after == 0 {
				late = true
				continue
			}
			late, sig = true, syscall.SIGKILL
			expired = time.After(after)
		}
	}
}

func nohup(c *app.Ctx, args []string) int {
	o, status, ok := c.Parse(args, "+")
	if !ok {
		return status
	}
	if len(o.Args) == 0 {
		return c.Missing()
	}
	signal.Ignore(syscall.SIGHUP)
	return execve(c, o.Args, os.Environ())
}

func nice(c *app.Ctx, args []string) int {
	o, status, ok := c.Parse(args, "+n|adjustment:")
	if !ok {
		return status
	}
	// The raw getpriority(2) returns 20 - nice.
	prio, _ := unix.Getpriority(unix.PRIO_PROCESS, 0)
	if len(o.Args) == 0 {
		fmt.Fprintln(c.Out, 20-prio)
		return 0
	}
	n, ok := o.Int("n", 10)
	if !ok {
		return c.BadUsage("invalid adjustment %s", app.Quote(o.Str("n", "")))
	}
	if err := unix.Setpriority(unix.PRIO_PROCESS, 0, 20-prio+int(n)); err != nil {
		c.Fail("cannot set niceness", err)
	}
	return execve(c, o.Args, os.Environ())
}

func setsid(c *app.Ctx, args []string) int {
	o, status, ok := c.Parse(args, "+c|ctty w|wait f|fork")
	if !ok {
		return status
	}
	if len(o.Args) == 0 {
		return c.Missing()
	}
	if unix.Getpgrp() != unix.Getpid() {
		if _, err := unix.Setsid(); err != nil {
			c.Fail("setsid", err)
			return 1
		}
		if o.Has("c") {
			unix.IoctlSetInt(0, unix.TIOCSCTTY, 1)
		}
		return execve(c, o.Args, os.Environ())
	}
	cmd := exec.Command(o.Args[0], o.Args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = c.In, c.Stdout(), c.Err
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: o.Has("c")}
	err := cmd.Start()
	if err == nil && !o.Has("w") {
		return 0
	}
	if err == nil {
		err = cmd.Wait()
	}
	status, err = app.ExitStatus(err)
	if err != nil {
		c.Fail(o.Args[0], err)
	}
	return status
}

func chroot(c *app.Ctx, args []string) int {
	o, status, ok := c.Parse(args, "+")
	if !ok {
		return status
	}
	if len(o.Args) == 0 {
		return c.Missing()
	}
	err := unix.Chroot(o.Args[0])
	if err == nil {
		err = unix.Chdir("/")
	}
	if err != nil {
		c.Errorf("cannot change root directory to %s: %s", app.Quote(o.Args[0]), app.Reason(err))
		return 125
	}
	argv := o.Args[1:]
	if len(argv) == 0 {
		argv = []string{"/bin/sh", "-i"}
	}
	return execve(c, argv, os.Environ())
}

func which(c *app.Ctx, args []string) int {
	o, status, ok := c.Parse(args, "a|all")
	if !ok {
		return status
	}
	status = 0
	for _, name := range o.Args {
		found := false
		dirs := filepath.SplitList(os.Getenv("PATH"))
		if strings.Contains(name, "/") {
			dirs = []string{""}
		}
		for _, dir := range dirs {
			path := name
			if dir != "" {
				path = dir + "/" + name
			}
			st, err := os.Stat(path)
			if err != nil || st.IsDir() || unix.Access(path, unix.X_OK) != nil {
				continue
			}
			fmt.Fprintln(c.Out, path)
			if found = true; !o.Has("a") {
				break
			}
		}
		if !found {
			status = 1
		}
	}
	return status
}

func xargs(c *app.Ctx, args []string) int {
	o, status, ok := c.Parse(args, "+0|null r|no-run-if-empty t|verbose p x n|max-args: L|max-lines: I|replace: d|delimiter: P|max-procs: s|max-chars: a|arg-file: E:")
	if !ok {
		return status
	}
	argv := o.Args
	if len(argv) == 0 {
		argv = []string{"echo"}
	}
	perRun, ok1 := o.Int("n", 0)
	lines, ok2 := o.Int("L", 0)
	procs, ok3 := o.Int("P", 1)
	if !ok1 || !ok2 || !ok3 {
		return c.BadUsage("invalid number")
	}
	in := io.ReadCloser(io.NopCloser(c.In))
	if name := o.Str("a", ""); name != "" {
		if in, ok = c.Open(name); !ok {
			return 1
		}
	}
	replace := o.Str("I", "")
	delim := -1
	switch d := o.Str("d", ""); {
	case o.Has("0"):
		delim = 0
	case d == `\n`:
		delim = '\n'
	case d == `\0`:
		delim = 0
	case d == `\t`:
		delim = '\t'
	case d != "":
		delim = int(d[0])
	case replace != "" || lines > 0:
		delim = '\n'
	}
	items, err := words(in, delim)
	if err != nil {
		c.Errorf("%v", err)
		return 1
	}
	if replace != "" || lines > 0 {
		items = slices.DeleteFunc(items, func(s string) bool { return strings.TrimSpace(s) == "" })
	}
	if len(items) == 0 && (o.Has("r") || replace != "") {
		return 0
	}
	var runs [][]string
	switch {
	case replace != "":
		for _, it := range items {
			run := make([]string, len(argv))
			for i, a := range argv {
				run[i] = strings.ReplaceAll(a, replace, strings.TrimLeft(it, " \t"))
			}
			runs = append(runs, run)
		}
	case lines > 0:
		for chunk := range slices.Chunk(items, int(lines)) {
			runs = append(runs, append(slices.Clone(argv), strings.Fields(strings.Join(chunk, " "))...))
		}
	default:
		runs = chunks(argv, items, int(perRun))
	}
	return runAll(c, runs, int(procs), o.Has("t"))
}

// words splits the input of xargs. Without a delimiter, blanks separate, and
// quotes and backslashes protect them.
func words(r io.Reader, delim int) ([]string, error) {
	data, err := io.ReadAll(bufio.NewReader(r))
	if err != nil {
		return nil, err
	}
	if delim >= 0 {
		s := strings.TrimSuffix(string(data), string([]byte{byte(delim)}))
		if s == "" {
			return nil, nil
		}
		return strings.Split(s, string([]byte{byte(delim)})), nil
	}
	var list []string
	var word []byte
	inWord := false
	for i := 0; i < len(data); i++ {
		switch b := data[i]; b {
		case ' ', '\t', '\n':
			if inWord {
				list = append(list, string(word))
			}
			word, inWord = nil, false
		case '\'', '"':
			end := slices.Index(data[i+1:], b)
			if end < 0 || slices.Contains(data[i+1:i+1+end], '\n') {
				return nil, fmt.Errorf("unmatched %s quote", map[byte]string{'\'': "single", '"': "double"}[b])
			}
			word, inWord = append(word, data[i+1:i+1+end]...), true
			i += end + 1
		case '\\':
			if i+1 < len(data) {
				i++
			}
			word, inWord = append(word, data[i]), true
		default:
			word, inWord = append(word, b), true
		}
	}
	if inWord {
		list = append(list, string(word))
	}
	return list, nil
}

// chunks deals the items out so that no command line exceeds 128 KiB.
func chunks(argv, items []string, perRun int) [][]string {
	var runs [][]string
	run, size := slices.Clone(argv), 0
	for _, it := range items {
		n := len(run) - len(argv)
		if n > 0 && (size+len(it) > 128<<10 || perRun > 0 && n == perRun) {
			runs = append(runs, run)
			run, size = slices.Clone(argv), 0
		}
		run = append(run, it)
		size += len(it) + 9
	}
	return append(runs, run)
}

// runAll runs the commands, procs at a time, and returns the status of xargs.
func runAll(c *app.Ctx, runs [][]string, procs int, verbose bool) int {
	var mu sync.Mutex
	var wg sync.WaitGroup
	worst := 0
	if procs <= 0 {
		procs = len(runs)
	}
	slots := make(chan struct{}, procs)
	null, err := os.Open("/dev/null")
	if err != nil {
		c.Fail("/dev/null", err)
		return 1
	}
	defer null.Close()
	for _, argv := range runs {
		slots <- struct{}{}
		mu.Lock()
		stop := worst > 123
		mu.Unlock()
		if stop {
			break
		}
		if verbose {
			fmt.Fprintln(c.Err, strings.Join(argv, " "))
		}
		wg.Go(func() {
			cmd := exec.Command(argv[0], argv[1:]...)
			cmd.Stdin, cmd.Stdout, cmd.Stderr = null, c.Stdout(), c.Err
			status, err := app.ExitStatus(cmd.Run())
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err != nil:
				c.Fail(argv[0], err)
			case status == 255:
				c.Errorf("%s: exited with status 255; aborting", argv[0])
				status = 124
			case status > 128:
				status = 125
			case status != 0:
				status = 123
			}
			worst = max(worst, status)
			<-slots
		})
	}
	wg.Wait()
	return worst
}
