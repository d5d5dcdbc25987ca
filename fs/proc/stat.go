// SPDX-License-Identifier: Apache-2.0

package proc

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"lodger/abi"
	"lodger/host"
	"lodger/lib/cpumask"
)

// memory is what the host says of a process's memory. Sizes of status are in KiB,
// those of statm in pages.
type memory struct {
	status map[string]uint64 // "VmSize" and so on
	pages  string            // statm's line
	// From the host's stat, by field number of proc(5).
	fields [53]uint64
}

// vmNames are the lines of status that come from the host, in order.
var vmNames = [...]string{"VmPeak", "VmSize", "VmLck", "VmPin", "VmHWM", "VmRSS", "RssAnon", "RssFile", "RssShmem",
	"VmData", "VmStk", "VmExe", "VmLib", "VmPTE", "VmSwap"}

// memory reads the host's figures; of a zombie there are none.
func (p *pidNode) memory(i *Info) *memory {
	m := &memory{status: map[string]uint64{}, pages: "0 0 0 0 0 0 0\n"}
	if i.HostPID == 0 || i.State == 'Z' {
		return m
	}
	if b, err := host.ProcFile(i.HostPID, "status"); err == nil {
		for _, line := range strings.Split(string(b), "\n") {
			name, v, _ := strings.Cut(line, ":")
			if f := strings.Fields(v); len(f) > 0 {
				m.status[name], _ = strconv.ParseUint(f[0], 10, 64)
			}
		}
	}
	if b, err := host.ProcFile(i.HostPID, "statm"); err == nil {
		m.pages = string(b)
	}
	tid := i.HostPID
	if p.thread() && i.HostTID != 0 {
		tid = i.HostTID
	}
	if b, err := host.ProcFile(tid, "stat"); err == nil {
		rest := b[bytes.LastIndexByte(b, ')')+1:]
		for n, f := range strings.Fields(string(rest)) {
			if n+3 < len(m.fields) {
				m.fields[n+3], _ = strconv.ParseUint(f, 10, 64)
			}
		}
	}
	return m
}

func (m *memory) statm() string { return m.pages }

// ticks converts nanoseconds to USER_HZ.
func ticks(ns int64) int64 { return ns / 1e7 }

// stat formats /proc/PID/stat (do_task_stat of fs/proc/array.c): the 52 fields
// of proc(5). The addresses are those of the guest's layout.
func (p *pidNode) stat(i *Info) string {
	m := p.memory(i)
	u, s := i.GroupUser, i.GroupSystem
	if p.thread() {
		u, s = i.User, i.System
	}
	l := i.Layout
	h := m.fields
	b := make([]byte, 0, 512)
	b = fmt.Appendf(b, "%d (%s) %c %d %d %d %d %d", i.TID, i.Comm, i.State, i.PPID, i.PGID, i.SID, ttyNr(i.TTY), i.TPGID)
	b = fmt.Appendf(b, " %d %d %d %d %d", h[9]&^0x200000, h[10], h[11], h[12], h[13])
	b = fmt.Appendf(b, " %d %d %d %d", ticks(u), ticks(s), ticks(i.ChildUser), ticks(i.ChildSystem))
	b = fmt.Appendf(b, " %d %d %d 0 %d", 20+i.Nice, i.Nice, i.Threads, ticks(i.Start))
	b = fmt.Appendf(b, " %d %d %d", h[23], h[24], i.Limits[abi.RLIMIT_RSS].Cur)
	b = fmt.Appendf(b, " %d %d %d 0 0", l.StartCode, l.EndCode, l.StartStack)
	const lower = 1<<31 - 1
	b = fmt.Appendf(b, " %d %d %d %d 0 0 0", uint64(i.Pending)&lower, uint64(i.Blocked)&lower, uint64(i.Ignored)&lower, uint64(i.Caught)&lower)
	b = fmt.Appendf(b, " %d %d 0 %d 0 0 0", i.ExitSignal, i.CPU, i.Policy)
	b = fmt.Appendf(b, " %d %d %d %d %d %d %d %d\n", l.StartData, l.EndData, l.StartBrk, l.ArgStart, l.ArgEnd, l.EnvStart, l.EnvEnd, i.ExitCode)
	return string(b)
}

// ttyNr is new_encode_dev: 12 bits of major, 20 of minor in two parts.
func ttyNr(dev uint64) uint32 {
	maj, minor := abi.Major(dev), abi.Minor(dev)
	return uint32(minor&0xff | maj<<8 | (minor&^0xff)<<12)
}

// states names the letters of proc(5).
var states = map[byte]string{'R': "running", 'S': "sleeping", 'D': "disk sleep", 'T': "stopped", 't': "tracing stop", 'Z': "zombie", 'X': "dead"}

