// SPDX-License-Identifier: Apache-2.0

package proc

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"lodger/fs"
	"lodger/fs/kernfs"
	"lodger/host"
	"lodger/lib/cpumask"
)

// addSystem adds the files about the machine.
func (t *tree) addSystem(d *kernfs.DirNode) {
	add := func(name string, f func() string) { d.Add(entry(name, t.fs.NewFile(0o444, text(f)))) }
	add("version", func() string {
		return t.sys.Machine().Banner + "\n"
	})
	add("uptime", t.uptime)
	add("loadavg", func() string {
		m := t.sys.Machine()
		return fmt.Sprintf("%.2f %.2f %.2f %d/%d %d\n", m.Load[0], m.Load[1], m.Load[2], max(m.Running, 1), m.Threads, m.LastPID)
	})
	add("meminfo", t.meminfo)
	add("cpuinfo", func() string { return filterCPUs(hostText("cpuinfo"), cpumask.Allowed(0)) })
	add("stat", t.stat)
	add("vmstat", vmstat)
	add("cmdline", func() string { return t.sys.Machine().Cmdline + "\n" })
	d.Add(entry("swaps", t.fs.NewFile(0o444, t.swaps)))
	add("partitions", t.partitions)
	add("diskstats", t.diskstats)
	add("devices", t.devices)
	d.Add(entry("filesystems", t.fs.NewFile(0o444, func(ctx *fs.Context) ([]byte, error) {
		var b []byte
		for _, f := range ctx.VFS().FSTypes() {
			dev := ""
			if f.NoDev {
				dev = "nodev"
			}
			b = fmt.Appendf(b, "%s\t%s\n", dev, f.Name)
		}
		return b, nil
	})))
}

// hostText reads a file of the host's /proc; nothing where it cannot be read.
func hostText(name string) string {
	b, err := host.ProcFile(0, name)
	if err != nil {
		return ""
	}
	return string(b)
}

// uptime tells the guest's time since boot and the host's idle time of as long.
func (t *tree) uptime() string {
	up := t.sys.Machine().Uptime
	idle := 0.0
	if f := strings.Fields(hostText("uptime")); len(f) == 2 {
		all, _ := strconv.ParseFloat(f[0], 64)
		was, _ := strconv.ParseFloat(f[1], 64)
		if all > 0 {
			idle = was / all * float64(up) / 1e9
		}
	}
	return fmt.Sprintf("%d.%02d %.2f\n", up/1e9, up/1e7%100, idle)
}

// filterCPUs keeps the blocks of cpuinfo of the processors that we may use.
func filterCPUs(s string, allowed []int) string {
	var out strings.Builder
	for block := range strings.SplitSeq(s, "\n\n") {
		first, _, _ := strings.Cut(block, "\n")
		name, v, ok := strings.Cut(first, ":")
		n, err := strconv.Atoi(strings.TrimSpace(v))
		if strings.TrimSpace(block) == "" || ok && strings.TrimSpace(name) == "processor" && err == nil && !slices.Contains(allowed, n) {
			continue
		}
		out.WriteString(strings.Trim(block, "\n") + "\n\n")
	}
	return out.String()
}

// stat formats /proc/stat: the host's processor times of the processors that we
// may use, and the guest's own counts.
func (t *tree) stat() string {
	m := t.sys.Machine()
	allowed := cpumask.Allowed(0)
	var sum [10]uint64
	var lines strings.Builder
	var ctxt string
	for line := range strings.Lines(hostText("stat")) {
		f := strings.Fields(line)
		if len(f) == 2 && f[0] == "ctxt" {
			ctxt = f[1]
		}
		if len(f) < 2 || !strings.HasPrefix(f[0], "cpu") || f[0] == "cpu" {
			continue
		}
		n, err := strconv.Atoi(f[0][3:])
		if err != nil || !slices.Contains(allowed, n) {
			continue
		}
		lines.WriteString(line)
		for i, v := range f[1:] {
			if i < len(sum) {
				x, _ := strconv.ParseUint(v, 10, 64)
				sum[i] += x
			}
		}
	}
	b := []byte("cpu ")
	for _, v := range sum {
		b = fmt.Appendf(b, " %d", v)
	}
	if ctxt == "" {
		ctxt = "0"
	}
	b = fmt.Appendf(b, "\n%sintr 0\nctxt %s\nbtime %d\nprocesses %d\nprocs_running %d\nprocs_blocked 0\nsoftirq 0\n",
		lines.String(), ctxt, m.BootTime, m.Forks, max(m.Running, 1))
	return string(b)
}

// vmstatNames are the host's counters that programs look at (vmstat, top).
var vmstatNames = []string{"nr_free_pages", "nr_mapped", "nr_anon_pages", "nr_file_pages", "nr_dirty", "nr_writeback",
	"nr_slab_reclaimable", "nr_slab_unreclaimable", "pgpgin", "pgpgout", "pswpin", "pswpout", "pgfault", "pgmajfault"}

func vmstat() string {
	var out strings.Builder
	for line := range strings.Lines(hostText("vmstat")) {
		name, _, _ := strings.Cut(line, " ")
		if slices.Contains(vmstatNames, name) {
			out.WriteString(line)
		}
	}
	return out.String()
}
