// SPDX-License-Identifier: Apache-2.0

package fs

import "lodger/abi"

// Epoll files that watch each other. Each event goes up every path to the files that
// nobody watches, so their number is bounded, as in Linux's fs/eventpoll.c: else a
// tower of a few dozen, each watching the next twice, would keep the kernel busy for
// ever.

// pathCount is the number of paths of each length.
type pathCount [epollMaxNests + 1]int

// checkNesting refuses circles and towers of epoll files (ELOOP) and too many paths
// (EINVAL), before ep watches f.
func checkNesting(ep *eventpoll, f *File) error {
	above := ep.above(map[*eventpoll]int{})
	inner, ok := f.ops.(*eventpoll)
	if !ok && above == 0 {
		return nil
	}
	sources := []*File{f}
	if ok {
		d := descent{ep: ep, depth: map[*eventpoll]int{}, files: map[*File]struct{}{}}
		if d.below(inner)+above > epollMaxNests {
			return abi.ELOOP
		}
		sources = sources[:0]
		for s := range d.files {
			sources = append(sources, s)
		}
	}
	for _, s := range sources {
		var count pathCount
		if !pathsFit(s, ep, f, 0, &count) {
			return abi.EINVAL
		}
	}
	return nil
}

// tooDeep is more levels than there may be.
const tooDeep = epollMaxNests + 1

// above gives how many levels of epoll files watch e. known has what was found.
func (e *eventpoll) above(known map[*eventpoll]int) int {
	if n, ok := known[e]; ok {
		return n
	}
	most := 0
	for _, w := range e.file.watchers() {
		most = max(most, min(w.above(known)+1, tooDeep))
	}
	known[e] = most
	return most
}

// descent goes down from an epoll file that ep is about to watch.
type descent struct {
	ep    *eventpoll
	depth map[*eventpoll]int
	files map[*File]struct{} // what is watched that is no epoll file
}

// below gives how many levels of epoll files lie at and below e; tooDeep when ep is
// one of them.
func (d *descent) below(e *eventpoll) int {
	if e == d.ep {
		return tooDeep
	}
	if n, ok := d.depth[e]; ok {
		return n
	}
	e.mu.Lock()
	inner := map[*eventpoll]struct{}{}
	for k := range e.items {
		if i, ok := k.file.ops.(*eventpoll); ok {
			inner[i] = struct{}{}
		} else {
			d.files[k.file] = struct{}{}
		}
	}
	e.mu.Unlock()
	most := 1
	for i := range inner {
		most = max(most, min(d.below(i)+1, tooDeep))
	}
	d.depth[e] = most
	return most
}

// pathsFit counts the paths from s to files that nobody watches, by length, with ep
// watching f besides: reverse_path_check.
func pathsFit(s *File, ep *eventpoll, f *File, length int, count *pathCount) bool {
	limits := pathCount{1000, 500, 100, 50, 10} // path_limits
	if length >= len(count) {
		return false
	}
	up := s.watchers()
	if s == f {
		up = append(up, ep)
	}
	for _, w := range up {
		if len(w.file.watchers()) > 0 || w.file == f {
			if !pathsFit(w.file, ep, f, length+1, count) {
				return false
			}
			continue
		}
		if count[length]++; count[length] > limits[length] {
			return false
		}
	}
	return true
}

// watchers are the epoll files that watch f, each as often as it does.
func (f *File) watchers() []*eventpoll {
	f.watchMu.Lock()
	defer f.watchMu.Unlock()
	out := make([]*eventpoll, 0, len(f.watches)+1)
	for it := range f.watches {
		out = append(out, it.ep)
	}
	return out
}
