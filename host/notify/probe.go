// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"lodger/host"
)

// Finding is one thing that the host offers or does not.
type Finding struct {
	Name    string
	OK      bool
	Value   string // what was seen: a version, an error; may be empty
	Without string // what it costs to lack it
}

// Probe asks the host for everything that Lodger can make use of. It asks by use
// where it can: a container profile or a distribution's policy may let a thing be
// created and yet not be used.
func Probe() []Finding {
	start, boxes := probeBoxes()
	out := append([]Finding{start}, boxes...)
	mseal := canSeal()
	out = append(out,
		probeKillable(),
		probePidfd(),
		finding("mseal (6.10)", mseal, "", "a system call filter guards the stub instead: mmap, munmap and mprotect near it come to the kernel"),
		finding("Landlock", host.LandlockABI() > 0, landlockValue(), "guest processes are shut off from host files by namespaces alone"),
		probeMMMap(),
		probeMemfd(),
		probeYama(),
		probeCgroup(),
		finding("/dev/kvm", true, "not needed", ""),
	)
	return out
}

func finding(name string, ok bool, value, without string) Finding {
	return Finding{Name: name, OK: ok, Value: value, Without: without}
}

// tried is what became of one form of confinement.
type tried struct {
	started, sync, mem bool
	err                error
}

// probeBoxes starts a guest's first process in every form of confinement. The
// first finding says whether any guest can run.
func probeBoxes() (Finding, []Finding) {
	const needed = "no guest can run"
	abi := host.LandlockABI()
	user := tryBox(Box{UserNS: true, Namespaces: true, Landlock: abi})
	plain := tryBox(Box{Namespaces: true, Landlock: abi})
	bare := tried{err: errors.New("no Landlock")}
	if abi > 0 {
		bare = tryBox(Box{Landlock: abi})
	}
	best := user
	for _, other := range []tried{plain, bare} {
		if !best.started {
			best = other
		}
	}
	why := ""
	if !best.started {
		why = errors.Join(user.err, bare.err).Error()
		why = strings.ReplaceAll(why, "\n", "; ")
	}
	return finding("seccomp notification (a guest starts)", best.started, why, needed), []Finding{
		finding("synchronous wake-up (6.6)", best.sync, "", "a system call of the guest takes about 7 us instead of 2"),
		finding("process_vm_readv on guest processes", best.mem, "", needed),
		finding("user namespaces", user.started, errText(user.err), "guest processes keep the host user id of whoever runs lodger"),
		finding("pid, mount, net, ipc namespaces", user.started || plain.started, errText(plain.errUnless(user.started)),
			"guest processes are held back by Landlock and by the filter alone, and die by PDEATHSIG"),
		finding("confinement without namespaces", bare.started, errText(bare.err), "nothing, where namespaces are to be had"),
	}
}

// errUnless is the error, unless it does not matter.
func (t tried) errUnless(fine bool) error {
	if fine {
		return nil
	}
	return t.err
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return strings.ReplaceAll(err.Error(), "\n", "; ")
}

// tryBox starts a zygote and its first guest process, and looks into the latter.
func tryBox(b Box) tried {
	code, err := stubText()
	if err != nil {
		return tried{err: err}
	}
	filter, err := buildFilter(map[int]Route{}, false)
	if err != nil {
		return tried{err: err}
	}
	lay := newAreaLayout(minSigStack())
	z, err := startZygoteIn(b, Options{}, filter, code, lay)
	if err != nil {
		return tried{err: err}
	}
	p := &Platform{Listener: z.listener, z: z, lay: lay}
	defer p.Stop()
	res := tried{sync: z.box.SyncWakeUp}
	var ev Event
	if err := p.Recv(&ev); err != nil {
		return tried{err: fmt.Errorf("first notification: %w", err)}
	}
	res.started = true
	var magic [4]byte
	n, err := host.ReadMem(ev.TID, host.Piece{Addr: StubBase, Buf: magic[:]})
	res.mem = err == nil && n == 4 && string(magic[:]) == "\x7fELF"
	return res
}

