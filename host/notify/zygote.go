// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"lodger/host"
)

// Box says how a guest's host processes are shut in: what of the strongest form
// the host let us have.
type Box struct {
	UserNS     bool // a user namespace of their own
	Namespaces bool // pid, mount, net and ipc namespaces; the root is empty
	Landlock   int  // ABI of the Landlock domain without rights; 0: none
	Sealed     bool // the stub region is sealed against remapping (mseal)
	SyncWakeUp bool
	Killable   bool // answers are not lost to signals (WAIT_KILLABLE_RECV)
}

// zygote is the init of a guest's host processes.
type zygote struct {
	pid      int
	sock     int           // its reports of killed children, our acknowledgements
	listener *Listener     //
	box      Box           //
	release  chan struct{} // closed: the thread that started it may end
	gone     chan struct{} // closed when the host process has been reaped
}

// boxes lists the forms of confinement, strongest first.
func boxes(abi int, sealed bool, o Options) []Box {
	var out []Box
	if o.NoLandlock {
		abi = 0
	}
	for _, b := range []Box{{UserNS: true, Namespaces: true}, {Namespaces: true}, {}} {
		if b.Namespaces && !b.UserNS && os.Geteuid() != 0 {
			continue
		}
		if b.UserNS && o.NoUserNS || b.Namespaces && o.NoNamespaces {
			continue
		}
		b.Landlock, b.Sealed = abi, sealed
		if !b.Namespaces && b.Landlock == 0 {
			continue // host paths would resolve for a guest's processes
		}
		out = append(out, b)
	}
	return out
}

// ErrNoBox tells that the host offers neither namespaces nor Landlock.
var ErrNoBox = errors.New("this host allows neither user namespaces nor Landlock, so guest processes cannot be shut off from host files: enable one of them (sysctl user.max_user_namespaces, or a kernel with Landlock)")

// startZygote tries the forms of confinement in turn.
func startZygote(o Options, sealed bool, filter []bpfInsn, code []byte, lay areaLayout) (*zygote, error) {
	var errs []error
	forms := boxes(host.LandlockABI(), sealed, o)
	if len(forms) == 0 {
		return nil, ErrNoBox
	}
	for _, b := range forms {
		z, err := startZygoteIn(b, o, filter, code, lay)
		if err == nil {
			return z, nil
		}
		errs = append(errs, err)
		if errors.Is(err, syscall.EBUSY) || errors.Is(err, errNoNotify) {
			break
		}
	}
	return nil, joinOnce(errs)
}

// joinOnce makes one line of several errors, each text once.
func joinOnce(errs []error) error {
	err := errs[0]
	for _, e := range errs[1:] {
		if e.Error() != errs[0].Error() {
			err = fmt.Errorf("%w; %w", err, e)
		}
	}
	return err
}

var errNoNotify = errors.New("the host refuses a seccomp filter with a notification listener")

// startZygoteIn starts one zygote and waits until it has sent its listener.
func startZygoteIn(b Box, o Options, filter []bpfInsn, code []byte, lay areaLayout) (*zygote, error) {
	script, steps := zygoteScript(b, o, filter, lay)
	im, err := zygoteImage(code, lay, script)
	if err != nil {
		return nil, err
	}
	exe, err := sealedMemfd("lodger-zygote", im)
	if err != nil {
		return nil, fmt.Errorf("zygote image: %w", err)
	}
	defer syscall.Close(exe)
	// Where no pid namespace ties a guest process to its init, PDEATHSIG does.
	stub, err := stubImage(code, lay, b.Sealed, !b.Namespaces, o.Trace)
	if err != nil {
		return nil, err
	}
	stubFD, err := sealedMemfd("lodger-guest", stub)
	if err != nil {
		return nil, fmt.Errorf("stub image: %w", err)
	}
	defer syscall.Close(stubFD)
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_SEQPACKET|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("socketpair for the zygote: %w", err)
	}
	defer syscall.Close(pair[1])
	z := &zygote{sock: pair[0], box: b, release: make(chan struct{}), gone: make(chan struct{})}
	attr := &syscall.ProcAttr{Files: []uintptr{uintptr(pair[1]), uintptr(stubFD)}, Sys: zygoteAttr(b)}
	if b.Namespaces && o.EmptyDir > 0 {
		attr.Files = append(attr.Files, uintptr(o.EmptyDir))
	}
	started := make(chan error)
	go z.parent(exe, attr, started, o.CPUs)
	if err := <-started; err != nil {
		syscall.Close(pair[0])
		return nil, fmt.Errorf("start the zygote (%s): %w", b.describe(), err)
	}
	// Let the host's out-of-memory killer prefer guests to everybody else.
	_ = os.WriteFile("/proc/"+strconv.Itoa(z.pid)+"/oom_score_adj", []byte("1000"), 0)
	fd, err := z.receiveListener(steps)
	if err != nil {
		z.stop()
		return nil, fmt.Errorf("set up the zygote (%s): %w", b.describe(), err)
	}
	z.listener = &Listener{fd: fd}
	z.box.SyncWakeUp = z.listener.setSyncWakeUp() == nil
	return z, nil
}

