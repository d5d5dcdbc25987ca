// SPDX-License-Identifier: Apache-2.0

// Package boot puts a machine together: from a configuration to a running guest.
// It stands for Linux's init/main.c and the mounting half of init/do_mounts.c.
// (The directory is named after Linux's; Go reserves the name init.)
package boot

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"lodger/abi"
	"lodger/block/bdev"
	"lodger/drivers/console"
	"lodger/drivers/hostfd"
	"lodger/drivers/loop"
	"lodger/drivers/ubd"
	"lodger/fs"
	"lodger/host"
	"lodger/host/notify"
	"lodger/kernel"
	"lodger/lib/printk"
	"lodger/sys"
)

// Config describes a throw-away guest.
type Config struct {
	Root string // host directory, disk image, or "builtin"
	// RootDevice names the volume of an image that is the root: "ubda2"; "": the
	// only one.
	RootDevice string
	// Cmdline, when not nil, makes the guest boot as a Linux kernel does: with the
	// disks and the root that it names, and its own init. Root, RW and Command do
	// not count then.
	Cmdline *Cmdline
	// Printk gets the lines of the kernel log that a Linux kernel prints on its console;
	// nil: nobody.
	Printk func(string)
	RW     bool // write through to Root
	// NotMade is why COW files of the command line could not be made, by the disk's
	// number: told when they are still missing. Explain makes one line of a disk's
	// error, with the next step; nil: its text.
	NotMade  map[int]string
	Explain  func(error) string
	Volumes  []Volume
	Env      []string // NAME=VALUE, added to the default environment
	Workdir  string
	User     string // name or uid[:gid]
	Hostname string
	NCPUs    int // 0: all that the host gives
	PIDs     int // most tasks; 0: 32768
	Strace   io.Writer
	Log      *slog.Logger
	Command  []string
	Login    bool   // Command is a login shell, which sees a dash before its name
	Stdio    [3]int // host descriptors for 0, 1 and 2; -1: closed
	Platform notify.Options
}

// Volume is a host directory in the guest.
type Volume struct {
	Host, Guest string
	ReadOnly    bool
}

// Exit statuses of lodger run that are not COMMAND's own.
const (
	ExitLodger   = 125
	ExitNoExec   = 126
	ExitNotFound = 127
)

// ExitError is a failure to start with the status that tells its kind.
type ExitError struct {
	Code int
	Err  error
}

func (e *ExitError) Error() string { return e.Err.Error() }
func (e *ExitError) Unwrap() error { return e.Err }

// Machine is a running guest.
type Machine struct {
	cfg     Config
	k       *kernel.Kernel
	watcher *host.Watcher
	console *console.Console
	tracer  *sys.Tracer // nil: calls are not traced
	disks   []*ubd.Disk
	blk     *bdev.Table
	loops   *loop.Driver
	log     *printk.Log

	panicked bool
	signals  chan os.Signal
	sigDone  chan struct{}
}

// Boot starts the guest.
func Boot(cfg Config) (*Machine, error) {
	m := &Machine{cfg: cfg, signals: make(chan os.Signal, 16), sigDone: make(chan struct{})}
	if err := m.start(); err != nil {
		m.close()
		return nil, err
	}
	go m.forward()
	return m, nil
}

func (m *Machine) start() error {
	cfg := m.cfg
	cfg.Platform.CPUs = cfg.NCPUs
	kc := kernel.Config{Log: cfg.Log, Cmdline: cfg.cmdline(), Hostname: cfg.Hostname, PIDMax: int32(cfg.PIDs), Platform: cfg.Platform}
	if cfg.Strace != nil {
		m.tracer = sys.NewTracer(cfg.Strace)
		kc.Trace = m.tracer
	}
	kc.Table = sys.New(m.tracer)
	m.k = kernel.New(kc)
	m.openLog()
	w, err := host.NewWatcher(m.k.Do)
	if err != nil {
		return fmt.Errorf("watch host descriptors: %w", err)
	}
	m.watcher = w
	v := fs.New(0)
	m.k.VFS = v
	m.blk = bdev.NewTable()
	m.blk.Log = func(msg string) { m.printk(printk.Info, "%s", msg) }
	m.k.Block = m.blk
	v.SetBlockDevices(m.blk)
	if err := m.openConsole(); err != nil {
		return err
	}
	if err := m.addDisks(); err != nil {
		return err
	}
	if m.loops, err = loop.New(m.blk, loop.Devices); err != nil {
		return err
	}
	root, err := m.mountAll(v)
	if err != nil {
		return err
	}
	// Take the signals before the guest runs, so that none kills us with the
	// terminal changed.
	signal.Notify(m.signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGTSTP, syscall.SIGWINCH)
	if cfg.Cmdline != nil {
		return m.startInit(root)
	}
	prog, err := m.program(v, root)
	if err != nil {
		return err
	}
	if err := m.k.Start(*prog); err != nil {
		return startError(cfg.Command[0], err)
	}
	return nil
}

