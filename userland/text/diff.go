// SPDX-License-Identifier: Apache-2.0

package text

import (
	"fmt"
	"io"
	"os"
	"sort"
	"strings"

	"lodger/userland/app"
)

type differ struct {
	c       *app.Ctx
	o       *app.Opts
	context int
	changed bool
}

func diff(c *app.Ctx, args []string) int {
	o, status, ok := c.Parse(args, "u U|unified: q|brief r|recursive N|new-file a|text b|ignore-space-change w|ignore-all-space i|ignore-case s L|label: B d")
	if !ok {
		return status
	}
	if len(o.Args) != 2 {
		return c.Missing()
	}
	context, ok := o.Int("U", 3)
	if !ok {
		return c.BadUsage("invalid context length %s", app.Quote(o.Str("U", "")))
	}
	d := &differ{c: c, o: o, context: int(context)}
	a, b := o.Args[0], o.Args[1]
	sa, ea := os.Stat(a)
	sb, eb := os.Stat(b)
	switch {
	case ea == nil && eb == nil && sa.IsDir() && sb.IsDir():
		d.dirs(a, b)
	case ea == nil && sa.IsDir():
		d.files(a+"/"+b[strings.LastIndexByte(b, '/')+1:], b)
	case eb == nil && sb.IsDir():
		d.files(a, b+"/"+a[strings.LastIndexByte(a, '/')+1:])
	default:
		d.files(a, b)
	}
	if c.Status() != 0 {
		return 2
	}
	if d.changed {
		return 1
	}
	return 0
}

func (d *differ) dirs(a, b string) {
	names := map[string]int{}
	for bit, dir := range []string{a, b} {
		list, err := os.ReadDir(dir)
		if err != nil {
			d.c.Fail(dir, err)
		}
		for _, e := range list {
			names[e.Name()] |= 1 << bit
		}
	}
	var sorted []string
	for name := range names {
		sorted = append(sorted, name)
	}
	sort.Strings(sorted)
	for _, name := range sorted {
		x, y := a+"/"+name, b+"/"+name
		if names[name] != 3 && !d.o.Has("N") {
			d.changed = true
			fmt.Fprintf(d.c.Out, "Only in %s: %s\n", []string{"", a, b}[names[name]], name)
			continue
		}
		sx, _ := os.Stat(x)
		sy, _ := os.Stat(y)
		dx, dy := sx != nil && sx.IsDir(), sy != nil && sy.IsDir()
		switch {
		case dx && dy || (dx || dy) && (sx == nil || sy == nil):
			if d.o.Has("r") {
				d.dirs(x, y)
			} else {
				fmt.Fprintf(d.c.Out, "Common subdirectories: %s and %s\n", x, y)
			}
		case dx != dy:
			d.changed = true
			fmt.Fprintf(d.c.Out, "File %s is a directory while the other is not\n", x)
		default:
			d.files(x, y)
		}
	}
}

func (d *differ) read(name string) (string, bool) {
	if name == "-" {
		data, err := io.ReadAll(d.c.In)
		return string(data), err == nil
	}
	data, err := os.ReadFile(name)
	if os.IsNotExist(err) && d.o.Has("N") {
		return "", true
	}
	if err != nil {
		d.c.Fail(name, err)
	}
	return string(data), err == nil
}

func (d *differ) files(a, b string) {
	x, ok1 := d.read(a)
	y, ok2 := d.read(b)
	if !ok1 || !ok2 {
		return
	}
	if x == y {
		if d.o.Has("s") {
			fmt.Fprintf(d.c.Out, "Files %s and %s are identical\n", a, b)
		}
		return
	}
	binary := !d.o.Has("a") && (strings.IndexByte(x, 0) >= 0 || strings.IndexByte(y, 0) >= 0)
	if binary || d.o.Has("q") {
		d.changed = true
		word := "Files"
		if binary && !d.o.Has("q") {
			word = "Binary files"
		}
		fmt.Fprintf(d.c.Out, "%s %s and %s differ\n", word, a, b)
		return
	}
	d.unified(a, b, splitLines(x), splitLines(y))
}

func splitLines(s string) []string {
	lines := strings.SplitAfter(s, "\n")
	if n := len(lines); lines[n-1] == "" {
		lines = lines[:n-1]
	}
	return lines
}

