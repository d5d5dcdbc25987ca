// SPDX-License-Identifier: Apache-2.0

package boot

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"lodger/abi"
	"lodger/drivers/hostfd"
	"lodger/fs"
	"lodger/fs/devtmpfs"
	"lodger/fs/ext4"
	"lodger/fs/hostfs"
	"lodger/fs/overlayfs"
	"lodger/fs/proc"
	"lodger/fs/sysfs"
	"lodger/fs/tmpfs"
	"lodger/host"
)

// Builtin is the root file system that comes out of the binary itself.
const Builtin = "builtin"

// mountAll builds the guest's name space and returns its root.
func (m *Machine) mountAll(v *fs.VFS) (fs.Path, error) {
	sb, err := m.rootFS(v)
	if err != nil {
		return fs.Path{}, err
	}
	ns := v.NewMountNS(sb, m.rootSource(), 0)
	root := ns.RootPath()
	ctx := &fs.Context{Creds: fs.RootCreds(), Root: root, Cwd: root}
	for _, t := range m.fsTypes() {
		v.RegisterFS(t)
	}
	if m.cfg.Cmdline == nil && m.cfg.Root == Builtin {
		if err := fillBuiltin(v, ctx); err != nil {
			return root, err
		}
	}
	if err := m.mountDev(v, ctx); err != nil {
		return root, err
	}
	if m.cfg.Cmdline != nil {
		return root, nil // the guest's init mounts the rest
	}
	for _, at := range []struct{ dir, typ, data string }{{"/proc", "proc", ""}, {"/sys", "sysfs", ""}, {"/dev/shm", "tmpfs", ""}} {
		if err := mountType(ctx, at.dir, at.typ, at.data); err != nil {
			return root, err
		}
	}
	for _, vol := range m.cfg.Volumes {
		if err := m.mountVolume(v, ctx, vol); err != nil {
			return root, err
		}
	}
	return root, nil
}

// rootSource is the root's device in /proc/mounts.
func (m *Machine) rootSource() string {
	if len(m.disks) > 0 {
		return "/dev/root"
	}
	return "rootfs"
}

// ensureDir makes a mount point if the tree has none and can be written.
func ensureDir(ctx *fs.Context, dir string) (fs.Path, error) {
	p, err := fs.Lookup(ctx, ctx.Root, dir, fs.LookupFollow|fs.LookupDirectory)
	if err == nil {
		return p, nil
	}
	full := ""
	for _, part := range strings.Split(strings.Trim(dir, "/"), "/") {
		full += "/" + part
		if err := fs.Mkdir(ctx, ctx.Root, full, 0o755); err != nil && err != abi.EEXIST {
			return fs.Path{}, err
		}
	}
	return fs.Lookup(ctx, ctx.Root, dir, fs.LookupFollow|fs.LookupDirectory)
}

// mountType mounts a file system type at dir; a read-only tree without the
// directory goes without.
func mountType(ctx *fs.Context, dir, typ, data string) error {
	if _, err := ensureDir(ctx, dir); err != nil {
		return nil
	}
	if err := fs.DoMount(ctx, typ, dir, typ, abi.MS_NOSUID|abi.MS_NODEV, data); err != nil {
		return fmt.Errorf("mount %s on %s: %w", typ, dir, err)
	}
	return nil
}

// rootFS makes the root: the tree under an in-memory upper layer, or itself with
// RW.
func (m *Machine) rootFS(v *fs.VFS) (*fs.SuperBlock, error) {
	switch {
	case m.cfg.Cmdline != nil:
		return m.kernelRoot(v)
	case m.cfg.Root == Builtin:
		return builtinRoot(v)
	case len(m.disks) > 0:
		return m.rootImage(v)
	}
	lower, err := openTree(v, m.cfg.Root, !m.cfg.RW, false)
	if err != nil {
		return nil, fmt.Errorf("root %w", err)
	}
	if m.cfg.RW {
		return lower, nil
	}
	upper, err := tmpfs.New(v, tmpfs.Options{Mode: 0o755})
	if err != nil {
		return nil, fmt.Errorf("upper layer: %w", err)
	}
	sb, err := overlayfs.New(v, upper, lower)
	if err != nil {
		return nil, fmt.Errorf("overlay over %s: %w", m.cfg.Root, err)
	}
	return sb, nil
}

