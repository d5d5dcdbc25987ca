// SPDX-License-Identifier: Apache-2.0

package kernel

import (
	"slices"
	"sync"

	"lodger/host/notify"
)

// mapNumbers gives out the numbers at which descriptors are put into a host process
// for one batch of mappings. They are the kernel's own: a guest's file that the host
// maps without the stub (MapFile) is never there, nor are a program's files at an
// exec, which the filter lets the stub map without asking. So a descriptor of a disk
// image that guest code keeps from being closed is good for nothing. A number is used
// anew only once the mappings that it was for are made or void.
type mapNumbers struct {
	mu   sync.Mutex
	used []bool // guarded by mu
}

// take gives the lowest free number, counted from 0.
func (m *mapNumbers) take() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := slices.Index(m.used, false)
	if n < 0 {
		n = len(m.used)
		m.used = append(m.used, false)
	}
	m.used[n] = true
	return n
}

func (m *mapNumbers) put(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if n < len(m.used) {
		m.used[n] = false
	}
}

// clear: an exec has closed them all.
func (m *mapNumbers) clear() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.used = nil
}

// inject puts a descriptor of ours into t's host process, which waits in notification
// id, until the stub has mapped from it. The caller holds t.callMu.
func (t *Task) inject(id uint64, fd int) (uint64, error) {
	n := t.tg.mapFDs.take()
	number, err := t.k.p.AddMapFD(id, fd, n)
	if err != nil {
		t.tg.mapFDs.put(n)
		return 0, err
	}
	t.injected = append(t.injected, n)
	return uint64(number), nil
}

// allowMaps notes the file mappings of a batch: the stub's own calls come back as
// notifications and must be exactly these.
func (t *Task) allowMaps(b *notify.Batch) {
	t.okMaps = append(b.Args(notify.NrMmap), b.Args(notify.NrMremap)...)
}

func (t *Task) mapAllowed(args [6]uint64) bool {
	i := slices.Index(t.okMaps, args)
	if i < 0 {
		return false
	}
	t.okMaps = slices.Delete(t.okMaps, i, i+1)
	return true
}

// endMaps notes that t's host thread stands at something else than a mapping that it
// may make: what it was allowed and did not make, it may not make any more, and what
// it was let make is made. The caller holds t.callMu.
func (t *Task) endMaps() {
	t.okMaps = nil
	for _, n := range t.injected {
		t.tg.mapFDs.put(n)
	}
	t.injected = t.injected[:0]
}
