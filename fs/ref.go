// SPDX-License-Identifier: Apache-2.0

package fs

import "weak"

// Ref is an object in a cache of names or numbers: held as it is at first, weakly once
// Loosen was called. To make a weak pointer costs more than all else about a file that
// is created and soon removed, so that is left to the day it is no longer among the
// newest. The zero value refers to nothing.
type Ref[T any] struct {
	held *T
	weak weak.Pointer[T] // when held is nil
}

// NewRef refers to p, which stays in memory.
func NewRef[T any](p *T) Ref[T] { return Ref[T]{held: p} }

// Get gives the object; nil: it was collected.
func (r Ref[T]) Get() *T {
	if r.held != nil {
		return r.held
	}
	return r.weak.Value()
}

// Holds reports whether it is p that is held.
func (r Ref[T]) Holds(p *T) bool { return r.held == p }

// Loosen gives a weak reference to the same object.
func (r Ref[T]) Loosen() Ref[T] { return Ref[T]{weak: weak.Make(r.Get())} }
