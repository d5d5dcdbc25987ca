// SPDX-License-Identifier: Apache-2.0

package printk

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"lodger/abi"
	"lodger/lib/wait"
)

// clocked makes a log whose clock goes on by a millisecond at each look, and what its
// console got.
func clocked(size int, cfg Config) (*Log, *[]string) {
	now, said := int64(0), &[]string{}
	cfg.Size = size
	cfg.Clock = func() int64 { now += 1e6; return now }
	cfg.Console = func(s string) { *said = append(*said, s) }
	return newLog(cfg), said
}

func read(t *testing.T, r *Reader, want string, wantErr error) {
	t.Helper()
	b := make([]byte, 8192)
	n, err := r.Read(b)
	if string(b[:n]) != want || err != wantErr {
		t.Errorf("read %q, %v; want %q, %v", b[:n], err, want, wantErr)
	}
}

// The records are as host Linux shows those that were written to /dev/kmsg.
func TestRecords(t *testing.T) {
	l, _ := clocked(minSize, Config{DevKmsg: "on"})
	r := l.NewReader()
	read(t, r, "", abi.EAGAIN)
	l.Printk(Info, "Linux version %d", 6)
	for _, s := range []string{"<3>abc \\ \x01 \xc3\xa4 def\tx\n", "<3>no newline", "<12>one\ntwo\n\n", "", "\n", "<999>a\x00b\n", "<>x\n", "<1x>\n", "<4\n"} {
		if err := r.Write([]byte(s), "me"); err != nil {
			t.Error(s, err)
		}
	}
	read(t, r, "6,0,1000,-;Linux version 6\n", nil)
	read(t, r, `11,1,2000,-;abc \x5c \x01 \xc3\xa4 def\x09x`+"\n", nil)
	read(t, r, "11,2,3000,-;no newline\n", nil)
	read(t, r, `12,3,4000,-;one\x0atwo\x0a`+"\n", nil)
	read(t, r, "12,4,5000,-;\n", nil)
	read(t, r, "12,5,6000,-;\n", nil)
	read(t, r, "999,6,7000,-;a\n", nil)
	read(t, r, "8,7,8000,-;x\n", nil)
	read(t, r, "12,8,9000,-;<1x>\n", nil)
	read(t, r, "12,9,10000,-;<4\n", nil)
	read(t, r, "", abi.EAGAIN)
	if err := r.Write(make([]byte, 1025), "me"); err != abi.EINVAL {
		t.Error("1025 bytes:", err)
	}
	// Of 1,024 bytes the last goes, newline or not, and the record waits for the next.
	if err := r.Write([]byte(strings.Repeat("x", 1023)+"\n"), "me"); err != nil {
		t.Error(err)
	}
	read(t, r, "", abi.EAGAIN)
	l.Printk(Err, "end")
	read(t, r, "12,10,11000,-;"+strings.Repeat("x", 1023)+"\n", nil)
	if n, err := r.Read(make([]byte, 5)); n != 0 || err != abi.EINVAL {
		t.Error("a small buffer:", n, err)
	}
	read(t, r, "", abi.EAGAIN) // that one is behind us
	l.Printk(Err, "%s", strings.Repeat("y", 5000))
	read(t, r, "3,12,13000,-;"+strings.Repeat("y", 1022)+"\n", nil)
}

// A slow reader learns that it has missed something, once, and goes on with the oldest.
func TestOverwritten(t *testing.T) {
	l, _ := clocked(minSize, Config{})
	r := l.NewReader()
	for i := range 1000 {
		l.Printk(Info, "message %d", i)
	}
	if r.Poll() != readable|abi.POLLERR|abi.POLLPRI {
		t.Errorf("poll %#x", r.Poll())
	}
	l.mu.Lock()
	first, kept, bytes := l.first, len(l.recs), l.bytes
	l.mu.Unlock()
	if first == 0 || kept < 32 || kept > minSize/bytesPerRecord || bytes > minSize {
		t.Errorf("%d records of %d bytes from %d on", kept, bytes, first)
	}
	read(t, r, "", abi.EPIPE)
	if r.Poll() != readable {
		t.Errorf("poll %#x", r.Poll())
	}
	read(t, r, fmt.Sprintf("6,%d,%d,-;message %d\n", first, (first+1)*1000, first), nil)
	// Messages without text are bounded, too.
	for range 1000 {
		l.Printk(Info, "")
	}
	if l.mu.Lock(); len(l.recs) > minSize/bytesPerRecord {
		t.Errorf("%d records", len(l.recs))
	}
	l.mu.Unlock()
}

