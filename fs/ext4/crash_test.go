// SPDX-License-Identifier: Apache-2.0

package ext4_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"lodger/abi"
	"lodger/block/blocktest"
	"lodger/fs"
	"lodger/fs/ext4"
	"lodger/fs/fstest"
	"lodger/host"
	"lodger/internal/need"
	"lodger/lib/printk"
)

// crashKind is a file system under power cuts.
type crashKind struct {
	name string
	size string
	args []string
	data string
}

func crashKinds() []crashKind {
	return []crashKind{
		{"ext4", "24M", []string{"-t", "ext4"}, ""},
		{"4k", "24M", []string{"-t", "ext4", "-b", "4096"}, ""}, // mapped from the device
		{"1k", "12M", []string{"-t", "ext4", "-b", "1024"}, ""},
		{"ext3", "12M", []string{"-t", "ext3", "-b", "1024", "-I", "128"}, ""},
		{"orphan_file", "12M", []string{"-t", "ext4", "-b", "1024", "-O", "metadata_csum_seed,orphan_file"}, ""},
		{"64bit-nocsum", "24M", []string{"-t", "ext4", "-b", "4096", "-O", "64bit,^metadata_csum"}, "writeback"},
		{"journal", "12M", []string{"-t", "ext4", "-b", "1024"}, "journal"},
		{"journal-ext3", "24M", []string{"-t", "ext3", "-b", "2048"}, "journal"},
		{"inline", "12M", []string{"-t", "ext4", "-b", "1024", "-O", "inline_data"}, ""},
	}
}

// crashes is how many power cuts a test plays in all; LODGER_CRASHES asks for
// more than an ordinary run has time for.
func crashes(t *testing.T, ordinary int) int {
	if s := os.Getenv("LODGER_CRASHES"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if testing.Short() {
		return ordinary / 10
	}
	return ordinary
}

// mapped is a recorded device whose bytes can be mapped, by a descriptor that is none.
type mapped struct{ *blocktest.Recorder }

const mappedFD = 1 << 30

func (mapped) HostRange(off, length int64, _ bool) (fd int, hostOff, n int64, ok bool) {
	return mappedFD, off, length, true
}

// store stores into a shared mapping of up to four pages. What reaches the device so
// is a write like any other until a flush: each sector old or new after a power cut.
func (l *load) store(f *fs.File, o *object) {
	const page = 4096
	pages := (len(o.data) + page - 1) / page
	if pages == 0 {
		return
	}
	first := l.rng.IntN(pages)
	n := min(1+l.rng.IntN(4), pages-first)
	runs, _, err := f.MapRuns(l.e.Ctx, int64(first*page), int64(n*page), true, true, false)
	l.e.Must(err)
	p := make([]byte, min(n*page, len(o.data)-first*page))
	o.fill(p, l.op)
	o.data = slices.Clone(o.data)
	copy(o.data[first*page:], p)
	for _, r := range runs {
		part := p[:min(int64(len(p)), r.Len)]
		if p = p[len(part):]; r.FD == mappedFD {
			_, err = l.rec.WriteAt(part, r.Off)
			l.stored++
		} else {
			_, err = host.Pwrite(r.FD, part, r.Off)
		}
		l.e.Must(err)
	}
}

// stepTimer is a jbd2.Timer that goes off when the test says so, in the test's
// own goroutine, so that histories repeat.
type stepTimer struct {
	mu sync.Mutex
	f  func()
}

func (*stepTimer) Realtime() int64 { return 1 << 60 }

func (s *stepTimer) After(_ int64, f func()) func() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.f = f
	return func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.f = nil
		return true
	}
}

func (s *stepTimer) fire() {
	s.mu.Lock()
	f := s.f
	s.f = nil
	s.mu.Unlock()
	if f != nil {
		f()
	}
}

// version is what a name led to for a while.
type version struct {
	op  int // the operation that made it so
	obj *object
}

// object is a file of the load. Every word of its contents carries its number.
type object struct {
	id   uint32
	data []byte
	// states are the contents after each operation on it.
	states []state
	dir    bool
}

type state struct {
	op   int
	data []byte
}

func (o *object) changed(op int) {
	o.states = append(o.states, state{op, slices.Clone(o.data)})
}

