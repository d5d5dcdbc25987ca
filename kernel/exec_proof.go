// SPDX-License-Identifier: Apache-2.0

package kernel

import (
	"lodger/host"
	"lodger/host/notify"
)

// Guest code can take the stub's place: have an exec agreed, make the host's
// execve fail (an exhausted limit is enough) and go on in the old image as if it
// were the fresh one. So an exec that is under way allows nothing but its own
// calls, and it must be proved: the program may get credentials or a file that its
// caller lacks, its files' descriptors are put where the stub maps any part of them
// without asking (a disk image's: any block), and the old memory's mappings are
// forgotten, so that their blocks can be freed.

// expects reports whether ev, of the exec'ing thread, is a step of the exec. After
// the point of no return the old image's code does not run any more, and the new
// one's does not run yet.
func (x *execing) expects(ev *notify.Event, hostPID int32) bool {
	if !ev.FromStub() {
		return false
	}
	switch notify.Op(ev.Nr) {
	case notify.OpBatch:
		return !x.started || x.mapping
	case notify.OpStart:
		// The host gave the caller the process's id.
		return x.started && !x.mapping && ev.TID == hostPID
	case notify.OpNoExec:
		return x.started
	}
	if x.started {
		return false
	}
	return notify.IsStubExec(int(ev.Nr), ev.Args) || x.proof && isExecMark(int(ev.Nr), ev.Args)
}

// execMark is a robust futex list that the stub of an exec'ing thread tells the host
// of. The host forgets it at a successful execve, and at nothing else that the
// thread survives: guest code has no way to it. No user address, so that nothing is
// ever read there.
const execMark = 1 << 63

// robustListHead is sizeof(struct robust_list_head).
const robustListHead = 24

func isExecMark(nr int, a [6]uint64) bool {
	return nr == notify.NrSetRobustList && a[0] == execMark && a[1] == robustListHead
}

// markExec adds the mark to the last batch of the old image.
func (x *execing) markExec(b *notify.Batch) {
	if x.proof {
		b.AddLoose(notify.NrSetRobustList, execMark, robustListHead)
	}
}

// marked reports whether the host may be let to exec: the mark is set.
func (t *Task) marked(x *execing) bool {
	if !x.proof {
		return true
	}
	head, err := host.RobustList(t.hostTID)
	return err == nil && head == execMark
}

// execProved reports whether the host's execve has taken place. The mark is gone,
// and so is a calling thread that was not the leader: it has the leader's id now.
func (t *Task) execProved(x *execing) bool {
	if !x.proof {
		return true
	}
	pid := t.tg.hostPID
	if t.hostTID != pid && host.ThreadOf(pid, t.hostTID) {
		return false
	}
	head, err := host.RobustList(pid)
	return err == nil && head == 0
}
