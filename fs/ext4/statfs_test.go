// SPDX-License-Identifier: Apache-2.0

package ext4_test

import (
	"testing"

	"lodger/abi"
	"lodger/fs"
	"lodger/fs/ext4"
)

// TestFsid: statfs tells of the image's UUID, as Linux does ("stat -f" shows
// 4444555566667777 for this one).
func TestFsid(t *testing.T) {
	d := mkfs(t, "8M", "-t", "ext4", "-U", "11111111-2222-3333-4444-555555555555")
	sb, err := ext4.New(fs.New(0), d, ext4.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	f := sb.Ops.(*ext4.FS)
	defer f.Close()
	st, err := fs.Statfs(nil, fs.Path{Mnt: sb.VFS.NewDetachedMount(sb, abi.MS_RDONLY), Dentry: sb.Root})
	if want := [2]int32{0x44445555, 0x66667777}; err != nil || st.Fsid != want {
		t.Errorf("%x, %v; want %x", st.Fsid, err, want)
	}
}
