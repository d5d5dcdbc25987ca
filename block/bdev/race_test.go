// SPDX-License-Identifier: Apache-2.0

package bdev

import (
	"sync"
	"testing"

	"lodger/abi"
	"lodger/fs"
)

// TestManyAtOnce: opens, claims, rescans and looks at the same time leave nothing
// open or claimed.
func TestManyAtOnce(t *testing.T) {
	tab := NewTable()
	d := addDisk(t, tab, 0, [2]uint32{8, 100}, [2]uint32{108, 200})
	cancel := tab.Observe(func(e Event) { e.Device.Openers() })
	defer cancel()
	ctx := &fs.Context{MayWait: true}
	var wg sync.WaitGroup
	for i := range 6 {
		wg.Go(func() {
			p := make([]byte, 512)
			for j := range 200 {
				flags := abi.O_RDWR
				if (i+j)%2 == 0 {
					flags |= abi.O_EXCL
				}
				ops, err := tab.Open(ctx, fs.Path{}, abi.Makedev(98, uint32(j%3)), flags)
				switch {
				case err == nil:
					f := ops.(*file)
					if n, err := f.ReadAt(ctx, p, 0); n != 512 || err != nil {
						t.Error("an open device goes away:", n, err)
					}
					f.Release()
				case err != abi.EBUSY && err != abi.ENXIO:
					t.Error(err)
				}
				if err := d.Rescan(nil); err != nil && err != abi.EBUSY {
					t.Error(err)
				}
				for _, x := range tab.Devices() {
					x.Size()
				}
			}
		})
	}
	wg.Wait()
	for _, x := range tab.Devices() {
		if x.Openers() != 0 || x.Holder() != nil {
			t.Error(x.Name(), x.Openers(), x.Holder())
		}
	}
	want(t, d.Rescan(nil), nil, "rescan")
	if got := show(tab); got != "[ubda 98:0 0+2048 ubda1 98:1 8+100 ubda2 98:2 108+200]" {
		t.Error(got)
	}
	want(t, tab.Remove(d), nil, "remove")
}
