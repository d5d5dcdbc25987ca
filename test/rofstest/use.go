// SPDX-License-Identifier: Apache-2.0

package rofstest

import (
	"testing"

	"lodger/abi"
	"lodger/fs"
	"lodger/fs/fstest"
	"lodger/fs/rofs"
)

// Use mounts an image that may be broken and does everything with it that a guest can
// do, within bounds; errors are welcome.
func Use(t *testing.T, dev *Disk, mount rofs.MountFunc, options string) {
	t.Helper()
	v := fs.New(0)
	sb, err := mount(v, rofs.Volume{Dev: dev}, abi.MS_RDONLY, options)
	if err != nil {
		return
	}
	e := fstest.New(t, func(*testing.T) (*fs.VFS, *fs.SuperBlock) { return v, sb })
	left := 60
	buf := make([]byte, 40000)
	var walk func(name string, depth int)
	walk = func(name string, depth int) {
		if left--; left < 0 || depth > 4 {
			return
		}
		p, err := fs.Lookup(e.Ctx, fs.Path{}, name, 0)
		if err != nil {
			return
		}
		l, _ := fs.Listxattr(e.Ctx, p)
		for k, x := range l {
			if k < 5 {
				fs.Getxattr(e.Ctx, p, x)
			}
		}
		fs.Getxattr(e.Ctx, p, "user.none")
		a, err := p.Dentry.Inode().Getattr()
		if err != nil {
			t.Fatalf("%s: attributes cannot fail: %v", name, err)
		}
		if a.Size < 0 {
			t.Fatalf("%s has %d bytes", name, a.Size)
		}
		switch a.Type() {
		case abi.S_IFLNK:
			fs.Readlink(e.Ctx, p, "")
		case abi.S_IFREG:
			f, err := e.Open(name, abi.O_RDONLY, 0)
			if err != nil {
				return
			}
			for _, off := range []int64{0, a.Size / 2, a.Size - 1, a.Size - 5000, 1 << 40} {
				if n, _ := f.Pread(e.Ctx, buf, max(off, 0)); int64(n) > max(a.Size-max(off, 0), 0) {
					t.Fatalf("%s: %d bytes read at %d of %d", name, n, off, a.Size)
				}
			}
			f.MapFD(0, 8192, false, false, false)
			f.DecRef()
		case abi.S_IFDIR:
			f, err := e.Open(name, abi.O_RDONLY, 0)
			if err != nil {
				return
			}
			var names []string
			f.ReadDir(e.Ctx, func(x fs.Dirent) bool {
				if x.Name != "." && x.Name != ".." {
					names = append(names, x.Name)
				}
				return len(names) < 50
			})
			f.DecRef()
			for _, n := range names {
				if !rofs.ValidName(n) {
					t.Fatalf("%q was listed in %s", n, name)
				}
				walk(name+"/"+n, depth+1)
			}
			fs.Lookup(e.Ctx, fs.Path{}, name+"/nothing", 0)
			fs.Lookup(e.Ctx, fs.Path{}, name+"/hard", 0)
		}
	}
	walk("/", 0)
	fs.Statfs(e.Ctx, e.NS.RootPath())
	v.ReleaseAll()
	if n := dev.Outside.Load(); n > 0 {
		t.Errorf("%d accesses outside the image", n)
	}
}

// Broken gives data with edits: 5-byte pieces say where (3 bytes) and what (xor, add).
func Broken(data, edits []byte) *Disk {
	d := &Disk{Data: append([]byte(nil), data...)}
	for ; len(edits) >= 5; edits = edits[5:] {
		at := (int(edits[0])<<16 | int(edits[1])<<8 | int(edits[2])) % len(d.Data)
		d.Data[at] = d.Data[at] ^ edits[3] + edits[4]
	}
	return d
}
