// SPDX-License-Identifier: Apache-2.0

package rofs

import (
	"container/list"
	"sync"
)

// Cache keeps the values used last. A value never changes once it is in. Make it
// with NewCache.
type Cache[K comparable, V any] struct {
	limit int

	mu    sync.Mutex
	size  int                 // guarded by mu
	order list.List           // of *entry, used last in front; guarded by mu
	byKey map[K]*list.Element // guarded by mu
}

type entry[K comparable, V any] struct {
	key  K
	val  V
	size int
}

// NewCache makes a cache of at most limit bytes.
func NewCache[K comparable, V any](limit int) *Cache[K, V] {
	return &Cache[K, V]{limit: limit, byKey: map[K]*list.Element{}}
}

// Get gives the value of key, which read makes and measures when it is not there.
func (c *Cache[K, V]) Get(key K, read func() (V, int, error)) (V, error) {
	c.mu.Lock()
	if e := c.byKey[key]; e != nil {
		c.order.MoveToFront(e)
		c.mu.Unlock()
		return e.Value.(*entry[K, V]).val, nil
	}
	c.mu.Unlock()
	v, size, err := read()
	if err != nil {
		return v, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byKey[key] == nil {
		c.byKey[key] = c.order.PushFront(&entry[K, V]{key, v, size})
		c.size += size
	}
	for c.size > c.limit && c.order.Len() > 1 {
		e := c.order.Back()
		old := c.order.Remove(e).(*entry[K, V])
		delete(c.byKey, old.key)
		c.size -= old.size
	}
	return v, nil
}
