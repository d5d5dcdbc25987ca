// SPDX-License-Identifier: Apache-2.0

package userland

import (
	"os"
	"testing"
)

func TestNeeds(t *testing.T) {
	for _, exe := range []string{os.Args[0], "/bin/sh"} {
		list, err := Needs(exe)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range list {
			if _, err := os.Stat(path); err != nil {
				t.Error(err)
			}
		}
		t.Log(exe, list)
	}
}
