// SPDX-License-Identifier: Apache-2.0

package system

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"lodger/userland/app"
)

// mountFlag is an option of mount(8) that is a flag of mount(2).
type mountFlag struct {
	bit   uintptr
	clear bool
}

func mountFlagOf(name string) (mountFlag, bool) {
	switch name {
	case "", "defaults", "auto", "noauto", "user", "nouser", "_netdev", "nofail":
		return mountFlag{}, true // for fstab(5) only
	case "ro", "rw":
		return mountFlag{unix.MS_RDONLY, name == "rw"}, true
	case "bind":
		return mountFlag{unix.MS_BIND, false}, true
	case "rbind":
		return mountFlag{unix.MS_BIND | unix.MS_REC, false}, true
	case "move":
		return mountFlag{unix.MS_MOVE, false}, true
	case "remount":
		return mountFlag{unix.MS_REMOUNT, false}, true
	case "nosuid", "suid":
		return mountFlag{unix.MS_NOSUID, name == "suid"}, true
	case "nodev", "dev":
		return mountFlag{unix.MS_NODEV, name == "dev"}, true
	case "noexec", "exec":
		return mountFlag{unix.MS_NOEXEC, name == "exec"}, true
	case "sync", "async":
		return mountFlag{unix.MS_SYNCHRONOUS, name == "async"}, true
	case "noatime", "atime":
		return mountFlag{unix.MS_NOATIME, name == "atime"}, true
	case "relatime":
		return mountFlag{unix.MS_RELATIME, false}, true
	case "private", "rprivate":
		return mountFlag{unix.MS_PRIVATE | rec(name), false}, true
	case "shared", "rshared":
		return mountFlag{unix.MS_SHARED | rec(name), false}, true
	case "slave", "rslave":
		return mountFlag{unix.MS_SLAVE | rec(name), false}, true
	}
	return mountFlag{}, false
}

func rec(name string) uintptr {
	if name[0] == 'r' {
		return unix.MS_REC
	}
	return 0
}

func mount(c *app.Ctx, args []string) int {
	o, status, ok := c.Parse(args, "t|types: o|options: r|read-only w|rw n|no-mtab v|verbose a|all bind B|bind rbind R|rbind move M make-private make-rprivate make-shared make-rshared make-slave make-rslave")
	if !ok {
		return status
	}
	if len(o.Args) == 0 && !o.Has("a") {
		return listMounts(c, o.Str("t", ""))
	}
	options := o.All("o")
	for _, opt := range o.Order {
		switch opt.Key {
		case "bind", "rbind", "move":
			options = append(options, opt.Key)
		case "B", "R", "M":
			options = append(options, map[string]string{"B": "bind", "R": "rbind", "M": "move"}[opt.Key])
		case "r":
			options = append(options, "ro")
		default:
			if name, ok := strings.CutPrefix(opt.Key, "make-"); ok {
				options = append(options, name)
			}
		}
	}
	if o.Has("a") {
		return mountAll(c)
	}
	source, target := o.Args[0], o.Args[len(o.Args)-1]
	if len(o.Args) == 1 && !changesOnly(options) {
		f, ok := fstabEntry(target)
		if !ok {
			c.Errorf("%s: can't find in /etc/fstab.", target)
			return 1
		}
		return doMount(c, f[0], f[1], f[2], append([]string{f[3]}, options...))
	}
	return doMount(c, source, target, o.Str("t", ""), options)
}

// changesOnly says whether the options change a mount that is there.
func changesOnly(options []string) bool {
	s := strings.Join(options, ",")
	return strings.Contains(s, "remount") || strings.Contains(s, "private") || strings.Contains(s, "shared") || strings.Contains(s, "slave")
}

