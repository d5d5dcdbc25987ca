// SPDX-License-Identifier: Apache-2.0

package ext4_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"lodger/abi"
	"lodger/fs"
	"lodger/fs/ext4"
)

// TestDirect: O_DIRECT asks for whole sectors, as on the host's ext4.
func TestDirect(t *testing.T) {
	type call struct {
		write bool
		n     int
		off   int64
	}
	calls := []call{{true, 4096, 0}, {true, 512, 4096}, {true, 100, 0}, {true, 512, 100}, {true, 0, 100}, {false, 4096, 4096},
		{false, 4096, 8192}, {false, 100, 0}, {false, 512, 100}, {false, 100, 9000}, {false, 0, 1}, {true, 1024, 65536}, {false, 8192, 0}}
	type result struct {
		n   int
		err abi.Errno
	}
	errno := func(err error) abi.Errno {
		e, _ := err.(abi.Errno)
		return e
	}
	aligned, err := syscall.Mmap(-1, 0, 8192, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Munmap(aligned)
	var want []result
	d := onHost(t, mkfs(t, "8M", "-t", "ext4"), func(dir string) {
		fd, err := syscall.Open(filepath.Join(dir, "f"), abi.O_RDWR|abi.O_CREAT|abi.O_DIRECT, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		defer syscall.Close(fd)
		for _, c := range calls {
			var n int
			if c.write {
				n, err = syscall.Pwrite(fd, aligned[:c.n], c.off)
			} else {
				n, err = syscall.Pread(fd, aligned[:c.n], c.off)
			}
			want = append(want, result{max(n, 0), errno(err)})
		}
		if _, err := os.OpenFile(dir, abi.O_DIRECT, 0); errno(err.(*os.PathError).Err) != abi.EINVAL {
			t.Error("host: directory opened with O_DIRECT:", err)
		}
	})
	v, sb := mount(t, d, ext4.Options{})
	e := env(t, v, sb)
	e.Must(fs.Unlink(e.Ctx, fs.Path{}, "/f"))
	f, err := e.Open("/f", abi.O_RDWR|abi.O_CREAT|abi.O_DIRECT, 0o600)
	e.Must(err)
	for k, c := range calls {
		var n int
		if c.write {
			n, err = f.Pwrite(e.Ctx, aligned[:c.n], c.off)
		} else {
			n, err = f.Pread(e.Ctx, aligned[:c.n], c.off)
		}
		if got := (result{max(n, 0), errno(err)}); got != want[k] {
			t.Errorf("%+v: ours %+v, the host's %+v", c, got, want[k])
		}
	}
	e.Want(f.SetFlags(e.Ctx, 0), 0, "clear O_DIRECT")
	_, err = f.Pwrite(e.Ctx, aligned[:100], 3)
	e.Want(err, 0, "unaligned write without O_DIRECT")
	f.DecRef()
	_, err = e.Open("/", abi.O_DIRECT, 0)
	e.Want(err, abi.EINVAL, "directory with O_DIRECT")
	closed(t, sb, d)
}
