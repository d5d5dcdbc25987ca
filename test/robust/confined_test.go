// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package robust

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lodger/internal/need"
)

// chores exercise what a container's profile may take away: threads, forks,
// pipes and mounts.
const chores = "echo hi | cat; /bin/true && id -u; mount -t tmpfs none /mnt && echo mounted; uname -n"

// confined runs the chores under a wrapper and returns status, output and errors.
func confined(t *testing.T, wrapper []string, opts string) (int, string, string) {
	t.Helper()
	g := startBy(t, wrapper, opts, "", "sh", "-c", chores)
	code := g.end(10 * time.Second)
	return code, g.out.String(), g.msg.String()
}

const choresDone = "hi\n0\nmounted\nlodger\n"

// asUser are the words that run a command as an ordinary user, when we are root.
func asUser(t *testing.T) []string {
	if os.Getuid() != 0 {
		return nil
	}
	need.Program(t, "setpriv")
	exe, _ := os.Executable()
	for d := filepath.Dir(exe); d != "/" && d != os.TempDir(); d = filepath.Dir(d) {
		os.Chmod(d, 0o755)
	}
	return []string{"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"}
}

// Guests run for an ordinary user in every box, and within a user namespace.
func TestOrdinaryUser(t *testing.T) {
	user := asUser(t)
	for name, c := range map[string]struct {
		wrapper []string
		opts    string
	}{
		"namespaces":       {nil, ""},
		"landlock":         {nil, "nonamespaces"},
		"landlock, nested": {[]string{"unshare", "-Ur"}, "nonamespaces"},
		"unshare":          {[]string{"unshare", "-Ur"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if len(c.wrapper) > 0 && exec.Command("unshare", "-Ur", "true").Run() != nil {
				need.Missing(t, "no user namespaces")
			}
			code, out, msg := confined(t, append(append([]string{}, user...), c.wrapper...), c.opts)
			if code != 0 || out != choresDone || msg != "" {
				t.Errorf("status %d, output %q, errors %q", code, out, msg)
			}
		})
	}
}

// Guests run under a container's seccomp profile; where the host refuses
// something essential, one line names it.
func TestSeccompProfiles(t *testing.T) {
	bin := compile(t, "testdata/confine.c")
	for profile, want := range map[string]string{
		"docker":   "",
		"novm":     "process_vm_readv",
		"nonotify": "seccomp filter",
		"nomemfd":  "image",
	} {
		for who, user := range map[string][]string{"root": nil, "user": asUser(t)} {
			if who == "root" && os.Getuid() != 0 {
				continue
			}
			t.Run(profile+"/"+who, func(t *testing.T) {
				wrapper := append(append([]string{}, user...), filepath.Join(bin, "confine"), profile)
				code, out, msg := confined(t, wrapper, "")
				if want == "" {
					if code != 0 || out != choresDone || msg != "" {
						t.Errorf("status %d, output %q, errors %q", code, out, msg)
					}
					return
				}
				if code != 125 || strings.Count(msg, "\n") != 1 || !strings.Contains(msg, want) || !strings.HasPrefix(msg, "lodger: ") {
					t.Errorf("status %d, errors %q; want 125 and one line about %q", code, msg, want)
				}
			})
		}
	}
}
