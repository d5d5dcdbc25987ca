// SPDX-License-Identifier: Apache-2.0

// Command signals uses os/signal: Notify, Ignore, Reset, contexts, and the
// runtime's own preemption signals beside busy goroutines.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"
)

func main() {
	c := make(chan os.Signal, 10)
	signal.Notify(c, syscall.SIGUSR1, syscall.SIGTERM)
	me, _ := os.FindProcess(os.Getpid())
	me.Signal(syscall.SIGUSR1)
	fmt.Println(<-c)
	me.Signal(syscall.SIGTERM)
	fmt.Println(<-c)
	signal.Ignore(syscall.SIGHUP)
	me.Signal(syscall.SIGHUP)
	fmt.Println("ignored", signal.Ignored(syscall.SIGHUP))
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT)
	me.Signal(syscall.SIGINT)
	<-ctx.Done()
	fmt.Println("context done")
	stop()
	// goroutines that never yield are preempted by signals
	var spun atomic.Bool
	for range 2 * runtime.GOMAXPROCS(0) {
		go func() {
			for !spun.Load() {
			}
		}()
	}
	time.Sleep(30 * time.Millisecond)
	runtime.GC()
	spun.Store(true)
	fmt.Println("preempted")
	n := 0
	for range 200 {
		me.Signal(syscall.SIGUSR1)
		select {
		case <-c:
			n++
		case <-time.After(5 * time.Second):
		}
	}
	fmt.Println("signals", n)
	defer func() { fmt.Println("recovered:", recover()) }()
	var p *int
	*p = 1
}
