// SPDX-License-Identifier: Apache-2.0

package kernel

import (
	"slices"

	"lodger/abi"
	"lodger/host"
	"lodger/host/notify"
)

// Strays: host processes and threads of the guest that no task is bound to. Guest
// code can take the stub's place in a clone and keep the child from announcing
// itself; whatever it asks for costs it its life (Kernel.stranger), but it may ask
// for nothing and only run. So when a clone did not end as it should, the host's
// processes are looked over twice, so far apart that whoever announces himself
// late is not taken for one.
const (
	strayFirst  = 1e9  // nanoseconds from the suspicion to the first look
	straySecond = 20e9 // and to the second
)

// bound reports whether host thread ev.TID can be what child is announced as: the
// leader of a process of its own, or a thread of child's.
func (k *Kernel) bound(child *Task, ev *notify.Event) bool {
	if child == child.tg.leader {
		return host.ThreadOf(ev.TID, ev.TID)
	}
	return host.ThreadOf(child.tg.hostPID, ev.TID)
}

// suspect has the host's processes looked over; one search at a time.
func (k *Kernel) suspect() {
	if k.straying.Swap(true) {
		return
	}
	k.Clock.After(strayFirst, func() {
		first := k.strays()
		if len(first) == 0 {
			k.straying.Store(false)
			return
		}
		k.Clock.After(straySecond, func() {
			k.straying.Store(false)
			k.Do(func() { k.killStrays(first) })
		})
	})
}

// killStrays kills the processes of those that are still strays.
func (k *Kernel) killStrays(first []host.ThreadID) {
	if k.dead.Load() {
		return
	}
	for _, s := range k.strays() {
		if !slices.Contains(first, s) {
			continue
		}
		k.Log.Warn("a host process or thread that never announced itself is killed", "pid", s.PID, "tid", s.TID)
		k.mu.Lock()
		for _, g := range k.groups {
			if g.hostPID == s.PID {
				k.killGroup(g, abi.SIGKILL)
			}
		}
		k.mu.Unlock()
		host.KillChild(k.p.ZygotePID(), s)
	}
}

// strays lists the host threads below the zygote that belong to nobody.
func (k *Kernel) strays() []host.ThreadID {
	if k.dead.Load() {
		return nil
	}
	return slices.DeleteFunc(host.ChildThreads(k.p.ZygotePID()), func(s host.ThreadID) bool {
		if k.byHost.get(s.TID) != nil {
			return true
		}
		k.mu.Lock()
		defer k.mu.Unlock()
		return k.leaving[s.TID]
	})
}
