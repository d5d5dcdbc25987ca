// SPDX-License-Identifier: Apache-2.0

// Package cpumask lists processors and formats lists of them: Linux's
// lib/bitmap-str.c. The guest has the host's processors, by the host's numbers.
//
// Locks: none.
package cpumask

import (
	"fmt"
	"strconv"
	"strings"

	"lodger/host"
)

// Allowed lists the processors that a host thread may use; 0: our own.
func Allowed(tid int32) []int {
	b, err := host.Affinity(tid)
	if err != nil {
		return []int{0}
	}
	var out []int
	for i, x := range b {
		for j := range 8 {
			if x>>j&1 != 0 {
				out = append(out, 8*i+j)
			}
		}
	}
	return out
}

// Hex formats processors as 32-bit words, highest first (%*pb).
func Hex(cpus []int) string {
	if len(cpus) == 0 {
		return "0"
	}
	w := make([]uint32, cpus[len(cpus)-1]/32+1)
	for _, c := range cpus {
		w[c/32] |= 1 << (c % 32)
	}
	s := fmt.Sprintf("%x", w[len(w)-1])
	for i := len(w) - 2; i >= 0; i-- {
		s += fmt.Sprintf(",%08x", w[i])
	}
	return s
}

// List formats processors as ranges (%*pbl).
func List(cpus []int) string {
	var parts []string
	for i := 0; i < len(cpus); {
		j := i
		for j+1 < len(cpus) && cpus[j+1] == cpus[j]+1 {
			j++
		}
		s := strconv.Itoa(cpus[i])
		if j > i {
			s += "-" + strconv.Itoa(cpus[j])
		}
		parts = append(parts, s)
		i = j + 1
	}
	return strings.Join(parts, ",")
}
