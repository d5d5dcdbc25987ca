// SPDX-License-Identifier: Apache-2.0

package sys

import (
	"bytes"
	"encoding/binary"
	"testing"

	"lodger/abi"
	"lodger/fs"
)

func iovecs(words ...uint64) (b []byte) {
	for _, w := range words {
		b = le.AppendUint64(b, w)
	}
	return b
}

func TestDecodeIovec(t *testing.T) {
	for _, c := range []struct {
		name  string
		words []uint64
		err   error
		total uint64
	}{
		{"none", nil, nil, 0},
		{"two", []uint64{0x1000, 3, 0x2000, 5}, nil, 8},
		{"empty piece at null", []uint64{0, 0}, nil, 0},
		{"negative length", []uint64{0x1000, 1 << 63}, abi.EINVAL, 0},
		{"kernel address", []uint64{taskSize, 1}, abi.EFAULT, 0},
		{"wraps", []uint64{^uint64(0), 2}, abi.EFAULT, 0},
		{"cut at MAX_RW_COUNT", []uint64{0x1000, maxRW - 1, 0x1000, 7, 0x1000, 9}, nil, maxRW},
	} {
		v, err := decodeIovec(iovecs(c.words...))
		if err != c.err {
			t.Errorf("%s: error %v, want %v", c.name, err, c.err)
		}
		if got := spanTotal(v); err == nil && got != c.total {
			t.Errorf("%s: total %d, want %d", c.name, got, c.total)
		}
	}
}

func spanTotal(v []span) (n uint64) {
	for _, s := range v {
		n += s.len
	}
	return n
}

func FuzzDecodeIovec(f *testing.F) {
	f.Add(iovecs(0x1000, 10, 0x2000, 0, 0x3000, 1<<40))
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := decodeIovec(b)
		if err != nil {
			return
		}
		if spanTotal(v) > maxRW {
			t.Fatal("more than MAX_RW_COUNT")
		}
		for _, s := range v {
			if !userRange(s.addr, s.len) {
				t.Fatalf("piece %x+%x outside user space", s.addr, s.len)
			}
		}
		n := int(min(spanTotal(v), 1000))
		next := 0
		err = eachPiece(v, 0, n, func(_ uint64, from, to int) error {
			if from != next || to <= from {
				t.Fatalf("piece from %d to %d after %d", from, to, next)
			}
			next = to
			return nil
		})
		if err != nil || next != n {
			t.Fatalf("%d of %d bytes, %v", next, n, err)
		}
	})
}

func TestEachPieceFromMiddle(t *testing.T) {
	v := []span{{100, 3}, {200, 0}, {300, 4}}
	var got []uint64
	_ = eachPiece(v, 2, 4, func(addr uint64, from, to int) error {
		got = append(got, addr, uint64(from), uint64(to))
		return nil
	})
	want := []uint64{102, 0, 1, 300, 1, 4}
	if len(got) != len(want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("got %v, want %v", got, want)
		}
	}
}

func FuzzDirents(f *testing.F) {
	f.Add("name", uint64(7), int64(3), 64)
	f.Fuzz(func(t *testing.T, name string, ino uint64, off int64, size int) {
		if size < 0 || size > 1<<16 || len(name) > 1<<15 {
			return
		}
		e := fs.Dirent{Name: name, Ino: ino, Off: off, Type: abi.DT_REG}
		for _, encode := range []direntEncoder{dirent64, direntOld} {
			b := bytes.Repeat([]byte{0xff}, size)
			n, ok := encode(b, e)
			if !ok {
				continue
			}
			if n%8 != 0 || n > size || int(le.Uint16(b[16:])) != n&0xffff || le.Uint64(b) != ino {
				t.Fatalf("%q: record of %d bytes", name, n)
			}
		}
	})
}

