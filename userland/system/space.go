// SPDX-License-Identifier: Apache-2.0

package system

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"lodger/userland/app"
)

func df(c *app.Ctx, args []string) int {
	o, status, ok := c.Parse(args, "a|all h|human-readable k m T|print-type P|portability i|inodes t|type: x: l B:")
	if !ok {
		return status
	}
	list := mounts()
	if len(o.Args) > 0 {
		var chosen [][]string
		for _, name := range o.Args {
			if m, ok := mountOf(c, name, list); ok {
				chosen = append(chosen, m)
			}
		}
		list = chosen
	}
	title := "1K-blocks"
	size := func(n uint64) string { return strconv.FormatUint(n/1024, 10) }
	switch o.Last("hkm") {
	case "h":
		title, size = "Size", app.HumanSize
	case "m":
		title, size = "1M-blocks", func(n uint64) string { return strconv.FormatUint((n+1<<20-1)>>20, 10) }
	}
	rows := [][]string{{"Filesystem", "Type", title, "Used", "Available", "Use%", "Mounted on"}}
	if o.Has("i") {
		rows[0] = []string{"Filesystem", "Type", "Inodes", "IUsed", "IFree", "IUse%", "Mounted on"}
	}
	for _, m := range list {
		var fs unix.Statfs_t
		if err := unix.Statfs(m[1], &fs); err != nil {
			if len(o.Args) > 0 {
				c.Fail(m[1], err)
			}
			continue
		}
		if kind := o.Str("t", m[2]); kind != m[2] || fs.Blocks == 0 && !o.Has("a") && len(o.Args) == 0 {
			continue
		}
		if o.Has("i") {
			rows = append(rows, []string{m[0], m[2], fmt.Sprint(fs.Files), fmt.Sprint(fs.Files - fs.Ffree), fmt.Sprint(fs.Ffree),
				percent(fs.Files-fs.Ffree, fs.Files), m[1]})
			continue
		}
		unit := uint64(fs.Bsize)
		used := fs.Blocks - fs.Bfree
		rows = append(rows, []string{m[0], m[2], size(fs.Blocks * unit), size(used * unit), size(fs.Bavail * unit), percent(used, used+fs.Bavail), m[1]})
	}
	table(c, rows, func(col int) bool { return col != 1 || o.Has("T") })
	return c.Status()
}

// percent rounds up, as df does.
func percent(part, whole uint64) string {
	if whole == 0 {
		return "-"
	}
	return strconv.FormatUint((part*100+whole-1)/whole, 10) + "%"
}

// table prints columns: the first two and the last aligned left.
func table(c *app.Ctx, rows [][]string, show func(col int) bool) {
	width := make([]int, len(rows[0]))
	for _, r := range rows {
		for i, s := range r {
			width[i] = max(width[i], len(s))
		}
	}
	for _, r := range rows {
		var cells []string
		for i, s := range r {
			switch {
			case !show(i):
				continue
			case i < 2:
				s = fmt.Sprintf("%-*s", width[i], s)
			case i < len(r)-1:
				s = fmt.Sprintf("%*s", width[i], s)
			}
			cells = append(cells, s)
		}
		fmt.Fprintln(c.Out, strings.Join(cells, " "))
	}
}

// mountOf finds the mount that a file is on: the last one with its device.
func mountOf(c *app.Ctx, name string, list [][]string) (found []string, ok bool) {
	var st unix.Stat_t
	if err := unix.Stat(name, &st); err != nil {
		c.Fail(name, err)
		return nil, false
	}
	for _, m := range list {
		var root unix.Stat_t
		if unix.Stat(m[1], &root) == nil && root.Dev == st.Dev && (found == nil || len(m[1]) >= len(found[1]) || m[0] == name) {
			found = m
		}
	}
	if found == nil {
		c.Errorf("%s: can't find mount point", name)
	}
	return found, found != nil
}

