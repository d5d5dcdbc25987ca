// SPDX-License-Identifier: Apache-2.0

package fs

import "lodger/abi"

// copyChunk is how much CopyRange moves at a time through Go memory, in bytes.
const copyChunk = 128 << 10

// CopyRange copies n bytes between two files (copy_file_range, sendfile). A nil
// offset means the file's own position; a given one is advanced. An error after
// some bytes were copied is not reported.
func CopyRange(ctx *Context, dst *File, dstOff *int64, src *File, srcOff *int64, n int64) (int64, error) {
	done, err := copyRange(ctx, dst, dstOff, src, srcOff, n)
	if done > 0 {
		src.ReadDone()
		dst.WriteDone()
	}
	return done, err
}

func copyRange(ctx *Context, dst *File, dstOff *int64, src *File, srcOff *int64, n int64) (int64, error) {
	buf := make([]byte, min(n, copyChunk))
	done := int64(0)
	for done < n {
		r, err := src.ReadPart(ctx, buf[:min(n-done, int64(len(buf)))], srcOff)
		if r == 0 || err != nil {
			return result(done, err)
		}
		w, err := dst.WritePart(ctx, buf[:r], dstOff)
		done += int64(max(w, 0))
		if w < r { // give back what was read too much
			if srcOff != nil {
				*srcOff -= int64(r - w)
			} else if src.readerAt != nil {
				src.Seek(ctx, int64(w-r), abi.SEEK_CUR)
			}
			return result(done, err)
		}
	}
	return done, nil
}

func result(done int64, err error) (int64, error) {
	if done > 0 {
		return done, nil
	}
	return 0, err
}
