// SPDX-License-Identifier: Apache-2.0

package fstest

import (
	"math/rand"
	"sync"
	"testing"
	"time"

	"lodger/abi"
	"lodger/fs"
)

// Stress lets several goroutines work on the same few names: nothing may hang,
// panic or (under -race) race.
func Stress(t *testing.T, fill func(e *Env), mk Maker) {
	e := New(t, mk)
	if fill != nil {
		fill(e)
	}
	var wg sync.WaitGroup
	stop := time.Now().Add(700 * time.Millisecond)
	for g := range 4 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			s := stresser{e: e, rnd: rand.New(rand.NewSource(int64(g)))}
			for time.Now().Before(stop) {
				s.step()
			}
			for _, f := range s.open {
				f.DecRef()
			}
		}()
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		panic("file system operations hang")
	}
	var walk func(dir string, depth int)
	walk = func(dir string, depth int) { // the tree must be sound
		for _, n := range e.List(dir) {
			if a := e.Stat(dir + "/" + n); a.IsDir() && depth < 20 {
				walk(dir+"/"+n, depth+1)
			}
		}
	}
	walk("/.", 0)
}

type stresser struct {
	e    *Env
	rnd  *rand.Rand
	open []*fs.File
}

func (s *stresser) name() string {
	n := ""
	for range 1 + s.rnd.Intn(3) {
		n += "/" + string(rune('a'+s.rnd.Intn(4)))
	}
	return n
}

func (s *stresser) step() {
	var zero fs.Path
	ctx, a, b := s.e.Ctx, s.name(), s.name()
	switch s.rnd.Intn(14) {
	case 0, 1:
		fs.Mkdir(ctx, zero, a, 0o755)
	case 2:
		fs.Rmdir(ctx, zero, a)
	case 3:
		fs.Unlink(ctx, zero, a)
	case 4:
		fs.Link(ctx, zero, a, zero, b, 0)
	case 5, 6:
		fs.Rename(ctx, zero, a, zero, b, []uint32{0, 0, abi.RENAME_NOREPLACE, abi.RENAME_EXCHANGE}[s.rnd.Intn(4)])
	case 7:
		fs.Symlink(ctx, b, zero, a)
	case 8, 9:
		if f, err := s.e.Open(a, abi.O_RDWR|abi.O_CREAT, 0o644); err == nil {
			s.open = append(s.open, f)
		}
	case 10:
		fs.Stat(ctx, zero, a, 0)
		fs.Chmod(ctx, zero, b, 0o755, 0)
	case 11:
		if f, err := s.e.Open(a, abi.O_DIRECTORY, 0); err == nil {
			f.ReadDir(ctx, func(fs.Dirent) bool { return true })
			f.DecRef()
		}
	case 12:
		if s.rnd.Intn(50) == 0 {
			s.e.V.DropCaches()
		}
		fs.Truncate(ctx, zero, a, int64(s.rnd.Intn(100000)))
	default:
		if len(s.open) == 0 {
			return
		}
		f := s.open[s.rnd.Intn(len(s.open))]
		p := make([]byte, 3000)
		f.Pwrite(ctx, p, int64(s.rnd.Intn(70000)))
		f.Pread(ctx, p, 0)
		f.Stat()
		fs.DPath(f.Path, ctx.Root)
		if len(s.open) > 10 {
			s.open[0].DecRef()
			s.open = s.open[1:]
		}
	}
}
