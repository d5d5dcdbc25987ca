// SPDX-License-Identifier: Apache-2.0

package devtmpfs

import (
	"lodger/abi"
	"lodger/fs"
	"lodger/lib/printk"
	"lodger/lib/wait"
)

// Kmsg gives the row of /dev/kmsg, the kernel log (kernel/printk/printk.c: devkmsg_open
// and what follows it).
func Kmsg(l *printk.Log) fs.CharDevice {
	return fs.CharDevice{Major: memMajor, Minor: 11, Name: "kmsg", Mode: 0o644, Open: func(ctx *fs.Context, _ fs.Path, flags int) (fs.FileOps, error) {
		if l.DevKmsg() == "off" {
			return nil, abi.EPERM
		}
		if flags&abi.O_ACCMODE != abi.O_WRONLY {
			if err := l.Allowed(printk.ActionReadAll, func() bool { return ctx.Creds.Capable(abi.CAP_SYSLOG) }); err != nil {
				return nil, err
			}
		}
		return kmsg{l, l.NewReader()}, nil
	}}
}

// kmsg is an open one. It has no positions, but pread(2) and pwrite(2) do as read and
// write do.
type kmsg struct {
	l *printk.Log
	r *printk.Reader
}

// Read gives one record.
func (k kmsg) Read(_ *fs.Context, p []byte) (int, error) { return k.r.Read(p) }

// ReadAt gives one record.
func (k kmsg) ReadAt(_ *fs.Context, p []byte, _ int64) (int, error) { return k.r.Read(p) }

// Write logs a message.
func (k kmsg) Write(ctx *fs.Context, p []byte) (int, error) {
	comm := ""
	if t, ok := ctx.Task.(interface{ Comm() string }); ok {
		comm = t.Comm()
	}
	if err := k.r.Write(p, comm); err != nil {
		return 0, err
	}
	return len(p), nil
}

// WriteAt logs a message.
func (k kmsg) WriteAt(ctx *fs.Context, p []byte, _ int64) (int, error) { return k.Write(ctx, p) }

// Poll tells whether there is a record.
func (k kmsg) Poll() wait.Mask { return k.r.Poll() }

// WaitQueue announces records.
func (k kmsg) WaitQueue() *wait.Queue { return k.l.Queue() }

// Seek chooses among the oldest record, those after the last clear, and the newest.
func (k kmsg) Seek(_ *fs.Context, _, off int64, whence int) (int64, error) {
	return 0, k.r.Lseek(off, whence)
}

// Release ends it.
func (k kmsg) Release() { k.r.Close() }
