// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package robust

import (
	"testing"
	"time"
)

// TestNearStub: where the host cannot seal the stub, calls on memory near it come to
// the kernel, which lets them go on. One program in a hundred had its C library
// there and did not start, since mprotect was absent.
func TestNearStub(t *testing.T) {
	bin := compile(t, "testdata/near_stub.c")
	for _, opts := range []string{"", "noseal"} {
		t.Run(opts, func(t *testing.T) {
			g := start(t, opts, bin, "/t/near_stub")
			if code := g.end(10 * time.Second); code != 0 || g.out.String() != "fine\n" || g.msg.String() != "" {
				t.Errorf("status %d, said %q, errors %q", code, g.out.String(), g.msg.String())
			}
		})
	}
}
