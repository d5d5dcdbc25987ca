// SPDX-License-Identifier: Apache-2.0

package sys

import (
	"lodger/abi"
	"lodger/kernel"
	"lodger/lib/printk"
)

// syslog is syslog(2): do_syslog of kernel/printk/printk.c.
func syslog(t *kernel.Task, a Args) (uint64, error) {
	l, action, size := t.Kernel().Printk, a.Int(0), a.Int(2)
	if l == nil {
		return 0, abi.ENOSYS
	}
	if err := l.Allowed(action, func() bool { return t.Creds().Capable(abi.CAP_SYSLOG) }); err != nil {
		return 0, err
	}
	switch action {
	case printk.ActionClose, printk.ActionOpen:
		return 0, nil
	case printk.ActionRead, printk.ActionReadAll, printk.ActionReadClear:
		switch {
		case a[1] == 0 || size < 0:
			return 0, abi.EINVAL
		case size == 0:
			return 0, nil
		case !userRange(a[1], uint64(size)):
			return 0, abi.EFAULT
		case action == printk.ActionRead:
			return syslogRead(t, l, a[1], size)
		}
		text := l.ReadAll(size, action == printk.ActionReadClear)
		return uint64(len(text)), t.CopyOut(a[1], text)
	case printk.ActionClear:
		l.Clear()
	case printk.ActionConsoleOff:
		l.ConsoleOff()
	case printk.ActionConsoleOn:
		l.ConsoleOn()
	case printk.ActionConsoleLevel:
		return 0, l.SetConsoleLevel(size)
	case printk.ActionSizeUnread:
		return uint64(l.Unread()), nil
	case printk.ActionSizeBuffer:
		return uint64(l.Size()), nil
	default:
		return 0, abi.EINVAL
	}
	return 0, nil
}

// syslogRead waits for a message.
func syslogRead(t *kernel.Task, l *printk.Log, addr uint64, size int) (uint64, error) {
	return t.Sleep(kernel.Sleep{
		On: []kernel.Source{{Queue: l.Queue(), Mask: readEvents}},
		Try: func() (uint64, error) {
			b := make([]byte, min(size, max(l.Unread(), 1)))
			n, err := l.Read(b)
			if err != nil {
				return again(0, err)
			}
			return uint64(n), t.CopyOut(addr, b[:n])
		},
	})
}
