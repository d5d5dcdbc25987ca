// SPDX-License-Identifier: Apache-2.0

package ext4_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"lodger/abi"
	"lodger/fs"
	"lodger/fs/ext4"
	"lodger/lib/printk"
)

// TestShowOptions: /proc/mounts tells of the options what it tells on the host, and
// what the host refuses is refused.
func TestShowOptions(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root")
	}
	if testing.Short() {
		t.Skip("short run")
	}
	for _, k := range []kind{{"ext4", []string{"-t", "ext4"}}, {"ext2", []string{"-t", "ext2"}},
		{"nocsum", []string{"-t", "ext4", "-O", "^metadata_csum"}}} {
		d := mkfs(t, "8M", k.args...)
		for _, o := range []string{"", "errors=remount-ro", "errors=continue", "errors=panic", "data=journal", "data=writeback", "data=ordered",
			"commit=17", "commit=5", "commit=0", "commit=x", "nobarrier", "barrier=0", "barrier", "barrier=1", "noload", "norecovery", "journal_checksum",
			"nojournal_checksum", "journal_async_commit", "data_err=abort", "data_err=ignore", "data_err=x", "acl", "user_xattr", // newer kernels refuse noacl and nouser_xattr
			"discard", "nodiscard", "nodelalloc", "delalloc", "noauto_da_alloc", "auto_da_alloc=0", "noblock_validity", "dioread_lock", "dioread_nolock",
			"minixdf", "bsddf", "grpid", "bsdgroups", "resuid=7", "resgid=8", "stripe=16", "inode_readahead_blks=64", "inode_readahead_blks=3",
			"init_itable=3", "noinit_itable", "max_batch_time=100", "min_batch_time=3", "journal_ioprio=9", "max_dir_size_kb=12", "nombcache", "no_mbcache",
			"nouid32", "debug", "no_prefetch_block_bitmaps", "i_version", "orlov", "sb=1", "warn_on_error", "abort", "bogus", "errors=bogus",
			"errors=remount-ro,commit=9,data=journal,nobarrier,discard"} {
			want, refused := hostShows(t, d, o)
			opt, err := ext4.ParseOptions(o, 0)
			var sb *fs.SuperBlock
			if err == nil {
				sb, err = ext4.New(fs.New(0), &disk{data: bytes.Clone(d.data)}, opt)
			}
			if (err != nil) != refused {
				t.Errorf("%s: %q: %v; refused by the host: %v", k.name, o, err, refused)
			}
			if err != nil {
				continue
			}
			f := sb.Ops.(*ext4.FS)
			if got := f.ShowOptions(); got != want && !refused {
				t.Errorf("%s: %q shows %q, on the host %q", k.name, o, got, want)
			}
			f.Close()
		}
	}
}

// hostShows mounts a copy of an image on the host.
func hostShows(t *testing.T, d *disk, o string) (shown string, refused bool) {
	t.Helper()
	img, dir := filepath.Join(t.TempDir(), "img"), t.TempDir()
	writeImage(t, img, d.data)
	opts := "loop"
	if o != "" {
		opts += "," + o
	}
	if out, err := exec.Command("mount", "-i", "-t", "ext4", "-o", opts, img, dir).CombinedOutput(); err != nil {
		if o == "" {
			t.Skipf("this host mounts no loop devices: %s", out)
		}
		return "", true
	}
	defer exec.Command("umount", dir).Run()
	b, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range strings.Split(string(b), "\n") {
		if f := strings.Fields(l); len(f) > 3 && f[1] == dir {
			return strings.TrimPrefix(strings.TrimPrefix(f[3], "rw"), ",relatime"), false
		}
	}
	t.Fatal("not mounted")
	return "", false
}

// TestBadOptionIsTold: the log names the option that a mount or remount fails by.
func TestBadOptionIsTold(t *testing.T) {
	_, err := ext4.ParseOptions("discard,data=bogus", 0)
	if err == nil || !errors.Is(err, abi.EINVAL) || !strings.Contains(err.Error(), `"data=bogus"`) {
		t.Errorf("mount: %v", err)
	}
	var log []string
	sb, err := ext4.New(fs.New(0), mkfs(t, "8M", "-t", "ext4"), ext4.Options{ReadOnly: true, Log: func(_ printk.Level, s string) { log = append(log, s) }})
	if err != nil {
		t.Fatal(err)
	}
	f := sb.Ops.(*ext4.FS)
	defer f.Close()
	if err := f.Remount(abi.MS_RDONLY, "nosuchoption"); !errors.Is(err, abi.EINVAL) || !strings.Contains(strings.Join(log, "\n"), `"nosuchoption"`) {
		t.Errorf("remount: %v, log %q", err, log)
	}
}