func (o *object) fill(p []byte, gen int) {
	for i := 0; i < len(p); i += 4 {
		binary.LittleEndian.PutUint32(p[i:], o.id<<12|uint32(gen)&0xfff)
	}
}

// ack is a promise: what was so after operation op is durable once the stream of
// writes is at least this long. obj or all says of what.
type ack struct {
	op, log int
	obj     *object // fsync: its contents
	all     bool    // sync: names and contents
}

// load is a random history of one file system.
type load struct {
	e     *fstest.Env
	sb    *fs.SuperBlock
	rec   *blocktest.Recorder
	rng   *rand.Rand
	timer *stepTimer
	op    int
	ids   uint32
	names map[string][]version
	acks  []ack
	open  []*fs.File
	marks []int // length of the stream after each operation
	ext   bool  // knows unwritten blocks

	stored int // pieces stored on the device itself
}

func (l *load) at(name string) *object {
	if v := l.names[name]; len(v) > 0 {
		return v[len(v)-1].obj
	}
	return nil
}

func (l *load) put(name string, o *object) {
	l.names[name] = append(l.names[name], version{l.op, o})
}

func (l *load) name() string {
	n := l.rng.IntN(24)
	return fmt.Sprintf("/d%d/%0*d", n%3, 1+n*3, n)
}

// step does one random thing.
func (l *load) step() {
	l.op++
	r, n := l.rng, l.name()
	var z fs.Path
	switch k := r.IntN(22); k {
	case 0, 1, 2, 3, 4, 5, 6, 7:
		l.file(n, k)
	case 8, 9:
		to := l.name()
		o, t := l.at(n), l.at(to)
		if o == nil || o == t {
			return
		}
		l.e.Must(fs.Rename(l.e.Ctx, z, n, z, to, 0))
		l.put(n, nil)
		l.put(to, o)
	case 10, 11:
		if l.at(n) != nil {
			l.e.Must(fs.Unlink(l.e.Ctx, z, n))
			l.put(n, nil)
		}
	case 12:
		to := l.name()
		if o := l.at(n); o != nil && l.at(to) == nil {
			l.e.Must(fs.Link(l.e.Ctx, z, n, z, to, 0))
			l.put(to, o)
		}
	case 13:
		d := fmt.Sprint("/dir", r.IntN(4))
		if l.at(d) == nil {
			l.e.Must(fs.Mkdir(l.e.Ctx, z, d, 0o755))
			l.put(d, &object{dir: true})
		} else {
			l.e.Must(fs.Rmdir(l.e.Ctx, z, d))
			l.put(d, nil)
		}
	case 14:
		s := fmt.Sprint("/sym", r.IntN(6))
		if fs.Unlink(l.e.Ctx, z, s) != nil {
			l.e.Must(fs.Symlink(l.e.Ctx, strings.Repeat("x", 1+r.IntN(200)), z, s))
		}
	case 15:
		l.replace(fmt.Sprint("/rep", r.IntN(3)))
	case 16:
		l.timer.fire()
	case 17:
		if r.IntN(4) == 0 {
			l.e.Must(l.sb.Ops.(*ext4.FS).Sync())
			l.acks = append(l.acks, ack{op: l.op, log: l.rec.Log().Len(), all: true})
		}
	default:
		if o := l.at(n); o != nil {
			f, err := l.e.Open(n, abi.O_RDWR, 0)
			l.e.Must(err)
			if r.IntN(2) == 0 {
				l.modify(f, o)
			}
			l.fsync(f, o, r.IntN(2) == 0)
			f.DecRef()
		}
	}
}

func (l *load) fsync(f *fs.File, o *object, dataOnly bool) {
	l.e.Must(f.Fsync(l.e.Ctx, dataOnly))
	l.acks = append(l.acks, ack{op: l.op, log: l.rec.Log().Len(), obj: o})
}

