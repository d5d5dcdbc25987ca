// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"lodger/host"
	boot "lodger/init"
)

// cmdBoot is `lodger WORD...` with the words of a kernel command line: what UML's
// linux does with its arguments.
func cmdBoot(words []string, stderr io.Writer) int {
	o := newOptions()
	o.cfg.Cmdline = boot.ParseCmdline(words)
	if h := o.cfg.Cmdline.Hostname; h != "" {
		o.cfg.Hostname = h
	}
	if len(o.cfg.Hostname) > maxHostname {
		return fail(stderr, fmt.Errorf("hostname=: %d bytes are too long, %d is the most", len(o.cfg.Hostname), maxHostname))
	}
	status := runOptions(o, stderr)
	if status != restartStatus {
		return status
	}
	// The guest asked for a restart: everything anew, as the command line says.
	err := host.ExecSelf(os.Args, os.Environ())
	return fail(stderr, errors.Join(errors.New("restart"), err))
}

// restartStatus is runGuest's word for a restart; no exit status.
const restartStatus = -1
