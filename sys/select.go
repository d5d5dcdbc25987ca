// SPDX-License-Identifier: Apache-2.0

package sys

import (
	"lodger/abi"
	"lodger/kernel"
	"lodger/lib/wait"
)

// The events of select's three sets, fs/select.c.
var selectEvents = [3]wait.Mask{
	abi.POLLRDNORM | abi.POLLRDBAND | abi.POLLIN | abi.POLLHUP | abi.POLLERR,
	abi.POLLWRBAND | abi.POLLWRNORM | abi.POLLOUT | abi.POLLERR,
	abi.POLLPRI,
}

// selecting is one select(2).
type selecting struct {
	t     *kernel.Task
	addr  [3]uint64
	in    [3][]byte
	out   [3][]byte
	files []polled
}

// userSelect reads the sets: EINVAL, EFAULT, EBADF.
func userSelect(t *kernel.Task, n int, addr [3]uint64) (*selecting, error) {
	if n < 0 {
		return nil, abi.EINVAL
	}
	// Descriptors beyond the table cannot be open, and are not looked at; the
	// smallest table of Linux has 256 places.
	n = min(n, (max(t.Files.Len(), 256)+63)&^63)
	s := &selecting{t: t, addr: addr}
	size := (n + 63) / 64 * 8
	for i := range addr {
		if addr[i] == 0 {
			continue
		}
		s.in[i], s.out[i] = make([]byte, size), make([]byte, size)
		if err := t.CopyIn(addr[i], s.in[i]); err != nil {
			return nil, err
		}
	}
	for fd := range n {
		if err := s.watch(fd); err != nil {
			releaseAll(s.files)
			return nil, err
		}
	}
	return s, nil
}

func hasBit(set []byte, fd int) bool { return set != nil && set[fd/8]>>(fd%8)&1 != 0 }

// watch adds descriptor fd if one of the sets names it.
func (s *selecting) watch(fd int) error {
	var want wait.Mask
	for i := range s.in {
		if hasBit(s.in[i], fd) {
			want |= selectEvents[i]
		}
	}
	if want == 0 {
		return nil
	}
	f, err := s.t.Files.Get(fd)
	if err != nil {
		return err
	}
	s.files = append(s.files, polled{f, want, fd})
	return nil
}

// check fills the sets of results and counts their bits.
func (s *selecting) check() uint64 {
	n := uint64(0)
	for i := range s.out {
		clear(s.out[i])
	}
	for _, x := range s.files {
		got := pollFile(s.t, x.file)
		for i := range s.in {
			if got&selectEvents[i] != 0 && hasBit(s.in[i], x.slot) {
				s.out[i][x.slot/8] |= 1 << (x.slot % 8)
				n++
			}
		}
	}
	return n
}

func (s *selecting) store() error {
	for i, addr := range s.addr {
		if addr == 0 {
			continue
		}
		if err := s.t.CopyOut(addr, s.out[i]); err != nil {
			return err
		}
	}
	return nil
}

// run waits; timeout is where what remains is left, in the given unit.
func (s *selecting) run(w waiting, timeout uint64, unit int64) (uint64, error) {
	return w.wait(s.t, waitable{
		check: func() (uint64, error) {
			n := s.check()
			if n == 0 {
				return 0, nil
			}
			return n, s.store()
		},
		sources: func() []kernel.Source { return pollSources(s.t, s.files) },
		timeout: s.store,
		end: func(bool) {
			releaseAll(s.files)
			leaveTime(s.t, timeout, w.deadline, unit)
		},
	})
}

func selectCall(t *kernel.Task, a Args) (uint64, error) {
	deadline := int64(noDeadline)
	if a[4] != 0 {
		w, err := getWords(t, a[4], 2)
		if err != nil {
			return 0, err
		}
		sec, usec := int64(w[0]), int64(w[1])
		if sec < 0 || usec < 0 {
			return 0, abi.EINVAL
		}
		ts := abi.Timespec{Sec: sec + usec/1e6, Nsec: usec % 1e6 * 1000}
		if ts.Sec < 0 {
			return 0, abi.EINVAL
		}
		deadline = deadlineNS(t, timespecNano(ts), true)
	}
	s, err := userSelect(t, a.Int(0), [3]uint64{a[1], a[2], a[3]})
	if err != nil {
		return 0, err
	}
	return s.run(waiting{deadline: deadline, restart: abi.ERESTARTNOHAND}, a[4], timevalUnit)
}

func pselect6(t *kernel.Task, a Args) (uint64, error) {
	var sig [2]uint64 // address and size of the mask
	if a[5] != 0 {
		w, err := getWords(t, a[5], 2)
		if err != nil {
			return 0, err
		}
		sig = [2]uint64{w[0], w[1]}
	}
	ns, set, err := userTimeout(t, a[4])
	if err != nil {
		return 0, err
	}
	s, err := userSelect(t, a.Int(0), [3]uint64{a[1], a[2], a[3]})
	if err != nil {
		return 0, err
	}
	w := waiting{deadline: deadlineNS(t, ns, set), restart: abi.ERESTARTNOHAND}
	if err := w.setMask(t, sig[0], sig[1]); err != nil {
		releaseAll(s.files)
		return 0, err
	}
	return s.run(w, a[4], timespecUnit)
}