func free(c *app.Ctx, args []string) int {
	o, status, ok := c.Parse(args, "b|bytes k|kibi m|mebi g|gibi H h|human w t")
	if !ok {
		return status
	}
	data, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		c.Fail("/proc/meminfo", err)
		return 1
	}
	kib := map[string]uint64{}
	for line := range strings.Lines(string(data)) {
		name, rest, _ := strings.Cut(line, ":")
		if f := strings.Fields(rest); len(f) > 0 {
			kib[name], _ = strconv.ParseUint(f[0], 10, 64)
		}
	}
	show := func(n uint64) string {
		switch o.Last("bkmgh") {
		case "b":
			n *= 1024
		case "m":
			n /= 1024
		case "g":
			n /= 1024 * 1024
		case "h":
			return app.HumanSize(n*1024) + "i"
		}
		return strconv.FormatUint(n, 10)
	}
	cache := kib["Buffers"] + kib["Cached"] + kib["SReclaimable"]
	available := kib["MemAvailable"]
	if _, ok := kib["MemAvailable"]; !ok {
		available = kib["MemFree"] + cache
	}
	fmt.Fprintf(c.Out, "%-8s%12s%12s%12s%12s%12s%12s\n", "", "total", "used", "free", "shared", "buff/cache", "available")
	fmt.Fprintf(c.Out, "%-8s%12s%12s%12s%12s%12s%12s\n", "Mem:", show(kib["MemTotal"]), show(kib["MemTotal"]-min(available, kib["MemTotal"])),
		show(kib["MemFree"]), show(kib["Shmem"]), show(cache), show(available))
	fmt.Fprintf(c.Out, "%-8s%12s%12s%12s\n", "Swap:", show(kib["SwapTotal"]), show(kib["SwapTotal"]-kib["SwapFree"]), show(kib["SwapFree"]))
	return 0
}

func dmesg(c *app.Ctx, args []string) int {
	o, status, ok := c.Parse(args, "c|read-clear C|clear n: r|raw T H w x s:")
	if !ok {
		return status
	}
	size, err := unix.Klogctl(10, nil) // SYSLOG_ACTION_SIZE_BUFFER
	if err != nil || size <= 0 {
		size = 64 << 10
	}
	buf := make([]byte, size)
	action := 3 // SYSLOG_ACTION_READ_ALL
	switch {
	case o.Has("c"):
		action = 4 // READ_CLEAR
	case o.Has("C"):
		action, buf = 5, nil // CLEAR
	}
	n, err := unix.Klogctl(action, buf)
	if err != nil {
		c.Errorf("read kernel buffer failed: %s", app.Reason(err))
		return 1
	}
	if action == 5 {
		return 0
	}
	for line := range strings.Lines(string(buf[:n])) {
		if i := strings.IndexByte(line, '>'); i > 0 && line[0] == '<' && !o.Has("r") {
			line = line[i+1:]
		}
		c.Out.WriteString(strings.TrimSuffix(line, "\n") + "\n")
	}
	return 0
}

func sysctl(c *app.Ctx, args []string) int {
	o, status, ok := c.Parse(args, "n|values w|write q|quiet e")
	if !ok {
		return status
	}
	if len(o.Args) == 0 {
		return c.Missing()
	}
	for _, a := range o.Args {
		name, value, set := strings.Cut(a, "=")
		file := "/proc/sys/" + strings.ReplaceAll(name, ".", "/")
		if set {
			f, err := os.OpenFile(file, os.O_WRONLY, 0)
			if err == nil {
				_, err = f.WriteString(value + "\n")
				f.Close()
			}
			if err != nil {
				c.Errorf("setting key %q: %s", name, app.Reason(err))
				continue
			}
		} else {
			data, err := os.ReadFile(file)
			if err != nil {
				c.Errorf("cannot stat %s: %s", file, app.Reason(err))
				continue
			}
			value = strings.TrimSuffix(string(data), "\n")
		}
		switch {
		case o.Has("q") && set:
		case o.Has("n"):
			fmt.Fprintln(c.Out, value)
		default:
			fmt.Fprintf(c.Out, "%s = %s\n", name, value)
		}
	}
	return c.Status()
}
