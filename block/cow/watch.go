// SPDX-License-Identifier: Apache-2.0

package cow

import (
	"slices"

	"lodger/block"
)

// Generation implements block.Mover.
func (d *Device) Generation() uint64 { return d.gen.Load() }

// Watch implements block.Mover.
func (d *Device) Watch(w block.Watcher) (cancel func()) {
	x := &watch{w}
	d.wmu.Lock()
	defer d.wmu.Unlock()
	d.watchers = append(slices.Clone(d.watchers), x)
	d.publish()
	return func() {
		d.wmu.Lock()
		defer d.wmu.Unlock()
		d.watchers = slices.DeleteFunc(slices.Clone(d.watchers), func(y *watch) bool { return x == y })
		d.publish()
	}
}

// publish shows the list to begin; wmu is held. A list once shown is not changed.
func (d *Device) publish() {
	list := d.watchers
	d.watched.Store(&list)
}

// begin tells the watchers that a run moves; it returns whom it told, so that the
// same hear the end. mu is held.
func (d *Device) begin(off, n int64) []*watch {
	list := d.watched.Load()
	if list == nil {
		return nil
	}
	for _, x := range *list {
		x.w.BeginMove(off, n)
	}
	return *list
}

func (d *Device) end(list []*watch, off, n int64) {
	d.gen.Add(1)
	for _, x := range list {
		x.w.EndMove(off, n)
	}
}
