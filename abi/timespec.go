// SPDX-License-Identifier: Apache-2.0

package abi

// Timespec is struct timespec (struct __kernel_timespec).
type Timespec struct {
	Sec  int64 // seconds
	Nsec int64 // nanoseconds
}

// Less reports whether t is before u.
func (t Timespec) Less(u Timespec) bool {
	return t.Sec < u.Sec || t.Sec == u.Sec && t.Nsec < u.Nsec
}

// Nano gives t in nanoseconds.
func (t Timespec) Nano() int64 { return t.Sec*1e9 + t.Nsec }

// NanoTimespec turns nanoseconds into a Timespec.
func NanoTimespec(ns int64) Timespec {
	s, n := ns/1e9, ns%1e9
	if n < 0 {
		s, n = s-1, n+1e9
	}
	return Timespec{Sec: s, Nsec: n}
}
