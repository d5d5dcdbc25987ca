// SPDX-License-Identifier: Apache-2.0

package ext4

import "lodger/fs"

// SuperIntact reports whether an image's super block has a right checksum, or none.
func SuperIntact(img []byte) bool {
	r := img[superOffset : superOffset+superSize]
	return le32(r, 0x64)&roMetadataCsum == 0 || superCsum(r) == le32(r, 0x3fc)
}

// FreesAtOnce reports whether the change that removes a file's last name has what it
// takes to free the file too.
func FreesAtOnce(file fs.Inode) (bool, error) {
	i := file.(*inode)
	i.s.mu.Lock()
	defer i.s.mu.Unlock()
	h, err := i.s.start(creditsMove)
	if err != nil {
		return false, err
	}
	free := h.canFree(i)
	return free, h.stop(nil)
}

// FoundCorrupt finds something corrupt.
func (s *FS) FoundCorrupt(ino uint32, block uint64) error { return s.corrupt(ino, block, "for a test") }