func TestLseek(t *testing.T) {
	l, _ := clocked(minSize, Config{})
	r := l.NewReader()
	for i := range 3 {
		l.Printk(Info, "%d", i)
		if i == 1 {
			l.Clear()
		}
	}
	for _, c := range []struct {
		off    int64
		whence int
		err    error
		want   string
	}{
		{1, abi.SEEK_SET, abi.ESPIPE, "0"}, {0, abi.SEEK_DATA, nil, "2"}, {0, abi.SEEK_END, nil, ""}, {0, abi.SEEK_CUR, abi.EINVAL, ""},
		{0, abi.SEEK_HOLE, abi.EINVAL, ""}, {0, abi.SEEK_SET, nil, "0"}, {5, 99, abi.ESPIPE, "1"},
	} {
		if err := r.Lseek(c.off, c.whence); err != c.err {
			t.Errorf("%+v: %v", c, err)
		}
		b := make([]byte, 100)
		n, _ := r.Read(b)
		if _, text, _ := strings.Cut(strings.TrimSpace(string(b[:n])), ";"); text != c.want {
			t.Errorf("%+v: read %q", c, b[:n])
		}
	}
}

func TestSyslog(t *testing.T) {
	l, _ := clocked(minSize, Config{})
	b := make([]byte, 100)
	if _, err := l.Read(b); err != abi.EAGAIN || l.Unread() != 0 || len(l.ReadAll(100, false)) != 0 {
		t.Error("not empty:", err)
	}
	l.Printk(Info, "one")
	l.Printk(Err, "two\nlines")
	const one, two = "<6>[    0.001000] one\n", "<3>[    0.002000] two\n<3>[    0.002000] lines\n"
	if got := string(l.ReadAll(1000, false)); got != one+two || l.Unread() != len(one+two) {
		t.Errorf("all: %q, unread %d", got, l.Unread())
	}
	if got := string(l.ReadAll(len(one+two)-1, false)); got != two {
		t.Errorf("what fits: %q", got)
	}
	if got := l.ReadAll(3, false); len(got) != 0 {
		t.Errorf("nothing fits: %q", got)
	}
	var got string
	for _, n := range []int{5, 100, 7, 100, 100} { // a part of one; its rest, not a part of the next
		k, err := l.Read(b[:min(n, len(one)+3)])
		if err != nil && err != abi.EAGAIN {
			t.Error(err)
		}
		got += string(b[:k]) + "|"
	}
	if want := one[:5] + "|" + one[5:] + "|" + two[:7] + "|" + two[7:7+len(one)+3] + "|" + two[7+len(one)+3:] + "|"; got != want {
		t.Errorf("read %q, want %q", got, want)
	}
	if got := string(l.ReadAll(1000, true)); got != one+two {
		t.Errorf("read and clear: %q", got)
	}
	l.Printk(Info, "three")
	if got := string(l.ReadAll(1000, false)); got != "<6>[    0.003000] three\n" {
		t.Errorf("after the clear: %q", got)
	}
	n, cfg := newLog(Config{NoTime: true}), ""
	n.cfg.Size = minSize
	n.Printk(Alert, "x%s", cfg)
	if got := string(n.ReadAll(100, false)); got != "<1>x\n" {
		t.Errorf("printk.time=0: %q", got)
	}
}

func TestAllowed(t *testing.T) {
	l := New(Config{})
	yes, no := func() bool { return true }, func() bool { return false }
	for _, restrict := range []bool{false, true} {
		l.Restrict.Store(restrict)
		for a := -1; a < 12; a++ {
			want := error(abi.EPERM)
			if !restrict && (a == ActionReadAll || a == ActionSizeBuffer) {
				want = nil
			}
			if l.Allowed(a, no) != want || l.Allowed(a, yes) != nil {
				t.Errorf("action %d, dmesg_restrict %v", a, restrict)
			}
		}
	}
}

