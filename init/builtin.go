// SPDX-License-Identifier: Apache-2.0

package boot

import (
	"fmt"
	"os"
	"path"
	"strings"

	"lodger/abi"
	"lodger/fs"
	"lodger/fs/hostfs"
	"lodger/fs/tmpfs"
	"lodger/host"
	"lodger/userland"
)

// exePath is where the lodger executable stands in the built-in guest; its
// programs are links to it.
const exePath = "/bin/lodger"

// builtinRoot makes the root file system that comes out of the binary: an
// in-memory tree with the executable mounted into it, not copied.
func builtinRoot(v *fs.VFS) (*fs.SuperBlock, error) {
	return tmpfs.New(v, tmpfs.Options{Mode: 0o755, Type: "rootfs"})
}

// fillBuiltin puts files and links into the built-in root.
func fillBuiltin(v *fs.VFS, ctx *fs.Context) error {
	for _, f := range userland.Files() {
		var err error
		if f.Mode.IsDir() {
			perm := uint32(f.Mode.Perm())
			if f.Mode&os.ModeSticky != 0 {
				perm |= abi.S_ISVTX
			}
			err = fs.Mkdir(ctx, ctx.Root, f.Path, perm)
		} else {
			err = writeFile(ctx, f.Path, uint32(f.Mode.Perm()), f.Content)
		}
		if err != nil {
			return fmt.Errorf("built-in root: %s: %w", f.Path, err)
		}
	}
	exe, err := os.Executable()
	if err != nil {
		return fmt.Errorf("built-in root: our own executable: %w", err)
	}
	if err := mountHostFile(v, ctx, "/proc/self/exe", exePath); err != nil {
		return err
	}
	libs, err := userland.Needs(exe)
	if err != nil {
		return fmt.Errorf("built-in root: %w", err)
	}
	for _, lib := range libs {
		if err := mountHostFile(v, ctx, lib, lib); err != nil {
			return err
		}
	}
	for _, e := range userland.Names() {
		if err := fs.Symlink(ctx, exePath, ctx.Root, e.Path); err != nil {
			return fmt.Errorf("built-in root: %s: %w", e.Path, err)
		}
	}
	return nil
}

// mountHostFile shows one host file at a path of the guest.
func mountHostFile(v *fs.VFS, ctx *fs.Context, file, at string) error {
	fd, err := host.OpenFile(file)
	if err != nil {
		return fmt.Errorf("built-in root: %s: %w", file, err)
	}
	sb, err := hostfs.NewFile(v, fd, 0o755)
	if err != nil {
		return fmt.Errorf("built-in root: %s: %w", file, err)
	}
	if _, err := ensureDir(ctx, path.Dir(at)); err != nil {
		return fmt.Errorf("built-in root: %s: %w", at, err)
	}
	if err := writeFile(ctx, at, 0o755, ""); err != nil {
		return fmt.Errorf("built-in root: %s: %w", at, err)
	}
	p, err := fs.Lookup(ctx, ctx.Root, at, 0)
	if err != nil {
		return fmt.Errorf("built-in root: %s: %w", at, err)
	}
	_, err = fs.MountAt(sb, p, strings.TrimPrefix(at, "/"), abi.MS_RDONLY|abi.MS_NODEV)
	return err
}

func writeFile(ctx *fs.Context, name string, perm uint32, content string) error {
	f, err := fs.Open(ctx, ctx.Root, name, abi.OpenHow{Flags: abi.O_CREAT | abi.O_WRONLY | abi.O_EXCL, Mode: uint64(perm)})
	if err != nil {
		return err
	}
	defer f.DecRef()
	if content == "" {
		return nil
	}
	_, err = f.Write(ctx, []byte(content))
	return err
}
