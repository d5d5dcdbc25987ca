// SPDX-License-Identifier: Apache-2.0

// Package notify is Lodger's platform: guest processes are host processes, and
// their system calls arrive by seccomp user notification.
//
// It stands where arch/um and os-Linux stand in the classic UML, and knows
// nothing of tasks, files or signals beyond bytes and addresses. The parts:
//
//   - filter_amd64.go: the seccomp program, made from the system call table;
//   - stub_amd64.s: the code that every guest process holds at StubBase;
//   - zygote.go, script.go: the guest's host init, which shuts itself in, starts
//     the first process with the filter, and holds their namespace;
//   - deaths.go: notices host processes that something else killed;
//   - listener.go: receive and answer;
//   - header.go: the page by which kernel and stub exchange what does not fit
//     into a notification.
//
// A Platform has no locks of its own: the listener's calls are the host's.
package notify

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"lodger/host"
)

var errShort = errors.New("short copy to or from a guest process")

// Platform is one guest's set of host processes.
type Platform struct {
	*Listener
	z      *zygote
	lay    areaLayout
	deaths *deaths
}

// Options leave out forms of confinement, as if the host did not offer them:
// tests go through every box on one host.
type Options struct {
	NoUserNS     bool
	NoNamespaces bool
	NoLandlock   bool
	NoSeal       bool // as on hosts before 6.10
	// Trace has the stub tell (OpTraced) of the calls that it answers itself.
	Trace bool
	// EmptyDir, when not 0, is a descriptor of a directory that is empty and gone
	// (host.GoneDir): the root of guest processes, where we may not mount one.
	EmptyDir int
	// CPUs, when not 0, pins the guest's host processes to that many of the
	// processors that we may use.
	CPUs int
	// Tasks, when not 0, is how many tasks the guest may have: the host bounds its
	// processes, ended ones included, to a small multiple.
	Tasks int
}

// Start builds stub and filter, and starts the zygote and the first guest
// process, which announces itself with OpStart.
func Start(routes map[int]Route, o Options) (*Platform, error) {
	if n := host.FDLimit(); n < minFDs {
		return nil, fmt.Errorf("the limit of %d open files is too low, a guest needs %d: raise it (ulimit -n)", n, minFDs)
	}
	code, err := stubText()
	if err != nil {
		return nil, err
	}
	sealed := canSeal() && !o.NoSeal
	if filtered() {
		routes = underFilter(routes)
	}
	filter, err := buildFilter(routes, sealed)
	if err != nil {
		return nil, err
	}
	lay := newAreaLayout(minSigStack())
	z, err := startZygote(o, sealed, filter, code, lay)
	if err != nil {
		return nil, err
	}
	d, err := newDeaths(z.sock)
	if err != nil {
		z.stop()
		return nil, err
	}
	return &Platform{Listener: z.listener, z: z, lay: lay, deaths: d}, nil
}

// Box says how the guest's host processes are confined.
func (p *Platform) Box() Box { return p.z.box }

// ZygotePID is the host process id of the guest's host init.
func (p *Platform) ZygotePID() int { return p.z.pid }

// Stop kills all host processes of the guest and returns when they are gone.
func (p *Platform) Stop() {
	p.z.kill()
	if p.deaths != nil {
		p.deaths.stop()
	}
	p.z.close()
	_ = p.Listener.close()
}

// MainHeader is the header of a fresh process's only thread.
func (p *Platform) MainHeader() uint64 { return p.lay.mainHeader() }

// AreaSize is the size of a thread's area in bytes.
func (p *Platform) AreaSize() uint64 { return p.lay.size() }

// Area returns base and header of the n-th thread area of a process; 0 is the
// main thread's.
func (p *Platform) Area(n int) (base, header uint64) {
	base = areaBase + uint64(n)*p.lay.size()
	return base, base + p.lay.stackSize
}

// minSigStack reads AT_MINSIGSTKSZ; old hosts do not have it.
func minSigStack() uint64 {
	const atMinSigStkSz, least = 51, 4096
	b, err := os.ReadFile("/proc/self/auxv")
	if err != nil {
		return 16384
	}
	for ; len(b) >= 16; b = b[16:] {
		if le64(b) == atMinSigStkSz {
			return max(le64(b[8:]), least)
		}
	}
	return least
}

// canSeal asks for mseal by an empty range.
func canSeal() bool {
	_, _, e := unix.RawSyscall(nrMseal, StubBase, 0, 0)
	return e == 0
}

// StubSafe reports whether a range keeps off the stub's code and constants and
// off the first thread's area.
func (p *Platform) StubSafe(addr, length uint64) bool {
	end := addr + length
	return end >= addr && (end <= StubBase || addr >= areaBase+p.lay.size())
}

// AddExecFD injects descriptor fd into a fresh image at the n-th place for a
// program's files and returns its number there.
func (p *Platform) AddExecFD(id uint64, fd, n int) (int, error) {
	if n >= execFDsEnd-execFDs {
		return -1, unix.EMFILE
	}
	return p.AddFD(id, fd, execFDs+n)
}

// AddMapFD injects descriptor fd for mappings that the kernel will allow, at the n-th
// number for such, and returns it.
func (p *Platform) AddMapFD(id uint64, fd, n int) (int, error) {
	return p.AddFD(id, fd, execFDsEnd+n)
}

// ReservedFD reports whether a descriptor number must not hold a guest's file.
func ReservedFD(fd int) bool { return fd < FirstFD || fd >= execFDs }
