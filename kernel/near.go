// SPDX-License-Identifier: Apache-2.0

package kernel

import (
	"bytes"
	"math/bits"

	"lodger/host"
)

// A clone's child starts on its parent's processor. The host would put it on an idle
// one, which takes an interrupt there and 30 to 60 us on virtual machines, for a
// child that in its first moments does little but talk to the kernel, which its
// parent's processor runs. So the parent is held on the present processor over
// the host's clone, the child inherits that, and both are let go with the child's
// first words. From then on they are the host's scheduler's, as always: it moves
// who has to wait for a processor, at the latest at the child's exec.

// affinity is a task's set of processors. Guarded by Kernel.mu.
type affinity struct {
	mask []byte // what it may use, as the host has it; nil: not known yet
	held bool   // the host has a smaller set for the moment
}

// holdNear holds t, which stands in a clone that is about to go on, on the
// processor of the calling thread, together with the child to come. The caller
// holds t.callMu.
func (t *Task) holdNear(child *Task) {
	cpu := host.CurrentCPU()
	t.k.mu.Lock()
	defer t.k.mu.Unlock()
	if t.aff.mask == nil {
		t.aff.mask, _ = host.Affinity(t.hostTID)
	}
	child.aff.mask = t.aff.mask
	if cpu < 0 || cpu/8 >= len(t.aff.mask) || !several(t.aff.mask) {
		return
	}
	one := make([]byte, len(t.aff.mask))
	one[cpu/8] = 1 << (cpu % 8)
	if t.aff.mask[cpu/8]&one[cpu/8] == 0 || host.SetAffinity(t.hostTID, one) != nil {
		return
	}
	t.aff.held, child.aff.held = true, true
}

// letMove lets the host move t again. The caller holds k.mu.
func (t *Task) letMove() {
	if t.aff.held && t.hostTID != 0 {
		t.aff.held = false
		_ = host.SetAffinity(t.hostTID, t.aff.mask)
	}
}

// several reports whether a set has more than one processor.
func several(mask []byte) bool {
	n := 0
	for _, b := range mask {
		n += bits.OnesCount8(b)
	}
	return n > 1
}

// Affinity is the set of host processors that t may run on, as
// sched_getaffinity(2) has it: guests see the host's processor numbers, as in a
// cpuset.
func (t *Task) Affinity() ([]byte, error) {
	t.k.mu.Lock()
	defer t.k.mu.Unlock()
	if t.aff.held {
		return bytes.Clone(t.aff.mask), nil
	}
	return host.Affinity(t.hostTID)
}

// SetAffinity restricts t to the processors in mask.
func (t *Task) SetAffinity(mask []byte) error {
	t.k.mu.Lock()
	defer t.k.mu.Unlock()
	if err := host.SetAffinity(t.hostTID, mask); err != nil {
		return err
	}
	t.aff = affinity{} // read again when it matters
	return nil
}
