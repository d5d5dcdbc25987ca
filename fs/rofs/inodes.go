// SPDX-License-Identifier: Apache-2.0

package rofs

import (
	"runtime"
	"sync"
	"weak"
)

// Inodes is the inode table of a mount (iget_locked): by number, or by place on the
// disk. The zero value is empty.
type Inodes[T any] struct {
	mu sync.Mutex
	m  map[uint64]weak.Pointer[T]
}

// Get gives the inode num; read makes it when nobody has it.
func (t *Inodes[T]) Get(num uint64, read func() (*T, error)) (*T, error) {
	t.mu.Lock()
	i := t.m[num].Value()
	t.mu.Unlock()
	if i != nil {
		return i, nil
	}
	fresh, err := read()
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if i = t.m[num].Value(); i != nil {
		return i, nil
	}
	if t.m == nil {
		t.m = map[uint64]weak.Pointer[T]{}
	}
	w := weak.Make(fresh)
	t.m[num] = w
	runtime.AddCleanup(fresh, func(n uint64) { t.forget(n, w) }, num)
	return fresh, nil
}

func (t *Inodes[T]) forget(num uint64, w weak.Pointer[T]) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.m[num] == w { // else a new one has come
		delete(t.m, num)
	}
}
