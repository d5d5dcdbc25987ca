// SPDX-License-Identifier: Apache-2.0

// Command timers checks sleeps, tickers, deadlines on pipes and timer order.
package main

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"time"
)

func main() {
	t := time.Now()
	time.Sleep(30 * time.Millisecond)
	fmt.Println("slept", time.Since(t) >= 30*time.Millisecond)
	tick := time.NewTicker(2 * time.Millisecond)
	for range 10 {
		<-tick.C
	}
	tick.Stop()
	fmt.Println("ticked")
	var mu sync.Mutex
	var order []int
	var wg sync.WaitGroup
	for _, ms := range []int{150, 50, 100} {
		wg.Add(1)
		time.AfterFunc(time.Duration(ms)*time.Millisecond, func() {
			mu.Lock()
			order = append(order, ms)
			mu.Unlock()
			wg.Done()
		})
	}
	wg.Wait()
	fmt.Println(order)
	r, w, _ := os.Pipe()
	r.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
	_, err := r.Read(make([]byte, 1))
	fmt.Println(errors.Is(err, os.ErrDeadlineExceeded))
	r.SetReadDeadline(time.Time{})
	go func() { time.Sleep(10 * time.Millisecond); w.Write([]byte("x")) }()
	n, err := r.Read(make([]byte, 1))
	fmt.Println(n, err)
	for range 1000 {
		wg.Go(func() { time.Sleep(20 * time.Millisecond) })
	}
	wg.Wait()
	fmt.Println("thousand sleepers woke")
}
