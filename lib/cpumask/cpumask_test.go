// SPDX-License-Identifier: Apache-2.0

package cpumask

import "testing"

func TestFormats(t *testing.T) {
	for _, c := range []struct {
		cpus      []int
		hex, list string
	}{
		{nil, "0", ""}, {[]int{0}, "1", "0"}, {[]int{0, 1, 2, 5}, "27", "0-2,5"}, {[]int{1, 32, 33, 64}, "1,00000003,00000002", "1,32-33,64"},
	} {
		if h, l := Hex(c.cpus), List(c.cpus); h != c.hex || l != c.list {
			t.Errorf("%v: %s %s", c.cpus, h, l)
		}
	}
	if len(Allowed(0)) == 0 {
		t.Error("no processor")
	}
}
