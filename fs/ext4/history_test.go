// SPDX-License-Identifier: Apache-2.0

package ext4_test

import (
	"bytes"
	"fmt"
	"math/rand"
	"testing"

	"lodger/abi"
	"lodger/fs"
	"lodger/fs/ext4"
	"lodger/fs/fstest"
)

// model is a file as it should be.
type model struct{ data []byte }

func (m *model) write(p []byte, off int) {
	m.grow(off + len(p))
	copy(m.data[off:], p)
}

func (m *model) grow(n int) {
	if n > len(m.data) {
		m.data = append(m.data, make([]byte, n-len(m.data))...)
	}
}

func (m *model) truncate(n int) {
	m.grow(n)
	m.data = m.data[:n:n]
}

// step does the same to a file and its model.
func step(e *fstest.Env, rnd *rand.Rand, f *fs.File, m *model, bs int, blockMap bool) {
	const most = 400000
	off, n := rnd.Intn(most), rnd.Intn(20000)+1
	switch op := rnd.Intn(12); op {
	case 0, 1, 2, 3:
		p := make([]byte, n)
		rnd.Read(p)
		w, err := f.Pwrite(e.Ctx, p, int64(off))
		e.Must(err)
		if w != n {
			e.T.Fatalf("wrote %d of %d", w, n)
		}
		m.write(p, off)
	case 4:
		off = rnd.Intn(len(m.data) + 5000)
		e.Must(f.Truncate(e.Ctx, int64(off)))
		m.truncate(off)
	case 5, 6:
		e.Must(f.Fallocate(e.Ctx, abi.FALLOC_FL_PUNCH_HOLE|abi.FALLOC_FL_KEEP_SIZE, int64(off), int64(n)))
		if off < len(m.data) {
			clear(m.data[off:min(off+n, len(m.data))])
		}
	case 7, 8, 9, 10, 11:
		if blockMap {
			e.Want(f.Fallocate(e.Ctx, 0, int64(off), int64(n)), abi.EOPNOTSUPP, "fallocate of a block map")
			return
		}
		falloc(e, rnd, f, m, bs, off, n, op)
	}
}

func falloc(e *fstest.Env, rnd *rand.Rand, f *fs.File, m *model, bs, off, n, op int) {
	aoff, an := off/bs*bs, (n+bs-1)/bs*bs
	switch op {
	case 7:
		e.Must(f.Fallocate(e.Ctx, 0, int64(off), int64(n)))
		m.grow(off + n)
	case 8:
		e.Must(f.Fallocate(e.Ctx, abi.FALLOC_FL_KEEP_SIZE, int64(off), int64(n)))
	case 9:
		e.Must(f.Fallocate(e.Ctx, abi.FALLOC_FL_ZERO_RANGE, int64(off), int64(n)))
		m.grow(off + n)
		clear(m.data[off : off+n])
	case 10:
		err := f.Fallocate(e.Ctx, abi.FALLOC_FL_COLLAPSE_RANGE, int64(aoff), int64(an))
		if aoff+an >= len(m.data) {
			e.Want(err, abi.EINVAL, "collapse at the end")
			return
		}
		e.Must(err)
		m.data = append(m.data[:aoff:aoff], m.data[aoff+an:]...)
	case 11:
		if len(m.data) > 600000 {
			return
		}
		err := f.Fallocate(e.Ctx, abi.FALLOC_FL_INSERT_RANGE, int64(aoff), int64(an))
		if aoff >= len(m.data) {
			e.Want(err, abi.EINVAL, "insert behind the end")
			return
		}
		e.Must(err)
		m.data = append(append(append([]byte(nil), m.data[:aoff]...), make([]byte, an)...), m.data[aoff:]...)
	}
}

// contents reads a whole file with few calls.
func contents(e *fstest.Env, f *fs.File) []byte {
	a, err := f.Stat()
	e.Must(err)
	p := make([]byte, a.Size+10)
	n, err := f.Pread(e.Ctx, p, 0)
	e.Must(err)
	return p[:n]
}

