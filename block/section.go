// SPDX-License-Identifier: Apache-2.0

package block

import "lodger/abi"

// Section is a part of a device: a partition (struct block_device with
// bd_start_sect). It has the abilities of its device: those that this one lacks
// answer as if they were absent.
type Section struct {
	d           Device
	start, size int64
}

// NewSection gives the size bytes of d from start on. What lies beyond the
// device's end is cut off.
func NewSection(d Device, start, size int64) *Section {
	start = min(max(start, 0), d.Size())
	return &Section{d, start, min(max(size, 0), d.Size()-start)}
}

// Whole is the device that this is a part of.
func (s *Section) Whole() Device { return s.d }

// Start is the section's first byte on the device.
func (s *Section) Start() int64 { return s.start }

// Size implements Device.
func (s *Section) Size() int64 { return s.size }

// ReadAt implements Device.
func (s *Section) ReadAt(p []byte, off int64) (int, error) {
	if err := CheckRange(off, len(p), s.size); err != nil {
		return 0, err
	}
	return s.d.ReadAt(p, s.start+off)
}

// WriteAt implements Device.
func (s *Section) WriteAt(p []byte, off int64) (int, error) {
	if err := CheckRange(off, len(p), s.size); err != nil {
		return 0, err
	}
	return s.d.WriteAt(p, s.start+off)
}

// Flush implements Flusher; it writes back the whole device.
func (s *Section) Flush() error { return Flush(s.d) }

// ReadOnly implements ReadOnlyer.
func (s *Section) ReadOnly() bool { return ReadOnly(s.d) }

// Waits implements Waiter.
func (s *Section) Waits() bool { return Waits(s.d) }

// Discard implements Discarder.
func (s *Section) Discard(off, n int64) error {
	if err := checkRun(off, n, s.size); err != nil {
		return err
	}
	return Discard(s.d, s.start+off, n)
}

// WriteZeroes implements Zeroer.
func (s *Section) WriteZeroes(off, n int64) error {
	if err := checkRun(off, n, s.size); err != nil {
		return err
	}
	return WriteZeroes(s.d, s.start+off, n)
}

// NextData implements Extents.
func (s *Section) NextData(off int64) (start, n int64, err error) {
	if off >= s.size {
		return s.size, 0, nil
	}
	start, n, err = NextData(s.d, s.start+off)
	start -= s.start
	if err != nil || n == 0 || start >= s.size {
		return s.size, 0, err
	}
	return start, min(n, s.size-start), nil
}

// Locate implements Locator.
func (s *Section) Locate(off, n int64) (Run, error) {
	if off < 0 || n <= 0 || off >= s.size {
		return Run{}, abi.EIO
	}
	return Locate(s.d, s.start+off, min(n, s.size-off))
}

// Generation implements Mover; a device whose runs stay has only one.
func (s *Section) Generation() uint64 {
	if m, ok := s.d.(Mover); ok {
		return m.Generation()
	}
	return 0
}

// Own implements Mover.
func (s *Section) Own(off, n int64) error {
	if err := checkRun(off, n, s.size); err != nil {
		return err
	}
	return Own(s.d, s.start+off, n)
}

// Watch implements Mover: w is told in the section's own offsets, of what lies
// within it.
func (s *Section) Watch(w Watcher) (cancel func()) {
	if m, ok := s.d.(Mover); ok {
		return m.Watch(sectionWatcher{s, w})
	}
	return func() {}
}

type sectionWatcher struct {
	s *Section
	w Watcher
}

func (v sectionWatcher) clip(off, n int64) (int64, int64) {
	from, to := max(off-v.s.start, 0), min(off+n-v.s.start, v.s.size)
	return from, to - from
}

func (v sectionWatcher) BeginMove(off, n int64) {
	if off, n = v.clip(off, n); n > 0 {
		v.w.BeginMove(off, n)
	}
}

func (v sectionWatcher) EndMove(off, n int64) {
	if off, n = v.clip(off, n); n > 0 {
		v.w.EndMove(off, n)
	}
}
