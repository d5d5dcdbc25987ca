// SPDX-License-Identifier: Apache-2.0

package ext4

// SuperIntact reports whether an image's super block has a right checksum, or none.
func SuperIntact(img []byte) bool {
	r := img[superOffset : superOffset+superSize]
	return le32(r, 0x64)&roMetadataCsum == 0 || superCsum(r) == le32(r, 0x3fc)
}
