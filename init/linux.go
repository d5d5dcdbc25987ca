// SPDX-License-Identifier: Apache-2.0

package boot

import (
	"errors"
	"fmt"
	"path/filepath"

	"lodger/abi"
	"lodger/fs"
	"lodger/kernel"
	"lodger/lib/printk"
)

// What is done as a Linux kernel with a command line does it: root= is mounted and
// the guest's own init is process 1. The words are Linux's, since people and
// programs look for them (init/do_mounts.c, init/main.c).

// ExitPanic is the status of a guest whose kernel panicked: UML ends by SIGABRT.
const ExitPanic = 134

// defaultRoot is UML's root= when nothing is said: ubda.
const defaultRoot = "98:0"

// panicError is a panic before the guest runs.
type panicError string

func (e panicError) Error() string { return "Kernel panic - not syncing: " + string(e) }

func kernelPanic(format string, args ...any) error {
	return &ExitError{ExitPanic, panicError(fmt.Sprintf(format, args...))}
}

// IsPanic reports whether err is a panic, whose text is complete as it is.
func IsPanic(err error) bool {
	var p panicError
	return errors.As(err, &p)
}

// panic ends the running guest.
func (m *Machine) panic(msg string) { m.k.Shutdown(kernel.Status{Panic: msg, Code: ExitPanic}) }

// kernelRoot mounts root=.
func (m *Machine) kernelRoot(v *fs.VFS) (*fs.SuperBlock, error) {
	c := m.cfg.Cmdline
	if c.RootFSType == "hostfs" {
		return m.hostRoot(v)
	}
	spec := c.Root
	if spec == "" {
		spec = defaultRoot
	}
	d := findRoot(m.blk, spec)
	if d == nil {
		rdev, _ := devNumber(spec)
		where := fmt.Sprintf("unknown-block(%d,%d)", abi.Major(rdev), abi.Minor(rdev))
		m.printk(printk.Err, "VFS: Cannot open root device \"%s\" or %s: error %d", spec, where, -int(abi.ENXIO))
		m.printk(printk.Err, "Please append a correct \"root=\" boot option; here are the available partitions:")
		m.listVolumes()
		return nil, kernelPanic("VFS: Unable to mount root fs on %s", where)
	}
	flags := uint32(0)
	if !c.RW {
		flags = abi.MS_RDONLY
	}
	sb, err := m.mountRoot(v, d, c.RootFSType, flags, c.RootFlags)
	if err != nil {
		m.printk(printk.Err, "VFS: Cannot open root device \"%s\" or unknown-block(%d,%d): error %d", spec, abi.Major(d.Dev()), abi.Minor(d.Dev()), -errno(err))
		m.listVolumes()
		m.printk(printk.Err, "List of all bdev filesystems:")
		for _, t := range m.blockTypes() {
			m.printk(printk.Err, " %s", t.name)
		}
		return nil, kernelPanic("VFS: Unable to mount root fs on unknown-block(%d,%d)", abi.Major(d.Dev()), abi.Minor(d.Dev()))
	}
	how := ""
	if sb.ReadOnly() {
		how = " readonly"
	}
	m.printk(printk.Info, "VFS: Mounted root (%s filesystem)%s on device %s.", sb.Type, how, devText(d.Dev()))
	return sb, nil
}

func (m *Machine) listVolumes() {
	for _, d := range m.blk.Devices() { // printk_all_partitions
		m.printk(printk.Err, "%02x%02x %10d %s %s", abi.Major(d.Dev()), abi.Minor(d.Dev()), d.Size()>>10, d.Name(), d.Info().UUID)
	}
}

// errno is what an error is to the guest.
func errno(err error) int {
	var e abi.Errno
	if errors.As(err, &e) {
		return int(e)
	}
	return int(abi.EIO)
}

// hostRoot is rootfstype=hostfs rootflags=DIR.
func (m *Machine) hostRoot(v *fs.VFS) (*fs.SuperBlock, error) {
	c := m.cfg.Cmdline
	dir := c.RootFlags
	if dir == "" {
		dir = "/"
	}
	dir, err := filepath.Abs(dir)
	if err == nil {
		var sb *fs.SuperBlock
		if sb, err = openTree(v, dir, false, !c.RW); err == nil {
			return sb, nil
		}
	}
	m.printk(printk.Err, "VFS: root %v", err)
	return nil, kernelPanic("VFS: Unable to mount root fs via hostfs")
}

// startInit starts the guest's own init: the one that init= names, or the first of
// Linux's list that can be executed.
func (m *Machine) startInit(root fs.Path) error {
	c := m.cfg.Cmdline
	if c.Init != "" {
		if err := m.tryInit(root, c.Init); err != nil {
			return kernelPanic("Requested init %s failed (error %d).", c.Init, -errno(err))
		}
		return nil
	}
	for _, path := range []string{"/sbin/init", "/etc/init", "/bin/init", "/bin/sh"} {
		err := m.tryInit(root, path)
		if err == nil {
			return nil
		}
		if errno(err) != int(abi.ENOENT) {
			m.printk(printk.Err, "Starting init: %s exists but couldn't execute it (error %d)", path, -errno(err))
		}
	}
	return kernelPanic("No working init found.  Try passing init= option to kernel. " +
		"See Linux Documentation/admin-guide/init.rst for guidance.")
}

func (m *Machine) tryInit(root fs.Path, path string) error {
	ctx := &fs.Context{Creds: fs.RootCreds(), Root: root, Cwd: root}
	if _, err := fs.Lookup(ctx, root, path, fs.LookupFollow); err != nil {
		return err
	}
	c := m.cfg.Cmdline
	env := []string{"HOME=/", "TERM=linux"}
	env = append(env, c.InitEnv...)
	m.printk(printk.Info, "Run %s as init process", path)
	return m.k.Start(kernel.Program{
		Path: path, Argv: append([]string{path}, c.InitArgs...), Envp: env,
		Creds: fs.RootCreds(), Root: root, Cwd: root, Files: m.consoleFiles(ctx), Init: true,
	})
}

// consoleFiles opens /dev/console for init (console_on_rootfs).
func (m *Machine) consoleFiles(ctx *fs.Context) []*fs.File {
	f, err := fs.Open(ctx, ctx.Root, "/dev/console", abi.OpenHow{Flags: abi.O_RDWR})
	if err != nil {
		m.printk(printk.Err, "Warning: unable to open an initial console.")
		return nil
	}
	return []*fs.File{f, f.IncRef(), f.IncRef()}
}
