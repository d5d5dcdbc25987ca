// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"os"
	"testing"
)

// A probe finds each thing once, says what a lack costs, and leaves no descriptor
// open.
func TestProbe(t *testing.T) {
	Probe() // the runtime opens descriptors of its own at first
	before := openDescriptors(t)
	seen := map[string]bool{}
	for _, f := range Probe() {
		t.Logf("%-40s %v %s", f.Name, f.OK, f.Value)
		if seen[f.Name] {
			t.Errorf("%s is found twice", f.Name)
		}
		seen[f.Name] = true
		if !f.OK && f.Without == "" {
			t.Errorf("%s: does not say what its lack costs", f.Name)
		}
	}
	if after := openDescriptors(t); after > before {
		t.Errorf("%d descriptors open, %d before", after, before)
	}
}

func openDescriptors(t *testing.T) int {
	ents, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(ents)
}
