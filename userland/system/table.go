// SPDX-License-Identifier: Apache-2.0

// Package system holds the built-in programs that look at and steer the
// system: ps, kill, mount, uname, and those that run other programs: env,
// xargs, timeout. What they show comes from /proc as in procps.
package system

import "lodger/userland/app"

// Applets is the table of this family.
func Applets() []app.Applet {
	return []app.Applet{
		{Name: "arch", Dir: "/bin", Usage: "\nPrint the machine's name.", Main: arch},
		{Name: "chroot", Dir: "/sbin", Usage: "NEWROOT [COMMAND [ARG]...]\nRun a command with another root directory.", Main: chroot, Trouble: 125},
		{Name: "date", Dir: "/bin", Usage: "[-uR] [-d DATE] [-r FILE] [-s DATE] [+FORMAT]\nPrint or set the time.", Main: date},
		{Name: "df", Dir: "/bin", Usage: "[-ahkmTPi] [FILE]...\nShow the space of file systems.", Main: df},
		{Name: "dmesg", Dir: "/bin", Usage: "[-cn]\nPrint the kernel's log.", Main: dmesg},
		{Name: "env", Dir: "/bin", Usage: "[-i] [-u NAME] [-C DIR] [NAME=VALUE]... [COMMAND [ARG]...]\nRun a command in a changed environment.", Main: env, Trouble: 125},
		{Name: "free", Dir: "/bin", Usage: "[-bkmgh]\nShow the memory in use.", Main: free},
		{Name: "groups", Dir: "/bin", Usage: "\nPrint the groups of the process.", Main: groups},
		{Name: "halt", Dir: "/sbin", Usage: "[-fn]\nHalt the system.", Main: powerOff},
		{Name: "hostname", Dir: "/bin", Usage: "[-sf] [NAME]\nPrint or set the host's name.", Main: hostname},
		{Name: "id", Dir: "/bin", Usage: "[-ugGn] [USER]\nPrint user and group identities.", Main: id},
		{Name: "kill", Dir: "/bin", Usage: "[-l [N]] | [-s SIGNAL | -SIGNAL] PID...\nSend a signal to processes.", Main: kill},
		{Name: "killall", Dir: "/bin", Usage: "[-SIGNAL] NAME...\nSend a signal to processes by name.", Main: killall},
		{Name: "mount", Dir: "/bin", Usage: "[-t TYPE] [-o OPTIONS] [--bind] [SOURCE] DIRECTORY\nAttach a file system, or list them.", Main: mount, Trouble: 32},
		{Name: "nice", Dir: "/bin", Usage: "[-n N] [COMMAND [ARG]...]\nRun a command with another priority.", Main: nice, Trouble: 125},
		{Name: "nohup", Dir: "/bin", Usage: "COMMAND [ARG]...\nRun a command immune to hangups.", Main: nohup, Trouble: 125},
		{Name: "nproc", Dir: "/bin", Usage: "[--all]\nPrint the number of processors.", Main: nproc},
		{Name: "pidof", Dir: "/bin", Usage: "NAME...\nPrint the process ids of programs.", Main: pidof},
		{Name: "poweroff", Dir: "/sbin", Usage: "[-fn]\nPower the system off.", Main: powerOff},
		{Name: "printenv", Dir: "/bin", Usage: "[NAME]...\nPrint the environment.", Main: printenv},
		{Name: "ps", Dir: "/bin", Usage: "[aux] [-ef] [-o FIELDS] [-p PIDS]\nShow the processes.", Main: ps},
		{Name: "reboot", Dir: "/sbin", Usage: "[-fn]\nRestart the system.", Main: powerOff},
		{Name: "setsid", Dir: "/bin", Usage: "[-cw] COMMAND [ARG]...\nRun a command in a new session.", Main: setsid},
		{Name: "sleep", Dir: "/bin", Usage: "NUMBER[smhd]...\nWait.", Main: sleep},
		{Name: "stty", Dir: "/bin", Usage: "[-a] [size | sane | raw | cooked | [-]echo]\nShow or set the terminal.", Main: stty},
		{Name: "sysctl", Dir: "/sbin", Usage: "[-nw] NAME[=VALUE]...\nRead or write a kernel parameter.", Main: sysctl},
		{Name: "time", Dir: "/bin", Usage: "[-p] COMMAND [ARG]...\nRun a command and report the time it took.", Main: timeMain},
		{Name: "timeout", Dir: "/bin", Usage: "[-s SIGNAL] [-k DURATION] DURATION COMMAND [ARG]...\nRun a command with a time limit.", Main: timeout, Trouble: 125},
		{Name: "tty", Dir: "/bin", Usage: "[-s]\nPrint the terminal's name.", Main: tty},
		{Name: "umount", Dir: "/bin", Usage: "[-lf] DIRECTORY...\nDetach file systems.", Main: umount, Trouble: 32},
		{Name: "uname", Dir: "/bin", Usage: "[-asnrvmpio]\nPrint what system this is.", Main: uname},
		{Name: "uptime", Dir: "/bin", Usage: "[-p]\nShow how long the system has run.", Main: uptime},
		{Name: "usleep", Dir: "/bin", Usage: "N\nWait N microseconds.", Main: usleep},
		{Name: "which", Dir: "/bin", Usage: "[-a] NAME...\nShow the path of programs.", Main: which},
		{Name: "whoami", Dir: "/bin", Usage: "\nPrint the effective user's name.", Main: whoami},
		{Name: "xargs", Dir: "/bin", Usage: "[-0rtpx] [-n N] [-L N] [-I STR] [-d DELIM] [-P N] [COMMAND [ARG]...]\nRun a command with arguments from standard input.", Main: xargs},
	}
}
