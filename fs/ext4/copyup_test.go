// SPDX-License-Identifier: Apache-2.0

package ext4_test

import (
	"bytes"
	"path/filepath"
	"testing"

	"lodger/abi"
	"lodger/block"
	"lodger/block/cow"
	"lodger/fs"
	"lodger/fs/ext4"
	"lodger/fs/fstest"
	"lodger/host"
	"lodger/lib/printk"
)

// movers is a kernel whose processes map whatever was mapped, and move as told.
type movers struct {
	t            *testing.T
	part, whole  []fs.MapRun // what the last moves emptied
	to           []fs.Moved
	parts, moves int
}

func (m *movers) Relocate(_ fs.Inode, from []fs.MapRun, move func() ([]fs.Moved, error)) error {
	m.moves++
	m.whole = from
	return m.follow(from, move)
}

func (m *movers) RelocatePart(_ fs.Inode, from []fs.MapRun, move func() ([]fs.Moved, error)) error {
	m.parts++
	m.part = from
	return m.follow(from, move)
}

// follow wants the new places to hold what the old ones do.
func (m *movers) follow(from []fs.MapRun, move func() ([]fs.Moved, error)) (err error) {
	if m.to, err = move(); err != nil {
		return err
	}
	for k, r := range from {
		if !bytes.Equal(bytesOf(m.t, r.FD, r.Off, r.Len), bytesOf(m.t, m.to[k].FD, m.to[k].Off, r.Len)) {
			m.t.Errorf("%+v is not what %+v was", m.to[k], r)
		}
	}
	return nil
}

func (m *movers) Unused(fs.Inode) bool { return false }
func (m *movers) Do(f func())          { f() }

func bytesOf(t *testing.T, fd int, off, n int64) []byte {
	t.Helper()
	b := make([]byte, n)
	if _, err := host.Pread(fd, b, off); err != nil { // zero behind the end
		t.Fatalf("bytes at %d of %d: %v", off, fd, err)
	}
	return b
}

// tired is a disk that copies nothing up once it is full.
type tired struct {
	*cow.Device
	full bool
}

func (d *tired) Own(off, n int64) error {
	if d.full {
		return abi.ENOSPC
	}
	return d.Device.Own(off, n)
}

const upPages = 64 // of the file that tests of copy-up use

// onCow mounts a COW disk whose base holds /f, of upPages pages 'A', 'B', ....
func onCow(t *testing.T) (*fstest.Env, *movers, *tired) {
	dir := t.TempDir()
	base := filepath.Join(dir, "base")
	d := mkfs(t, "8M", "-t", "ext4", "-b", "4096", "-O", "^inline_data")
	v, sb := mount(t, d, ext4.Options{})
	var text []byte
	for k := range upPages {
		text = append(text, bytes.Repeat([]byte{'A' + byte(k)}, 4096)...)
	}
	env(t, v, sb).Write("/f", string(text))
	closed(t, sb, d)
	writeImage(t, base, d.data)
	f, _, err := cow.Create(filepath.Join(dir, "cow"), base, block.Options{})
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	c, err := cow.Open(filepath.Join(dir, "cow"), cow.Config{})
	if err != nil {
		t.Fatal(err)
	}
	dev := &tired{Device: c}
	v = fs.New(0)
	m := &movers{t: t}
	v.Mappings = m
	sb, err = ext4.Mount(v, dev, 0, "ext4", 0, "", ext4.Env{Log: func(_ printk.Level, s string) { t.Log(s) }})
	if err != nil {
		t.Fatal(err)
	}
	e := env(t, v, sb)
	e.Ctx.MayWait = true
	t.Cleanup(func() {
		if err := sb.Ops.(*ext4.FS).Close(); err != nil {
			t.Error(err)
		}
		flat := make([]byte, c.Size())
		if _, err := c.ReadAt(flat, 0); err != nil {
			t.Error(err)
		}
		fsck(t, &disk{data: flat})
		c.Close()
	})
	return e, m, dev
}

// mapBased gives /f, mapped whole, and the descriptor of the base.
func mapBased(e *fstest.Env) (f *fs.File, base int) {
	f, err := e.Open("/f", abi.O_RDWR, 0)
	e.Must(err)
	runs, _, err := f.MapRuns(e.Ctx, 0, upPages*4096, false, true, false)
	e.Must(err)
	for _, r := range runs {
		if r.FD != runs[0].FD {
			e.T.Fatalf("not in the base as a whole: %+v", runs)
		}
	}
	return f, runs[0].FD
}

