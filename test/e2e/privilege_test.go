// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestPrivilegesDropped: while a guest runs, no thread of its kernel can gain
// privileges, or has one that could change the host's set-up.
func TestPrivilegesDropped(t *testing.T) {
	if os.Getenv("LODGER_BIN") != "" {
		t.Skip("a binary built with cgo keeps them")
	}
	cmd, _, _ := start(t, lodger(t), "run", "builtin", "--", "sh", "-c", "echo ready; sleep 1000")
	defer func() {
		cmd.Process.Kill()
		cmd.Wait()
	}()
	const never = 1<<unix.CAP_SYS_ADMIN | 1<<unix.CAP_NET_ADMIN | 1<<unix.CAP_NET_RAW | 1<<unix.CAP_SYS_MODULE | 1<<unix.CAP_SYS_RAWIO |
		1<<unix.CAP_SYS_BOOT | 1<<unix.CAP_SYS_TIME | 1<<unix.CAP_SETUID | 1<<unix.CAP_SETGID | 1<<unix.CAP_SYS_CHROOT | 1<<unix.CAP_BPF
	bad := func() (why []string) {
		threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", cmd.Process.Pid))
		for _, f := range threads {
			b, _ := os.ReadFile(f)
			for line := range strings.Lines(string(b)) {
				name, value, _ := strings.Cut(strings.TrimSpace(line), ":\t")
				caps, _ := strconv.ParseUint(value, 16, 64)
				if name == "NoNewPrivs" && value != "1" || name == "CapEff" && caps&never != 0 || name == "CapPrm" && caps&never != 0 {
					why = append(why, f+" "+line)
				}
			}
		}
		if len(threads) == 0 {
			why = append(why, "no threads found")
		}
		return why
	}
	// The guest may say its word before its kernel is done.
	if !eventually(func() bool { return len(bad()) == 0 }) {
		t.Error(bad())
	}
}
