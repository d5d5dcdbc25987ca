// SPDX-License-Identifier: Apache-2.0

package rofs

import (
	"sync"

	"lodger/abi"
	"lodger/host"
)

// Places keeps descriptors of a device's host files that can only be read. A device
// that is open for writing lends one that can write, and a guest that maps shared
// through that could make its mapping writable. The zero value is empty.
type Places struct {
	mu  sync.Mutex
	fds map[int]int // by the device's; guarded by mu
}

// ReadOnly gives a descriptor of the file behind fd that can only be read.
func (p *Places) ReadOnly(fd int) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if ro, ok := p.fds[fd]; ok {
		return ro, nil
	}
	ro, err := host.Reopen(fd, abi.O_RDONLY)
	if err != nil {
		return -1, err
	}
	if p.fds == nil {
		p.fds = map[int]int{}
	}
	p.fds[fd] = ro
	return ro, nil
}

// Close closes them all.
func (p *Places) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, fd := range p.fds {
		host.CloseFD(fd)
	}
	p.fds = nil
}
