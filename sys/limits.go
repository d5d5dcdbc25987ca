// SPDX-License-Identifier: Apache-2.0

package sys

import (
	"lodger/abi"
	"lodger/kernel"
)

func getrlimit(t *kernel.Task, a Args) (uint64, error) {
	if a[0] >= abi.RLIM_NLIMITS {
		return 0, abi.EINVAL
	}
	l := t.Rlimit(int(a[0]))
	return 0, putWords(t, a[1], l.Cur, l.Max)
}

func setrlimit(t *kernel.Task, a Args) (uint64, error) {
	w, err := getWords(t, a[1], 2)
	if err != nil {
		return 0, err
	}
	if a[0] >= abi.RLIM_NLIMITS {
		return 0, abi.EINVAL
	}
	return 0, changeLimit(t, t.Group(), int(a[0]), abi.Rlimit{Cur: w[0], Max: w[1]})
}

// changeLimit is do_prlimit's check and change.
func changeLimit(t *kernel.Task, g *kernel.ThreadGroup, which int, l abi.Rlimit) error {
	const maxFiles = 1048576 // fs.nr_open
	if l.Cur > l.Max {
		return abi.EINVAL
	}
	if which == abi.RLIMIT_NOFILE && l.Max > maxFiles {
		return abi.EPERM
	}
	if l.Max > g.Rlimit(which).Max && !t.Creds().Capable(abi.CAP_SYS_RESOURCE) {
		return abi.EPERM
	}
	g.SetRlimit(which, l)
	return nil
}

func prlimit64(t *kernel.Task, a Args) (uint64, error) {
	if a[1] >= abi.RLIM_NLIMITS {
		return 0, abi.EINVAL
	}
	g, err := groupOrSelf(t, int32(a[0]))
	if err != nil {
		return 0, err
	}
	if g != t.Group() {
		c, o := t.Creds(), g.Leader().Creds()
		same := c.UID == o.UID && c.UID == o.EUID && c.UID == o.SUID && c.GID == o.GID && c.GID == o.EGID && c.GID == o.SGID
		if !same && !c.Capable(abi.CAP_SYS_RESOURCE) {
			return 0, abi.EPERM
		}
	}
	old := g.Rlimit(int(a[1]))
	if a[2] != 0 {
		w, err := getWords(t, a[2], 2)
		if err != nil {
			return 0, err
		}
		if err := changeLimit(t, g, int(a[1]), abi.Rlimit{Cur: w[0], Max: w[1]}); err != nil {
			return 0, err
		}
	}
	if a[3] != 0 {
		return 0, putWords(t, a[3], old.Cur, old.Max)
	}
	return 0, nil
}

func getrusage(t *kernel.Task, a Args) (uint64, error) {
	const self, children, thread = 0, -1, 1
	u, s, cu, cs := t.Group().Usage()
	switch a.Int(0) {
	case self:
	case children:
		u, s = cu, cs
	case thread:
		u, s = t.ThreadUsage()
	default:
		return 0, abi.EINVAL
	}
	return 0, putRusage(t, a[1], u, s, t.MaxRSS(a.Int(0) == children))
}

func times(t *kernel.Task, a Args) (uint64, error) {
	const tick = 1e7 // nanoseconds
	if a[0] != 0 {
		u, s, cu, cs := t.Group().Usage()
		if err := putWords(t, a[0], uint64(u/tick), uint64(s/tick), uint64(cu/tick), uint64(cs/tick)); err != nil {
			return 0, err
		}
	}
	return uint64(t.Kernel().Clock.Monotonic() / tick), nil
}
