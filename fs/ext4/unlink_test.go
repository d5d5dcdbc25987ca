// SPDX-License-Identifier: Apache-2.0

package ext4_test

import (
	"strings"
	"testing"

	"lodger/fs/ext4"
)

// TestUnlinkFreesAtOnce: the handle of an unlink asked for fewer credits than the
// freeing of the file wanted to see, so that with a journal each file went through
// the orphan list, in two changes.
func TestUnlinkFreesAtOnce(t *testing.T) {
	d := mkfs(t, "64M", "-t", "ext4", "-b", "4096")
	v, sb := mount(t, d, ext4.Options{})
	e := env(t, v, sb)
	e.Write("/file", strings.Repeat("contents", 4096))
	f, err := e.Open("/file", 0, 0)
	e.Must(err)
	inode := f.Inode()
	f.DecRef()
	free, err := ext4.FreesAtOnce(inode)
	e.Must(err)
	if !free {
		t.Error("a small closed file is not freed by the change that unlinks it")
	}
	closed(t, sb, d)
}
