// SPDX-License-Identifier: Apache-2.0

package app

import (
	"errors"
	"io"
	"os/exec"
	"syscall"
)

// SetStatus makes Status report trouble without a message.
func (c *Ctx) SetStatus(status int) { c.status = max(c.status, status) }

// Command runs another program with the streams of this one and waits for it.
// A nil in means the standard input of this program. The status is that of a
// shell: 128+N after signal N, 126 or 127 with an error when it did not start.
func (c *Ctx) Command(argv []string, in io.Reader) (status int, err error) {
	c.Out.Flush()
	if in == nil {
		in = c.In
	}
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stdin, cmd.Stderr = in, c.Err
	cmd.Stdout = c.stdout
	return ExitStatus(cmd.Run())
}

// ExitStatus turns what exec.Cmd.Run returns into the status a shell would see.
func ExitStatus(err error) (int, error) {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0, nil
	case errors.As(err, &exit):
		if ws, ok := exit.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
			return 128 + int(ws.Signal()), nil
		}
		return exit.ExitCode(), nil
	case errors.Is(err, exec.ErrNotFound):
		return 127, syscall.ENOENT
	case errors.Is(err, syscall.ENOENT):
		return 127, err
	}
	return 126, err
}
