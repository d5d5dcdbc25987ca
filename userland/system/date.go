// SPDX-License-Identifier: Apache-2.0

package system

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"lodger/userland/app"
)

func date(c *app.Ctx, args []string) int {
	o, status, ok := c.Parse(args, "u|utc|universal R|rfc-email I|iso-8601? d|date: r|reference: s|set: rfc-3339:")
	if !ok {
		return status
	}
	now := time.Now()
	if o.Has("u") {
		now = now.UTC()
	}
	t := now
	if ref := o.Str("r", ""); ref != "" {
		st, err := os.Stat(ref)
		if err != nil {
			c.Fail(ref, err)
			return 1
		}
		t = st.ModTime().In(now.Location())
	}
	for _, key := range []string{"d", "s"} {
		if !o.Has(key) {
			continue
		}
		s := o.Str(key, "")
		var ok bool
		if t, ok = app.ParseTime(s, now); !ok {
			c.Errorf("invalid date %s", app.Quote(s))
			return 1
		}
		t = t.In(now.Location())
		if key == "s" {
			tv := unix.NsecToTimeval(t.UnixNano())
			if err := unix.Settimeofday(&tv); err != nil {
				c.Errorf("cannot set date: %s", app.Reason(err))
			}
		}
	}
	format := "%a %b %e %H:%M:%S %Z %Y"
	switch {
	case o.Has("R"):
		format = "%a, %d %b %Y %H:%M:%S %z"
	case o.Has("I"):
		format = "%Y-%m-%d"
		if strings.HasPrefix(o.Str("I", ""), "s") {
			format = "%Y-%m-%dT%H:%M:%S%:z"
		}
	case o.Has("rfc-3339"):
		format = "%Y-%m-%d %H:%M:%S%:z"
	}
	for _, a := range o.Args {
		f, ok := strings.CutPrefix(a, "+")
		if !ok {
			return c.BadUsage("invalid date %s", app.Quote(a))
		}
		format = f
	}
	fmt.Fprintln(c.Out, strftime(format, t))
	return c.Status()
}

// strftime is strftime(3) in the C locale, with GNU's %N, %:z and the "-"
// flag that leaves out padding.
func strftime(format string, t time.Time) string {
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' || i+1 == len(format) {
			b.WriteByte(format[i])
			continue
		}
		i++
		flag := byte(0)
		if strings.IndexByte("-_0^:", format[i]) >= 0 && i+1 < len(format) {
			flag = format[i]
			i++
		}
		digits := i
		for i+1 < len(format) && format[i] >= '1' && format[i] <= '9' {
			i++
		}
		width, _ := strconv.Atoi(format[digits:i])
		s := timeField(format[i], flag, width, t)
		switch flag {
		case '-':
			if trimmed := strings.TrimLeft(s, "0 "); trimmed != "" {
				s = trimmed
			} else {
				s = "0"
			}
		case '_':
			if trimmed := strings.TrimLeft(s[:len(s)-1], "0"); true {
				s = strings.Repeat(" ", len(s)-1-len(trimmed)) + trimmed + s[len(s)-1:]
			}
		case '^':
			s = strings.ToUpper(s)
		}
		b.WriteString(s)
	}
	return b.String()
}

func timeField(letter, flag byte, width int, t time.Time) string {
	two := func(n int) string { return fmt.Sprintf("%02d", n) }
	layouts := map[byte]string{'a': "Mon", 'A': "Monday", 'b': "Jan", 'h': "Jan", 'B': "January", 'd': "02", 'e': "_2", 'H': "15", 'I': "03",
		'm': "01", 'M': "04", 'p': "PM", 'S': "05", 'y': "06", 'Y': "2006", 'Z': "MST", 'z': "-0700", 'F': "2006-01-02", 'T': "15:04:05",
		'D': "01/02/06", 'R': "15:04", 'r': "03:04:05 PM", 'c': "Mon Jan _2 15:04:05 2006", 'x': "01/02/06", 'X': "15:04:05", 'j': "002"}
	if letter == 'z' && flag == ':' {
		return t.Format("-07:00")
	}
	if l, ok := layouts[letter]; ok {
		return t.Format(l)
	}
	switch letter {
	case '%':
		return "%"
	case 'n':
		return "\n"
	case 't':
		return "\t"
	case 's':
		return strconv.FormatInt(t.Unix(), 10)
	case 'N':
		s := fmt.Sprintf("%09d", t.Nanosecond())
		if width > 0 && width < 9 {
			s = s[:width]
		}
		return s
	case 'C':
		return two(t.Year() / 100)
	case 'k':
		return fmt.Sprintf("%2d", t.Hour())
	case 'l':
		return fmt.Sprintf("%2d", (t.Hour()+11)%12+1)
	case 'P':
		return strings.ToLower(t.Format("PM"))
	case 'u':
		return strconv.Itoa((int(t.Weekday())+6)%7 + 1)
	case 'w':
		return strconv.Itoa(int(t.Weekday()))
	case 'U':
		return two((t.YearDay() + 6 - int(t.Weekday())) / 7)
	case 'W':
		return two((t.YearDay() + 6 - (int(t.Weekday())+6)%7) / 7)
	case 'G':
		y, _ := t.ISOWeek()
		return strconv.Itoa(y)
	case 'V':
		_, w := t.ISOWeek()
		return two(w)
	}
	return "%" + string(letter)
}
