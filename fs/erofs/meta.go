// SPDX-License-Identifier: Apache-2.0

package erofs

import "lodger/abi"

// metaBlock gives a block of metadata; the last one of an image may be short.
func (s *FS) metaBlock(n int64) ([]byte, error) {
	return s.meta.Get(n, func() ([]byte, int, error) {
		off := n << s.blockBits
		if n < 0 || off>>s.blockBits != n || off >= s.Dev.Size() {
			s.Printf("block %d is outside the image", n)
			return nil, 0, abi.EIO
		}
		b := make([]byte, min(s.blockSize, s.Dev.Size()-off))
		return b, len(b) + 64, s.ReadAt(b, off)
	})
}

// readMeta fills p with metadata at off, which may go over several blocks.
func (s *FS) readMeta(p []byte, off int64) error {
	for len(p) > 0 {
		if off < 0 {
			return abi.EIO
		}
		b, err := s.metaBlock(off >> s.blockBits)
		if err != nil {
			return err
		}
		in := int(off & (s.blockSize - 1))
		if in >= len(b) {
			s.Printf("metadata at %d is outside the image", off)
			return abi.EIO
		}
		n := copy(p, b[in:])
		p, off = p[n:], off+int64(n)
	}
	return nil
}

// metaBytes is readMeta of n bytes, which the caller has bounded.
func (s *FS) metaBytes(off int64, n int) ([]byte, error) {
	p := make([]byte, n)
	return p, s.readMeta(p, off)
}

// readData reads file data at a place of the image, unless it is outside.
func (s *FS) readData(p []byte, off int64) error {
	if off < 0 || off > s.Dev.Size() || int64(len(p)) > s.Dev.Size()-off {
		s.Printf("%d bytes of data at %d are outside the image", len(p), off)
		return abi.EIO
	}
	return s.ReadAt(p, off)
}