// key is what of a line counts in the comparison.
func (d *differ) key(line string) string {
	switch {
	case d.o.Has("w"):
		line = strings.Join(strings.Fields(line), "")
	case d.o.Has("b"):
		line = strings.TrimRight(strings.Join(strings.Fields(" "+line), " "), " ")
	}
	if d.o.Has("i") {
		line = strings.ToLower(line)
	}
	return line
}

// edit is one line of the script: ' ' kept, '-' removed, '+' added. i and j are
// the places in the two files before it.
type edit struct {
	op   byte
	i, j int
	line string
}

func (d *differ) unified(nameA, nameB string, a, b []string) {
	script := d.script(a, b)
	var hunks [][]edit
	for at := 0; at < len(script); {
		if script[at].op == ' ' {
			at++
			continue
		}
		start := max(0, at-d.context)
		end, quiet := at, 0
		for end < len(script) && quiet <= 2*d.context {
			if quiet++; script[end].op != ' ' {
				quiet = 0
			}
			end++
		}
		if quiet > d.context {
			end -= quiet - d.context
		}
		hunks = append(hunks, script[start:end])
		at = end
	}
	if len(hunks) == 0 {
		return
	}
	d.changed = true
	labels := append(d.o.All("L"), "", "")
	for i, name := range []string{nameA, nameB} {
		label := labels[i]
		if label == "" {
			label = name
			if st, err := os.Stat(name); err == nil {
				label += "\t" + st.ModTime().Format("2006-01-02 15:04:05.000000000 -0700")
			}
		}
		fmt.Fprintf(d.c.Out, "%s %s\n", []string{"---", "+++"}[i], label)
	}
	for _, h := range hunks {
		d.hunk(h)
	}
}

func (d *differ) hunk(h []edit) {
	na, nb := 0, 0
	for _, e := range h {
		if e.op != '+' {
			na++
		}
		if e.op != '-' {
			nb++
		}
	}
	place := func(at, n int) string {
		if n != 0 {
			at++
		}
		if n == 1 {
			return fmt.Sprint(at)
		}
		return fmt.Sprintf("%d,%d", at, n)
	}
	out := d.c.Out
	fmt.Fprintf(out, "@@ -%s +%s @@\n", place(h[0].i, na), place(h[0].j, nb))
	for _, e := range h {
		out.WriteByte(e.op)
		out.WriteString(e.line)
		if !strings.HasSuffix(e.line, "\n") {
			out.WriteString("\n\\ No newline at end of file\n")
		}
	}
}

// script finds a shortest edit script by Myers' greedy algorithm ("An O(ND)
// Difference Algorithm", 1986), keeping each round's reach to walk back.
func (d *differ) script(a, b []string) []edit {
	ka, kb := make([]string, len(a)), make([]string, len(b))
	for i := range a {
		ka[i] = d.key(a[i])
	}
	for i := range b {
		kb[i] = d.key(b[i])
	}
	n, m := len(a), len(b)
	off := n + m + 1
	v := make([]int, 2*off+1)
	var rounds [][]int
search:
	for r := 0; r <= n+m; r++ {
		rounds = append(rounds, append([]int(nil), v[off-r-1:off+r+2]...))
		for k := -r; k <= r; k += 2 {
			x := v[off+k-1] + 1
			if k == -r || k != r && v[off+k-1] < v[off+k+1] {
				x = v[off+k+1]
			}
			y := x - k
			for x < n && y < m && ka[x] == kb[y] {
				x, y = x+1, y+1
			}
			if v[off+k] = x; x >= n && y >= m {
				break search
			}
		}
	}
	var back []edit
	x, y := n, m
	for r := len(rounds) - 1; r >= 0; r-- {
		reach := func(k int) int { return rounds[r][k+r+1] }
		k := x - y
		px, py := 0, 0
		if r > 0 {
			pk := k - 1
			if k == -r || k != r && reach(k-1) < reach(k+1) {
				pk = k + 1
			}
			px = reach(pk)
			py = px - pk
		}
		for x > px && y > py {
			x, y = x-1, y-1
			back = append(back, edit{' ', x, y, a[x]})
		}
		if r == 0 {
			break
		}
		if x == px {
			y--
			back = append(back, edit{'+', x, y, b[y]})
		} else {
			x--
			back = append(back, edit{'-', x, y, a[x]})
		}
	}
	for i, j := 0, len(back)-1; i < j; i, j = i+1, j-1 {
		back[i], back[j] = back[j], back[i]
	}
	return back
}
