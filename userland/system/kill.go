// SPDX-License-Identifier: Apache-2.0

package system

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"lodger/userland/app"
)

// signalOf reads a signal as a number or a name with or without SIG.
func signalOf(s string) (syscall.Signal, bool) {
	if n, err := strconv.Atoi(s); err == nil {
		return syscall.Signal(n), n >= 0 && n <= 64
	}
	s = strings.TrimPrefix(strings.ToUpper(s), "SIG")
	if s == "EXIT" {
		return 0, true
	}
	if rest, ok := strings.CutPrefix(s, "RTMIN"); ok {
		n, err := strconv.Atoi("0" + strings.TrimPrefix(rest, "+"))
		return syscall.Signal(34 + n), err == nil
	}
	n := unix.SignalNum("SIG" + s)
	return n, n != 0
}

// signalArg takes a leading -s SIGNAL, -SIGNAL or -n N off the arguments.
func signalArg(c *app.Ctx, args []string) (sig syscall.Signal, rest []string, ok bool) {
	sig = syscall.SIGTERM
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' {
		spec := args[0][1:]
		switch {
		case spec == "-":
			return sig, args[1:], true
		case (spec == "s" || spec == "n" || spec == "-signal") && len(args) > 1:
			spec, args = args[1], args[1:]
		case strings.HasPrefix(spec, "-signal="):
			spec = spec[len("-signal="):]
		}
		if sig, ok = signalOf(spec); !ok {
			c.Errorf("%s: invalid signal", app.Quote(spec))
			return 0, nil, false
		}
		if args = args[1:]; len(args) > 0 && args[0] == "--" {
			args = args[1:]
		}
		return sig, args, true
	}
	return sig, args, true
}

func kill(c *app.Ctx, args []string) int {
	if len(args) > 0 && (args[0] == "-h" || args[0] == "--help") {
		c.Help()
		return 0
	}
	if len(args) > 0 && (args[0] == "-l" || args[0] == "-L") {
		return killList(c, args[1:])
	}
	sig, rest, ok := signalArg(c, args)
	if !ok {
		return 1
	}
	if len(rest) == 0 {
		return c.BadUsage("no process ID specified")
	}
	for _, a := range rest {
		pid, err := strconv.Atoi(a)
		if err != nil {
			c.Errorf("%s: arguments must be process or job IDs", a)
			continue
		}
		if err := unix.Kill(pid, sig); err != nil {
			c.Errorf("(%d) - %s", pid, app.Reason(err))
		}
	}
	return c.Status()
}

func killList(c *app.Ctx, args []string) int {
	for _, a := range args {
		n, err := strconv.Atoi(a)
		if err != nil {
			sig, ok := signalOf(a)
			if !ok {
				c.Errorf("%s: invalid signal specification", a)
				continue
			}
			fmt.Fprintln(c.Out, int(sig))
			continue
		}
		fmt.Fprintln(c.Out, strings.TrimPrefix(unix.SignalName(syscall.Signal(n&127)), "SIG"))
	}
	if len(args) == 0 {
		for n := 1; n < 32; n++ {
			fmt.Fprintf(c.Out, "%2d) %s\n", n, unix.SignalName(syscall.Signal(n)))
		}
	}
	return c.Status()
}

func killall(c *app.Ctx, args []string) int {
	sig, rest, ok := signalArg(c, args)
	if !ok {
		return 1
	}
	for _, name := range rest {
		pids := pidsOf(name)
		if len(pids) == 0 {
			c.Errorf("%s: no process found", name)
		}
		for _, pid := range pids {
			if err := unix.Kill(pid, sig); err != nil {
				c.Errorf("%s(%d): %s", name, pid, app.Reason(err))
			}
		}
	}
	return c.Status()
}

func pidof(c *app.Ctx, args []string) int {
	var words []string
	for _, name := range args {
		for _, pid := range pidsOf(name) {
			words = append(words, strconv.Itoa(pid))
		}
	}
	if len(words) == 0 {
		return 1
	}
	fmt.Fprintln(c.Out, strings.Join(words, " "))
	return 0
}

// pidsOf lists the other processes with that command name.
func pidsOf(name string) []int {
	var pids []int
	for _, p := range processes() {
		if p.comm == name && p.pid != os.Getpid() {
			pids = append(pids, p.pid)
		}
	}
	return pids
}

// powerOff is poweroff, reboot and halt: reboot(2) when that is allowed, else
// the signal that init takes for it (SIGUSR1 halt, SIGUSR2 power off, SIGTERM
// reboot, as busybox has it).
func powerOff(c *app.Ctx, args []string) int {
	o, status, ok := c.Parse(args, "f|force n|no-sync w p d h")
	if !ok {
		return status
	}
	how, sig := unix.LINUX_REBOOT_CMD_POWER_OFF, syscall.SIGUSR2
	switch c.Name {
	case "reboot":
		how, sig = unix.LINUX_REBOOT_CMD_RESTART, syscall.SIGTERM
	case "halt":
		how, sig = unix.LINUX_REBOOT_CMD_HALT, syscall.SIGUSR1
	}
	if !o.Has("n") {
		unix.Sync()
	}
	if !insideLodger() && !o.Has("f") {
		c.Errorf("this is not a Lodger guest; -f does it all the same")
		return 1
	}
	err := unix.Reboot(how)
	if err == nil {
		return 0
	}
	if e := unix.Kill(1, sig); e != nil {
		c.Errorf("%s", app.Reason(err))
		return 1
	}
	return 0
}

// insideLodger keeps a trial run on a developer's machine from halting it.
func insideLodger() bool {
	data, err := os.ReadFile("/etc/os-release")
	return err == nil && strings.Contains(string(data), "ID=lodger")
}
