// SPDX-License-Identifier: Apache-2.0

package kernel

import "sync/atomic"

// hostMap finds tasks by host thread id. Host ids go up to 4194304
// (PID_MAX_LIMIT), so it is a two-level array; readers take no lock.
type hostMap struct {
	pages [1024]atomic.Pointer[[4096]atomic.Pointer[Task]]
}

func (m *hostMap) slot(tid int32, grow bool) *atomic.Pointer[Task] {
	i := uint32(tid) >> 12
	if i >= uint32(len(m.pages)) {
		return nil
	}
	p := m.pages[i].Load()
	if p == nil {
		if !grow {
			return nil
		}
		m.pages[i].CompareAndSwap(nil, new([4096]atomic.Pointer[Task]))
		p = m.pages[i].Load()
	}
	return &p[tid&4095]
}

func (m *hostMap) get(tid int32) *Task {
	if s := m.slot(tid, false); s != nil {
		return s.Load()
	}
	return nil
}

func (m *hostMap) set(tid int32, t *Task) {
	if s := m.slot(tid, true); s != nil {
		s.Store(t)
	}
}

// clear empties the slot if it still holds t.
func (m *hostMap) clear(tid int32, t *Task) {
	if s := m.slot(tid, false); s != nil {
		s.CompareAndSwap(t, nil)
	}
}
