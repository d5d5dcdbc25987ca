// SPDX-License-Identifier: Apache-2.0

// Command gc keeps goroutines, channels and the garbage collector busy and
// prints totals that must be exact.
package main

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
)

type node struct {
	left, right *node
	v           int
}

func tree(d int) *node {
	if d == 0 {
		return &node{v: 1}
	}
	return &node{tree(d - 1), tree(d - 1), 1}
}

func (n *node) sum() int {
	if n == nil {
		return 0
	}
	return n.v + n.left.sum() + n.right.sum()
}

func main() {
	var wg sync.WaitGroup
	var total atomic.Int64
	for range 8 {
		wg.Go(func() {
			for range 20 {
				total.Add(int64(tree(12).sum()))
			}
		})
	}
	wg.Wait()
	fmt.Println("nodes", total.Load())
	ch, done := make(chan int), make(chan int)
	for range 100 {
		go func() {
			s := 0
			for v := range ch {
				s += v
			}
			done <- s
		}()
	}
	for i := range 20000 {
		ch <- i
	}
	close(ch)
	s := 0
	for range 100 {
		s += <-done
	}
	fmt.Println("sum", s)
	for range 5 {
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	fmt.Println("collected", m.NumGC >= 5)
}