func TestFileHistory(t *testing.T) {
	for _, k := range kinds() {
		t.Run(k.name, func(t *testing.T) {
			d := mkfs(t, "16M", k.args...)
			v, sb := mount(t, d, ext4.Options{})
			e := env(t, v, sb)
			st, err := sb.Ops.(fs.Statfser).Statfs()
			e.Must(err)
			bs := int(st.Bsize)
			blockMap := k.name[:4] == "ext2" || k.name == "ext3" || k.name == "noextents"
			rnd := rand.New(rand.NewSource(5))
			files := map[string]*model{}
			open := map[string]*fs.File{}
			for i := range 3 {
				n := fmt.Sprint("/f", i)
				f, err := e.Open(n, abi.O_CREAT|abi.O_RDWR, 0o600)
				e.Must(err)
				files[n], open[n] = &model{}, f
			}
			for i := range 500 {
				n := fmt.Sprint("/f", rnd.Intn(3))
				step(e, rnd, open[n], files[n], bs, blockMap)
				if i%10 == 0 {
					if got := contents(e, open[n]); !bytes.Equal(got, files[n].data) {
						t.Fatalf("step %d: %s: %d bytes, want %d; they differ at %d", i, n, len(got), len(files[n].data), differAt(got, files[n].data))
					}
				}
			}
			for _, f := range open {
				f.DecRef()
			}
			closed(t, sb, d)
			v, sb = mount(t, d, ext4.Options{})
			e = env(t, v, sb)
			for n, m := range files {
				if got := e.Read(n); got != string(m.data) {
					t.Errorf("%s differs after a new mount", n)
				}
				e.Must(fs.Unlink(e.Ctx, fs.Path{}, n))
			}
			closed(t, sb, d)
		})
	}
}

func differAt(a, b []byte) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}

func TestManyNames(t *testing.T) {
	for _, k := range kinds()[3:9] {
		t.Run(k.name, func(t *testing.T) {
			d := mkfs(t, "24M", append(k.args, "-N", "12000")...)
			v, sb := mount(t, d, ext4.Options{})
			e := env(t, v, sb)
			name := func(i int) string { return fmt.Sprintf("/d/%0*d", 8+i%100, i) }
			e.Must(fs.Mkdir(e.Ctx, fs.Path{}, "/d", 0o755))
			const n = 9000
			e.Write(name(0), "")
			for i := 1; i < n; i++ {
				e.Must(fs.Mknod(e.Ctx, fs.Path{}, name(i), abi.S_IFREG|0o600, 0))
			}
			for i := 0; i < n; i += 3 {
				e.Must(fs.Unlink(e.Ctx, fs.Path{}, name(i)))
			}
			closed(t, sb, d)
			v, sb = mount(t, d, ext4.Options{})
			e = env(t, v, sb)
			if l := e.List("/d"); len(l) != n-n/3 {
				t.Errorf("%d names", len(l))
			}
			for i := range n {
				_, err := fs.Stat(e.Ctx, fs.Path{}, name(i), 0)
				e.Want(err, map[bool]abi.Errno{true: abi.ENOENT}[i%3 == 0], "stat %s", name(i))
			}
			closed(t, sb, d)
		})
	}
}

func TestFull(t *testing.T) {
	for _, k := range kinds() {
		t.Run(k.name, func(t *testing.T) {
			d := mkfs(t, "6M", append(k.args, "-N", "64")...)
			v, sb := mount(t, d, ext4.Options{})
			e := env(t, v, sb)
			before, _ := sb.Ops.(fs.Statfser).Statfs()
			for i := 0; ; i++ {
				f, err := e.Open(fmt.Sprint("/f", i), abi.O_CREAT|abi.O_WRONLY, 0o600)
				if err != nil {
					e.Want(err, abi.ENOSPC, "create %d", i)
					break
				}
				_, err = f.Write(e.Ctx, make([]byte, 300000))
				f.DecRef()
				if err != nil {
					e.Want(err, abi.ENOSPC, "write %d", i)
				}
			}
			if st, _ := sb.Ops.(fs.Statfser).Statfs(); st.Bfree > 3 {
				t.Errorf("%d blocks free when full", st.Bfree)
			}
			e.Must(sb.Ops.(*ext4.FS).Sync())
			fsckMounted(t, d)
			for _, n := range e.List("/") {
				if n != "lost+found" {
					e.Must(fs.Unlink(e.Ctx, fs.Path{}, "/"+n))
				}
			}
			if after, _ := sb.Ops.(fs.Statfser).Statfs(); after.Bfree < before.Bfree-1 || after.Ffree != before.Ffree {
				t.Errorf("free %d %d, before %d %d", after.Bfree, after.Ffree, before.Bfree, before.Ffree)
			}
			closed(t, sb, d)
		})
	}
}

// fsckMounted checks a copy of what a power cut would leave.
func fsckMounted(t *testing.T, d *disk) {
	t.Helper()
	fsck(t, &disk{data: bytes.Clone(d.data)})
}

