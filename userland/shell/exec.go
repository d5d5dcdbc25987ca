// SPDX-License-Identifier: Apache-2.0

package shell

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/interp"

	"lodger/userland/app"
)

// exec runs a program for the interpreter. It forks by package syscall rather
// than os/exec, whose first use tests the kernel for pidfds by forking.
func (s *shell) exec(ctx context.Context, args []string) error {
	hc := interp.HandlerCtx(ctx)
	path, err := lookPath(hc, args[0])
	if err != nil {
		text := app.Reason(err)
		if errors.Is(err, syscall.ENOENT) && !strings.Contains(args[0], "/") {
			text = "not found"
		}
		fmt.Fprintf(hc.Stderr, "%s: %s: %s\n", filepath.Base(s.name), args[0], text)
		return failure(err)
	}
	if s.inPlace[hc.Pos] {
		s.replace(hc, path, args)
	}
	files := newStreams(hc)
	attr := &syscall.ProcAttr{Dir: hc.Dir, Env: environ(hc.Env), Files: files.fds[:]}
	s.intr.programStarts()
	pid, err := syscall.ForkExec(path, args, attr)
	if errors.Is(err, syscall.ENOEXEC) { // a script without "#!"
		pid, err = syscall.ForkExec("/bin/sh", append([]string{"sh", path}, args[1:]...), attr)
	}
	files.started()
	if err != nil {
		s.intr.programEnds(0)
		files.wait()
		fmt.Fprintf(hc.Stderr, "%s: %s: %s\n", filepath.Base(s.name), args[0], app.Reason(err))
		return failure(err)
	}
	ws := wait(pid)
	s.intr.programEnds(ws)
	files.wait()
	switch {
	case ws.Signaled():
		s.report(hc, ws)
		return interp.ExitStatus(128 + int(ws.Signal()))
	case ws.ExitStatus() != 0:
		return interp.ExitStatus(ws.ExitStatus())
	}
	return nil
}

// report says which signal killed a program, as other shells do; SIGINT and
// SIGPIPE are no news.
func (s *shell) report(hc interp.HandlerContext, ws syscall.WaitStatus) {
	sig := ws.Signal()
	if sig == syscall.SIGINT || sig == syscall.SIGPIPE {
		return
	}
	text := sig.String()
	text = strings.ToUpper(text[:1]) + text[1:]
	if ws.CoreDump() {
		text += " (core dumped)"
	}
	fmt.Fprintln(hc.Stderr, text)
}

// wait reaps pid.
func wait(pid int) syscall.WaitStatus {
	var ws syscall.WaitStatus
	for {
		_, err := syscall.Wait4(pid, &ws, 0, nil)
		if !errors.Is(err, syscall.EINTR) {
			return ws
		}
	}
}

// failure is the exit status of a program that did not start.
func failure(err error) error {
	if errors.Is(err, syscall.ENOENT) {
		return interp.ExitStatus(127)
	}
	return interp.ExitStatus(126)
}

// lookPath finds a program by PATH. Its error is that of the most telling
// candidate: EACCES when one was found that may not be executed.
func lookPath(hc interp.HandlerContext, name string) (string, error) {
	if strings.Contains(name, "/") {
		if !filepath.IsAbs(name) {
			name = hc.Dir + "/" + name
		}
		return name, executable(name)
	}
	err := error(syscall.ENOENT)
	for _, dir := range filepath.SplitList(hc.Env.Get("PATH").String()) {
		if !filepath.IsAbs(dir) {
			dir = filepath.Join(hc.Dir, dir)
		}
		path := dir + "/" + name
		switch e := executable(path); {
		case e == nil:
			return path, nil
		case errors.Is(e, syscall.EACCES):
			err = e
		}
	}
	return "", err
}

func executable(path string) error {
	st, err := os.Stat(path)
	if err != nil {
		return err
	}
	if st.IsDir() {
		return syscall.EACCES
	}
	return unix.Access(path, unix.X_OK)
}

// environ is the exported part of the shell's variables.
func environ(env expand.Environ) []string {
	seen := map[string]int{}
	var list []string
	for name, v := range env.Each {
		kv := ""
		if v.IsSet() && v.Exported && v.Kind == expand.String {
			kv = name + "=" + v.String()
		}
		if i, ok := seen[name]; ok { // a later scope overrides
			list[i] = kv
			continue
		}
		seen[name] = len(list)
		list = append(list, kv)
	}
	n := 0
	for _, kv := range list {
		if kv != "" {
			list[n] = kv
			n++
		}
	}
	return list[:n]
}

// streams are the descriptors that a program gets. What the interpreter gives
// as a plain writer (a command substitution) is fed through a pipe.
type streams struct {
	fds   [3]uintptr
	close []*os.File // the program's ends, closed once it has them
	copy  sync.WaitGroup
}

func newStreams(hc interp.HandlerContext) *streams {
	t := &streams{}
	if f, ok := hc.Stdin.(*os.File); ok && f != nil {
		t.fds[0] = f.Fd()
	} else if f, err := os.Open("/dev/null"); err == nil {
		t.fds[0] = f.Fd()
		t.close = append(t.close, f)
	}
	t.fds[1] = t.output(hc.Stdout)
	t.fds[2] = t.fds[1]
	if hc.Stderr != hc.Stdout {
		t.fds[2] = t.output(hc.Stderr)
	}
	return t
}

func (t *streams) output(w io.Writer) uintptr {
	if f, ok := w.(*os.File); ok {
		return f.Fd()
	}
	r, pw, err := os.Pipe()
	if err != nil {
		return 2
	}
	t.close = append(t.close, pw)
	t.copy.Go(func() {
		io.Copy(w, r)
		r.Close()
	})
	return pw.Fd()
}

func (t *streams) started() {
	for _, f := range t.close {
		f.Close()
	}
}

func (t *streams) wait() { t.copy.Wait() }
