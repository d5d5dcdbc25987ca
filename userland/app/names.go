// SPDX-License-Identifier: Apache-2.0

package app

import (
	"os"
	"strconv"
	"strings"
)

// lookup finds the row of a passwd(5)-like file whose field f is want and
// returns its field g.
func lookup(file string, f int, want string, g int) (string, bool) {
	data, err := os.ReadFile(file)
	if err != nil {
		return "", false
	}
	for line := range strings.Lines(string(data)) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), ":")
		if len(fields) > max(f, g) && fields[f] == want {
			return fields[g], true
		}
	}
	return "", false
}

// UserName is the login name of uid, or its number when it has none.
func UserName(uid uint32) string {
	n := strconv.FormatUint(uint64(uid), 10)
	if s, ok := lookup("/etc/passwd", 2, n, 0); ok {
		return s
	}
	return n
}

// GroupName is the name of gid, or its number when it has none.
func GroupName(gid uint32) string {
	n := strconv.FormatUint(uint64(gid), 10)
	if s, ok := lookup("/etc/group", 2, n, 0); ok {
		return s
	}
	return n
}

// UserID is the number behind a user name or a decimal number.
func UserID(s string) (int, bool) {
	if n, ok := lookup("/etc/passwd", 0, s, 2); ok {
		s = n
	}
	n, err := strconv.ParseUint(s, 10, 32)
	return int(n), err == nil
}

// LoginGroup is the first group of a user of passwd(5).
func LoginGroup(user string) (int, bool) {
	s, ok := lookup("/etc/passwd", 0, user, 3)
	if !ok {
		return 0, false
	}
	n, err := strconv.Atoi(s)
	return n, err == nil
}

// GroupID is the number behind a group name or a decimal number.
func GroupID(s string) (int, bool) {
	if n, ok := lookup("/etc/group", 0, s, 2); ok {
		s = n
	}
	n, err := strconv.ParseUint(s, 10, 32)
	return int(n), err == nil
}

// HumanSize is n bytes as df -h and ls -h show it: three significant places
// at most, powers of 1024, rounded up.
func HumanSize(n uint64) string {
	if n < 1024 {
		return strconv.FormatUint(n, 10)
	}
	unit := -1
	div := uint64(1)
	for n/div >= 1024 && unit < 5 {
		div *= 1024
		unit++
	}
	tenths := (n*10 + div - 1) / div
	if n > 1<<60 {
		tenths = n / div * 10
	}
	if tenths < 100 {
		return strconv.FormatUint(tenths/10, 10) + "." + strconv.FormatUint(tenths%10, 10) + string("KMGTPE"[unit])
	}
	return strconv.FormatUint((tenths+9)/10, 10) + string("KMGTPE"[unit])
}