func TestConsole(t *testing.T) {
	l, said := clocked(minSize, Config{Level: ConsoleQuiet, DevKmsg: "on"})
	r := l.NewReader()
	expect := func(what string, want ...string) {
		t.Helper()
		if !slices.Equal(*said, want) {
			t.Errorf("%s: console has %q, want %q", what, *said, want)
		}
		*said = nil
	}
	l.Printk(Warning, "warning")
	l.Printk(Err, "error")
	expect("quiet", "error")
	r.Write([]byte("<0>not yet"), "me")
	expect("no newline")
	r.Write([]byte("<6>info\n"), "me")
	expect("no newline, and the next", "not yet")
	l.ConsoleOff()
	l.ConsoleOff()
	l.Printk(Alert, "alert")
	l.Printk(Emerg, "emergency")
	expect("off", "emergency")
	l.ConsoleOn()
	l.Printk(Err, "error")
	expect("on again", "error")
	for _, n := range []int{0, 9, -1} {
		if l.SetConsoleLevel(n) != abi.EINVAL {
			t.Error("level", n)
		}
	}
	if err := l.SetConsoleLevel(8); err != nil {
		t.Error(err)
	}
	l.Printk(Debug, "debug")
	expect("level 8", "debug")
	l.SetLevels([]int{1, 2})
	if l.Levels() != [4]int{1, 2, 1, 7} {
		t.Error(l.Levels())
	}
	r.Write([]byte("x\n"), "me")
	for range 8 {
		r.Read(make([]byte, 100))
	}
	read(t, r, "10,8,9000,-;x\n", nil)
	l, said = clocked(minSize, Config{Level: 1, Ignore: true})
	l.Printk(Debug, "debug")
	expect("ignore_loglevel", "debug")
	l, said = clocked(minSize, Config{Level: 7, Own: true})
	l.NewReader().Write([]byte("<0>a program's\n"), "me")
	l.Printk(Info, "ours")
	expect("only ours", "ours")
}

// What one open /dev/kmsg writes is limited, and what was dropped is told at its end.
func TestRatelimit(t *testing.T) {
	l, _ := clocked(minSize, Config{})
	w := l.NewReader()
	for range 14 {
		w.Write([]byte("many\n"), "talker")
	}
	w.Close()
	r := l.NewReader()
	r.Lseek(0, abi.SEEK_SET)
	n := 0
	for b := make([]byte, 100); ; n++ {
		k, err := r.Read(b)
		if err != nil {
			break
		}
		if n == 10 && !strings.HasSuffix(string(b[:k]), ";printk: talker: 4 output lines suppressed due to ratelimiting\n") {
			t.Errorf("the last: %q", b[:k])
		}
	}
	if n != 11 {
		t.Errorf("%d records", n)
	}
	for range 20 {
		l.Limited("show_signal_msg", Info, "crash")
	}
	if got := strings.Count(string(l.ReadAll(minSize, false)), "crash"); got != 10 {
		t.Errorf("%d crashes", got)
	}
	if l.DevKmsg() != "ratelimit" || l.SetDevKmsg("maybe") != abi.EINVAL || l.SetDevKmsg("off") != nil || l.DevKmsg() != "off" {
		t.Error("printk_devkmsg", l.DevKmsg())
	}
	if fixed := newLog(Config{DevKmsg: "on"}); fixed.DevKmsg() != "on" || fixed.SetDevKmsg("off") != abi.EINVAL {
		t.Error("printk.devkmsg=")
	}
}

// A waiting reader is woken, once for many messages, where locks may be taken.
func TestWake(t *testing.T) {
	var mu sync.Mutex
	var later []func()
	l := New(Config{Go: func(f func()) { mu.Lock(); later = append(later, f); mu.Unlock() }})
	l.Printk(Info, "nobody waits")
	woken := 0
	e := wait.Entry{Mask: abi.POLLIN, Callback: func(wait.Mask) { woken++ }}
	l.Queue().Add(&e)
	l.Printk(Info, "one")
	l.Printk(Info, "two")
	if len(later) != 1 || woken != 0 {
		t.Fatal(len(later), woken)
	}
	later[0]()
	l.Printk(Info, "three")
	if len(later) != 2 || woken != 1 {
		t.Error(len(later), woken)
	}
}

// Writers and readers of all sorts at a time, for the race detector.
func TestParallel(t *testing.T) {
	var out sync.Map
	l := newLog(Config{Size: minSize, Level: 7, DevKmsg: "on", Console: func(s string) { out.Store(s, true) }})
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			r := l.NewReader()
			b := make([]byte, 8192)
			for j := range 500 {
				l.Printk(Info, "%d %d", i, j)
				r.Write([]byte("user\n"), "me")
				for range 2 {
					r.Read(b)
				}
				l.Read(b[:50])
				l.ReadAll(500, j%2 == 0)
				l.Unread()
				r.Poll()
				r.Lseek(0, abi.SEEK_DATA)
			}
			r.Close()
		})
	}
	wg.Wait()
	if _, ok := out.Load("3 499"); !ok {
		t.Error("the console missed a line")
	}
}