// file creates a file or changes one.
func (l *load) file(n string, k int) {
	o := l.at(n)
	if o == nil {
		l.ids++
		o = &object{id: l.ids}
		l.put(n, o)
	}
	f, err := l.e.Open(n, abi.O_CREAT|abi.O_RDWR, 0o644)
	l.e.Must(err)
	if k == 7 {
		p, err := fs.Lookup(l.e.Ctx, fs.Path{}, n, 0)
		l.e.Must(err)
		if err := p.Inode().(fs.Xattrs).Setxattr(l.e.Ctx, fmt.Sprint("user.a", l.rng.IntN(4)), make([]byte, l.rng.IntN(300)), 0); err != abi.ENOSPC {
			l.e.Must(err)
		}
	} else {
		l.modify(f, o)
	}
	if l.open = append(l.open, f); len(l.open) > 4 {
		l.open[0].DecRef()
		l.open = l.open[1:]
	}
}

// modify changes contents like fsx.
func (l *load) modify(f *fs.File, o *object) {
	r := l.rng
	off, n := r.IntN(30000)&^3, (1+r.IntN(20000))&^3
	if r.IntN(3) == 0 {
		off = len(o.data)
	}
	k := r.IntN(10)
	if st, err := f.Stat(); err != nil || st.Size != int64(len(o.data)) {
		l.e.T.Fatalf("before operation %d: file %d has %d bytes, want %d: %v", l.op, o.id, st.Size, len(o.data), err)
	}
	switch {
	case k < 4:
		p := make([]byte, n)
		o.fill(p, l.op)
		_, err := f.Pwrite(l.e.Ctx, p, int64(off))
		l.e.Must(err)
		o.data = slices.Concat(o.data, make([]byte, max(0, off+n-len(o.data))))
		copy(o.data[off:], p)
	case k == 4:
		n = r.IntN(len(o.data)+8000) &^ 3
		l.e.Must(f.Truncate(l.e.Ctx, int64(n)))
		o.data = slices.Concat(o.data, make([]byte, max(0, n-len(o.data))))[:n]
	case k < 7:
		l.e.Must(f.Fallocate(l.e.Ctx, abi.FALLOC_FL_PUNCH_HOLE|abi.FALLOC_FL_KEEP_SIZE, int64(off), int64(n+4)))
		o.data = slices.Clone(o.data)
		if off < len(o.data) {
			clear(o.data[off:min(off+n+4, len(o.data))])
		}
	case k >= 8:
		l.store(f, o)
	case l.ext:
		l.e.Must(f.Fallocate(l.e.Ctx, 0, int64(off), int64(n+4)))
		o.data = slices.Concat(o.data, make([]byte, max(0, off+n+4-len(o.data))))
	}
	if st, err := f.Stat(); err != nil || st.Size != int64(len(o.data)) {
		l.e.T.Fatalf("operation %d (%d at %d, %d bytes): file %d has %d bytes, want %d: %v", l.op, k, off, n, o.id, st.Size, len(o.data), err)
	}
	o.changed(l.op)
}

// replace writes a file anew the way editors do.
func (l *load) replace(name string) {
	l.ids++
	o := &object{id: l.ids, data: make([]byte, (1000+l.rng.IntN(9000))&^3)}
	o.fill(o.data, l.op)
	f, err := l.e.Open("/tmp", abi.O_CREAT|abi.O_EXCL|abi.O_WRONLY, 0o600)
	l.e.Must(err)
	_, err = f.Write(l.e.Ctx, o.data)
	l.e.Must(err)
	o.changed(l.op)
	l.fsync(f, o, false)
	f.DecRef()
	l.e.Must(fs.Rename(l.e.Ctx, fs.Path{}, "/tmp", fs.Path{}, name, 0))
	l.put(name, o)
}