// startError gives a failure to exec the command its status.
func startError(name string, err error) error {
	var e abi.Errno
	if !errors.As(err, &e) || errors.Is(err, notify.ErrNoBox) {
		return err
	}
	switch e {
	case abi.ENOENT:
		return &ExitError{ExitNotFound, fmt.Errorf("%s: no such file in the guest, or its interpreter is missing", name)}
	case abi.ENOEXEC:
		return &ExitError{ExitNoExec, fmt.Errorf("%s: not a program for this machine (bad or corrupt executable)", name)}
	case abi.EACCES:
		return &ExitError{ExitNoExec, fmt.Errorf("%s: permission denied: not an executable file, or its host mount is noexec", name)}
	case abi.ELIBBAD:
		return &ExitError{ExitNoExec, fmt.Errorf("%s: its interpreter is no valid program", name)}
	case abi.E2BIG, abi.ELOOP, abi.EISDIR, abi.ENOTDIR:
		return &ExitError{ExitNoExec, fmt.Errorf("%s: %w", name, e)}
	}
	return err
}

// openConsole takes over the terminal, if one of the standard descriptors is one.
func (m *Machine) openConsole() error {
	for _, fd := range m.cfg.Stdio {
		if fd >= 0 && host.IsTerminal(fd) {
			c, err := console.New(m.watcher, fd)
			if err != nil {
				return fmt.Errorf("terminal on descriptor %d: %w", fd, err)
			}
			m.console = c
			return nil
		}
	}
	return nil
}

// stdio makes the guest's descriptors 0, 1 and 2.
func (m *Machine) stdio(ctx *fs.Context) []*fs.File {
	files := make([]*fs.File, 3)
	byFD := map[int]*hostfd.File{}
	for i, fd := range m.cfg.Stdio {
		if fd < 0 {
			continue
		}
		flags := abi.O_RDWR
		if m.console != nil && host.IsTerminal(fd) {
			if p, err := fs.Lookup(ctx, ctx.Root, "/dev/console", fs.LookupFollow); err == nil {
				files[i] = fs.NewFile(p, m.console.Ops(), flags)
				continue
			}
		}
		if byFD[fd] == nil {
			byFD[fd] = hostfd.New(m.watcher, fd)
		}
		name, mode := host.DescribeFD(fd)
		files[i] = m.k.VFS.NewAnonFile(ctx, name, mode, nil, byFD[fd], flags)
	}
	return files
}

// forward passes host signals on to the guest: keys of the terminal to its
// foreground, others to the command.
func (m *Machine) forward() {
	defer close(m.sigDone)
	for s := range m.signals {
		sig := int(s.(syscall.Signal))
		m.k.Do(func() { m.signalGuest(sig) })
	}
}

func (m *Machine) signalGuest(sig int) {
	info := abi.NewSiginfo(sig, abi.SI_KERNEL)
	fg := int32(0)
	if m.console != nil {
		fg = m.console.Foreground()
	}
	if m.cfg.Cmdline != nil && (sig == abi.SIGTERM || sig == abi.SIGHUP || sig == abi.SIGINT && m.console == nil) {
		m.k.Shutdown(kernel.Status{Code: 1}) // UML's last_ditch_exit; init would heed none of them
		return
	}
	switch sig {
	case abi.SIGINT, abi.SIGQUIT, abi.SIGTSTP, abi.SIGWINCH:
		if fg != 0 {
			m.k.SignalPgrp(fg, info)
			return
		}
		if sig == abi.SIGWINCH || sig == abi.SIGTSTP {
			return
		}
	}
	m.k.SignalMain(info)
}

// Wait returns how the guest ended; all its host processes are gone then and the
// terminal is as it was.
func (m *Machine) Wait() kernel.Status {
	s := m.k.Wait()
	m.panicked = s.Panic != ""
	signal.Stop(m.signals)
	close(m.signals)
	<-m.sigDone
	m.close()
	return s
}

// Kernel is the guest's kernel.
func (m *Machine) Kernel() *kernel.Kernel { return m.k }

func (m *Machine) close() {
	if m.console != nil {
		m.console.Restore()
	}
	if m.k != nil && m.k.VFS != nil && !m.panicked {
		m.k.VFS.ReleaseAll() // on a panic the disks stay as after a power cut
	}
	m.closeDisks()
	if m.watcher != nil {
		m.watcher.Close()
	}
	if m.tracer != nil {
		if err := m.tracer.Close(); err != nil {
			m.cfg.Log.Error("the trace is incomplete", "err", err)
		}
	}
	if m.k != nil {
		m.k.Clock.Stop()
	}
}
