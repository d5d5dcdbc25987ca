// SPDX-License-Identifier: Apache-2.0

package sys

import (
	"sync"

	"lodger/abi"
	"lodger/fs"
	"lodger/kernel"
	"lodger/lib/wait"
)

// asyncOwner is who shall get a file's SIGIO, and what watches the file for it
// (struct fown_struct and fasync_struct). It is what fs.File.Owner keeps.
type asyncOwner struct {
	k    *kernel.Kernel
	file *fs.File

	mu    sync.Mutex
	kind  int32      // F_OWNER_*
	id    int32      // 0: nobody
	fd    int32      // descriptor that O_ASYNC was set with
	entry wait.Entry // on the file's queue while on
	on    bool
}

// Kinds of owner of F_SETOWN_EX.
const (
	ownerTID  = 0
	ownerPID  = 1
	ownerPGRP = 2
)

// ownerOf gives f's owner, made when there is none yet.
func ownerOf(t *kernel.Task, f *fs.File) *asyncOwner {
	o, _ := f.Owner()
	if own, ok := o.(*asyncOwner); ok {
		return own
	}
	own := &asyncOwner{k: t.Kernel(), file: f}
	f.SetOwner(own)
	return own
}

func (o *asyncOwner) set(kind, id int32) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.kind, o.id = kind, id
}

func (o *asyncOwner) get() (kind, id int32) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.kind, o.id
}

// setFlags is F_SETFL: the file's flags, and the watch that O_ASYNC needs.
func setFlags(t *kernel.Task, f *fs.File, fd, flags int) error {
	was := f.Flags() & abi.O_ASYNC
	if err := f.SetFlags(t.Context(), flags); err != nil {
		return err
	}
	if is := f.Flags() & abi.O_ASYNC; is != was && f.Queue() != nil {
		ownerOf(t, f).watch(int32(fd), is != 0)
	}
	return nil
}

// watch starts or ends the sending of SIGIO.
func (o *asyncOwner) watch(fd int32, on bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.fd = fd
	if on == o.on {
		return
	}
	o.on = on
	if !on {
		o.file.Queue().Remove(&o.entry)
		return
	}
	o.entry = wait.Entry{Callback: o.wake}
	if o.file.Readable() {
		o.entry.Mask |= abi.POLLIN | abi.POLLPRI
	}
	if o.file.Writable() {
		o.entry.Mask |= abi.POLLOUT
	}
	o.file.Queue().Add(&o.entry)
}

// wake is called with the file's locks held, so the signal is sent from elsewhere.
func (o *asyncOwner) wake(ev wait.Mask) {
	go o.k.Do(func() {
		if o.file.TryIncRef() { // the queue may live longer than the file
			o.send(ev & o.entry.Mask)
			o.file.DecRef()
		}
	})
}

// send is send_sigio: SIGIO without details, or what F_SETSIG chose with them.
func (o *asyncOwner) send(ev wait.Mask) {
	_, sig := o.file.Owner()
	info := abi.NewSiginfo(abi.SIGIO, abi.SI_KERNEL)
	if sig != 0 {
		// POLL_IN, POLL_OUT and their bands, band_table of fs/fcntl.c.
		code, band := int32(1), int64(abi.POLLIN|abi.POLLRDNORM)
		if ev&abi.POLLIN == 0 {
			code, band = 2, abi.POLLOUT|abi.POLLWRNORM|abi.POLLWRBAND
		}
		info = abi.NewSiginfo(sig, code).SetPoll(band, o.fd)
	}
	kind, id := o.get()
	switch {
	case id == 0:
	case kind == ownerTID:
		if t, err := o.k.Task(id); err == nil {
			o.k.SendTask(t, info)
		}
	case kind == ownerPID:
		if g, err := o.k.Group(id); err == nil {
			o.k.SendGroup(g, info)
		}
	case kind == ownerPGRP:
		o.k.SignalPgrp(id, info)
	}
}

// fcntlOwner serves F_SETOWN and its relatives.
func fcntlOwner(t *kernel.Task, f *fs.File, cmd int, a Args) (uint64, error) {
	own := ownerOf(t, f)
	kind, id := own.get()
	switch cmd {
	case abi.F_SETOWN:
		return 0, setOwner(t, own, int32(a.Int(2)))
	case abi.F_GETOWN:
		if kind == ownerPGRP {
			return uint64(-int64(id)), nil
		}
		return uint64(id), nil
	case abi.F_SETOWN_EX:
		var b [8]byte
		if err := t.CopyIn(a[2], b[:]); err != nil {
			return 0, err
		}
		kind, id = int32(le.Uint32(b[:])), int32(le.Uint32(b[4:]))
		if kind < ownerTID || kind > ownerPGRP {
			return 0, abi.EINVAL
		}
		own.set(kind, id)
	case abi.F_GETOWN_EX:
		return 0, putWords(t, a[2], uint64(uint32(kind))|uint64(uint32(id))<<32)
	case abi.F_SETSIG:
		if a[2] > abi.NSIG {
			return 0, abi.EINVAL
		}
		f.SetSig(a.Int(2))
	case abi.F_GETSIG:
		_, sig := f.Owner()
		return uint64(sig), nil
	}
	return 0, nil
}

// setOwner is F_SETOWN: a process that must exist, or minus a process group.
func setOwner(t *kernel.Task, own *asyncOwner, who int32) error {
	switch {
	case who == -1<<31:
		return abi.EINVAL
	case who < 0:
		own.set(ownerPGRP, -who)
	case who == 0:
		own.set(ownerPID, 0)
	default:
		if _, err := t.Kernel().Group(who); err != nil {
			return abi.ESRCH
		}
		own.set(ownerPID, who)
	}
	return nil
}
