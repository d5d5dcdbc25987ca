// SPDX-License-Identifier: Apache-2.0

package shell

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// interrupts decides what ctrl-C stops; see the package comment.
type interrupts struct {
	mu      sync.Mutex
	caught  bool
	running int // programs that run in the foreground
	cancel  context.CancelFunc
}

// catch starts to take signals. They are caught rather than ignored, for an
// ignored signal would stay ignored in every program that the shell starts.
func (i *interrupts) catch() {
	i.caught = true
	ch := make(chan os.Signal, 4)
	signal.Reset(syscall.SIGQUIT) // which ends other programs
	signal.Notify(ch, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM, syscall.SIGTSTP)
	go func() {
		for sig := range ch {
			if sig != syscall.SIGINT {
				continue
			}
			i.mu.Lock()
			if i.running == 0 && i.cancel != nil {
				i.cancel()
			}
			i.mu.Unlock()
		}
	}()
}

// begin is called before a statement runs; done after it.
func (i *interrupts) begin() (ctx context.Context, done func()) {
	ctx, cancel := context.WithCancel(context.Background())
	i.mu.Lock()
	i.cancel = cancel
	i.mu.Unlock()
	return ctx, func() {
		i.mu.Lock()
		i.cancel = nil
		i.mu.Unlock()
		cancel()
	}
}

func (i *interrupts) programStarts() {
	i.mu.Lock()
	i.running++
	i.mu.Unlock()
}

func (i *interrupts) programEnds(ws syscall.WaitStatus) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.running--
	if i.caught && ws.Signaled() && ws.Signal() == syscall.SIGINT && i.cancel != nil {
		i.cancel()
	}
}