// parent starts the host process and stays: PDEATHSIG follows this thread.
func (z *zygote) parent(exe int, attr *syscall.ProcAttr, started chan<- error, cpus int) {
	runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
	if cpus > 0 {
		pinThread(cpus)
	}
	pid, err := syscall.ForkExec("/proc/self/fd/"+strconv.Itoa(exe), []string{"lodger-zygote"}, attr)
	z.pid = pid
	started <- err
	if err != nil {
		return
	}
	if !z.box.Namespaces {
		// While the zygote is a zombie its number names its group and no other.
		for unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil) == unix.EINTR {
		}
		_ = syscall.Kill(-pid, syscall.SIGKILL)
	}
	var ws syscall.WaitStatus
	for {
		_, err := syscall.Wait4(pid, &ws, 0, nil)
		if err != syscall.EINTR {
			break
		}
	}
	close(z.gone)
	<-z.release
}

// pinThread restricts the calling thread, and what it starts, to the first n of the
// processors that it may use.
func pinThread(n int) {
	var have, want unix.CPUSet
	if unix.SchedGetaffinity(0, &have) != nil {
		return
	}
	for cpu := 0; n > 0 && cpu < 8*len(have)*8; cpu++ {
		if have.IsSet(cpu) {
			want.Set(cpu)
			n--
		}
	}
	_ = unix.SchedSetaffinity(0, &want)
}

// stop kills the zygote, and with it every guest process.
func (z *zygote) stop() {
	z.kill()
	z.close()
}

func (z *zygote) kill() {
	_ = syscall.Kill(z.pid, syscall.SIGKILL)
	<-z.gone
}

func (z *zygote) close() {
	close(z.release)
	_ = syscall.Close(z.sock)
}

func (b Box) describe() string {
	switch {
	case b.UserNS:
		return "user, pid, mount, net and ipc namespaces"
	case b.Namespaces:
		return "pid, mount, net and ipc namespaces"
	}
	return "Landlock without namespaces"
}

func zygoteAttr(b Box) *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setsid: true}
	if b.Namespaces {
		a.Cloneflags = syscall.CLONE_NEWPID | syscall.CLONE_NEWNS | syscall.CLONE_NEWNET | syscall.CLONE_NEWIPC
	}
	if b.UserNS {
		a.Cloneflags |= syscall.CLONE_NEWUSER
		uid, gid := os.Geteuid(), os.Getegid()
		if uid == 0 {
			// Real root: guest processes become nobody on the host.
			uid, gid = 65534, 65534
			a.Credential = &syscall.Credential{NoSetGroups: true}
		}
		a.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: uid, Size: 1}}
		a.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: gid, Size: 1}}
	}
	return a
}

// receiveListener waits for the zygote's message with the listener. steps names
// the script's entries for the error message.
func (z *zygote) receiveListener(steps []string) (int, error) {
	tv := syscall.NsecToTimeval(int64(10 * time.Second))
	_ = syscall.SetsockoptTimeval(z.sock, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &tv)
	buf, oob := make([]byte, 64), make([]byte, 64)
	var n, oobn int
	var err error
	for {
		n, oobn, _, _, err = syscall.Recvmsg(z.sock, buf, oob, syscall.MSG_CMSG_CLOEXEC)
		if err != syscall.EINTR {
			break
		}
	}
	if err != nil {
		return -1, fmt.Errorf("no word from it: %w", err)
	}
	if oobn > 0 {
		msgs, err := syscall.ParseSocketControlMessage(oob[:oobn])
		if err != nil || len(msgs) != 1 {
			return -1, fmt.Errorf("bad listener message: %v", err)
		}
		fds, err := syscall.ParseUnixRights(&msgs[0])
		if err != nil || len(fds) != 1 {
			return -1, fmt.Errorf("bad listener message: %v", err)
		}
		tv = syscall.Timeval{}
		_ = syscall.SetsockoptTimeval(z.sock, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &tv)
		return fds[0], nil
	}
	if n != 16 {
		return -1, errors.New("it died during set-up")
	}
	step := binary.LittleEndian.Uint64(buf)
	e := syscall.Errno(-int64(binary.LittleEndian.Uint64(buf[8:])))
	switch {
	case step == 1001 && e == syscall.EBUSY:
		return -1, fmt.Errorf("the host runs us under another seccomp listener already: %w", e)
	case step == 1001:
		return -1, fmt.Errorf("%w: %w", errNoNotify, e)
	case step < uint64(len(steps)):
		return -1, fmt.Errorf("%s: %w", steps[step], e)
	}
	return -1, fmt.Errorf("step %d: %w", step, e)
}

// sealedMemfd returns a descriptor of an anonymous executable file that nobody
// can change any more.
func sealedMemfd(name string, data []byte) (int, error) {
	flags := unix.MFD_CLOEXEC | unix.MFD_ALLOW_SEALING
	fd, err := unix.MemfdCreate(name, flags|0x10) // MFD_EXEC
	if err == unix.EINVAL {
		fd, err = unix.MemfdCreate(name, flags)
	}
	if err != nil {
		return -1, err
	}
	for len(data) > 0 {
		n, err := unix.Write(fd, data)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			unix.Close(fd)
			return -1, err
		}
		data = data[n:]
	}
	_ = unix.Fchmod(fd, 0o555)
	seals := unix.F_SEAL_SEAL | unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_WRITE
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals); err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}