// runLoad plays a history and keeps the stream of writes.
func runLoad(t *testing.T, k crashKind, seed uint64, steps int) *load {
	journal := "size=4" // the smallest there is has 1024 blocks
	if slices.Contains(k.args, "1024") {
		journal = "size=1"
	}
	d := mkfs(t, k.size, append(slices.Clone(k.args), "-J", journal, "-N", "256")...)
	rec, err := blocktest.NewRecorder(blocktest.NewMem(d.data), nil)
	if err != nil {
		t.Fatal(err)
	}
	l := &load{rec: rec, rng: rand.New(rand.NewPCG(seed, 7)), timer: &stepTimer{}, names: map[string][]version{}, ext: !strings.Contains(k.name, "ext3")}
	v := fs.New(0)
	sb, err := ext4.New(v, mapped{rec}, ext4.Options{Log: func(_ printk.Level, s string) { t.Log(s) }, Data: k.data, Timer: l.timer})
	if err != nil {
		t.Fatal(err)
	}
	l.sb, l.e = sb, env(t, v, sb)
	for i := range 3 {
		d := fmt.Sprint("/d", i)
		l.e.Must(fs.Mkdir(l.e.Ctx, fs.Path{}, d, 0o755))
		l.put(d, &object{dir: true})
	}
	l.e.Must(sb.Ops.(*ext4.FS).Sync())
	l.acks = append(l.acks, ack{op: 0, log: rec.Log().Len(), all: true})
	for range steps {
		l.marks = append(l.marks, rec.Log().Len())
		l.step()
	}
	l.marks = append(l.marks, rec.Log().Len())
	if k.name == "4k" && l.stored == 0 {
		t.Error("no store went to the device")
	}
	for _, f := range l.open {
		f.DecRef()
	}
	if err := sb.Ops.(*ext4.FS).Close(); err != nil {
		t.Error(err)
	}
	return l
}

// TestCrash cuts the power at random points of random histories.
func TestCrash(t *testing.T) {
	need.Program(t, "e2fsck")
	kinds := crashKinds()
	n := max(crashes(t, 240)/len(kinds), 1)
	for i, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			for seed := uint64(0); n > 0 && seed < uint64(n+39)/40; seed++ {
				l := runLoad(t, k, seed*100+uint64(i), 250)
				rng := rand.New(rand.NewPCG(seed, 3))
				for c := range min(n, 40) {
					if t.Failed() {
						return
					}
					at := l.acks[0].log + rng.IntN(l.rec.Log().Len()-l.acks[0].log+1)
					img := l.rec.Crash(at, rng)
					for !ext4.SuperIntact(img) { // Linux too relies on it being written whole
						img = l.rec.Crash(at, rng)
					}
					if !l.survives(t, img, at, c%2 == 1) {
						t.Errorf("seed %d, cut at %d of %d, operation %d", seed, at, l.rec.Log().Len(), l.opAt(at))
						keep(t, img)
					}
				}
			}
		})
	}
}

// opAt gives the operation that was under way when the stream was so long.
func (l *load) opAt(at int) int {
	i, _ := slices.BinarySearch(l.marks, at+1)
	return i
}

// keep leaves an image for who wants to look at it.
func keep(t *testing.T, img []byte) {
	if dir := os.Getenv("LODGER_KEEP"); dir != "" {
		os.WriteFile(filepath.Join(dir, strings.ReplaceAll(t.Name(), "/", "_")), img, 0o600)
	}
}

// survives replays what a power cut left, with this package's code or e2fsck's,
// and compares it with what was promised.
func (l *load) survives(t *testing.T, img []byte, at int, e2fsck bool) bool {
	d := &disk{data: slices.Clone(img)}
	if e2fsck {
		d = replayed(t, d, false)
	}
	v := fs.New(0)
	sb, err := ext4.New(v, d, ext4.Options{Log: func(_ printk.Level, s string) { t.Log(s) }})
	if err != nil {
		t.Error(err)
		return false
	}
	l.check(t, env(t, v, sb), at)
	closed(t, sb, d)
	return !t.Failed()
}

// replayed has e2fsck replay the journal; nothing else may be wrong.
func replayed(t *testing.T, d *disk, counts bool) *disk {
	t.Helper()
	img := filepath.Join(t.TempDir(), "img")
	writeImage(t, img, d.data)
	defer os.Remove(img)
	cmd := exec.Command("e2fsck", "-fy", img)
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState.ExitCode() != 1 || wrong(string(out), counts) {
		t.Errorf("e2fsck: %v\n%s", err, out)
	}
	return readImage(t, img)
}

// readImage reads an image file and removes it.
func readImage(t *testing.T, img string) *disk {
	t.Helper()
	b, err := os.ReadFile(img)
	if err != nil {
		t.Fatal(err)
	}
	os.Remove(img)
	return &disk{data: b}
}

