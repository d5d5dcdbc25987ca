// SPDX-License-Identifier: Apache-2.0

package fstest

import (
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"runtime"
	"sort"
	"strings"
	"syscall"
	"testing"

	"lodger/abi"
	"lodger/fs"
	"lodger/host"
)

// Differ runs random histories of file operations on a file system of ours and
// in a directory of the host, and compares every result and every name, size,
// mode and content afterwards. fill prepares both: it is called with the host
// directory before mk. The test must run as root, as the guest does.
func Differ(t *testing.T, rounds, steps int, fill func(dir string), mk Maker) {
	if os.Getuid() != 0 {
		t.Skip("needs root, whose rights the guest's root has")
	}
	old := syscall.Umask(0)
	defer syscall.Umask(old)
	for round := range rounds {
		seed := int64(round + 1)
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			dir := t.TempDir()
			os.Chmod(dir, 0o755)
			if fill != nil {
				fill(dir)
			}
			d := &differ{Env: New(t, mk), dir: dir, rnd: rand.New(rand.NewSource(seed))}
			d.root = d.jail(t, d.Ctx, 0)
			d.Ctx.Umask = 0
			d.user = d.jail(t, d.As(user, user), user)
			defer close(d.root.calls)
			defer close(d.user.calls)
			d.side = d.root
			d.Ctx.Umask = 0
			for i := 0; i < steps && !t.Failed(); i++ {
				d.side = d.root
				if seed%2 == 0 && d.rnd.Intn(3) > 0 {
					d.side = d.user
				}
				d.Ctx = d.side.ctx
				d.step(i)
			}
			d.side, d.Ctx = d.root, d.root.ctx
			d.compare()
		})
	}
}

type differ struct {
	*Env
	Extras
	dir              string
	rnd              *rand.Rand
	root, user, side *side
}

// user is who acts beside root in every second round.
const user = 1000

// side is one who acts, in the guest and on the host.
type side struct {
	ctx *fs.Context
	uid int
	// calls run in a thread whose root directory is dir: ".." then ends there as
	// it does for ours.
	calls chan func()
}

// jail starts the host's side of uid.
func (d *differ) jail(t *testing.T, ctx *fs.Context, uid int) *side {
	s := &side{ctx, uid, make(chan func())}
	ready := make(chan error)
	var run func()
	run = func() {
		runtime.LockOSThread() // and never unlock: the thread ends with the goroutine
		if syscall.Gettid() == syscall.Getpid() {
			// The main thread does not end: let another one have the work.
			other := make(chan error)
			go func() { other <- nil; run() }()
			<-other
			runtime.UnlockOSThread()
			return
		}
		err := host.ChrootThread(d.dir)
		if err == nil && uid != 0 {
			err = host.SetUserThread(uid)
		}
		ready <- err
		for f := range s.calls {
			f()
		}
	}
	go run()
	if err := <-ready; err != nil {
		t.Fatal(err)
	}
	return s
}

// in runs f on the host's side.
func (d *differ) in(f func() error) (err error) {
	done := make(chan struct{})
	d.side.calls <- func() { err = f(); close(done) }
	<-done
	return err
}

var pieces = []string{"a", "b", "c", "d", "ln", "..", ".", "sub", "f1", "f2"}

// name makes a path of few components, so that operations meet.
func (d *differ) name() string {
	n := 1 + d.rnd.Intn(3)
	var s []string
	depth := 0
	for range n {
		p := pieces[d.rnd.Intn(len(pieces))]
		if p == ".." {
			if depth == 0 {
				continue // never above the root, where the two differ
			}
			depth--
		} else if p != "." {
			depth++
		}
		s = append(s, p)
	}
	if len(s) == 0 {
		s = []string{"a"}
	}
	out := strings.Join(s, "/")
	if d.rnd.Intn(12) == 0 {
		out += "/"
	}
	return out
}

func hostName(name string) string {
	return "/" + name
}

func errno(err error) abi.Errno {
	for err != nil {
		if e, ok := err.(abi.Errno); ok {
			return e
		}
		u, ok := err.(interface{ Unwrap() error })
		if !ok {
			return abi.EIO
		}
		err = u.Unwrap()
	}
	return 0
}

func (d *differ) same(i int, what string, ours, hosts error) {
	if errno(ours) != errno(hosts) {
		d.T.Errorf("step %d: uid %d: %s: ours %v, the host's %v", i, d.side.uid, what, ours, hosts)
	}
}

