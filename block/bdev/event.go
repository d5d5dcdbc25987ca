// SPDX-License-Identifier: Apache-2.0

package bdev

import "slices"

// EventKind says what became of a device: the actions of its uevents.
type EventKind int

// The kinds of events.
const (
	Added   EventKind = iota
	Changed           // its size or what is behind it
	Removed
)

// Event is what an observer is told.
type Event struct {
	Kind   EventKind
	Device *Device
}

type observer struct{ f func(Event) }

// Observe has f told of every device that comes, changes or goes, those there are
// already first. f is called one event at a time; it may look at the table, but
// not change it. A disk is added before its partitions and removed after them.
func (t *Table) Observe(f func(Event)) (cancel func()) {
	t.changeMu.Lock()
	defer t.changeMu.Unlock()
	o := &observer{f}
	t.observers = append(t.observers, o)
	for _, d := range t.Devices() {
		f(Event{Added, d})
	}
	return func() {
		t.changeMu.Lock()
		defer t.changeMu.Unlock()
		t.observers = slices.DeleteFunc(t.observers, func(x *observer) bool { return x == o })
	}
}

// tell calls the observers; changeMu is held.
func (t *Table) tell(e Event) {
	for _, o := range t.observers {
		o.f(e)
	}
}
