// SPDX-License-Identifier: Apache-2.0

package hostfs

import (
	"sync"

	"lodger/abi"
	"lodger/host"
)

// handle is a host descriptor of a node.
type handle struct {
	fd    int
	node  *node
	write bool
	refs  int // users now; guarded by fdcache.mu
	// Place in the list of idle handles, oldest first; guarded by fdcache.mu.
	prev, next *handle
}

// fdcache bounds the host descriptors. Handles in use are never closed; idle
// ones are kept, the least recently used going first, while there are no more
// than max of both kinds.
type fdcache struct {
	mu         sync.Mutex
	max        int
	count      int // handles, idle and in use; guarded by mu
	head, tail *handle
	// open holds every descriptor of the cache; guarded by mu. The collector
	// closes what is left when the whole file system goes: files of a guest that
	// has ended are never closed one by one.
	open map[int]struct{}
}

func closeFDs(open map[int]struct{}) {
	for fd := range open {
		host.CloseFD(fd)
	}
}

func (c *fdcache) unlink(h *handle) {
	if h.prev != nil {
		h.prev.next = h.next
	} else {
		c.head = h.next
	}
	if h.next != nil {
		h.next.prev = h.prev
	} else {
		c.tail = h.prev
	}
	h.prev, h.next = nil, nil
}

// get gives the cached handle of n that allows writing if asked, or nil. exact
// refuses a writable handle for a reader.
func (c *fdcache) get(n *node, write, exact bool) *handle {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.getLocked(n, write, exact)
}

func (c *fdcache) getLocked(n *node, write, exact bool) *handle {
	h := n.rw
	if !write && (n.ro != nil || exact) {
		h = n.ro
	}
	if h == nil {
		return nil
	}
	if h.refs++; h.refs == 1 {
		c.unlink(h)
	}
	return h
}

// put ends a use.
func (c *fdcache) put(h *handle) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if h.refs--; h.refs > 0 {
		return
	}
	if h.prev = c.tail; c.tail != nil {
		c.tail.next = h
	} else {
		c.head = h
	}
	c.tail = h
	c.shrink(c.max)
}

// add caches a new descriptor, in use once. When another thread was faster, its
// handle is used and fd closed.
func (c *fdcache) add(n *node, fd int, write bool) *handle {
	c.mu.Lock()
	defer c.mu.Unlock()
	if h := c.getLocked(n, write, true); h != nil {
		host.CloseFD(fd)
		return h
	}
	h := &handle{fd: fd, node: n, write: write, refs: 1}
	if write {
		n.rw = h
	} else {
		n.ro = h
	}
	c.count++
	c.open[fd] = struct{}{}
	c.shrink(c.max)
	return h
}

// shrink closes idle handles until there are at most max; mu is held.
func (c *fdcache) shrink(max int) {
	for c.count > max && c.head != nil {
		c.drop(c.head)
	}
}

// drop closes an idle handle; mu is held.
func (c *fdcache) drop(h *handle) {
	c.unlink(h)
	if h.write {
		h.node.rw = nil
	} else {
		h.node.ro = nil
	}
	c.count--
	delete(c.open, h.fd)
	host.CloseFD(h.fd)
}

// forgetNode closes the idle handles of a node: its last name was removed.
func (c *fdcache) forgetNode(n *node) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, h := range [2]*handle{n.ro, n.rw} {
		if h != nil && h.refs == 0 {
			c.drop(h)
		}
	}
}

func (c *fdcache) closeAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.shrink(0)
}

// acquire gives a handle of n; put it back with fds.put. Directories get O_PATH
// descriptors, regular files readable or readable and writable ones.
func (n *node) acquire(write, exact bool) (*handle, error) {
	c := &n.fs.fds
	if h := c.get(n, write, exact); h != nil {
		return h, nil
	}
	n.fs.names.RLock()
	defer n.fs.names.RUnlock()
	return n.acquireLocked(write, exact, 0)
}

// acquireLocked is acquire with FS.names held; it opens parents as needed.
func (n *node) acquireLocked(write, exact bool, depth int) (*handle, error) {
	c := &n.fs.fds
	if h := c.get(n, write, exact); h != nil {
		return h, nil
	}
	flags := abi.O_RDONLY
	switch {
	case n.hostKind == abi.S_IFDIR:
		flags = abi.O_PATH | abi.O_DIRECTORY
	case n.hostKind != abi.S_IFREG:
		flags = abi.O_PATH
	case write && n.fs.readOnly():
		return nil, abi.EROFS
	case write:
		flags = abi.O_RDWR
	}
	fd, err := n.open(flags, depth)
	if err != nil {
		return nil, err
	}
	return c.add(n, fd, write), nil
}

// open opens n by its name; FS.names is held.
func (n *node) open(flags int, depth int) (int, error) {
	n.mu.Lock()
	parent, name := n.parent, n.name
	gone := n.unlinked
	n.mu.Unlock()
	if parent == nil || gone || depth > 4096 {
		return -1, abi.ESTALE
	}
	ph, err := parent.acquireLocked(false, false, depth+1)
	if err != nil {
		return -1, err
	}
	defer n.fs.fds.put(ph)
	fd, err := host.OpenAt(ph.fd, name, flags, 0)
	if err == abi.EMFILE || err == abi.ENFILE {
		n.fs.fds.mu.Lock()
		n.fs.fds.shrink(n.fs.fds.count / 2)
		n.fs.fds.mu.Unlock()
		fd, err = host.OpenAt(ph.fd, name, flags, 0)
	}
	if err != nil {
		if err == abi.ENOENT || err == abi.ELOOP || err == abi.ENOTDIR {
			err = abi.ESTALE
		}
		return -1, err
	}
	var st host.FileStat
	if err := host.StatAt(fd, "", &st); err != nil || st.Ino != n.key.ino || st.Dev != n.key.dev {
		host.CloseFD(fd)
		return -1, abi.ESTALE
	}
	return fd, nil
}
