// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package robust

import (
	"testing"
	"time"
)

// A thread that blocks the kernel's kick and spins costs its process a SIGKILL;
// honest ones are not touched.
func TestDeafThread(t *testing.T) {
	g := start(t, "", compile(t, "testdata/deaf.c"), "/t/deaf")
	if g.end(20*time.Second) != 0 {
		t.Error("the program failed")
	}
	const want = "handler: killed 9\nstop: killed 9\nhonest: stopped 1\nhonest: lives 1\nblocked\n"
	if got := g.out.String(); got != want {
		t.Errorf("got %q\nwant %q", got, want)
	}
}
