// SPDX-License-Identifier: Apache-2.0

package jbd2

import (
	"fmt"
	"math/rand"
	"sync"
	"testing"
)

// formats are the feature sets that logs are written with here.
func formats() map[string]Features {
	const r = FeatureIncompatRevoke
	return map[string]Features{
		"plain":    {},
		"revoke":   {Incompat: r},
		"checksum": {Compat: FeatureCompatChecksum, Incompat: r},
		"v2":       {Incompat: r | FeatureIncompatCsumV2},
		"v2-64":    {Incompat: r | FeatureIncompatCsumV2 | FeatureIncompat64Bit},
		"v3":       {Incompat: r | FeatureIncompatCsumV3},
		"v3-64":    {Incompat: r | FeatureIncompatCsumV3 | FeatureIncompat64Bit},
		"64":       {Incompat: r | FeatureIncompat64Bit},
	}
}

// TestCrash cuts the power at points of random histories: after recovery the
// blocks are those of a committed transaction, none older than the last that
// somebody was told of.
func TestCrash(t *testing.T) {
	total := 0
	for name, feat := range formats() {
		for i, tasks := range []int{1, 4} {
			t.Run(fmt.Sprintf("%s/%d", name, tasks), func(t *testing.T) {
				total += crashRun(t, feat, tasks, int64(i*100+len(name)))
			})
		}
	}
	t.Logf("%d power cuts", total)
}

func crashRun(t *testing.T, feat Features, tasks int, seed int64) int {
	l := small(feat)
	d := l.format()
	start := append([]byte(nil), d.data...)
	d.record = true
	var dev Device = d
	if seed%2 == 0 {
		dev = fuaDisk{d}
	}
	m := newModel(l.load(t, dev), dev, d, 60)
	var wg sync.WaitGroup
	for i := range tasks {
		wg.Go(func() { m.work(t, rand.New(rand.NewSource(seed*10+int64(i))), 160/tasks) })
	}
	wg.Wait()
	if err := m.j.Destroy(); err != nil {
		t.Fatal(err)
	}
	if t.Failed() {
		return 0
	}
	n := 0
	rng := rand.New(rand.NewSource(seed))
	every := 3
	if testing.Short() {
		every = 30 // the race detector's runs look at the tasks, not at the images
	}
	crashes(start, d.events, rng, every, 4, func(image []byte, f *facts, at int) {
		n++
		if t.Failed() {
			return
		}
		c := &disk{data: append([]byte(nil), image...), record: true}
		last, ok := recoverImage(t, l, c, at)
		if !ok {
			return
		}
		if f.hasAck && !last.AtLeast(f.acked) {
			t.Errorf("event %d: recovered up to %d, told of %d", at, last, f.acked)
			return
		}
		if !m.check(t, c.data, last, f) {
			t.Logf("event %d of %d", at, len(d.events))
			return
		}
		if n%40 == 0 {
			recoverAgain(t, l, image, c, at, m, last, f, rng)
		}
	})
	return n
}

// recoverImage replays an image's log; it tells the last transaction there.
func recoverImage(t *testing.T, l layout, c *disk, at int) (TID, bool) {
	off, _ := l.mapping(0)
	s, err := ParseSuperblock(c.data[off : off+int64(l.bs)])
	if err != nil {
		t.Errorf("event %d: %v", at, err)
		return 0, false
	}
	j, err := Load(l.options(c))
	if err != nil {
		t.Errorf("event %d: %v", at, err)
		return 0, false
	}
	if s.Start == 0 {
		return s.Sequence - 1, true
	}
	return j.Recovered.End - 1, true
}

// recoverAgain cuts the power during the recovery c of an image too.
func recoverAgain(t *testing.T, l layout, image []byte, c *disk, at int, m *model, last TID, f *facts, rng *rand.Rand) {
	crashes(image, c.events, rng, 2, 2, func(image []byte, _ *facts, _ int) {
		if t.Failed() {
			return
		}
		again := &disk{data: append([]byte(nil), image...)}
		if _, ok := recoverImage(t, l, again, at); ok {
			m.check(t, again.data, last, f)
		}
	})
}
