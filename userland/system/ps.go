// SPDX-License-Identifier: Apache-2.0

package system

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"lodger/userland/app"
)

// clockTick is the USER_HZ in which /proc counts time.
const clockTick = 100

// process is what /proc/PID/stat and its neighbours tell.
type process struct {
	pid, ppid, pgrp, session, tty int
	comm, state, cmdline          string
	uid                           uint32
	ticks, start                  int64 // in USER_HZ
	vsz, rss                      int64 // KiB
	nice, threads                 int64
}

// processes lists all processes by number.
func processes() []process {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	var list []process
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil {
			if p, ok := readProcess(pid); ok {
				list = append(list, p)
			}
		}
	}
	slices.SortFunc(list, func(a, b process) int { return a.pid - b.pid })
	return list
}

// readProcess parses proc_pid_stat(5); the name is in parentheses and may hold
// anything, so the fields are counted from the last one.
func readProcess(pid int) (p process, ok bool) {
	dir := "/proc/" + strconv.Itoa(pid)
	data, err := os.ReadFile(dir + "/stat")
	if err != nil {
		return p, false
	}
	s := string(data)
	open, end := strings.IndexByte(s, '('), strings.LastIndexByte(s, ')')
	if open < 0 || end < open {
		return p, false
	}
	f := strings.Fields(s[end+1:])
	num := func(field int) int64 { // by the number in the man page
		if field-3 >= len(f) {
			return 0
		}
		n, _ := strconv.ParseInt(f[field-3], 10, 64)
		return n
	}
	p = process{pid: pid, comm: s[open+1 : end], ppid: int(num(4)), pgrp: int(num(5)), session: int(num(6)), tty: int(num(7)),
		ticks: num(14) + num(15), nice: num(19), threads: num(20), start: num(22), vsz: num(23) / 1024,
		rss: num(24) * int64(os.Getpagesize()) / 1024}
	if len(f) > 0 {
		p.state = f[0]
	}
	var st unix.Stat_t
	if unix.Stat(dir, &st) == nil {
		p.uid = st.Uid
	}
	if line, err := os.ReadFile(dir + "/cmdline"); err == nil && len(line) > 0 {
		p.cmdline = strings.TrimRight(strings.ReplaceAll(string(line), "\x00", " "), " ")
	} else {
		p.cmdline = "[" + p.comm + "]"
	}
	return p, true
}

// psField is a column: its heading, width (negative: left aligned) and text.
type psField struct {
	title string
	width int
	text  func(p *process) string
}

func clock(d time.Duration) string {
	s := int(d.Seconds())
	return fmt.Sprintf("%02d:%02d:%02d", s/3600, s/60%60, s%60)
}

func ttyName(dev int) string {
	major, minor := unix.Major(uint64(dev)), unix.Minor(uint64(dev))
	switch {
	case dev == 0:
		return "?"
	case major >= 136 && major < 144:
		return fmt.Sprintf("pts/%d", minor)
	case major == 5 && minor == 1:
		return "console"
	case major == 4 && minor < 64:
		return fmt.Sprintf("tty%d", minor)
	case major == 4:
		return fmt.Sprintf("ttyS%d", minor-64)
	}
	return fmt.Sprintf("%d,%d", major, minor)
}

// psColumn is the table of columns by the names that -o takes.
func psColumn(name string) (psField, bool) {
	n := func(title string, width int, get func(p *process) int64) (psField, bool) {
		return psField{title, width, func(p *process) string { return strconv.FormatInt(get(p), 10) }}, true
	}
	s := func(title string, width int, get func(p *process) string) (psField, bool) {
		return psField{title, width, get}, true
	}
	switch name {
	case "pid":
		return n("PID", 7, func(p *process) int64 { return int64(p.pid) })
	case "ppid":
		return n("PPID", 7, func(p *process) int64 { return int64(p.ppid) })
	case "pgid", "pgrp":
		return n("PGID", 7, func(p *process) int64 { return int64(p.pgrp) })
	case "sid", "sess":
		return n("SID", 7, func(p *process) int64 { return int64(p.session) })
	case "uid":
		return n("UID", 5, func(p *process) int64 { return int64(p.uid) })
	case "vsz":
		return n("VSZ", 8, func(p *process) int64 { return p.vsz })
	case "rss":
		return n("RSS", 7, func(p *process) int64 { return p.rss })
	case "ni", "nice":
		return n("NI", 3, func(p *process) int64 { return p.nice })
	case "nlwp":
		return n("NLWP", 4, func(p *process) int64 { return p.threads })
	case "user":
		return s("USER", -8, func(p *process) string { return app.UserName(p.uid) })
	case "tty", "tt":
		return s("TTY", -8, func(p *process) string { return ttyName(p.tty) })
	case "stat", "s", "state":
		return s("STAT", -4, func(p *process) string { return p.state })
	case "time":
		return s("TIME", 8, func(p *process) string { return clock(time.Duration(p.ticks) * time.Second / clockTick) })
	case "etime":
		return s("ELAPSED", 11, func(p *process) string { return clock(upFor() - time.Duration(p.start)*time.Second/clockTick) })
	case "stime", "start":
		return s("STIME", 5, func(p *process) string {
			return time.Now().Add(time.Duration(p.start)*time.Second/clockTick - upFor()).Format("15:04")
		})
	case "comm":
		return s("COMMAND", 0, func(p *process) string { return p.comm })
	case "args", "cmd", "command":
		return s("COMMAND", 0, func(p *process) string { return p.cmdline })
	}
	return psField{}, false
}

