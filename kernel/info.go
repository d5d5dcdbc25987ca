// SPDX-License-Identifier: Apache-2.0

package kernel

import (
	"lodger/abi"
	"lodger/host"
)

// What uname(2) says of the kernel. Programs read the release as a Linux
// version; glibc refuses old ones.
const (
	Release = "6.12.0-lodger"
	Version = "#1 SMP PREEMPT_DYNAMIC Lodger"
	// Banner is linux_banner: /proc/version, and the log's first line.
	Banner = "Linux version " + Release + " (lodger@lodger) (lodger) " + Version
)

// Memory is what sysinfo(2) and /proc/meminfo say: the host's, in bytes.
func (k *Kernel) Memory() host.Memory { return host.ReadMemory() }

// Uptime is how long the guest has run, in nanoseconds.
func (k *Kernel) Uptime() int64 { return k.Clock.Uptime() }

// LoadAvg is the host's load average.
func (k *Kernel) LoadAvg() [3]float64 { return host.LoadAvg() }

// WaitForSignals makes signals of set end t's sleep though they are blocked
// (sigtimedwait's real_blocked).
func (t *Task) WaitForSignals(set abi.Sigset) {
	t.k.mu.Lock()
	defer t.k.mu.Unlock()
	t.waitSet = set
}

// StubSafe reports whether [addr, addr+length) keeps off the stub's constant
// part.
func (t *Task) StubSafe(addr, length uint64) bool { return t.k.p.StubSafe(addr, length) }

// Mapped reports whether every page of a range is mapped.
func (t *Task) Mapped(addr, length uint64) bool { return host.Mapped(t.hostTID, addr, length) }
