// SPDX-License-Identifier: Apache-2.0

package boot

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"lodger/abi"
	"lodger/fs"
	"lodger/fs/ext4"
)

// blockTypes are the file systems that lie on a block device, in the order in
// which they are tried where nobody says which it is; one row each.
func (m *Machine) blockTypes() []blockType {
	var l []blockType
	for _, name := range ext4.Types() {
		l = append(l, blockType{name, func(v *fs.VFS, vol *volume, flags uint32, data string, silent bool) (*fs.SuperBlock, error) {
			return ext4.Mount(v, vol.dev, vol.rdev, name, flags, data, m.fsEnv("EXT4-fs", vol.name, silent))
		}})
	}
	return l
}

// blockType is one of them.
type blockType struct {
	name  string
	mount func(v *fs.VFS, vol *volume, flags uint32, data string, silent bool) (*fs.SuperBlock, error)
}

// fsEnv is what a file system needs of the machine. silent: it is only being tried.
func (m *Machine) fsEnv(who, dev string, silent bool) ext4.Env {
	prefix := fmt.Sprintf("%s (%s): ", who, dev)
	env := ext4.Env{Panic: func(msg string) { m.panic(prefix + msg) }, Log: func(msg string) { m.printk("%s", prefix+msg) }}
	if silent {
		env.Log = nil
	}
	return env
}

// mountRoot mounts a root file system on vol: mount_root_generic of
// init/do_mounts.c. types is rootfstype=. The super block's type is in it.
func (m *Machine) mountRoot(v *fs.VFS, vol *volume, types string, flags uint32, data string) (*fs.SuperBlock, error) {
	var failed error = abi.ENODEV
	isExt := probe(vol.dev).typ == "ext"
	for _, t := range m.blockTypes() {
		if types != "" && !slices.Contains(strings.Split(types, ","), t.name) {
			continue
		}
		silent := types == "" && !(t.name == "ext4" && isExt) // that one's reasons are worth a line
		sb, err := t.mount(v, vol, flags, data, silent)
		if errors.Is(err, abi.EACCES) && flags&abi.MS_RDONLY == 0 {
			flags |= abi.MS_RDONLY // a device that cannot be written
			sb, err = t.mount(v, vol, flags, data, silent)
		}
		if err == nil {
			return sb, nil
		}
		if !errors.Is(err, abi.EINVAL) || errors.Is(failed, abi.ENODEV) {
			failed = err // the most telling one: others only say that it is not theirs
		}
	}
	return nil, failed
}

// rootImage mounts an image as the guest's root for lodger run: the volume that
// RootDevice names, else the whole disk if it has a file system, else the only
// partition that has one.
func (m *Machine) rootImage(v *fs.VFS) (*fs.SuperBlock, error) {
	vol, err := m.chooseVolume()
	if err != nil {
		return nil, fmt.Errorf("root %s: %w", m.cfg.Root, err)
	}
	sb, err := m.mountRoot(v, vol, "", 0, "")
	if err != nil {
		return nil, fmt.Errorf("root %s: mount the file system of %s: %w", m.cfg.Root, vol.name, err)
	}
	return sb, nil
}

func (m *Machine) chooseVolume() (*volume, error) {
	vols := m.volumes()
	if name := m.cfg.RootDevice; name != "" {
		if vol, ok := findRoot(vols, name); ok {
			return vol, nil
		}
		return nil, fmt.Errorf("--root-device %s: there is %s", name, volumeNames(vols))
	}
	if probe(vols[0].dev).typ != "" {
		return &vols[0], nil
	}
	var found []volume
	for _, vol := range vols[1:] {
		if probe(vol.dev).typ != "" {
			found = append(found, vol)
		}
	}
	switch len(found) {
	case 0:
		return nil, errors.New("no file system that Lodger mounts is in it, nor in a partition of it")
	case 1:
		return &found[0], nil
	}
	return nil, fmt.Errorf("several partitions have file systems; choose one by --root-device: %s", volumeNames(found))
}

func volumeNames(vols []volume) string {
	var names []string
	for _, vol := range vols {
		names = append(names, vol.name)
	}
	return strings.Join(names, ", ")
}
