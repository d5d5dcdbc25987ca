// SPDX-License-Identifier: Apache-2.0

package elf

import (
	"bytes"
	"os"
	"testing"

	"lodger/internal/need"
)

type file []byte

func (f file) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || off >= int64(len(f)) {
		return 0, nil
	}
	return copy(p, f[off:]), nil
}

func TestParseSelf(t *testing.T) {
	b, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		need.Missing(t, "no /proc: %v", err)
	}
	f, err := Parse(b[:min(len(b), 256)], file(b))
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Segments) == 0 || f.Entry == 0 {
		t.Fatalf("%+v", f)
	}
	if lo, hi := f.Range(); lo >= hi || lo%4096 != 0 || hi%4096 != 0 {
		t.Fatalf("range %#x-%#x", lo, hi)
	}
}

func FuzzParse(f *testing.F) {
	if b, err := os.ReadFile("/proc/self/exe"); err == nil {
		f.Add(b[:4096])
	}
	f.Add([]byte("\x7fELF"))
	f.Add(bytes.Repeat([]byte{0xff}, 200))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := Parse(b[:min(len(b), 256)], file(b))
		if err != nil {
			return
		}
		lo, hi := p.Range()
		if lo > hi || hi > 1<<48 || p.MaxAlign() == 0 {
			t.Fatalf("range %#x-%#x", lo, hi)
		}
	})
}