// TestOrphans: what was unlinked but open at a power cut is freed at the next
// mount.
func TestOrphans(t *testing.T) {
	for _, k := range kinds() {
		t.Run(k.name, func(t *testing.T) {
			d := mkfs(t, "8M", k.args...)
			v, sb := mount(t, d, ext4.Options{})
			e := env(t, v, sb)
			before, _ := sb.Ops.(fs.Statfser).Statfs()
			var open []*fs.File
			for i := range 5 {
				n := fmt.Sprint("/f", i)
				e.Write(n, string(make([]byte, 50000)))
				f, err := e.Open(n, abi.O_RDWR, 0)
				e.Must(err)
				open = append(open, f)
				e.Must(fs.Unlink(e.Ctx, fs.Path{}, n))
			}
			open[2].DecRef() // from the middle of the list
			e.Must(sb.Ops.(*ext4.FS).Sync())
			cut := &disk{data: bytes.Clone(d.data)}
			_, sb2 := mount(t, cut, ext4.Options{})
			if after, _ := sb2.Ops.(fs.Statfser).Statfs(); after.Ffree != before.Ffree || after.Bfree != before.Bfree {
				t.Errorf("free %d %d, before %d %d", after.Bfree, after.Ffree, before.Bfree, before.Ffree)
			}
			closed(t, sb2, cut)
			for i, f := range open {
				if i != 2 {
					f.DecRef()
				}
			}
			closed(t, sb, d)
		})
	}
}

func TestXattrs(t *testing.T) {
	for _, k := range kinds() {
		t.Run(k.name, func(t *testing.T) {
			d := mkfs(t, "8M", k.args...)
			v, sb := mount(t, d, ext4.Options{})
			e := env(t, v, sb)
			e.Write("/f", "x")
			p, err := fs.Lookup(e.Ctx, fs.Path{}, "/f", 0)
			e.Must(err)
			x := p.Inode().(fs.Xattrs)
			rnd := rand.New(rand.NewSource(3))
			want := map[string]string{}
			for i := range 300 {
				n := fmt.Sprint([]string{"user.", "trusted.", "security."}[rnd.Intn(3)], "n", rnd.Intn(12))
				val := make([]byte, rnd.Intn(90)*rnd.Intn(3))
				rnd.Read(val)
				if rnd.Intn(3) == 0 {
					_, have := want[n]
					err := x.Removexattr(e.Ctx, n)
					e.Want(err, map[bool]abi.Errno{false: abi.ENODATA}[have], "remove %d", i)
					delete(want, n)
				} else if err := x.Setxattr(e.Ctx, n, val, 0); err == nil {
					want[n] = string(val)
				} else {
					e.Want(err, abi.ENOSPC, "set %d", i)
				}
			}
			acl := []byte("\x02\x00\x00\x00\x01\x00\x06\x00\xff\xff\xff\xff\x02\x00\x07\x00\xe8\x03\x00\x00" +
				"\x04\x00\x04\x00\xff\xff\xff\xff\x10\x00\x07\x00\xff\xff\xff\xff\x20\x00\x04\x00\xff\xff\xff\xff")
			e.Write("/acl", "")
			q, err := fs.Lookup(e.Ctx, fs.Path{}, "/acl", 0)
			e.Must(err)
			e.Must(fs.Setxattr(e.Ctx, q, "system.posix_acl_access", acl, 0))
			e.Want(fs.Setxattr(e.Ctx, q, "system.posix_acl_access", acl[:9], 0), abi.EINVAL, "broken ACL")
			closed(t, sb, d)
			v, sb = mount(t, d, ext4.Options{})
			e = env(t, v, sb)
			p, err = fs.Lookup(e.Ctx, fs.Path{}, "/f", 0)
			e.Must(err)
			x = p.Inode().(fs.Xattrs)
			l, err := x.Listxattr(e.Ctx)
			e.Must(err)
			if len(l) != len(want) {
				t.Errorf("%d attributes, want %d", len(l), len(want))
			}
			for n, val := range want {
				if got, err := x.Getxattr(e.Ctx, n); err != nil || string(got) != val {
					t.Errorf("%s: %q %v, want %q", n, got, err, val)
				}
			}
			q, err = fs.Lookup(e.Ctx, fs.Path{}, "/acl", 0)
			e.Must(err)
			if got, err := fs.Getxattr(e.Ctx, q, "system.posix_acl_access"); err != nil || !bytes.Equal(got, acl) {
				t.Errorf("ACL %x %v", got, err)
			}
			e.Must(fs.Unlink(e.Ctx, fs.Path{}, "/f"))
			closed(t, sb, d)
		})
	}
}

// TestFallocateInLastBlock: allocating what ends in a file's last block, before
// the file's end, does not shorten the file.
func TestFallocateInLastBlock(t *testing.T) {
	d := mkfs(t, "8M", "-t", "ext4")
	v, sb := mount(t, d, ext4.Options{})
	e := env(t, v, sb)
	e.Write("/f", "0123456789")
	f, err := e.Open("/f", abi.O_RDWR, 0)
	e.Must(err)
	e.Must(f.Fallocate(e.Ctx, 0, 0, 5))
	if st, err := f.Stat(); err != nil || st.Size != 10 {
		t.Errorf("%d bytes, want 10: %v", st.Size, err)
	}
	f.DecRef()
	closed(t, sb, d)
}