// probeKillable offers a filter at address 0: a host that knows the flag goes on
// to EFAULT.
func probeKillable() Finding {
	_, _, e := unix.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, filterListen|filterKillRcv, 0)
	return finding("killable wait for answers (5.19)", e == unix.EFAULT, "", "a signal that meets a system call can lose the call's result")
}

// probePidfd opens a descriptor of our own process: container profiles of before
// 2020 forbid it.
func probePidfd() Finding {
	fd, err := unix.PidfdOpen(os.Getpid(), 0)
	if err == nil {
		unix.Close(fd)
	}
	return finding("process descriptors (5.3)", err == nil, errText(err), "a guest process that the host kills is not noticed, and its parent waits for it in vain")
}

func landlockValue() string {
	if n := host.LandlockABI(); n > 0 {
		return "ABI " + strconv.Itoa(n)
	}
	return ""
}

// probeMMMap asks for the size of struct prctl_mm_map.
func probeMMMap() Finding {
	var size uint32
	// SAFETY: the host writes one int. WHY: unix.Prctl takes no pointer.
	_, _, e := unix.RawSyscall6(unix.SYS_PRCTL, unix.PR_SET_MM, unix.PR_SET_MM_MAP_SIZE, uintptr(unsafe.Pointer(&size)), 0, 0, 0)
	return finding("PR_SET_MM_MAP", e == 0, errnoText(e), "a program's brk heap starts at a place of the host's choice")
}

func errnoText(e syscall.Errno) string {
	if e == 0 {
		return ""
	}
	return e.Error()
}

// probeMemfd asks whether an anonymous file can be executable.
func probeMemfd() Finding {
	fd, err := sealedMemfd("lodger-probe", []byte("#!"))
	if err == nil {
		defer unix.Close(fd)
		err = unix.Access("/proc/self/fd/"+strconv.Itoa(fd), unix.X_OK)
	}
	return finding("executable memory files", err == nil, errText(err), "no guest can run (sysctl vm.memfd_noexec must be below 2)")
}

// probeYama reads the Yama module's rule on who may look into whom.
func probeYama() Finding {
	const name = "ptrace_scope allows descendants"
	b, err := os.ReadFile("/proc/sys/kernel/yama/ptrace_scope")
	if err != nil {
		return finding(name, true, "no Yama here", "")
	}
	v, err := strconv.Atoi(strings.TrimSpace(string(b)))
	ok := err == nil && (v <= 1 || v == 2 && os.Geteuid() == 0)
	return finding(name, ok, "ptrace_scope "+strings.TrimSpace(string(b)), "the kernel cannot read guest memory: no guest can run")
}

// probeCgroup makes and removes a group below each of our own.
func probeCgroup() Finding {
	const cost = "guests have no exact memory limit (none is set yet in any case)"
	text, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return finding("writable cgroups", false, errText(err), cost)
	}
	var can []string
	for line := range strings.Lines(string(text)) {
		f := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(f) != 3 {
			continue
		}
		name, roots := "unified", []string{"/sys/fs/cgroup", "/sys/fs/cgroup/unified"}
		if f[1] != "" {
			name = strings.TrimPrefix(f[1], "name=")
			roots = []string{"/sys/fs/cgroup/" + name}
		}
		for _, root := range roots {
			if groupWritable(root, f[2]) {
				can = append(can, name)
				break
			}
		}
	}
	return finding("writable cgroups", len(can) > 0, strings.Join(can, " "), cost)
}

func groupWritable(root, path string) bool {
	dir := filepath.Join(root, path)
	if _, err := os.Stat(filepath.Join(dir, "cgroup.procs")); err != nil {
		return false
	}
	probe := filepath.Join(dir, "lodger-probe-"+strconv.Itoa(os.Getpid()))
	if os.Mkdir(probe, 0o755) != nil {
		return false
	}
	return os.Remove(probe) == nil
}