// openTree makes a file system of a host directory. shared: nobody changes it
// while the guest runs.
func openTree(v *fs.VFS, dir string, shared, readOnly bool) (*fs.SuperBlock, error) {
	st, err := os.Stat(dir)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, errors.Unwrap(err))
	}
	if !st.IsDir() {
		return nil, fmt.Errorf("%s is not a directory", dir)
	}
	if _, err := os.ReadDir(dir); err != nil { // O_PATH below asks for no right
		return nil, fmt.Errorf("%s: %w", dir, errors.Unwrap(err))
	}
	fd, err := host.OpenDir(dir)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", dir, err)
	}
	uid, gid := uint32(os.Getuid()), uint32(os.Getgid())
	sb, err := hostfs.New(v, hostfs.Options{RootFD: fd, Shared: shared, ReadOnly: readOnly, Direct: uid == 0, HostUID: uid, HostGID: gid})
	if err != nil {
		return nil, fmt.Errorf("use %s: %w", dir, err)
	}
	return sb, nil
}

func (m *Machine) mountVolume(v *fs.VFS, ctx *fs.Context, vol Volume) error {
	abs, err := filepath.Abs(vol.Host)
	if err != nil {
		return err
	}
	sb, err := openTree(v, abs, false, vol.ReadOnly)
	if err != nil {
		return fmt.Errorf("volume %w", err)
	}
	at, err := ensureDir(ctx, vol.Guest)
	if err != nil {
		return fmt.Errorf("volume %s: mount point %s: %w", vol.Host, vol.Guest, err)
	}
	flags := uint32(0)
	if vol.ReadOnly {
		flags = abi.MS_RDONLY
	}
	_, err = fs.MountAt(sb, at, abs, flags)
	return err
}

// mountDev makes /dev with the guest's devices.
func (m *Machine) mountDev(v *fs.VFS, ctx *fs.Context) error {
	devices := append(append(devtmpfs.MemDevices(host.Random), m.ttyDevices()...), devtmpfs.Kmsg(m.log), m.loops.Control())
	for _, d := range devices {
		v.RegisterCharDevice(d)
	}
	sb, err := devtmpfs.New(v, devices)
	if err != nil {
		return fmt.Errorf("make /dev: %w", err)
	}
	v.RegisterFS(devtmpfs.Type(sb))
	devtmpfs.FollowBlocks(m.blk, fs.Path{Mnt: v.NewDetachedMount(sb, 0), Dentry: sb.Root})
	at, err := ensureDir(ctx, "/dev")
	if err != nil {
		return nil
	}
	_, err = fs.MountAt(sb, at, "devtmpfs", abi.MS_NOSUID)
	return err
}

// ttyDevices are the console and /dev/tty.
func (m *Machine) ttyDevices() []fs.CharDevice {
	open := func(ctx *fs.Context, _ fs.Path, _ int) (fs.FileOps, error) {
		if m.console == nil {
			if m.cfg.Cmdline == nil {
				return nil, abi.ENODEV
			}
			return hostfd.NewPair(m.watcher, m.cfg.Stdio[0], m.cfg.Stdio[1]), nil
		}
		return m.console.Ops(), nil
	}
	return []fs.CharDevice{
		{Major: 5, Minor: 1, Name: "console", Mode: 0o600, Open: open},
		{Major: 5, Minor: 0, Name: "tty", Mode: 0o666, Open: func(ctx *fs.Context, p fs.Path, flags int) (fs.FileOps, error) {
			t, ok := ctx.Task.(interface {
				JobControl(any) (int32, int32, bool)
			})
			if !ok || m.console == nil {
				return nil, abi.ENXIO
			}
			if _, _, mine := t.JobControl(m.console); !mine {
				return nil, abi.ENXIO
			}
			return m.console.Ops(), nil
		}},
	}
}

// fsTypes are the file system types that mount(2) knows; one row each.
func (m *Machine) fsTypes() []fs.FSType {
	l := []fs.FSType{
		sysfs.Type(sysfs.Blocks(m.blk), sysfs.CPUs, ext4.Sysfs),
		tmpfs.Type(),
		proc.Type(m.k.ProcFS()),
	}
	for _, t := range m.blockTypes() {
		l = append(l, t.fsType(m))
	}
	return l
}
