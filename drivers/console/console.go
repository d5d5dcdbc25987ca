// SPDX-License-Identifier: Apache-2.0

// Package console makes the terminal that Lodger runs in the guest's console.
//
// The host's own line discipline keeps doing the work: the guest's programs set
// its modes, and read and write it. What is the guest's is who controls it:
// session, foreground process group, and the signals that keys and background
// access send. It stands for drivers/tty/tty_io.c and tty_jobctrl.c as far as one
// terminal needs them.
//
// Locks: Console.mu guards session and foreground group; it is taken inside
// Kernel.mu, and nothing is called with it held.
package console

import (
	"encoding/binary"
	"sync"
	"sync/atomic"

	"lodger/abi"
	"lodger/drivers/hostfd"
	"lodger/fs"
	"lodger/host"
	"lodger/lib/wait"
)

// Process is what the console asks of the task that uses it.
type Process interface {
	// JobControl returns process group and session, and whether this console
	// controls it.
	JobControl(c any) (pgid, sid int32, controlling bool)
	// Background sends sig to the caller's process group unless it is ignored or
	// blocked, as background access does; EIO when it cannot, else ERESTARTSYS.
	Background(sig int) error
	// TakeTTY makes c the controlling terminal of the caller's session; EPERM.
	TakeTTY(c any) error
	// DropTTY gives up the controlling terminal.
	DropTTY(c any)
	// InSession reports whether process group pgid belongs to session sid.
	InSession(pgid, sid int32) bool
}

// Console is the terminal. It is shared by all files open on it.
type Console struct {
	fd   int
	file *hostfd.File
	orig *host.Termios
	set  atomic.Bool // the guest has changed the setting

	mu  sync.Mutex
	sid int32 // 0: nobody's; guarded by mu
	fg  int32 // foreground process group; guarded by mu
}

// New takes over the terminal at descriptor fd.
func New(w *host.Watcher, fd int) (*Console, error) {
	orig, err := host.GetTermios(fd)
	if err != nil {
		return nil, err
	}
	return &Console{fd: fd, file: hostfd.New(w, fd), orig: orig}, nil
}

// Restore puts the terminal back as it was found, if the guest has changed it. Who
// runs in the background leaves it to the foreground's shell: that has settings of
// its own, and the attempt would stop us.
func (c *Console) Restore() {
	if c.set.Load() && host.InForeground(c.fd) {
		c.orig.Restore(c.fd)
	}
}

// Foreground is the foreground process group; 0: none.
func (c *Console) Foreground() int32 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.fg
}

// SetForeground implements kernel.TTY.
func (c *Console) SetForeground(sid, pgid int32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sid, c.fg = sid, pgid
}

// SessionEnded implements kernel.TTY.
func (c *Console) SessionEnded(sid int32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sid == sid {
		c.sid, c.fg = 0, 0
	}
}

// Terminal tells isatty-like questions apart (fs.FileOps of this console).
type ops struct{ c *Console }

// Ops is what is behind an open file on the console.
func (c *Console) Ops() fs.FileOps { return ops{c} }

func (o ops) Poll() wait.Mask        { return o.c.file.Poll() }
func (o ops) WaitQueue() *wait.Queue { return o.c.file.WaitQueue() }

// background reports whether the caller is in the background of this terminal.
func (c *Console) background(ctx *fs.Context) (Process, bool) {
	p, ok := ctx.Task.(Process)
	if !ok {
		return nil, false
	}
	pgid, _, mine := p.JobControl(c)
	fg := c.Foreground()
	return p, mine && fg != 0 && pgid != fg
}

func (o ops) Read(ctx *fs.Context, b []byte) (int, error) {
	if p, bg := o.c.background(ctx); bg {
		return 0, p.Background(abi.SIGTTIN)
	}
	return o.c.file.Read(ctx, b)
}

func (o ops) Write(ctx *fs.Context, b []byte) (int, error) {
	if p, bg := o.c.background(ctx); bg && o.c.tostop() {
		if err := p.Background(abi.SIGTTOU); err != abi.EIO {
			return 0, err
		}
	}
	return o.c.file.Write(ctx, b)
}

func (c *Console) tostop() bool {
	const tcgets, tostop = 0x5401, 0o400
	var b [256]byte
	return host.Ioctl(c.fd, tcgets, &b) == nil && binary.LittleEndian.Uint32(b[12:])&tostop != 0
}

