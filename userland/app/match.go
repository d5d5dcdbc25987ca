// SPDX-License-Identifier: Apache-2.0

package app

import (
	"strings"
	"unicode/utf8"
)

// Match is fnmatch(3) without FNM_PATHNAME: "*" also matches "/". A pattern
// that is malformed matches itself only.
func Match(pattern, s string) bool {
	for pattern != "" {
		switch pattern[0] {
		case '*':
			pattern = strings.TrimLeft(pattern, "*")
			if pattern == "" {
				return true
			}
			for i := range len(s) + 1 {
				if Match(pattern, s[i:]) {
					return true
				}
			}
			return false
		case '?':
			if s == "" {
				return false
			}
			_, n := utf8.DecodeRuneInString(s)
			pattern, s = pattern[1:], s[n:]
			continue
		case '[':
			if set, rest, ok := bracket(pattern); ok {
				if s == "" {
					return false
				}
				r, n := utf8.DecodeRuneInString(s)
				if !set(r) {
					return false
				}
				pattern, s = rest, s[n:]
				continue
			}
		case '\\':
			if len(pattern) > 1 {
				pattern = pattern[1:]
			}
		}
		if s == "" || s[0] != pattern[0] {
			return false
		}
		pattern, s = pattern[1:], s[1:]
	}
	return s == ""
}

// bracket compiles the [...] that pattern starts with.
func bracket(pattern string) (set func(rune) bool, rest string, ok bool) {
	body := pattern[1:]
	negate := body != "" && (body[0] == '!' || body[0] == '^')
	if negate {
		body = body[1:]
	}
	end := strings.IndexByte(body[min(1, len(body)):], ']')
	if end < 0 {
		return nil, "", false
	}
	members := []rune(body[:end+1])
	set = func(r rune) bool {
		for i := 0; i < len(members); i++ {
			lo, hi := members[i], members[i]
			if i+2 < len(members) && members[i+1] == '-' {
				hi = members[i+2]
				i += 2
			}
			if lo <= r && r <= hi {
				return !negate
			}
		}
		return negate
	}
	return set, body[end+2:], true
}