// status formats /proc/PID/status (proc_pid_status of fs/proc/array.c).
func (p *pidNode) status(i *Info) string {
	c := p.task.Creds()
	id := i.TID
	b := make([]byte, 0, 1500)
	b = fmt.Appendf(b, "Name:\t%s\n", strings.NewReplacer("\n", `\n`, `\`, `\\`).Replace(i.Comm))
	if i.State != 'Z' {
		b = fmt.Appendf(b, "Umask:\t%04o\n", i.Umask)
	}
	b = fmt.Appendf(b, "State:\t%c (%s)\nTgid:\t%d\nNgid:\t0\nPid:\t%d\nPPid:\t%d\nTracerPid:\t0\n", i.State, states[i.State], i.PID, id, i.PPID)
	b = fmt.Appendf(b, "Uid:\t%d\t%d\t%d\t%d\nGid:\t%d\t%d\t%d\t%d\n", c.UID, c.EUID, c.SUID, c.FSUID, c.GID, c.EGID, c.SGID, c.FSGID)
	b = fmt.Appendf(b, "FDSize:\t%d\nGroups:\t", i.FDSize)
	for _, g := range c.Groups {
		b = fmt.Appendf(b, "%d ", g)
	}
	b = fmt.Appendf(b, "\nNStgid:\t%d\nNSpid:\t%d\nNSpgid:\t%d\nNSsid:\t%d\nKthread:\t0\n", i.PID, id, i.PGID, i.SID)
	m := p.memory(i)
	if _, ok := m.status["VmSize"]; ok {
		for _, n := range vmNames {
			b = fmt.Appendf(b, "%s:\t%8d kB\n", n, m.status[n])
		}
		b = append(b, "CoreDumping:\t0\nTHP_enabled:\t1\n"...)
	}
	b = fmt.Appendf(b, "Threads:\t%d\nSigQ:\t%d/%d\n", i.Threads, i.Queued, i.Limits[abi.RLIMIT_SIGPENDING].Cur)
	b = fmt.Appendf(b, "SigPnd:\t%016x\nShdPnd:\t%016x\nSigBlk:\t%016x\nSigIgn:\t%016x\nSigCgt:\t%016x\n",
		uint64(i.Pending), uint64(i.Shared), uint64(i.Blocked), uint64(i.Ignored), uint64(i.Caught))
	b = fmt.Appendf(b, "CapInh:\t%016x\nCapPrm:\t%016x\nCapEff:\t%016x\nCapBnd:\t%016x\nCapAmb:\t%016x\n",
		c.Inheritable, c.Permitted, c.Effective, c.Bounding, c.Ambient)
	nnp := 0
	if i.NoNewPrivs {
		nnp = 1
	}
	b = fmt.Appendf(b, "NoNewPrivs:\t%d\nSeccomp:\t0\nSeccomp_filters:\t0\n", nnp)
	mask := cpumask.Allowed(i.HostTID)
	b = fmt.Appendf(b, "Cpus_allowed:\t%s\nCpus_allowed_list:\t%s\nMems_allowed:\t1\nMems_allowed_list:\t0\n", cpumask.Hex(mask), cpumask.List(mask))
	b = fmt.Appendf(b, "voluntary_ctxt_switches:\t%d\nnonvoluntary_ctxt_switches:\t%d\n",
		m.status["voluntary_ctxt_switches"], m.status["nonvoluntary_ctxt_switches"])
	return string(b)
}

// limitNames are the rows of /proc/PID/limits, by RLIMIT_* number (lnames of
// fs/proc/base.c).
var limitNames = [...][2]string{
	{"Max cpu time", "seconds"}, {"Max file size", "bytes"}, {"Max data size", "bytes"}, {"Max stack size", "bytes"},
	{"Max core file size", "bytes"}, {"Max resident set", "bytes"}, {"Max processes", "processes"}, {"Max open files", "files"},
	{"Max locked memory", "bytes"}, {"Max address space", "bytes"}, {"Max file locks", "locks"}, {"Max pending signals", "signals"},
	{"Max msgqueue size", "bytes"}, {"Max nice priority", ""}, {"Max realtime priority", ""}, {"Max realtime timeout", "us"},
}

func limits(i *Info) string {
	show := func(v uint64) string {
		if v == abi.RLIM_INFINITY {
			return "unlimited"
		}
		return strconv.FormatUint(v, 10)
	}
	b := fmt.Appendf(nil, "%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit", "Hard Limit", "Units")
	for n, l := range limitNames {
		b = fmt.Appendf(b, "%-25s %-20s %-20s ", l[0], show(i.Limits[n].Cur), show(i.Limits[n].Max))
		if l[1] != "" {
			b = fmt.Appendf(b, "%-10s", l[1])
		}
		b = append(b, '\n')
	}
	return string(b)
}
