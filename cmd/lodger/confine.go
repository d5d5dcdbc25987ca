// SPDX-License-Identifier: Apache-2.0

package main

import (
	"debug/elf"
	"errors"
	"os"
	"strconv"
	"strings"

	"lodger/block/cow"
	"lodger/drivers/ubd"
	"lodger/host"
	boot "lodger/init"
)

// confinedVar tells the program that was started anew by confine: it is shut in
// already, and the value is the descriptor of the guest processes' empty root.
const confinedVar = "LODGER_CONFINED"

// confine shuts lodger itself in before anything of the guest exists, and starts it
// anew so that all its threads are: a hole in the kernel then opens nothing but the
// trees that the command line names, read-only where they are. It must come first,
// since Landlock also governs who sees whose memory: guest processes have to be
// born within the domain. It returns only when it was done before, or cannot be done.
func (o *options) confine() error {
	if v := os.Getenv(confinedVar); v != "" {
		fd, err := strconv.Atoi(v)
		if err != nil || fd < 3 || !host.IsOpen(fd) {
			return errors.New(confinedVar + " is lodger's own, but not of this one's making")
		}
		o.cfg.Platform.EmptyDir = fd
		return nil
	}
	if dynamic() {
		// Its libraries would be out of reach: a build with cgo, for development.
		return errors.New("lodger is linked dynamically (build it with CGO_ENABLED=0)")
	}
	fd, err := host.GoneDir()
	if err != nil {
		return err
	}
	defer host.CloseFD(fd)
	env := append(os.Environ(), confinedVar+"="+strconv.Itoa(fd))
	return host.ConfineAndExec(o.reach(), os.Args, env)
}

// reach lists what of the host the kernel needs.
func (o *options) reach() []host.Rule {
	rules := []host.Rule{
		{Path: "/proc/self/exe"}, // the built-in guest's programs, and ourselves
		{Path: "/proc", Write: true},
		{Path: "/sys"},
		{Path: "/dev/null", Write: true},
		{Path: "/etc/localtime"},
		{Path: "/usr/share/zoneinfo"},
	}
	if c := o.cfg.Cmdline; c != nil {
		rules = append(rules, bootReach(c)...)
	} else if boot.IsImage(o.cfg.Root) {
		rules = append(rules, diskReach(ubd.Spec{File: o.cfg.Root, ReadOnly: !o.cfg.RW})...)
	} else if o.cfg.Root != boot.Builtin {
		rules = append(rules, host.Rule{Path: o.cfg.Root, Write: o.cfg.RW})
	}
	for _, v := range o.volumes {
		if vol, err := parseVolume(v); err == nil {
			rules = append(rules, host.Rule{Path: vol.Host, Write: !vol.ReadOnly})
		}
	}
	if f := o.strace.file; f != "" {
		if file, err := os.OpenFile(f, os.O_WRONLY|os.O_CREATE, 0o666); err == nil {
			file.Close()
			rules = append(rules, host.Rule{Path: f, Write: true})
		}
	}
	return rules
}

// bootReach is what a kernel command line names.
func bootReach(c *boot.Cmdline) (rules []host.Rule) {
	for _, s := range c.Disks.Specs() {
		rules = append(rules, diskReach(s)...)
	}
	if c.RootFSType == "hostfs" {
		dir := c.RootFlags
		if dir == "" {
			dir = "/"
		}
		rules = append(rules, host.Rule{Path: dir, Write: c.RW})
	}
	return rules
}

// diskReach is a disk's file and the base of a COW file. Which one that is may only
// be in its header; a COW file that is missing is made now, while its directory can
// be written.
func diskReach(s ubd.Spec) []host.Rule {
	if _, err := os.Stat(s.File); os.IsNotExist(err) && s.Base != "" {
		if d, err := ubd.Open(s, nil); err == nil { // else told when it is opened in earnest
			d.Close()
		}
	}
	rules := []host.Rule{{Path: s.File, Write: !s.ReadOnly}}
	if s.Base != "" {
		rules = append(rules, host.Rule{Path: s.Base})
	}
	if h, err := cow.ReadHeader(s.File); err == nil && !s.NoCOW {
		rules = append(rules, host.Rule{Path: h.Backing})
	}
	return rules
}

// dynamic reports whether this program needs a dynamic loader.
func dynamic() bool {
	f, err := elf.Open("/proc/self/exe")
	if err != nil {
		return true
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			return true
		}
	}
	return strings.HasSuffix(os.Args[0], ".test")
}
