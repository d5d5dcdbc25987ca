// SPDX-License-Identifier: Apache-2.0

package hostfs

import (
	"runtime"

	"lodger/abi"
	"lodger/fs"
	"lodger/host"
)

// On a noexec mount of the host nothing can be mapped executable. Executable
// mappings then get a copy of the file in a memfd, one for each state of the
// file; it costs the file's size in memory.

// execCopy is the copy of one file.
type execCopy struct {
	fd    int // read-only
	size  int64
	mtime abi.Timespec
}

// execFD gives a descriptor of an executable copy. It lives as long as the node.
func (n *node) execFD() (int, error) {
	a, err := n.Getattr()
	if err != nil {
		return -1, err
	}
	n.execMu.Lock()
	defer n.execMu.Unlock()
	for _, c := range n.copies {
		if c.size == a.Size && c.mtime == a.Mtime {
			return c.fd, nil
		}
	}
	fd, err := n.copyForExec(&a)
	if err != nil {
		return -1, err
	}
	n.copies = append(n.copies, execCopy{fd, a.Size, a.Mtime})
	runtime.AddCleanup(n, func(fd int) { host.CloseFD(fd) }, fd)
	return fd, nil
}

func (n *node) copyForExec(a *fs.Attr) (int, error) {
	h, err := n.acquire(false, false)
	if err != nil {
		return -1, err
	}
	defer n.fs.fds.put(h)
	mem, err := host.MemfdCreate("lodger-exec")
	if err != nil {
		return -1, err
	}
	defer host.CloseFD(mem)
	if done, err := host.SendFile(mem, h.fd, a.Size); err != nil {
		return -1, err
	} else if done < a.Size {
		if err := host.Ftruncate(mem, a.Size); err != nil {
			return -1, err
		}
	}
	return host.Reopen(mem, abi.O_RDONLY)
}
