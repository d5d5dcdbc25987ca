// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package robust

import (
	"strings"
	"testing"
	"time"
)

// On a host that cannot seal the stub, memory calls near it go through the kernel,
// and those on it nowhere.
func TestUnsealed(t *testing.T) {
	g := start(t, "noseal", compile(t, "testdata/near.c"), "/t/near")
	if code := g.end(10 * time.Second); code != 0 {
		t.Errorf("status %d", code)
	}
	const near = "p == (char *)at[k] = 1\nmprotect(p, 0x4000, PROT_READ) -> ok\nmadvise(p, 0x1000, MADV_DONTNEED) -> ok\n" +
		"mremap(p, 0x4000, 0x2000, 0) == p = 1\nmremap(p, 0x2000, 0x3000, MREMAP_MAYMOVE) != MAP_FAILED = 1\nmunmap(p, 0x4000) -> ok\n"
	got, ok := strings.CutPrefix(g.out.String(), near+near+near)
	if !ok || strings.Count(got, "-> EPERM\n") != 3 {
		t.Errorf("output %q", g.out.String())
	}
}