// ioctl numbers, include/uapi/asm-generic/ioctls.h.
const (
	tcgets, tcsets, tcsetsw, tcsetsf = 0x5401, 0x5402, 0x5403, 0x5404
	tcgeta, tcseta, tcsetaw, tcsetaf = 0x5405, 0x5406, 0x5407, 0x5408
	tcsbrk, tcxonc, tcflsh           = 0x5409, 0x540a, 0x540b
	tiocsctty, tiocgpgrp, tiocspgrp  = 0x540e, 0x540f, 0x5410
	tiocoutq                         = 0x5411
	tiocgwinsz, tiocswinsz           = 0x5413, 0x5414
	fionread                         = 0x541b
	tiocnotty                        = 0x5422
	tcsbrkp                          = 0x5425
	tiocgsid                         = 0x5429
	tcgets2, tcsets2, w2, f2         = 0x802c542a, 0x402c542b, 0x402c542c, 0x402c542d
)

// structSize is the size of the structure that a control passes; out: the host
// fills it.
func structSize(cmd uint32) (size int, in, out bool) {
	switch cmd {
	case tcgets:
		return 36, false, true
	case tcsets, tcsetsw, tcsetsf:
		return 36, true, false
	case tcgeta:
		return 18, false, true
	case tcseta, tcsetaw, tcsetaf:
		return 18, true, false
	case tcgets2:
		return 44, false, true
	case tcsets2, w2, f2:
		return 44, true, false
	case tiocgwinsz:
		return 8, false, true
	case tiocswinsz:
		return 8, true, false
	case fionread, tiocoutq:
		return 4, false, true
	}
	return 0, false, false
}

// Ioctl implements fs.Ioctler.
func (o ops) Ioctl(ctx *fs.Context, cmd uint32, arg uint64, mem fs.UserMemory) (uint64, error) {
	c := o.c
	switch cmd {
	case tiocgpgrp, tiocspgrp, tiocgsid, tiocsctty, tiocnotty:
		return c.jobControl(ctx, cmd, arg, mem)
	case tcsbrk, tcxonc, tcflsh, tcsbrkp:
		if p, bg := c.background(ctx); bg {
			if err := p.Background(abi.SIGTTOU); err != abi.EIO {
				return 0, err
			}
		}
		return 0, host.IoctlInt(c.fd, uint(cmd), int(int32(arg)))
	}
	size, in, out := structSize(cmd)
	if size == 0 {
		return 0, abi.ENOTTY
	}
	if in {
		if p, bg := c.background(ctx); bg {
			if err := p.Background(abi.SIGTTOU); err != abi.EIO {
				return 0, err
			}
		}
	}
	var b [256]byte
	if in {
		if err := mem.CopyIn(arg, b[:size]); err != nil {
			return 0, err
		}
		c.set.Store(true)
	}
	if err := host.Ioctl(c.fd, uint(cmd), &b); err != nil {
		return 0, err
	}
	if out {
		return 0, mem.CopyOut(arg, b[:size])
	}
	return 0, nil
}

// jobControl performs the controls on session and foreground group
// (ioctl_tty(2)).
func (c *Console) jobControl(ctx *fs.Context, cmd uint32, arg uint64, mem fs.UserMemory) (uint64, error) {
	p, ok := ctx.Task.(Process)
	if !ok {
		return 0, abi.ENOTTY
	}
	_, sid, mine := p.JobControl(c)
	var b [4]byte
	switch cmd {
	case tiocsctty:
		return 0, p.TakeTTY(c)
	case tiocnotty:
		if !mine {
			return 0, abi.ENOTTY
		}
		p.DropTTY(c)
		return 0, nil
	}
	if !mine {
		return 0, abi.ENOTTY
	}
	c.mu.Lock()
	fg, csid := c.fg, c.sid
	c.mu.Unlock()
	switch cmd {
	case tiocgpgrp:
		binary.LittleEndian.PutUint32(b[:], uint32(fg))
		return 0, mem.CopyOut(arg, b[:])
	case tiocgsid:
		binary.LittleEndian.PutUint32(b[:], uint32(csid))
		return 0, mem.CopyOut(arg, b[:])
	}
	if err := mem.CopyIn(arg, b[:]); err != nil {
		return 0, err
	}
	pgid := int32(binary.LittleEndian.Uint32(b[:]))
	if _, bg := c.background(ctx); bg {
		if err := p.Background(abi.SIGTTOU); err != abi.EIO {
			return 0, err
		}
	}
	if pgid < 0 {
		return 0, abi.EINVAL
	}
	if !p.InSession(pgid, sid) {
		return 0, abi.EPERM
	}
	c.SetForeground(sid, pgid)
	return 0, nil
}
