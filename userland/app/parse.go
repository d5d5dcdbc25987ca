// SPDX-License-Identifier: Apache-2.0

package app

import (
	"strconv"
	"strings"
	"time"
)

// ParseSize reads a number of bytes with an optional suffix of the core
// utilities: b (512), k or K, M, G, T (powers of 1024), kB, MB, ... (of 1000).
func ParseSize(s string) (int64, bool) {
	digits := strings.TrimRight(s, "bcwkKMGTPBiw")
	suffix := s[len(digits):]
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return 0, false
	}
	switch suffix {
	case "", "c":
		return n, true
	case "b":
		return n * 512, true
	case "w":
		return n * 2, true
	}
	base := int64(1024)
	letter := suffix
	if s, ok := strings.CutSuffix(suffix, "iB"); ok {
		letter = s
	} else if s, ok := strings.CutSuffix(suffix, "B"); ok {
		letter, base = s, 1000
	}
	if letter == "k" {
		letter = "K"
	}
	i := strings.Index("KMGTP", letter)
	if len(letter) != 1 || i < 0 {
		return 0, false
	}
	for range i + 1 {
		n *= base
	}
	return n, true
}

// ParseDuration reads the seconds of sleep(1) and timeout(1): a decimal number
// with an optional s, m, h or d.
func ParseDuration(s string) (time.Duration, bool) {
	unit := time.Second
	if s != "" {
		switch s[len(s)-1] {
		case 's':
			s = s[:len(s)-1]
		case 'm':
			unit, s = time.Minute, s[:len(s)-1]
		case 'h':
			unit, s = time.Hour, s[:len(s)-1]
		case 'd':
			unit, s = 24*time.Hour, s[:len(s)-1]
		}
	}
	if s == "infinity" || s == "inf" {
		return 1<<63 - 1, true
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || f < 0 || f != f {
		return 0, false
	}
	if ns := f * float64(unit); ns < 1<<62 {
		return time.Duration(ns), true
	}
	return 1<<63 - 1, true
}

// ParseTime reads the forms of date -d and touch -d that scripts use: @SECONDS,
// now, today, yesterday, tomorrow and ISO 8601 dates.
func ParseTime(s string, now time.Time) (time.Time, bool) {
	s = strings.TrimSpace(s)
	if sec, ok := strings.CutPrefix(s, "@"); ok {
		whole, frac, _ := strings.Cut(sec, ".")
		n, err := strconv.ParseInt(whole, 10, 64)
		nsec, _ := strconv.ParseInt((frac + "000000000")[:9], 10, 64)
		return time.Unix(n, nsec), err == nil
	}
	switch s {
	case "", "now", "today":
		return now, true
	case "yesterday":
		return now.AddDate(0, 0, -1), true
	case "tomorrow":
		return now.AddDate(0, 0, 1), true
	}
	if z, ok := strings.CutSuffix(s, " UTC"); ok {
		s = z + "Z"
	}
	for _, layout := range []string{
		"2006-01-02", "2006-01-02 15:04", "2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006-01-02 15:04:05Z07:00",
		time.RFC3339, "2006-01-02 15:04:05 -0700", "2006-01-02Z07:00", "20060102", "15:04", "15:04:05",
		time.UnixDate, time.ANSIC, time.RFC1123, time.RFC1123Z, "2 Jan 2006", "Jan 2 2006",
	} {
		t, err := time.ParseInLocation(layout, s, now.Location())
		if err != nil {
			continue
		}
		if t.Year() == 0 {
			y, m, d := now.Date()
			t = time.Date(y, m, d, t.Hour(), t.Minute(), t.Second(), 0, now.Location())
		}
		return t, true
	}
	return time.Time{}, false
}