// wrong reports whether e2fsck found anything but what a power cut leaves on
// Linux too: the flag that says that there were orphans, and the orphan file.
// Linux leaves the super block's counts to e2fsck too.
func wrong(out string, counts bool) bool {
	lines := strings.Split(out, "\n")
	return slices.ContainsFunc(lines, func(s string) bool {
		i := slices.Index(lines, s)
		return strings.HasSuffix(s, "? yes") && (i == 0 || !strings.HasPrefix(lines[i-1], "Feature orphan_present is set") && !strings.HasPrefix(lines[i-1], "Orphan file ") &&
			!(counts && strings.HasPrefix(lines[i-1], "Free ")))
	})
}

// check compares a file system after a power cut with the history.
func (l *load) check(t *testing.T, e *fstest.Env, at int) {
	t.Helper()
	last := l.opAt(at) // nothing later can be there
	syncOp := 0
	synced := map[*object]int{}
	for _, a := range l.acks {
		if a.log > at {
			continue
		}
		if a.all {
			syncOp = a.op
		} else {
			synced[a.obj] = a.op
		}
	}
	for name, vs := range l.names {
		// What the name may lead to: what it did at the sync, or any later time.
		var may []*object
		for i, v := range vs {
			if v.op <= last && (i+1 == len(vs) || vs[i+1].op > syncOp) {
				may = append(may, v.obj)
			}
		}
		if vs[0].op > syncOp {
			may = append(may, nil)
		}
		st, err := fs.Stat(e.Ctx, fs.Path{}, name, 0)
		if err != nil {
			if err != abi.ENOENT || !slices.Contains(may, nil) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if st.Mode&abi.S_IFMT == abi.S_IFDIR {
			continue
		}
		got := []byte(e.Read(name))
		ok := false
		why := ""
		for _, o := range may {
			if o == nil || o.dir {
				continue
			}
			if w := o.couldBe(got, max(syncOp, synced[o]), last); w == "" {
				ok = true
			} else {
				why += fmt.Sprintf("\n  as %d: %s (sync %d, fsync %d, history%s)", o.id, w, syncOp, synced[o], o.history())
			}
		}
		if !ok {
			t.Errorf("%s: inode %d, size %d: %d bytes that it cannot have%s", name, st.Ino, st.Size, len(got), why)
		}
	}
}

// history tells the operations and sizes.
func (o *object) history() (s string) {
	for _, x := range o.states {
		s += fmt.Sprintf(" %d:%d", x.op, len(x.data))
	}
	return s
}

// couldBe tells why an object cannot have contents after a power cut; "" when it
// can. since is its last sync, last the last operation that can have happened.
func (o *object) couldBe(got []byte, since, last int) string {
	for i := 0; i+4 <= len(got); i += 4 {
		if w := binary.LittleEndian.Uint32(got[i:]); w != 0 && w>>12 != o.id {
			return fmt.Sprintf("byte %d is of file %d", i, w>>12)
		}
	}
	var may []state
	if len(o.states) == 0 || o.states[0].op > since {
		may = append(may, state{})
	}
	for i, s := range o.states {
		if s.op <= last && (i+1 == len(o.states) || o.states[i+1].op > since) {
			may = append(may, s)
		}
	}
	switch len(may) {
	case 0:
		return "it did not exist then"
	case 1:
		if string(may[0].data) != string(got) {
			return fmt.Sprintf("%d bytes since operation %d; they differ at %d", len(may[0].data), may[0].op, differAt(got, may[0].data))
		}
	}
	// Writes that were not synced may have come to the disk in part, each at its
	// place: every word is one of the words that it was.
	least, most := len(may[0].data), 0
	for _, s := range may {
		least, most = min(least, len(s.data)), max(most, len(s.data))
	}
	if len(got) < least || len(got) > most {
		return fmt.Sprintf("%d to %d bytes are possible", least, most)
	}
	for i := 0; i+4 <= len(got); i += 4 {
		w := binary.LittleEndian.Uint32(got[i:])
		if !slices.ContainsFunc(may, func(s state) bool {
			return i+4 <= len(s.data) && binary.LittleEndian.Uint32(s.data[i:]) == w || i+4 > len(s.data) && w == 0
		}) {
			return fmt.Sprintf("byte %d holds what it never did since operation %d", i, since)
		}
	}
	return ""
}
