// SPDX-License-Identifier: Apache-2.0

package sys

import (
	"lodger/abi"
	"lodger/kernel"
)

func getpid(t *kernel.Task, a Args) (uint64, error)  { return uint64(t.PID()), nil }
func gettid(t *kernel.Task, a Args) (uint64, error)  { return uint64(t.TID()), nil }
func getppid(t *kernel.Task, a Args) (uint64, error) { return uint64(t.Group().PPID()), nil }

func getpgrp(t *kernel.Task, a Args) (uint64, error) {
	pgid, _ := t.Group().IDs()
	return uint64(pgid), nil
}

// groupOrSelf finds a process by id, 0 meaning the caller's.
func groupOrSelf(t *kernel.Task, pid int32) (*kernel.ThreadGroup, error) {
	if pid == 0 || pid == t.PID() {
		return t.Group(), nil
	}
	if pid < 0 {
		return nil, abi.ESRCH
	}
	return t.Kernel().Group(pid)
}

func getpgid(t *kernel.Task, a Args) (uint64, error) {
	g, err := groupOrSelf(t, int32(a[0]))
	if err != nil {
		return 0, err
	}
	pgid, _ := g.IDs()
	return uint64(pgid), nil
}

func getsid(t *kernel.Task, a Args) (uint64, error) {
	g, err := groupOrSelf(t, int32(a[0]))
	if err != nil {
		return 0, err
	}
	_, sid := g.IDs()
	return uint64(sid), nil
}

func setpgid(t *kernel.Task, a Args) (uint64, error) {
	return 0, t.SetPGID(int32(a[0]), int32(a[1]))
}

func setsid(t *kernel.Task, a Args) (uint64, error) {
	sid, err := t.SetSID()
	return uint64(sid), err
}

func setRobustList(t *kernel.Task, a Args) (uint64, error) {
	if a[1] != 24 { // sizeof(struct robust_list_head)
		return 0, abi.EINVAL
	}
	t.RobustList.Store(a[0])
	return 0, nil
}

func getRobustList(t *kernel.Task, a Args) (uint64, error) {
	who := t
	if tid := int32(a[0]); tid != 0 && tid != t.TID() {
		o, err := t.Kernel().Task(tid)
		if err != nil {
			return 0, err
		}
		if err := t.MaySignal(o.Group(), 0); err != nil {
			return 0, err
		}
		who = o
	}
	if err := putWords(t, a[2], 24); err != nil {
		return 0, err
	}
	return 0, putWords(t, a[1], who.RobustList.Load())
}

func personality(t *kernel.Task, a Args) (uint64, error) {
	const query, addrNoRandomize = 0xffffffff, 0x0040000
	if p := a.Uint(0); p != query && p&^addrNoRandomize != 0 {
		return 0, abi.EINVAL
	}
	return 0, nil
}

// reboot ends the guest; whether it starts anew after a restart is for who booted
// it.
func reboot(t *kernel.Task, a Args) (uint64, error) {
	const (
		magic1, magic2, magic2A, magic2B, magic2C = 0xfee1dead, 672274793, 85072278, 369367448, 537993216

		cadOff, cadOn, halt, powerOff, restart, restart2 = 0, 0x89abcdef, 0xcdef0123, 0x4321fedc, 0x01234567, 0xa1b2c3d4
	)
	if !t.Creds().Capable(abi.CAP_SYS_BOOT) {
		return 0, abi.EPERM
	}
	m := a.Uint(1)
	if a.Uint(0) != magic1 || (m != magic2 && m != magic2A && m != magic2B && m != magic2C) {
		return 0, abi.EINVAL
	}
	switch a.Uint(2) {
	case cadOff, cadOn:
		return 0, nil
	case halt, powerOff, restart, restart2:
		restarts := a.Uint(2) == restart || a.Uint(2) == restart2
		t.Kernel().Shutdown(kernel.Status{Reboot: true, Restart: restarts})
		return 0, kernel.ErrSleeping
	}
	return 0, abi.EINVAL
}

// restartSyscall goes on with a call that a stop or an ignored signal
// interrupted.
func restartSyscall(t *kernel.Task, a Args) (uint64, error) {
	f := t.RestartBlock
	t.RestartBlock = nil
	if f == nil {
		return 0, abi.EINTR
	}
	return f()
}