// inBase tells for each page of /f whether it would be mapped from the base now.
func inBase(e *fstest.Env, f *fs.File, base int) (pages [upPages]bool) {
	runs, _, err := f.MapRuns(e.Ctx, 0, upPages*4096, false, true, false)
	e.Must(err)
	at := 0
	for _, r := range runs {
		for n := r.Len / 4096; n > 0; n-- {
			pages[at] = r.FD == base
			at++
		}
	}
	return pages
}

// TestCopyUpMapped: a write to what processes map from a base moves them with its
// neighbourhood only, and the rest stays shared.
func TestCopyUpMapped(t *testing.T) {
	e, m, _ := onCow(t)
	f, base := mapBased(e)
	defer f.DecRef()
	_, err := f.Pwrite(e.Ctx, []byte("new"), 20*4096+7)
	e.Must(err)
	if m.moves != 0 || m.parts != 1 {
		t.Fatalf("%d moves, %d of a part", m.moves, m.parts)
	}
	var moved int64
	for _, r := range m.part {
		if r.FD != base {
			t.Errorf("moved from %+v", r)
		}
		moved += r.Len
	}
	if moved != 64<<10 {
		t.Errorf("%d bytes moved", moved)
	}
	for _, to := range m.to {
		if to.FD == base || to.WriteFD != to.FD {
			t.Errorf("moved to %+v", to)
		}
	}
	for k, is := range inBase(e, f, base) {
		// Neighbours of other files' sake aside, which nobody has to move for.
		if k >= 16 && k < 32 && is || (k < 1 || k > 47) && !is {
			t.Errorf("page %d in the base: %v", k, is)
		}
	}
	if s := e.Read("/f")[20*4096+5:][:6]; s != "UUnewU" {
		t.Errorf("%q", s)
	}

	_, err = f.Pwrite(e.Ctx, []byte("new"), 31*4096) // moved already
	e.Must(err)
	_, err = f.Pwrite(e.Ctx, nil, 48*4096) // nothing
	e.Must(err)
	_, err = f.Pwrite(e.Ctx, []byte("tail"), upPages*4096) // nobody maps that
	e.Must(err)
	if m.moves != 0 || m.parts != 1 {
		t.Errorf("%d moves, %d of a part, for what is not in the base", m.moves, m.parts)
	}

	// Stores go where writes go.
	runs, _, err := f.MapRuns(e.Ctx, 48*4096, 4096, true, true, false)
	e.Must(err)
	if m.moves != 0 || m.parts != 2 || len(runs) != 1 || runs[0].FD == base {
		t.Errorf("to store: %d moves, %d of a part, %+v", m.moves, m.parts, runs)
	}
	if _, err := host.Pwrite(runs[0].FD, []byte("stored"), runs[0].Off); err != nil {
		t.Fatal(err)
	}
	if s := e.Read("/f")[48*4096:][:7]; s != "storedq" {
		t.Errorf("%q", s)
	}

	// What ends direct mappings finds all places, the old ones and the new.
	e.Must(f.Truncate(e.Ctx, 4096))
	var all int64
	from := map[bool]int64{}
	for _, r := range m.whole {
		all += r.Len
		from[r.FD == base] += r.Len
	}
	if m.moves != 1 || from[true] == 0 || from[false] < 128<<10 {
		t.Errorf("truncated: %d moves of %d bytes, from the base: %v", m.moves, all, from)
	}
}

// TestCopyUpFull: where nothing can be copied up, mappings get a copy in memory.
func TestCopyUpFull(t *testing.T) {
	e, m, dev := onCow(t)
	f, _ := mapBased(e)
	defer f.DecRef()
	dev.full = true
	_, err := f.Pwrite(e.Ctx, []byte("new"), 20*4096)
	e.Must(err) // only Own is tired
	if m.moves != 1 || m.parts != 0 {
		t.Errorf("%d moves, %d of a part", m.moves, m.parts)
	}
	if s := e.Read("/f")[20*4096-1:][:5]; s != "TnewU" {
		t.Errorf("%q", s)
	}
}
