// SPDX-License-Identifier: Apache-2.0

package main

import (
	"debug/elf"
	"errors"
	"fmt"
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

// notMadeVar tells that program why COW files could not be made before, where it would
// only find that it is shut in: lines of the disk's number and a text.
const notMadeVar = "LODGER_NOT_MADE"

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
		o.cfg.NotMade = parseNotMade(os.Getenv(notMadeVar))
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
	rules, notMade := o.reach()
	env := append(os.Environ(), confinedVar+"="+strconv.Itoa(fd), notMadeVar+"="+notMade)
	return host.ConfineAndExec(rules, os.Args, env)
}

func parseNotMade(s string) map[int]string {
	m := map[int]string{}
	for line := range strings.Lines(s) {
		number, text, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		if n, err := strconv.Atoi(number); err == nil && text != "" {
			m[n] = text
		}
	}
	return m
}

// reach lists what of the host the kernel needs; notMade is for notMadeVar.
func (o *options) reach() (rules []host.Rule, notMade string) {
	rules = []host.Rule{
		{Path: "/proc/self/exe"}, // the built-in guest's programs, and ourselves
		{Path: "/proc", Write: true},
		{Path: "/sys"},
		{Path: "/dev/null", Write: true},
		{Path: "/etc/localtime"},
		{Path: "/usr/share/zoneinfo"},
	}
	if c := o.cfg.Cmdline; c != nil {
		var more []host.Rule
		more, notMade = bootReach(c)
		rules = append(rules, more...)
	} else if boot.IsImage(o.cfg.Root) {
		more, _ := diskReach(ubd.Spec{File: o.cfg.Root, ReadOnly: !o.cfg.RW})
		rules = append(rules, more...)
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
	return rules, notMade
}

// bootReach is what a kernel command line names.
func bootReach(c *boot.Cmdline) (rules []host.Rule, notMade string) {
	for _, s := range c.Disks.Specs() {
		more, err := diskReach(s)
		rules = append(rules, more...)
		if err != nil {
			notMade += fmt.Sprintf("%d %s\n", s.N, diskError(err))
		}
	}
	if c.RootFSType == "hostfs" {
		dir := c.RootFlags
		if dir == "" {
			dir = "/"
		}
		rules = append(rules, host.Rule{Path: dir, Write: c.RW})
	}
	return rules, notMade
}

// diskReach is a disk's file and the base of a COW file. Which one that is may only
// be in its header; a COW file that is missing is made now, while its directory can
// be written: err is why it cannot.
func diskReach(s ubd.Spec) (rules []host.Rule, err error) {
	if _, missing := os.Stat(s.File); os.IsNotExist(missing) && s.Base != "" {
		var d *ubd.Disk
		if d, err = ubd.Open(s, nil); err == nil {
			d.Close()
		}
	}
	rules = []host.Rule{{Path: s.File, Write: !s.ReadOnly}}
	if s.Base != "" {
		rules = append(rules, host.Rule{Path: s.Base})
	}
	if h, err := cow.ReadHeader(s.File); err == nil && !s.NoCOW {
		rules = append(rules, host.Rule{Path: h.Backing})
	}
	return rules, err
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
