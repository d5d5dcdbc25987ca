// SPDX-License-Identifier: Apache-2.0

package tmpfs_test

import (
	"bytes"
	"fmt"
	"math"
	"math/rand"
	"os"
	"syscall"
	"testing"

	"lodger/abi"
	"lodger/fs/fstest"
	"lodger/internal/need"
)

// TestHuge asks for more than there is: quickly refused, nothing allocated.
func TestHuge(t *testing.T) {
	e := fstest.New(t, mk)
	f, err := e.Open("f", abi.O_CREAT|abi.O_RDWR, 0o600)
	e.Must(err)
	defer f.DecRef()
	e.Want(f.Fallocate(e.Ctx, 0, 0, 1<<62), abi.ENOSPC, "fallocate 2^62")
	e.Want(f.Fallocate(e.Ctx, 0, 1<<62, math.MaxInt64-1<<62), abi.ENOSPC, "fallocate to the end")
	e.Want(f.Fallocate(e.Ctx, 0, math.MaxInt64, 1), abi.EFBIG, "fallocate past the end")
	_, err = f.Pwrite(e.Ctx, []byte("x"), math.MaxInt64)
	e.Want(err, abi.EFBIG, "pwrite past the end")
	if _, err = f.Pwrite(e.Ctx, []byte("x"), math.MaxInt64-4097); err != nil {
		t.Log("pwrite at the end:", err)
	}
	f.Truncate(e.Ctx, math.MaxInt64)
	if a, _ := f.Stat(); a.Blocks > 100 {
		t.Fatal(a.Blocks)
	}
}

// TestDataDiffer compares random data operations with a file of the host's tmpfs.
func TestDataDiffer(t *testing.T) {
	for seed := range int64(20) {
		h, err := os.CreateTemp("/dev/shm", "lodger-test")
		if err != nil {
			need.Missing(t, "no tmpfs on the host: %v", err)
		}
		os.Remove(h.Name())
		dataDiffer(t, seed, int(h.Fd()))
		h.Close()
	}
}

func dataDiffer(t *testing.T, seed int64, fd int) {
	e := fstest.New(t, mk)
	f, err := e.Open("f", abi.O_CREAT|abi.O_RDWR, 0o600)
	e.Must(err)
	defer f.DecRef()
	r := rand.New(rand.NewSource(seed))
	const span = 200000
	for i := 0; i < 150; i++ {
		off, n := int64(r.Intn(span)), r.Intn(50000)
		var ours, hosts error
		var a, b int64
		what := ""
		switch r.Intn(7) {
		case 0, 1:
			p := make([]byte, n)
			r.Read(p)
			what = fmt.Sprint("pwrite ", off, n)
			x, err := f.Pwrite(e.Ctx, p, off)
			y, herr := syscall.Pwrite(fd, p, off)
			a, b, ours, hosts = int64(x), int64(y), err, herr
		case 2:
			what = fmt.Sprint("truncate ", off)
			ours, hosts = f.Truncate(e.Ctx, off), syscall.Ftruncate(fd, off)
		case 3:
			mode := []int{0, abi.FALLOC_FL_KEEP_SIZE, abi.FALLOC_FL_KEEP_SIZE | abi.FALLOC_FL_PUNCH_HOLE, abi.FALLOC_FL_ZERO_RANGE}[r.Intn(4)]
			what = fmt.Sprint("fallocate ", mode, off, n)
			ours, hosts = f.Fallocate(e.Ctx, mode, off, int64(n)), syscall.Fallocate(fd, uint32(mode), off, int64(n))
		default:
			what = fmt.Sprint("pread ", off, n)
			p, q := make([]byte, n), make([]byte, n)
			x, err := f.Pread(e.Ctx, p, off)
			y, herr := syscall.Pread(fd, q, off)
			if !bytes.Equal(p, q) {
				t.Fatalf("seed %d step %d: %s: different bytes", seed, i, what)
			}
			a, b, ours, hosts = int64(x), int64(y), err, herr
		}
		if a != b || (ours == nil) != (hosts == nil) || ours != nil && ours.Error() != hosts.Error() {
			t.Fatalf("seed %d step %d: %s: ours %d %v, the host's %d %v", seed, i, what, a, ours, b, hosts)
		}
		at, _ := f.Stat()
		var st syscall.Stat_t
		syscall.Fstat(fd, &st)
		if at.Size != st.Size {
			t.Fatalf("seed %d step %d: %s: size %d and %d", seed, i, what, at.Size, st.Size)
		}
	}
}
