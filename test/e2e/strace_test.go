// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// TestStrace checks lines of a trace: a path, an error, a process that is waited
// for, exits.
func TestStrace(t *testing.T) {
	bin, file := lodger(t), filepath.Join(t.TempDir(), "trace")
	r := run(t, bin, nil, "run", "--strace="+file, "--hostname=traced", "builtin", "--", "sh", "-c", "cat /etc/passwd >/dev/null; cat /nosuch; exit 3")
	if r.status != 3 {
		t.Errorf("status %d, want 3: %s", r.status, r.stderr)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`\[pid +\d+\] execve\("/bin/cat", \["cat", "/etc/passwd"\], 0x[0-9a-f]+ /\* \d+ vars \*/\) = 0`,
		`\[pid +\d+\] openat\(AT_FDCWD, "/etc/passwd", O_RDONLY(\|O_\w+)*(, 000)?\) = \d+`,
		`\[pid +\d+\] openat\(AT_FDCWD, "/nosuch", O_RDONLY(\|O_\w+)*(, 000)?\) = -1 ENOENT \(No such file or directory\)`,
		`\[pid +\d+\] read\(\d+, "root:x:0:0:.*"\.\.\., \d+\) = \d+`,
		`\[pid +\d+\] (wait4\(-?\d+, |<\.\.\. wait4 resumed>)\[\{WIFEXITED\(s\) && WEXITSTATUS\(s\) == 0\}\], .*\) = \d+`,
		`\[pid +\d+\] exit_group\(3\) = \?`,
		`\[pid +\d+\] rt_sigaction\(SIG\w+, 0x[0-9a-f]+, (NULL|0x[0-9a-f]+), 8\) = \?`,
		`\[pid +\d+\] rt_sigprocmask\(\d, (NULL|~?\[.*\]), (NULL|0x[0-9a-f]+), 8\) = \?`,
		`\[pid +\d+\] futex\(0x[0-9a-f]+, 0x[0-9a-f]+, \d+, .*\) = \?`,
		`\[pid +\d+\] \+\+\+ exited with 3 \+\+\+`,
		`\[pid +\d+\] clone\(.*SIGCHLD, .*\) = \d+`,
		`\[pid +\d+\] mmap\(NULL, \d+, PROT_READ\|PROT_WRITE, MAP_PRIVATE\|MAP_ANONYMOUS, -1, 0\) = \?`,
	} {
		if !regexp.MustCompile(`(?m)^` + want + `$`).Match(b) {
			t.Errorf("no line in the trace matches %s", want)
		}
	}
	if t.Failed() && len(b) < 200<<10 {
		t.Logf("%s", b)
	}
}
