// SPDX-License-Identifier: Apache-2.0

package sysfs

import (
	"fmt"
	"strconv"
	"strings"

	"lodger/host"
	"lodger/lib/cpumask"
)

// CPUs shows the processors that the guest may use, by the host's numbers, as
// /proc/cpuinfo does: drivers/base/cpu.c and topology.c.
func CPUs(t *Tree) {
	dir := t.Dir("devices/system/cpu")
	cpus := cpumask.Allowed(0)
	for _, name := range []string{"online", "possible", "present"} {
		dir.Text(name, func() string { return cpumask.List(cpumask.Allowed(0)) + "\n" })
	}
	dir.Text("offline", func() string { return "\n" })
	dir.Text("isolated", func() string { return "\n" })
	dir.Text("kernel_max", func() string { return fmt.Sprintln(cpus[len(cpus)-1]) })
	where := topology()
	for _, n := range cpus {
		c := dir.Dir("cpu" + strconv.Itoa(n)).Dir("topology")
		self := where(n)
		var core, pkg []int
		for _, m := range cpus {
			o := where(m)
			if o.pkg == self.pkg {
				pkg = append(pkg, m)
				if o.core == self.core {
					core = append(core, m)
				}
			}
		}
		c.Text("core_id", func() string { return fmt.Sprintln(self.core) })
		c.Text("physical_package_id", func() string { return fmt.Sprintln(self.pkg) })
		for _, s := range []struct {
			names []string
			cpus  []int
		}{{[]string{"thread_siblings", "core_cpus"}, core}, {[]string{"core_siblings", "package_cpus"}, pkg}} {
			for _, name := range s.names {
				c.Text(name, func() string { return cpumask.Hex(s.cpus) + "\n" })
				c.Text(name+"_list", func() string { return cpumask.List(s.cpus) + "\n" })
			}
		}
	}
}

// place is where a processor is.
type place struct{ core, pkg int }

// topology reads the places from /proc/cpuinfo; where it does not say (arm64), each
// processor is a core of package 0.
func topology() func(cpu int) place {
	known := map[int]place{}
	b, err := host.ProcFile(0, "cpuinfo")
	if err != nil {
		b = nil
	}
	for part := range strings.SplitSeq(string(b), "\n\n") {
		v := map[string]int{}
		for line := range strings.Lines(part) {
			name, val, _ := strings.Cut(line, ":")
			if n, err := strconv.Atoi(strings.TrimSpace(val)); err == nil {
				v[strings.TrimSpace(name)] = n
			}
		}
		cpu, ok := v["processor"]
		core, ok2 := v["core id"]
		if ok && ok2 {
			known[cpu] = place{core, v["physical id"]}
		}
	}
	return func(cpu int) place {
		if p, ok := known[cpu]; ok {
			return p
		}
		return place{core: cpu}
	}
}
