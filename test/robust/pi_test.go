// SPDX-License-Identifier: Apache-2.0

//go:build linux && amd64

package robust

import (
	"testing"
	"time"
)

// PI mutexes exclude each other and pass to waiters of dead owners.
func TestPIMutexes(t *testing.T) {
	g := start(t, "", compile(t, "testdata/pi_stress.c"), "/t/pi_stress")
	if code := g.end(time.Minute); code != 0 {
		t.Errorf("status %d", code)
	}
	if want := "counted 12000\ntaken 40\ndead 1\n"; g.out.String() != want {
		t.Errorf("got %q, want %q", g.out.String(), want)
	}
}
