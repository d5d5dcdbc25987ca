// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"lodger/host"
)

// deaths watches guest processes for an end that the kernel did not bring about:
// by descriptor, so that neither a host process wakes up for each exit nor a
// process id is used again unnoticed. A descriptor that is closed in time costs
// nobody a wake-up.
type deaths struct {
	ep    int
	most  int32 // descriptors that we may hold: files need some too
	held  atomic.Int32
	state atomic.Int32  // watchNew, watchOn or watchOver
	done  chan struct{} // closed when Deaths has returned
}

const (
	watchNew  = iota // nobody has called Deaths
	watchOn          // somebody has
	watchOver        // the platform has stopped before
)

// newDeaths makes a watch that ends with the zygote, whose end of sock hangs up then.
func newDeaths(sock int) (*deaths, error) {
	ep, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	ev := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLRDHUP}
	if err := unix.EpollCtl(ep, unix.EPOLL_CTL_ADD, sock, &ev); err != nil {
		unix.Close(ep)
		return nil, err
	}
	return &deaths{ep: ep, most: int32(min(host.FDLimit()/2, 1<<22)), done: make(chan struct{})}, nil
}

// stop waits until Deaths has returned. The zygote is dead, its socket still open.
func (d *deaths) stop() {
	if !d.state.CompareAndSwap(watchNew, watchOver) {
		<-d.done
	}
	_ = unix.Close(d.ep)
}

// WatchDeath begins to watch host process pid and returns a descriptor for Unwatch
// and Kill. ESRCH: it is gone already. Other errors: the host has no descriptor left.
func (p *Platform) WatchDeath(pid int32) (int, error) {
	if p.deaths.held.Load() >= p.deaths.most {
		return -1, unix.EMFILE
	}
	fd, err := unix.PidfdOpen(int(pid), 0)
	if err != nil {
		return -1, err
	}
	ev := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLONESHOT, Fd: pid, Pad: int32(fd)}
	if err := unix.EpollCtl(p.deaths.ep, unix.EPOLL_CTL_ADD, fd, &ev); err != nil {
		unix.Close(fd)
		return -1, err
	}
	p.deaths.held.Add(1)
	return fd, nil
}

// Unwatch ends what WatchDeath began.
func (p *Platform) Unwatch(fd int) {
	if fd >= 0 {
		_ = unix.Close(fd) // takes it off the epoll too
		p.deaths.held.Add(-1)
	}
}

// Detach ends the watch but keeps the descriptor, for Ended; Unwatch closes it.
func (p *Platform) Detach(fd int) {
	_ = unix.EpollCtl(p.deaths.ep, unix.EPOLL_CTL_DEL, fd, nil)
}

// Ended reports whether the process that WatchDeath gave fd for is no more, and with it
// its memory, if no other process shares that.
func (p *Platform) Ended(fd int) bool {
	l := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	n, err := unix.Poll(l, 0)
	return err == nil && n == 1
}

// Kill kills the process that WatchDeath gave fd for.
func (p *Platform) Kill(fd int) { _ = unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0) }

// Deaths calls died for each watched process that ended, with the number that
// WatchDeath was given, its descriptor and the signal that ended it. It returns when
// the zygote is gone.
func (p *Platform) Deaths(died func(pid int32, fd, sig int)) {
	if !p.deaths.state.CompareAndSwap(watchNew, watchOn) {
		return
	}
	defer close(p.deaths.done)
	var evs [16]unix.EpollEvent
	for {
		n, err := unix.EpollWait(p.deaths.ep, evs[:], -1)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return
		}
		for _, e := range evs[:n] {
			if e.Fd == 0 {
				return
			}
			died(e.Fd, int(e.Pad), killedBy(int(e.Pad)))
		}
	}
}

// killedBy is the signal that ended the process of descriptor fd, for hosts that
// tell (Linux 6.15); else SIGKILL.
func killedBy(fd int) int {
	const (
		getInfo  = 0xc040ff0b // PIDFD_GET_INFO, struct pidfd_info of 64 bytes
		infoExit = 1 << 3     // PIDFD_INFO_EXIT
	)
	// The descriptor is ready when the process ends, and tells how only once the host
	// has reaped it, a moment later.
	for range 100 {
		var info [8]uint64
		info[0] = infoExit
		// SAFETY: info is as large as the size in the ioctl's number. WHY: x/sys has
		// no wrapper.
		_, _, e := unix.RawSyscall(unix.SYS_IOCTL, uintptr(fd), getInfo, uintptr(unsafe.Pointer(&info)))
		if e != 0 {
			break
		}
		if info[0]&infoExit == 0 {
			time.Sleep(100 * time.Microsecond)
			continue
		}
		// exit_code is the 32-bit word at offset 60.
		if sig := int(info[7]>>32) & 0x7f; sig != 0 {
			return sig
		}
		break
	}
	return int(unix.SIGKILL)
}
