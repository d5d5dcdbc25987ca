// SPDX-License-Identifier: Apache-2.0

package proc

import (
	"fmt"
	"strconv"
	"strings"

	"lodger/abi"
	"lodger/fs"
	"lodger/fs/kernfs"
	"lodger/lib/printk"
	"lodger/lib/wait"
)

// LogSystem is the ability of a System to have a kernel log.
type LogSystem interface {
	// KernelLog gives it; nil: there is none.
	KernelLog() *printk.Log
}

func (t *tree) kernelLog() *printk.Log {
	if s, ok := t.sys.(LogSystem); ok {
		return s.KernelLog()
	}
	return nil
}

// kmsgNode is /proc/kmsg (fs/proc/kmsg.c).
type kmsgNode struct {
	kernfs.Node
	l *printk.Log
}

// Open needs CAP_SYSLOG.
func (n *kmsgNode) Open(ctx *fs.Context, _ fs.Path, _ int) (fs.FileOps, error) {
	if err := n.l.Allowed(printk.ActionOpen, func() bool { return ctx.Creds.Capable(abi.CAP_SYSLOG) }); err != nil {
		return nil, err
	}
	return kmsg{n.l}, nil
}

// kmsg is it, open. It takes what it reads from syslog(2)'s readers.
type kmsg struct{ l *printk.Log }

// Read implements fs.StreamReader.
func (k kmsg) Read(_ *fs.Context, p []byte) (int, error) { return k.l.Read(p) }

// ReadAt implements fs.ReaderAt: there are no positions.
func (k kmsg) ReadAt(_ *fs.Context, p []byte, _ int64) (int, error) { return k.l.Read(p) }

// Poll implements fs.Poller.
func (k kmsg) Poll() wait.Mask {
	if k.l.Unread() > 0 {
		return abi.POLLIN | abi.POLLRDNORM
	}
	return 0
}

// WaitQueue implements fs.Poller.
func (k kmsg) WaitQueue() *wait.Queue { return k.l.Queue() }

// addKmsg adds /proc/kmsg.
func (t *tree) addKmsg(d *kernfs.DirNode) {
	if l := t.kernelLog(); l != nil {
		d.Add(entry("kmsg", &kmsgNode{t.fs.NewNode(abi.S_IFREG | 0o400), l}))
	}
}

// addPrintk adds the log's files to /proc/sys/kernel (kernel/printk/sysctl.c).
func (t *tree) addPrintk(d *kernfs.DirNode) {
	l := t.kernelLog()
	if l == nil {
		return
	}
	add := func(name string, show func() string, store func(ctx *fs.Context, s string) error) {
		f := t.fs.NewFile(0o644, text(func() string { return show() + "\n" }))
		f.Store = func(ctx *fs.Context, b []byte) error { return store(ctx, string(b)) }
		d.Add(entry(name, f))
	}
	add("printk", func() string {
		v := l.Levels()
		return fmt.Sprintf("%d\t%d\t%d\t%d", v[0], v[1], v[2], v[3])
	}, func(_ *fs.Context, s string) error {
		v, err := intVector(s, 4)
		l.SetLevels(v) // those before the one that is wrong, too
		return err
	})
	add("dmesg_restrict", func() string {
		if l.Restrict.Load() {
			return "1"
		}
		return "0"
	}, func(ctx *fs.Context, s string) error {
		if !ctx.Creds.Capable(abi.CAP_SYS_ADMIN) { // proc_dointvec_minmax_sysadmin
			return abi.EPERM
		}
		v, err := intVector(s, 1)
		if err == nil && v[0] != 0 && v[0] != 1 {
			err = abi.EINVAL
		}
		if err == nil {
			l.Restrict.Store(v[0] == 1)
		}
		return err
	})
	add("printk_devkmsg", l.DevKmsg, func(_ *fs.Context, s string) error { return l.SetDevKmsg(strings.TrimSuffix(s, "\n")) })
}

// intVector reads up to n numbers as proc_dointvec does: those before a wrong one, and
// EINVAL for that, or if there is none at all.
func intVector(s string, n int) (v []int, err error) {
	for _, f := range strings.Fields(s) {
		if len(v) == n {
			break
		}
		x, err := strconv.ParseInt(f, 0, 32)
		if err != nil || f[0] == '+' || strings.Contains(f, "_") {
			return v, abi.EINVAL
		}
		v = append(v, int(x))
	}
	if len(v) == 0 {
		return nil, abi.EINVAL
	}
	return v, nil
}
