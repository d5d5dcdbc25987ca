// SPDX-License-Identifier: Apache-2.0

package boot

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"lodger/abi"
	"lodger/fs"
	"lodger/kernel"
)

const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// noID is (uid_t)-1, which names nobody.
const noID = 1<<32 - 1

// account is a line of the guest's /etc/passwd, as far as a login needs it.
type account struct {
	uid, gid uint32
	name     string
	home     string
	groups   []uint32
}

// program composes the first program of the guest.
func (m *Machine) program(v *fs.VFS, root fs.Path) (*kernel.Program, error) {
	ctx := &fs.Context{Creds: fs.RootCreds(), Root: root, Cwd: root}
	acct, err := findAccount(ctx, m.cfg.User)
	if err != nil {
		return nil, err
	}
	creds := fs.RootCreds()
	if acct.uid != 0 {
		creds = &fs.Creds{Bounding: fs.AllCaps}
	}
	creds.UID, creds.EUID, creds.SUID, creds.FSUID = acct.uid, acct.uid, acct.uid, acct.uid
	creds.GID, creds.EGID, creds.SGID, creds.FSGID = acct.gid, acct.gid, acct.gid, acct.gid
	creds.Groups = acct.groups

	cwd := root
	if m.cfg.Workdir != "" {
		if cwd, err = fs.Lookup(ctx, root, m.cfg.Workdir, fs.LookupFollow|fs.LookupDirectory); err != nil {
			return nil, fmt.Errorf("working directory %s in the guest: %w", m.cfg.Workdir, err)
		}
	}
	env := m.environment(acct)
	user := &fs.Context{Creds: creds, Root: root, Cwd: cwd}
	argv := slices.Clone(m.cfg.Command)
	path, err := lookPath(user, argv[0], env)
	if err != nil {
		return nil, err
	}
	if m.cfg.Login {
		argv[0] = "-" + argv[0]
	}
	p := &kernel.Program{Path: path, Argv: argv, Envp: env, Creds: creds, Root: root, Cwd: cwd, Files: m.stdio(ctx)}
	if m.console != nil {
		p.CTTY = m.console
	}
	return p, nil
}

// environment is the command's: a login's few variables and those asked for.
func (m *Machine) environment(a account) []string {
	env := []string{"PATH=" + defaultPath, "HOME=" + a.home, "USER=" + a.name, "LOGNAME=" + a.name, "HOSTNAME=" + m.cfg.Hostname}
	for _, e := range m.cfg.Env {
		name, _, _ := strings.Cut(e, "=")
		for i, old := range env {
			if strings.HasPrefix(old, name+"=") {
				env = append(env[:i], env[i+1:]...)
				break
			}
		}
		env = append(env, e)
	}
	return env
}

// lookPath finds a command as execvp does.
func lookPath(ctx *fs.Context, name string, env []string) (string, error) {
	if strings.Contains(name, "/") {
		return name, nil
	}
	dirs := defaultPath
	for _, e := range env {
		if p, ok := strings.CutPrefix(e, "PATH="); ok {
			dirs = p
		}
	}
	denied := false
	for _, dir := range strings.Split(dirs, ":") {
		if dir == "" {
			dir = "."
		}
		full := dir + "/" + name
		st, err := fs.Stat(ctx, ctx.Cwd, full, 0)
		if err != nil || st.Mode&abi.S_IFMT != abi.S_IFREG {
			continue
		}
		if fs.Access(ctx, ctx.Cwd, full, abi.X_OK, 0) != nil {
			denied = true
			continue
		}
		return full, nil
	}
	if denied {
		return "", &ExitError{ExitNoExec, fmt.Errorf("%s: found in the guest but not executable", name)}
	}
	return "", &ExitError{ExitNotFound, fmt.Errorf("%s: command not found in the guest (PATH=%s)", name, dirs)}
}

// findAccount looks a user up in the guest's own files. spec is a name or
// uid[:gid]; "" is root.
func findAccount(ctx *fs.Context, spec string) (account, error) {
	if spec == "" {
		spec = "0"
	}
	user, group, hasGroup := strings.Cut(spec, ":")
	a := account{name: user, home: "/"}
	n, err := strconv.ParseUint(user, 10, 32)
	numeric := err == nil && n != noID
	a.uid = uint32(n)
	found := false
	for _, f := range colonFile(ctx, "/etc/passwd", 7) {
		if (numeric && f[2] == user) || (!numeric && f[0] == user) {
			uid, e1 := strconv.ParseUint(f[2], 10, 32)
			gid, e2 := strconv.ParseUint(f[3], 10, 32)
			if e1 != nil || e2 != nil {
				continue
			}
			a.name, a.uid, a.gid, a.home, found = f[0], uint32(uid), uint32(gid), f[5], true
			break
		}
	}
	if !found && !numeric {
		return a, fmt.Errorf("user %q is not in the guest's /etc/passwd; use a number or another name", user)
	}
	if !found && a.uid == 0 {
		a.name, a.home = "root", "/root"
	}
	for _, f := range colonFile(ctx, "/etc/group", 4) {
		gid, err := strconv.ParseUint(f[2], 10, 32)
		if err != nil {
			continue
		}
		if hasGroup && f[0] == group {
			a.gid, hasGroup = uint32(gid), false
		}
		for _, member := range strings.Split(f[3], ",") {
			if member == a.name && member != "" {
				a.groups = append(a.groups, uint32(gid))
			}
		}
	}
	if hasGroup {
		gid, err := strconv.ParseUint(group, 10, 32)
		if err != nil || gid == noID {
			return a, fmt.Errorf("group %q is not in the guest's /etc/group; use a number or another name", group)
		}
		a.gid = uint32(gid)
	}
	return a, nil
}

// colonFile reads a file of colon-separated lines with at least n fields.
func colonFile(ctx *fs.Context, name string, n int) [][]string {
	f, err := fs.Open(ctx, ctx.Root, name, abi.OpenHow{Flags: abi.O_RDONLY})
	if err != nil {
		return nil
	}
	defer f.DecRef()
	var text []byte
	buf := make([]byte, 16384)
	for len(text) < 1<<20 {
		k, err := f.Read(ctx, buf)
		if err != nil || k == 0 {
			break
		}
		text = append(text, buf[:k]...)
	}
	var out [][]string
	for _, line := range strings.Split(string(text), "\n") {
		if fields := strings.Split(line, ":"); len(fields) >= n {
			out = append(out, fields)
		}
	}
	return out
}
