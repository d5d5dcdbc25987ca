// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"

	"lodger/host/notify"
	boot "lodger/init"
)

// command is a subcommand of lodger.
type command struct {
	name, args, about string
	run               func(args []string, stdout, stderr io.Writer) int
}

// commands lists the subcommands; one row each.
func commands() []command {
	return []command{
		{"run", "[flags] ROOT [--] COMMAND [ARG...]", "run COMMAND in a throw-away guest", cmdRun},
		{"disk", "COMMAND [ARG...]", "disk images: create, info, commit, rebase, convert, check", cmdDisk},
		{"info", "", "say what this host offers and what it costs to lack it", cmdInfo},
		{"version", "", "print the version", cmdVersion},
		{"help", "", "print this", cmdHelp},
	}
}

// runCommand runs args[0].
func runCommand(args []string, stdout, stderr io.Writer) int {
	name := args[0]
	switch name {
	case "-h", "-help", "--help":
		name = "help"
	case "-version", "--version":
		name = "version"
	}
	for _, c := range commands() {
		if c.name != name {
			continue
		}
		if c.args == "" && len(args) > 1 {
			return fail(stderr, fmt.Errorf("%s takes no arguments, not %q", name, args[1]))
		}
		return c.run(args[1:], stdout, stderr)
	}
	if boot.KernelWord(name) {
		return cmdBoot(args, stderr)
	}
	kind := "command"
	if strings.HasPrefix(name, "-") {
		kind = "flag"
	}
	return fail(stderr, fmt.Errorf("unknown %s %q (lodger help lists the commands)", kind, name))
}

func cmdHelp(_ []string, stdout, _ io.Writer) int {
	fmt.Fprintf(stdout, "Lodger runs Linux guests as ordinary processes.\n\n  %-46s %s\n  %-46s %s\n", "lodger", "boot the built-in guest with a shell",
		"lodger ubd0=IMAGE [root=/dev/ubda1] [rw] ...", "boot a disk as a Linux kernel with this command line")
	for _, c := range commands() {
		fmt.Fprintf(stdout, "  %-46s %s\n", strings.TrimSpace("lodger "+c.name+" "+c.args), c.about)
	}
	fmt.Fprintf(stdout, `
ROOT is a directory (a Debian tree, an unpacked container image) or `+"`builtin`"+`.
lodger run --help and lodger disk --help say more. lodger ends with COMMAND's status:
128+N when signal N killed it, %d when Lodger itself failed, %d and %d as in a shell.
`, boot.ExitLodger, boot.ExitNoExec, boot.ExitNotFound)
	return 0
}

func cmdVersion(_ []string, stdout, _ io.Writer) int {
	version, revision, dirty := "(devel)", "", ""
	if info, ok := debug.ReadBuildInfo(); ok {
		if info.Main.Version != "" {
			version = info.Main.Version
		}
		for _, s := range info.Settings {
			switch {
			case s.Key == "vcs.revision":
				revision = " " + s.Value
			case s.Key == "vcs.modified" && s.Value == "true":
				dirty = " with local changes"
			}
		}
	}
	fmt.Fprintf(stdout, "lodger %s%s%s, %s %s/%s\n", version, revision, dirty, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return 0
}

// cmdInfo probes the host. Its status says whether a guest can run at all.
func cmdInfo(_ []string, stdout, _ io.Writer) int {
	found := notify.Probe()
	for _, f := range found {
		answer := "yes"
		if !f.OK {
			answer = "no"
		}
		if f.Value != "" {
			answer += ": " + f.Value
		}
		fmt.Fprintf(stdout, "%-38s %s\n", f.Name, answer)
		if !f.OK {
			fmt.Fprintf(stdout, "%-38s   without it: %s\n", "", f.Without)
		}
	}
	if !found[0].OK {
		return boot.ExitLodger
	}
	return 0
}
