// SPDX-License-Identifier: Apache-2.0

package shell

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
	"mvdan.cc/sh/v3/interp"
	"mvdan.cc/sh/v3/syntax"

	"lodger/userland/app"
)

// call sees every simple command before it runs. It stands in for the builtins
// that the interpreter knows by name only, and makes "exec" a real execve(2).
func (s *shell) call(ctx context.Context, args []string) ([]string, error) {
	hc := interp.HandlerCtx(ctx)
	switch args[0] {
	case "exec":
		if len(args) > 1 && s.inPlace[hc.Pos] {
			if path, err := lookPath(hc, args[1]); err == nil {
				s.replace(hc, path, args[1:])
			}
		}
	case "kill":
		return append([]string{"/bin/kill"}, args[1:]...), nil
	case "umask":
		return status(umask(hc, args[1:])), nil
	case "ulimit":
		return status(ulimit(hc, args[1:])), nil
	case "jobs", "disown", "bind", "complete", "enable":
		return status(0), nil
	case "fg", "bg":
		fmt.Fprintf(hc.Stderr, "%s: no job control\n", args[0])
		return status(1), nil
	case "logout":
		return append([]string{"exit"}, args[1:]...), nil
	}
	return args, nil
}

// status is a command with that exit status.
func status(n int) []string {
	if n == 0 {
		return []string{"true"}
	}
	return []string{"false"}
}

// replaceable finds the simple commands of a statement that run in the shell's
// own process whenever they run, so that they may replace it: those of "exec",
// and with last also the statement itself when it is one simple command.
func replaceable(st *syntax.Stmt, last bool) map[syntax.Pos]bool {
	found := map[syntax.Pos]bool{}
	if call, ok := st.Cmd.(*syntax.CallExpr); ok && last && !st.Background && !st.Negated && !st.Coprocess {
		if len(call.Args) > 0 && call.Args[0].Lit() != "trap" {
			found[call.Pos()] = true
		}
	}
	syntax.Walk(st, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.Subshell, *syntax.CmdSubst, *syntax.ProcSubst, *syntax.FuncDecl:
			return false
		case *syntax.BinaryCmd:
			return n.Op == syntax.AndStmt || n.Op == syntax.OrStmt
		case *syntax.Stmt:
			return !n.Background && !n.Coprocess
		case *syntax.CallExpr:
			if len(n.Args) > 1 && n.Args[0].Lit() == "exec" {
				found[n.Pos()] = true
			}
		}
		return true
	})
	return found
}

// replace makes this process the program. It returns only when it cannot.
func (s *shell) replace(hc interp.HandlerContext, path string, args []string) {
	var fds [3]int
	for i, stream := range []any{hc.Stdin, hc.Stdout, hc.Stderr} {
		f, ok := stream.(*os.File)
		if !ok || f == nil {
			return
		}
		fds[i] = int(f.Fd())
	}
	// A stream may sit at a number that another one is to get: move all up
	// first. The copies close on exec, 0 to 2 do not.
	for i, fd := range fds {
		up, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 10)
		if err != nil {
			return
		}
		fds[i] = up
	}
	if os.Chdir(hc.Dir) != nil {
		return
	}
	for i, fd := range fds {
		if unix.Dup3(fd, i, 0) != nil {
			return
		}
	}
	env := environ(hc.Env)
	err := syscall.Exec(path, args, env)
	if err == syscall.ENOEXEC {
		err = syscall.Exec("/bin/sh", append([]string{"sh", path}, args[1:]...), env)
	}
	fmt.Fprintf(os.Stderr, "%s: %s: %s\n", filepath.Base(s.name), args[0], app.Reason(err))
	os.Exit(126)
}

func umask(hc interp.HandlerContext, args []string) int {
	if len(args) > 0 && args[0] == "-S" {
		args = args[1:]
	}
	if len(args) == 0 {
		old := unix.Umask(0)
		unix.Umask(old)
		fmt.Fprintf(hc.Stdout, "%04o\n", old)
		return 0
	}
	n, err := strconv.ParseUint(args[0], 8, 9)
	if err != nil {
		fmt.Fprintf(hc.Stderr, "umask: %s: invalid mode\n", args[0])
		return 1
	}
	unix.Umask(int(n))
	return 0
}

// ulimit knows the limits that scripts ask for. Limits in units of 1024 bytes
// are shown and taken so.
func ulimit(hc interp.HandlerContext, args []string) int {
	type limit struct {
		res  int
		unit uint64
	}
	limits := map[byte]limit{
		'c': {unix.RLIMIT_CORE, 512}, 'd': {unix.RLIMIT_DATA, 1024}, 'f': {unix.RLIMIT_FSIZE, 512},
		'l': {unix.RLIMIT_MEMLOCK, 1024}, 'n': {unix.RLIMIT_NOFILE, 1}, 's': {unix.RLIMIT_STACK, 1024},
		't': {unix.RLIMIT_CPU, 1}, 'u': {unix.RLIMIT_NPROC, 1}, 'v': {unix.RLIMIT_AS, 1024},
	}
	which, hard := byte('f'), false
	for ; len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-'; args = args[1:] {
		for _, l := range []byte(args[0][1:]) {
			switch l {
			case 'H':
				hard = true
			case 'S':
			default:
				which = l
			}
		}
	}
	l, ok := limits[which]
	var cur unix.Rlimit
	if !ok || unix.Getrlimit(l.res, &cur) != nil {
		fmt.Fprintf(hc.Stderr, "ulimit: -%c: invalid option\n", which)
		return 1
	}
	value := &cur.Cur
	if hard {
		value = &cur.Max
	}
	if len(args) == 0 {
		text := "unlimited"
		if *value != unix.RLIM_INFINITY {
			text = strconv.FormatUint(*value/l.unit, 10)
		}
		fmt.Fprintln(hc.Stdout, text)
		return 0
	}
	n := uint64(unix.RLIM_INFINITY)
	if args[0] != "unlimited" {
		v, err := strconv.ParseUint(args[0], 10, 64)
		if err != nil {
			fmt.Fprintf(hc.Stderr, "ulimit: %s: invalid number\n", args[0])
			return 1
		}
		n = v * l.unit
	}
	*value = n
	if err := unix.Setrlimit(l.res, &cur); err != nil {
		fmt.Fprintf(hc.Stderr, "ulimit: cannot modify limit: %s\n", app.Reason(err))
		return 1
	}
	return 0
}
