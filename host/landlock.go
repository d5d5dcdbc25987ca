// SPDX-License-Identifier: Apache-2.0

package host

import (
	"errors"
	"runtime"
	"strconv"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Rule lets a Landlock domain reach a file, or a directory and what is below.
type Rule struct {
	Path  string
	Write bool // to change, else to read and execute
}

// Rights of Landlock on files, include/uapi/linux/landlock.h.
const (
	llExecute   = 1 << 0
	llWriteFile = 1 << 1
	llReadFile  = 1 << 2
	llReadDir   = 1 << 3
	llTruncate  = 1 << 14
	llIoctlDev  = 1 << 15
	llOfFiles   = llExecute | llWriteFile | llReadFile | llTruncate | llIoctlDev
)

// LandlockABI is the host's Landlock version, 0 when there is none.
func LandlockABI() int {
	r, _, e := unix.RawSyscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, 1)
	if e != 0 {
		return 0
	}
	return int(r)
}

// LandlockAttr is the rule set attribute that handles, and so denies, everything
// that ABI abi knows: files, TCP, and what is outside of the domain's processes.
func LandlockAttr(abi int) []uint64 {
	files := uint64(1<<13 - 1)
	if abi >= 2 {
		files |= 1 << 13 // REFER
	}
	if abi >= 3 {
		files |= llTruncate
	}
	if abi >= 5 {
		files |= llIoctlDev
	}
	out := []uint64{files}
	if abi >= 4 {
		out = append(out, 3) // TCP bind and connect
	}
	if abi >= 6 {
		out = append(out, 3) // abstract unix sockets, signals
	}
	return out
}

// ConfineAndExec starts the program of this process anew within a Landlock domain
// that has the rules' rights and no others, so that all its threads are in it: a
// domain is a thread's own. It returns only when that fails, and then the process
// is what it was.
func ConfineAndExec(rules []Rule, argv, env []string) error {
	failed := make(chan error)
	go func() {
		// Never unlocked: a thread that is in the domain ends with the goroutine.
		runtime.LockOSThread()
		failed <- confineThread(rules, argv, env)
	}()
	return <-failed
}

func confineThread(rules []Rule, argv, env []string) error {
	abi := LandlockABI()
	if abi == 0 {
		return errors.New("the host has no Landlock")
	}
	attr := LandlockAttr(abi)
	// SAFETY: the kernel reads len(attr) words that live over the call. WHY: x/sys has
	// no wrappers for Landlock.
	fd, _, e := unix.RawSyscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&attr[0])), uintptr(8*len(attr)), 0)
	if e != 0 {
		return e
	}
	defer unix.Close(int(fd))
	for _, r := range rules {
		if err := addRule(int(fd), r, attr[0]); err != nil {
			return err
		}
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	if _, _, e := unix.RawSyscall(unix.SYS_LANDLOCK_RESTRICT_SELF, fd, 0, 0); e != 0 {
		return e
	}
	return ExecSelf(argv, env)
}

// ExecSelf starts this process's program anew in its place; it returns only when
// that fails.
func ExecSelf(argv, env []string) error { return syscall.Exec("/proc/self/exe", argv, env) }

// addRule adds one rule; a path that is not there needs none.
func addRule(ruleset int, r Rule, handled uint64) error {
	at, err := unix.Open(r.Path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err == unix.ENOENT || err == unix.ENOTDIR || err == unix.EACCES {
		return nil
	}
	if err != nil {
		return err
	}
	defer unix.Close(at)
	var st unix.Stat_t
	if err := unix.Fstat(at, &st); err != nil {
		return err
	}
	rights := uint64(llExecute | llReadFile | llReadDir)
	if r.Write {
		rights = handled
	}
	if st.Mode&unix.S_IFMT != unix.S_IFDIR {
		rights &= llOfFiles
	}
	// struct landlock_path_beneath_attr is packed.
	var beneath [12]byte
	*(*uint64)(unsafe.Pointer(&beneath)) = rights & handled
	*(*int32)(unsafe.Pointer(&beneath[8])) = int32(at)
	// SAFETY: as above; the stores lie within beneath.
	if _, _, e := unix.RawSyscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(ruleset), 1, uintptr(unsafe.Pointer(&beneath)), 0, 0, 0); e != 0 {
		return e
	}
	return nil
}

// GoneDir opens a directory that is empty and removed, where nothing can ever be
// made; whoever has it as root sees no file. The descriptor survives exec.
func GoneDir() (int, error) {
	const tries = 100
	for _, in := range []string{"/dev/shm", "/tmp", "/var/tmp", "."} {
		for i := range tries {
			dir := in + "/.lodger-" + strconv.Itoa(unix.Getpid()) + "-" + strconv.Itoa(i)
			if err := unix.Mkdir(dir, 0o700); err == unix.EEXIST {
				continue
			} else if err != nil {
				break
			}
			// Guest processes are another user's where we are root.
			_ = unix.Chmod(dir, 0o755)
			fd, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW, 0)
			if rerr := unix.Rmdir(dir); err == nil && rerr == nil {
				return fd, nil
			}
			if err == nil {
				unix.Close(fd)
			}
			break
		}
	}
	return -1, errors.New("no place for a temporary directory")
}
