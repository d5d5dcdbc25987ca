// SPDX-License-Identifier: Apache-2.0

package ext4_test

import (
	"testing"

	"lodger/abi"
	"lodger/fs"
	"lodger/fs/ext4"
)

// TestStamps: changes within a tick share a stamp, unless somebody looks at it in
// between, and no stamp is older than an earlier one.
func TestStamps(t *testing.T) {
	d := mkfs(t, "16M", "-t", "ext4")
	_, sb := mount(t, d, ext4.Options{})
	root := sb.VFS.NewMountNS(sb, "t", 0).RootPath()
	const tick = 4_000_000
	now := int64(1_700_000_000)*1e9 + 5*tick
	ctx := &fs.Context{Creds: fs.RootCreds(), Root: root, Cwd: root, MayWait: true,
		Now: func() abi.Timespec { return abi.NanoTimespec(now) }}
	create := func(name string) *fs.File {
		t.Helper()
		f, err := fs.Open(ctx, fs.Path{}, name, abi.OpenHow{Flags: abi.O_CREAT | abi.O_EXCL | abi.O_RDWR, Mode: 0o644})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(f.DecRef)
		return f
	}
	write := func(f *fs.File) {
		t.Helper()
		if _, err := f.Pwrite(ctx, []byte("x"), 0); err != nil {
			t.Fatal(err)
		}
	}
	stat := func(f *fs.File) fs.Attr {
		t.Helper()
		a, err := f.Stat()
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	start := now
	now += 100
	f, g := create("/f"), create("/g")
	now += 100
	write(f)
	if a := stat(f); a.Ctime.Nano() != start || a.Mtime.Nano() != start {
		t.Errorf("stamped %v and %v, want the tick's %v", a.Ctime, a.Mtime, abi.NanoTimespec(start))
	}
	now += 100
	write(f)
	seen := now
	if a := stat(f); a.Ctime.Nano() != seen || a.Mtime.Nano() != seen {
		t.Errorf("stamped %v and %v after a look, want %v", a.Ctime, a.Mtime, abi.NanoTimespec(seen))
	}
	now += 100
	write(g) // nobody looked at g, but it changed after f
	if a := stat(g); a.Ctime.Nano() != seen {
		t.Errorf("stamped %v, want the newest stamp given, %v", a.Ctime, abi.NanoTimespec(seen))
	}
	now += 100
	if err := f.Chmod(ctx, 0o600); err != nil {
		t.Fatal(err)
	}
	if a := stat(f); a.Ctime.Nano() != now || a.Mtime.Nano() != seen {
		t.Errorf("chmod stamped %v and %v, want %v and %v", a.Ctime, a.Mtime, abi.NanoTimespec(now), abi.NanoTimespec(seen))
	}
	now = start - 10*tick + 1 // somebody sets the clock back
	h := create("/h")
	if a := stat(h); a.Ctime.Nano() != now-1 {
		t.Errorf("stamped %v with the clock set back, want %v", a.Ctime, abi.NanoTimespec(now-1))
	}
}