func doMount(c *app.Ctx, source, target, kind string, options []string) int {
	flags, data := uintptr(0), []string{}
	for opt := range strings.SplitSeq(strings.Join(options, ","), ",") {
		switch f, ok := mountFlagOf(opt); {
		case !ok:
			data = append(data, opt)
		case f.clear:
			flags &^= f.bit
		default:
			flags |= f.bit
		}
	}
	kinds := []string{kind}
	if kind == "" || kind == "auto" {
		kinds = diskTypes()
		if flags&(unix.MS_BIND|unix.MS_MOVE|unix.MS_REMOUNT|unix.MS_PRIVATE|unix.MS_SHARED|unix.MS_SLAVE) != 0 {
			kinds = []string{""}
		}
	}
	var err error
	for _, k := range kinds {
		err = unix.Mount(source, target, k, flags, strings.Join(data, ","))
		if err == nil && flags&unix.MS_BIND != 0 && flags&unix.MS_RDONLY != 0 {
			err = unix.Mount("", target, "", flags|unix.MS_REMOUNT, "") // a bind takes its flags only so
		}
		if err != unix.EINVAL && err != unix.ENODEV {
			break
		}
	}
	if err != nil {
		c.Errorf("mounting %s on %s failed: %s", source, target, app.Reason(err))
		return 32
	}
	return 0
}

// diskTypes are the file systems on devices that the kernel knows.
func diskTypes() []string {
	data, _ := os.ReadFile("/proc/filesystems")
	var kinds []string
	for line := range strings.Lines(string(data)) {
		if !strings.HasPrefix(line, "nodev") {
			kinds = append(kinds, strings.TrimSpace(line))
		}
	}
	if len(kinds) == 0 {
		kinds = []string{"ext4"}
	}
	return kinds
}

// fstab lists the lines of fstab(5) with at least four fields.
func fstab() [][]string {
	data, _ := os.ReadFile("/etc/fstab")
	var list [][]string
	for line := range strings.Lines(string(data)) {
		f := strings.Fields(line)
		if len(f) >= 3 && f[0][0] != '#' {
			list = append(list, append(f, "defaults")[:4])
		}
	}
	return list
}

func fstabEntry(name string) ([]string, bool) {
	for _, f := range fstab() {
		if f[0] == name || f[1] == name {
			return f, true
		}
	}
	return nil, false
}

func mountAll(c *app.Ctx) int {
	have := map[string]bool{}
	for _, m := range mounts() {
		have[m[1]] = true
	}
	status := 0
	for _, f := range fstab() {
		if !have[f[1]] && !strings.Contains(f[3], "noauto") && f[2] != "swap" {
			status = max(status, doMount(c, f[0], f[1], f[2], []string{f[3]}))
		}
	}
	return status
}

// mounts reads proc_mounts(5): source, directory, type, options.
func mounts() [][]string {
	data, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		data, _ = os.ReadFile("/proc/mounts")
	}
	plain := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)
	var list [][]string
	for line := range strings.Lines(string(data)) {
		if f := strings.Fields(line); len(f) >= 4 {
			for i := range f {
				f[i] = plain.Replace(f[i])
			}
			list = append(list, f)
		}
	}
	return list
}

func listMounts(c *app.Ctx, kind string) int {
	for _, m := range mounts() {
		if kind == "" || kind == m[2] {
			fmt.Fprintf(c.Out, "%s on %s type %s (%s)\n", m[0], m[1], m[2], m[3])
		}
	}
	return 0
}

func umount(c *app.Ctx, args []string) int {
	o, status, ok := c.Parse(args, "l|lazy f|force n r a R d v")
	if !ok {
		return status
	}
	flags := 0
	if o.Has("l") {
		flags |= unix.MNT_DETACH
	}
	if o.Has("f") {
		flags |= unix.MNT_FORCE
	}
	names := o.Args
	if o.Has("a") {
		for _, m := range mounts() {
			if m[1] != "/" && m[2] != "proc" && m[2] != "sysfs" && m[2] != "devtmpfs" {
				names = append([]string{m[1]}, names...)
			}
		}
	}
	if len(names) == 0 {
		return c.Missing()
	}
	for _, name := range names {
		for _, m := range mounts() {
			if m[0] == name && strings.HasPrefix(name, "/") && m[1] != name {
				name = m[1]
			}
		}
		if err := unix.Unmount(name, flags); err != nil {
			c.Errorf("can't unmount %s: %s", name, app.Reason(err))
		}
	}
	return c.Status()
}
