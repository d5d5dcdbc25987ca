// SPDX-License-Identifier: Apache-2.0

package text

import (
	"fmt"
	"regexp"
	"strings"
)

// compile makes a Go expression of a POSIX one: basic, or extended with ext.
// Matching is leftmost-longest as POSIX wants it. Back references are refused.
func compile(pattern string, ext, fold bool) (*regexp.Regexp, error) {
	p, err := translate(pattern, ext)
	if err != nil {
		return nil, err
	}
	if fold {
		p = "(?i)" + p
	}
	re, err := regexp.Compile(p)
	if err != nil {
		return nil, fmt.Errorf("invalid regular expression: %s", pattern)
	}
	re.Longest()
	return re, nil
}

// translate rewrites a POSIX expression in Go's syntax. In basic ones the
// letters ( ) { } + ? | are special behind a backslash and plain without.
func translate(p string, ext bool) (string, error) {
	var b strings.Builder
	start := true // where a basic "*" is plain and "^" an anchor
	for i := 0; i < len(p); i++ {
		ch := p[i]
		switch {
		case ch == '[':
			set, n := bracketSet(p[i:])
			if n == 0 {
				return "", fmt.Errorf("Unmatched [, [^, [:, [., or [=")
			}
			b.WriteString(set)
			i += n - 1
		case ch == '\\':
			if i++; i == len(p) {
				return "", fmt.Errorf("Trailing backslash")
			}
			switch e := p[i]; {
			case e >= '1' && e <= '9':
				return "", fmt.Errorf("back references are not supported")
			case !ext && strings.IndexByte("(){}+?|", e) >= 0:
				b.WriteByte(e)
				start = e == '(' || e == '|'
				continue
			case e == '<' || e == '>':
				b.WriteString(`\b`)
			case strings.IndexByte("wWsSbBnt", e) >= 0:
				b.WriteString(`\` + string(e))
			case e == '`':
				b.WriteString(`\A`)
			case e == '\'':
				b.WriteString(`\z`)
			default:
				b.WriteString(regexp.QuoteMeta(string(e)))
			}
		case !ext && strings.IndexByte("(){}+?|", ch) >= 0:
			b.WriteString(`\` + string(ch))
		case !ext && ch == '*' && start:
			b.WriteString(`\*`)
		case !ext && ch == '^':
			if !start {
				b.WriteByte('\\')
			}
			b.WriteByte(ch)
			continue
		case !ext && ch == '$' && i+1 < len(p) && !strings.HasPrefix(p[i+1:], `\)`) && !strings.HasPrefix(p[i+1:], `\|`):
			b.WriteString(`\$`)
		case ext && ch == '{' && (i+1 == len(p) || p[i+1] < '0' || p[i+1] > '9'):
			b.WriteString(`\{`)
		default:
			b.WriteByte(ch)
		}
		start = false
	}
	return b.String(), nil
}

// bracketSet copies a [...] expression; a backslash in it is plain in POSIX.
func bracketSet(p string) (set string, n int) {
	i := 1
	if i < len(p) && p[i] == '^' {
		i++
	}
	var b strings.Builder
	b.WriteString(p[:i])
	for first := true; i < len(p); first = false {
		switch {
		case p[i] == ']' && !first:
			b.WriteByte(']')
			return b.String(), i + 1
		case strings.HasPrefix(p[i:], "[:"):
			end := strings.Index(p[i:], ":]")
			if end < 0 {
				return "", 0
			}
			b.WriteString(p[i : i+end+2])
			i += end + 2
			continue
		case p[i] == '\\' && i+1 < len(p) && (p[i+1] == 'n' || p[i+1] == 't'):
			b.WriteString(p[i : i+2])
			i += 2
			continue
		case strings.IndexByte(`\[]`, p[i]) >= 0:
			b.WriteByte('\\')
		}
		b.WriteByte(p[i])
		i++
	}
	return "", 0
}
