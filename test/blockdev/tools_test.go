// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package blockdev

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"lodger/internal/need"
	"lodger/test/fixture"
)

// copyTool puts a program of the host and its libraries into a tree, where they are on
// the host.
func copyTool(t *testing.T, tree, name string) {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if path = "/sbin/" + name; !exists(path) {
			need.Missing(t, "%s is not installed", name)
		}
	}
	copyFile(t, path, filepath.Join(tree, "bin", name))
	out, err := exec.Command("ldd", path).CombinedOutput()
	if err != nil && !strings.Contains(string(out), "not a dynamic") {
		t.Fatalf("ldd %s: %v\n%s", path, err, out)
	}
	for _, lib := range regexp.MustCompile(`/\S+`).FindAllString(string(out), -1) {
		if to := filepath.Join(tree, lib); !exists(to) && exists(lib) {
			copyFile(t, lib, to)
		}
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		t.Fatal(err)
	}
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o755)
	if err == nil {
		_, err = io.Copy(out, in)
		if cerr := out.Close(); err == nil {
			err = cerr
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}

// toolScript is what one does with a new disk. Each line of it that fails says so.
const toolScript = `
cd /
want() { [ "$2" = "$3" ] || echo "$1: got '$2', want '$3'"; }
must() { "$@" >/tmp/out 2>&1 || { echo "$*: status $?"; cat /tmp/out; }; }
fails() { "$@" >/tmp/out 2>&1 && echo "$*: no failure"; }

want "no partitions" "$(grep -c ubdb /proc/partitions)" 1
printf 'label: dos\n2048,20480,83\n,20480,82\n,,5\n,20480,83\n' >/tmp/dos
must sh -c 'sfdisk /dev/ubdb </tmp/dos'
want "DOS partitions" "$(grep -o 'ubdb[0-9]*$' /proc/partitions | tr '\n' ' ')" "ubdb ubdb1 ubdb2 ubdb3 ubdb5 "
want "their nodes" "$(ls /dev | grep ubdb | tr '\n' ' ')" "ubdb ubdb1 ubdb2 ubdb3 ubdb5 "
want "a node" "$(stat -c '%a %u:%g %t:%T' /dev/ubdb5)" "660 0:6 62:15"
want "fdisk" "$(fdisk -l /dev/ubdb | grep -c '^/dev/ubdb')" 4
want "lsblk" "$(lsblk -rno NAME,MAJ:MIN,SIZE,RO,TYPE /dev/ubdb | head -3 | tr '\n' '|')" "ubdb 98:16 64M 0 disk|ubdb1 98:17 10M 0 part|ubdb2 98:18 10M 0 part|"

printf 'label: gpt\nlabel-id: 11111111-2222-3333-4444-555555555555\n2048,40960,,\n,20480,S\n' >/tmp/gpt
must sh -c 'sfdisk --wipe always --wipe-partitions always /dev/ubdb </tmp/gpt'
want "GPT partitions" "$(grep -o 'ubdb[0-9]*$' /proc/partitions | tr '\n' ' ')" "ubdb ubdb1 ubdb2 "
must blockdev --rereadpt /dev/ubdb
must mkfs.ext4 -q -L data /dev/ubdb1
must e2fsck -fn /dev/ubdb1
want "dumpe2fs" "$(dumpe2fs -h /dev/ubdb1 2>/dev/null | grep 'volume name' | grep -o data)" data
want "blkid" "$(blkid -s LABEL -s TYPE /dev/ubdb1)" '/dev/ubdb1: LABEL="data" TYPE="ext4"'
want "blkid finds" "$(blkid -L data)" /dev/ubdb1
want "blkid's table" "$(blkid -s PTTYPE -s PTUUID /dev/ubdb)" '/dev/ubdb: PTUUID="11111111-2222-3333-4444-555555555555" PTTYPE="gpt"'

must mount -t ext4 /dev/ubdb1 /mnt
must sh -c 'echo kept >/mnt/file'
want "lsblk of a mount" "$(lsblk -rno NAME,MOUNTPOINTS /dev/ubdb1)" "ubdb1 /mnt"
fails mkfs.ext4 -q -F /dev/ubdb1 # somebody has it
fails blockdev --rereadpt /dev/ubdb
fails sh -c 'sfdisk /dev/ubdb </tmp/gpt'
must umount /mnt
must e2fsck -fn /dev/ubdb1
must blockdev --rereadpt /dev/ubdb

must mkswap /dev/ubdb2
must swapon /dev/ubdb2
want "swaps" "$(tail -n +2 /proc/swaps | tr -s ' \t' ' ')" "/dev/ubdb2 partition 10236 0 -2"
want "free" "$(grep SwapTotal /proc/meminfo | tr -s ' ')" "SwapTotal: 10236 kB"
want "lsblk of swap" "$(lsblk -rno NAME,MOUNTPOINTS /dev/ubdb2)" "ubdb2 [SWAP]"
fails mkswap /dev/ubdb2
must swapoff /dev/ubdb2
want "no swaps" "$(tail -n +2 /proc/swaps)" ""
must wipefs -a /dev/ubdb2
want "wiped" "$(blkid -p -s TYPE /dev/ubdb2)" ""

must dd if=/dev/ubdb1 of=/dev/null bs=64k iflag=direct
must dd if=/dev/zero of=/dev/ubdb2 bs=64k count=1 oflag=direct,sync conv=fsync
fails dd if=/dev/ubdb of=/dev/null bs=700 count=1 iflag=direct
must dd if=/dev/ubdb of=/tmp/whole bs=1M
want "dd to the end" "$(stat -c %s /tmp/whole)" 67108864
rm /tmp/whole
want "size" "$(blockdev --getsize64 /dev/ubdb2) $(blockdev --getss /dev/ubdb2) $(blockdev --getro /dev/ubdb2)" "10485760 512 0"
must blockdev --setro /dev/ubdb2
want "set read-only" "$(blockdev --getro /dev/ubdb2) $(cat /sys/class/block/ubdb2/ro)" "1 1"
fails dd if=/dev/zero of=/dev/ubdb2 bs=512 count=1
must blockdev --setrw /dev/ubdb2
must blkdiscard -f /dev/ubdb2
must partx -d --nr 2 /dev/ubdb
want "partx -d" "$(ls /dev | grep ubdb | tr '\n' ' ')$(ls -d /sys/block/ubdb/ubdb*)" "ubdb ubdb1 /sys/block/ubdb/ubdb1"
must partx -a --nr 2 /dev/ubdb
want "partx -a" "$(cat /sys/class/block/ubdb2/size)" 20480
must e2fsck -fy /dev/ubdb1
must resize2fs /dev/ubdb1 12M
must resize2fs /dev/ubdb1
must e2fsck -fn /dev/ubdb1
sync
`

// TestTools: people's tools do to a guest's disk what they do to any.
func TestTools(t *testing.T) {
	dir := t.TempDir()
	tree, image := filepath.Join(dir, "tree"), filepath.Join(dir, "root.ext4")
	if err := fixture.Busybox(tree); err != nil {
		need.Missing(t, "%v", err)
	}
	// The real ones: busybox's shell prefers its own, unless a function is in the way.
	script := mounts
	tools := []string{"sfdisk", "fdisk", "lsblk", "blkid", "mkfs.ext4", "e2fsck", "dumpe2fs", "resize2fs", "mkswap", "swapon", "swapoff",
		"wipefs", "dd", "blockdev", "blkdiscard", "partx", "mount", "umount"}
	for _, name := range tools {
		os.Remove(filepath.Join(tree, "bin", name))
		copyTool(t, tree, name)
		if !strings.Contains(name, ".") {
			script += name + "() { /bin/" + name + " \"$@\"; }\n"
		}
	}
	for _, name := range []string{"tail", "tr", "head", "printf"} {
		if err := os.Symlink("busybox", filepath.Join(tree, "bin", name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := fixture.Image(image, tree, 128<<20); err != nil {
		t.Fatal(err)
	}
	bin := lodger(t)
	disk := sparse(t, filepath.Join(dir, "disk"), 64<<20)
	for _, d := range []string{disk, disk + ".cow," + disk} {
		t.Run(filepath.Base(d), func(t *testing.T) {
			if got := boot(t, bin, script+toolScript+"echo done", "ubd0="+image, "ubd1="+d); got != "done\n" {
				t.Error(got)
			}
		})
		if d == disk { // the second time it is a base, empty again
			os.Remove(disk)
			sparse(t, disk, 64<<20)
		}
	}
	before, err := os.ReadFile(disk)
	if err != nil || !bytes.Equal(before, make([]byte, 64<<20)) {
		t.Error("the base of a COW file has changed:", err)
	}
}
