// SPDX-License-Identifier: Apache-2.0

package lz4_test

import (
	"bytes"
	"strings"
	"testing"

	"lodger/lib/lz4"
)

// TestDecode: blocks made by hand from the format's description.
func TestDecode(t *testing.T) {
	long := strings.Repeat("ab", 300)
	for _, c := range []struct{ name, block, want string }{
		{"empty", "\x00", ""},
		{"literals", "\x50hello", "hello"},
		{"match", "\x35abc\x03\x00\x10x", "abcabcabcabcx"},                     // 3 literals, 4+5 bytes from 3 back, 1 literal
		{"itself", "\x1fa\x01\x00\x05\x00", "a" + strings.Repeat("a", 15+5+4)}, // overlaps, length goes on
		{"long literals", "\xf0\xff\xff\x4b" + long, long},                     // 15+255+255+75
	} {
		t.Run(c.name, func(t *testing.T) {
			dst := make([]byte, len(c.want))
			n, err := lz4.Decode(dst, []byte(c.block), false)
			if err != nil || string(dst[:n]) != c.want {
				t.Errorf("got %q, %v", dst[:n], err)
			}
			for k := 1; k < len(c.want); k++ { // the beginning alone, and junk behind the block
				short := make([]byte, k)
				n, err := lz4.Decode(short, append([]byte(c.block), 0xff, 0xff, 0xff), true)
				if err != nil || string(short[:n]) != c.want[:k] {
					t.Fatalf("first %d bytes: got %q, %v", k, short[:n], err)
				}
				if _, err := lz4.Decode(short, []byte(c.block), false); err == nil {
					t.Fatalf("%d bytes are not all of it, and no error", k)
				}
			}
		})
	}
	for _, bad := range []string{"", "\x50hell", "\x10", "\x11a\x02\x00", "\x11a\x00\x00", "\x1fa\x01\x00", "\xf0", "\xf0\xff", "\x10a\x01"} {
		if n, err := lz4.Decode(make([]byte, 100), []byte(bad), false); err == nil {
			t.Errorf("%q gives %d bytes", bad, n)
		}
	}
}

// FuzzDecode: no bytes make it panic or write elsewhere; part and whole agree.
//
// CI fuzz budget: 20000x
func FuzzDecode(f *testing.F) {
	f.Add([]byte("\x35abc\x03\x00\x10x"), 20)
	f.Add([]byte("\x1fa\x01\x00\xff\x05\x00"), 300)
	f.Fuzz(func(t *testing.T, src []byte, size int) {
		if size < 0 || size > 1<<16 {
			return
		}
		whole, part := make([]byte, size), make([]byte, size/2)
		n, err := lz4.Decode(whole, src, false)
		if err != nil {
			return
		}
		m, err := lz4.Decode(part, src, true)
		if err != nil || m != min(n, len(part)) || !bytes.Equal(part[:m], whole[:m]) {
			t.Errorf("%q: whole %q, part %q, %v", src, whole[:n], part[:m], err)
		}
	})
}