func (d *differ) step(i int) {
	var zero fs.Path
	a, b := d.name(), d.name()
	ha, hb := hostName(a), hostName(b)
	switch op := d.rnd.Intn(17); op {
	case 0, 1:
		d.same(i, "mkdir "+a, fs.Mkdir(d.Ctx, zero, a, 0o1777), d.in(func() error { return syscall.Mkdir(ha, 0o1777) }))
	case 2:
		d.same(i, "rmdir "+a, fs.Rmdir(d.Ctx, zero, a), d.in(func() error { return syscall.Rmdir(ha) }))
	case 3, 4:
		d.same(i, "unlink "+a, fs.Unlink(d.Ctx, zero, a), d.in(func() error { return syscall.Unlink(ha) }))
	case 5:
		d.same(i, "link "+a+" "+b, fs.Link(d.Ctx, zero, a, zero, b, 0), d.in(func() error { return syscall.Link(ha, hb) }))
	case 6:
		target := pieces[d.rnd.Intn(len(pieces))]
		d.same(i, "symlink "+target+" "+a, fs.Symlink(d.Ctx, target, zero, a), d.in(func() error { return syscall.Symlink(target, ha) }))
	case 7, 8, 9:
		flags := []uint32{0, 0, 0, abi.RENAME_NOREPLACE, abi.RENAME_EXCHANGE}[d.rnd.Intn(5)]
		d.same(i, fmt.Sprintf("rename %s %s %d", a, b, flags), fs.Rename(d.Ctx, zero, a, zero, b, flags), d.in(func() error { return host.RenamePath(ha, hb, flags) }))
	case 10:
		n := int64(d.rnd.Intn(200000))
		d.same(i, "truncate "+a, fs.Truncate(d.Ctx, zero, a, n), d.in(func() error { return syscall.Truncate(ha, n) }))
	case 11:
		mode := uint32(d.rnd.Intn(0o10000))
		d.same(i, "chmod "+a, fs.Chmod(d.Ctx, zero, a, mode, 0), d.in(func() error { return syscall.Chmod(ha, mode) }))
	case 12:
		id := uint32([]int{0, user, 7}[d.rnd.Intn(3)])
		if d.side == d.root {
			d.same(i, "chown "+a, fs.Chown(d.Ctx, zero, a, id, id, abi.AT_SYMLINK_NOFOLLOW), d.in(func() error { return syscall.Lchown(ha, int(id), int(id)) }))
		}
	case 13:
		mode := uint32(d.rnd.Intn(8))
		d.same(i, fmt.Sprint("access ", a, mode), fs.Access(d.Ctx, zero, a, mode, 0), d.in(func() error { return syscall.Access(ha, mode) }))
	case 14:
		ts := [2]abi.Timespec{{Sec: 1}, {Sec: 2}}
		d.same(i, "utimes "+a, fs.Utimens(d.Ctx, zero, a, &ts, 0), d.in(func() error {
			return syscall.UtimesNano(ha, []syscall.Timespec{{Sec: 1}, {Sec: 2}})
		}))
	default:
		d.write(i, a, ha)
	}
}

// write opens and writes, both sides the same.
func (d *differ) write(i int, a, ha string) {
	flags := []int{abi.O_RDONLY, abi.O_WRONLY, abi.O_RDWR, abi.O_RDWR}[d.rnd.Intn(4)]
	for _, f := range []int{abi.O_CREAT, abi.O_CREAT, abi.O_EXCL, abi.O_TRUNC, abi.O_APPEND, abi.O_NOFOLLOW, abi.O_DIRECTORY} {
		if d.rnd.Intn(3) == 0 {
			flags |= f
		}
	}
	ours, err := d.Open(a, flags, 0o640)
	fd := -1
	herr := d.in(func() (err error) { fd, err = syscall.Open(ha, flags|syscall.O_CLOEXEC, 0o640); return err })
	d.same(i, fmt.Sprintf("open %s %#o", a, flags), err, herr)
	if err == nil {
		defer ours.DecRef()
	}
	if herr == nil {
		defer syscall.Close(fd)
	}
	if err != nil || herr != nil {
		return
	}
	p := make([]byte, d.rnd.Intn(100000))
	d.rnd.Read(p)
	off := int64(d.rnd.Intn(100000))
	n, err := ours.Pwrite(d.Ctx, p, off)
	hn, herr := syscall.Pwrite(fd, p, off)
	d.same(i, "pwrite "+a, err, herr)
	if err == nil && n != hn {
		d.T.Errorf("step %d: pwrite %d and %d", i, n, hn)
	}
}

// compare compares the trees.
func (d *differ) compare() {
	want := map[string]string{}
	inos := map[uint64]string{}
	filepath.Walk(d.dir, func(p string, _ os.FileInfo, err error) error {
		rel, _ := filepath.Rel(d.dir, p)
		var st syscall.Stat_t
		if syscall.Lstat(p, &st) != nil {
			return nil
		}
		want[rel] = d.describeHost(p, rel, &st, inos)
		return nil
	})
	got := map[string]string{}
	d.walk(".", got, map[uint64]string{})
	for n, w := range want {
		if got[n] != w {
			d.T.Errorf("%s: ours %.120q, the host's %.120q", n, got[n], w)
		}
	}
	for n := range got {
		if _, ok := want[n]; !ok {
			d.T.Errorf("%s is only ours", n)
		}
	}
}

func first(m map[uint64]string, ino uint64, name string) string {
	if _, ok := m[ino]; !ok {
		m[ino] = name
	}
	return m[ino]
}

func (d *differ) describeHost(p, rel string, st *syscall.Stat_t, inos map[uint64]string) string {
	s := fmt.Sprintf("%o %d:%d", st.Mode, st.Uid, st.Gid)
	switch st.Mode & abi.S_IFMT {
	case abi.S_IFREG:
		b, _ := os.ReadFile(p)
		s += fmt.Sprintf(" %d %s %d %x", st.Nlink, first(inos, st.Ino, rel), st.Size, b)
	case abi.S_IFLNK:
		t, _ := os.Readlink(p)
		s += " " + t
	}
	return s
}

func (d *differ) walk(name string, got map[string]string, inos map[uint64]string) {
	a := d.Stat(name)
	s := fmt.Sprintf("%o %d:%d", a.Mode, a.UID, a.GID)
	switch a.Type() {
	case abi.S_IFREG:
		s += fmt.Sprintf(" %d %s %d %x", a.Nlink, first(inos, a.Ino, name), a.Size, d.Read(name))
	case abi.S_IFLNK:
		t, _ := fs.Readlink(d.Ctx, fs.Path{}, name)
		s += " " + t
	case abi.S_IFDIR:
		l := d.List(name)
		sort.Strings(l)
		for _, n := range l {
			d.walk(filepath.Join(name, n), got, inos)
		}
	}
	got[name] = s
}