// TestStatLayout compares the encoders with the structures of package abi.
func TestStatLayout(t *testing.T) {
	a := fs.Attr{Dev: abi.Makedev(0x123, 0x45678), Ino: 2, Mode: abi.S_IFREG | 0o644, Nlink: 3, UID: 4, GID: 5,
		Rdev: abi.Makedev(6, 7), Size: 8, Blocks: 9, Blksize: 4096,
		Atime: abi.Timespec{Sec: 10, Nsec: 11}, Mtime: abi.Timespec{Sec: 12, Nsec: 13},
		Ctime: abi.Timespec{Sec: 14, Nsec: 15}, Btime: abi.Timespec{Sec: 16, Nsec: 17}}
	b := encodeStat(&a)
	var s abi.Stat
	if binary.Size(s) != len(b) {
		t.Fatalf("struct stat: %d bytes, want %d", len(b), binary.Size(s))
	}
	if _, err := binary.Decode(b[:], le, &s); err != nil {
		t.Fatal(err)
	}
	if s.Dev != a.Dev || s.Ino != a.Ino || uint32(s.Nlink) != a.Nlink || s.Mode != a.Mode || s.UID != a.UID || s.GID != a.GID ||
		s.Rdev != a.Rdev || s.Size != a.Size || uint64(s.Blocks) != a.Blocks || uint32(s.Blksize) != a.Blksize ||
		s.Atime != a.Atime || s.Mtime != a.Mtime || s.Ctime != a.Ctime {
		t.Errorf("struct stat %+v of %+v", s, a)
	}
	bx := encodeStatx(&a, fs.Path{Mnt: &fs.Mount{ID: 21}, Dentry: &fs.Dentry{}}, abi.STATX_BTIME)
	var x abi.Statx
	if _, err := binary.Decode(bx[:], le, &x); err != nil {
		t.Fatal(err)
	}
	if x.Mask != abi.STATX_BASIC_STATS|abi.STATX_MNT_ID|abi.STATX_BTIME || x.Ino != a.Ino || x.Nlink != a.Nlink ||
		uint32(x.Mode) != a.Mode || x.UID != a.UID || x.GID != a.GID || x.Size != uint64(a.Size) || x.Blocks != a.Blocks ||
		x.Blksize != a.Blksize || x.Atime.Sec != 10 || x.Btime.Nsec != 17 || x.Ctime.Nsec != 15 || x.Mtime.Sec != 12 ||
		x.DevMajor != 0x123 || x.DevMinor != 0x45678 || x.RdevMajor != 6 || x.RdevMinor != 7 || x.MntID != 21 {
		t.Errorf("struct statx %+v of %+v", x, a)
	}
}

func TestDecodeFlock(t *testing.T) {
	b := make([]byte, 32)
	want := abi.Flock{Type: abi.F_WRLCK, Whence: abi.SEEK_END, Start: -5, Len: 7, PID: 9}
	if _, err := binary.Encode(b, le, &want); err != nil {
		t.Fatal(err)
	}
	if got := decodeFlock(b); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestEncodeSignalInfo(t *testing.T) {
	b := encodeSignalInfo(abi.NewSiginfo(abi.SIGCHLD, abi.CLD_EXITED).SetChild(5, 6, 7, 8, 9))
	if le.Uint32(b[0:]) != abi.SIGCHLD || le.Uint32(b[12:]) != 5 || le.Uint32(b[16:]) != 6 || le.Uint32(b[40:]) != 7 ||
		le.Uint64(b[56:]) != 8 || le.Uint64(b[64:]) != 9 {
		t.Errorf("SIGCHLD: % x", b[:72])
	}
	b = encodeSignalInfo(abi.NewSiginfo(40, abi.SI_QUEUE).SetSender(1, 2).SetValue(0x1122334455667788))
	if le.Uint32(b[12:]) != 1 || le.Uint32(b[44:]) != 0x55667788 || le.Uint64(b[48:]) != 0x1122334455667788 {
		t.Errorf("queued: % x", b[:56])
	}
	b = encodeSignalInfo(abi.NewSiginfo(abi.SIGALRM, abi.SI_TIMER).SetTimer(3, 4).SetValue(5))
	if le.Uint32(b[24:]) != 3 || le.Uint32(b[32:]) != 4 || le.Uint32(b[44:]) != 5 {
		t.Errorf("timer: % x", b[:56])
	}
}

func TestTimespecNano(t *testing.T) {
	for _, c := range []struct {
		ts   abi.Timespec
		want int64
	}{
		{abi.Timespec{Sec: 1, Nsec: 2}, 1e9 + 2},
		{abi.Timespec{Sec: 1 << 62}, 1<<62 - 1},
	} {
		if got := timespecNano(c.ts); got != c.want {
			t.Errorf("%v: %d, want %d", c.ts, got, c.want)
		}
	}
}