func upFor() time.Duration {
	data, err := os.ReadFile("/proc/uptime")
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(data), " ")
	f, _ := strconv.ParseFloat(first, 64)
	return time.Duration(f * float64(time.Second))
}

func ps(c *app.Ctx, args []string) int {
	if len(args) > 0 && args[0] != "" && args[0][0] != '-' { // the BSD form
		args[0] = "-B" + args[0]
	}
	o, status, ok := c.Parse(args, "e A a x d f l w o|format: p|pid: B: no-headers")
	if !ok {
		return status
	}
	bsd := o.Str("B", "")
	columns := "pid,tty,time,comm"
	all := o.Has("e") || o.Has("A") || strings.Contains(bsd, "x") || o.Has("p")
	switch {
	case o.Has("o"):
		columns = strings.Join(o.All("o"), ",")
	case strings.Contains(bsd, "u"):
		columns = "user,pid,vsz,rss,tty,stat,start,time,args"
	case o.Has("B"):
		columns = "pid,tty,stat,time,args"
	case o.Has("f"):
		columns = "user,pid,ppid,stime,tty,time,args"
	case o.Has("l"):
		columns = "stat,uid,pid,ppid,ni,vsz,tty,time,comm"
	}
	var fields []psField
	titles := false
	for name := range strings.SplitSeq(columns, ",") {
		name, title, own := strings.Cut(strings.TrimSpace(name), "=")
		f, ok := psColumn(name)
		if !ok {
			c.Errorf("unknown user-defined format specifier %q", name)
			return 1
		}
		if own {
			f.title = title
		}
		titles = titles || f.title != ""
		fields = append(fields, f)
	}
	only := map[string]bool{}
	for pid := range strings.FieldsFuncSeq(o.Str("p", ""), func(r rune) bool { return r == ',' || r == ' ' }) {
		only[pid] = true
	}
	self, _ := readProcess(os.Getpid())
	row := func(cell func(f *psField) string) {
		var cells []string
		for i := range fields {
			s := fmt.Sprintf("%*s", fields[i].width, cell(&fields[i]))
			if i == len(fields)-1 {
				s = strings.TrimRight(s, " ")
			}
			cells = append(cells, s)
		}
		fmt.Fprintln(c.Out, strings.Join(cells, " "))
	}
	if titles && !o.Has("no-headers") {
		row(func(f *psField) string { return f.title })
	}
	shown := 0
	for _, p := range processes() {
		if len(only) > 0 && !only[strconv.Itoa(p.pid)] || !all && (p.tty != self.tty || p.uid != self.uid) {
			continue
		}
		shown++
		row(func(f *psField) string { return f.text(&p) })
	}
	if len(only) > 0 && shown == 0 {
		return 1
	}
	return 0
}

func uptime(c *app.Ctx, args []string) int {
	o, status, ok := c.Parse(args, "p|pretty s|since")
	if !ok {
		return status
	}
	up := upFor()
	m := int(up.Minutes())
	if o.Has("p") {
		fmt.Fprintf(c.Out, "up %d hours, %d minutes\n", m/60, m%60)
		return 0
	}
	span := fmt.Sprintf("%d:%02d", m/60%24, m%60)
	if m < 60 {
		span = fmt.Sprintf("%d min", m)
	}
	if m >= 24*60 {
		span = fmt.Sprintf("%d days, %s", m/60/24, span)
	}
	load := "0.00, 0.00, 0.00"
	if data, err := os.ReadFile("/proc/loadavg"); err == nil {
		if f := strings.Fields(string(data)); len(f) >= 3 {
			load = strings.Join(f[:3], ", ")
		}
	}
	fmt.Fprintf(c.Out, " %s up %s,  load average: %s\n", time.Now().Format("15:04:05"), span, load)
	return 0
}
