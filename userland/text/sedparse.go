// SPDX-License-Identifier: Apache-2.0

package text

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// sedParser compiles a sed script.
type sedParser struct {
	src    string
	at     int
	ext    bool
	last   *regexp.Regexp // for the empty expression
	blocks []int
	labels map[string]int
}

func (p *sedParser) parse() ([]sedCmd, error) {
	var cmds []sedCmd
	p.labels = map[string]int{}
	for {
		p.skip(" \t\n;")
		if p.at == len(p.src) {
			break
		}
		if p.src[p.at] == '#' {
			p.line()
			continue
		}
		c, err := p.command(len(cmds))
		if err != nil {
			return nil, err
		}
		if c.op == '}' {
			if len(p.blocks) == 0 {
				return nil, fmt.Errorf("unexpected `}'")
			}
			cmds[p.blocks[len(p.blocks)-1]].jump = len(cmds)
			p.blocks = p.blocks[:len(p.blocks)-1]
		}
		cmds = append(cmds, c)
	}
	if len(p.blocks) > 0 {
		return nil, fmt.Errorf("unmatched `{'")
	}
	for i := range cmds {
		if c := &cmds[i]; c.op == 'b' || c.op == 't' {
			at, ok := p.labels[c.text]
			if c.text == "" {
				at, ok = len(cmds), true
			}
			if !ok {
				return nil, fmt.Errorf("can't find label for jump to `%s'", c.text)
			}
			c.jump = at
		}
	}
	return cmds, nil
}

func (p *sedParser) skip(set string) {
	for p.at < len(p.src) && strings.IndexByte(set, p.src[p.at]) >= 0 {
		p.at++
	}
}

func (p *sedParser) peek() byte {
	if p.at < len(p.src) {
		return p.src[p.at]
	}
	return 0
}

// line takes the rest of the line.
func (p *sedParser) line() string {
	rest := p.src[p.at:]
	if i := strings.IndexByte(rest, '\n'); i >= 0 {
		rest = rest[:i]
	}
	p.at += len(rest)
	return rest
}

func (p *sedParser) number() int {
	from := p.at
	p.skip("0123456789")
	n, _ := strconv.Atoi(p.src[from:p.at])
	return n
}

func (p *sedParser) command(index int) (c sedCmd, err error) {
	if c.from, err = p.address(); err != nil {
		return c, err
	}
	p.skip(" \t")
	if c.from != nil && p.peek() == ',' {
		p.at++
		p.skip(" \t")
		if c.to, err = p.address(); err != nil {
			return c, err
		}
		if c.to == nil {
			return c, fmt.Errorf("unexpected `,'")
		}
	}
	p.skip(" \t")
	for p.peek() == '!' {
		c.negate = true
		p.at++
		p.skip(" \t")
	}
	if p.at == len(p.src) {
		return c, fmt.Errorf("missing command")
	}
	c.op = p.src[p.at]
	p.at++
	switch c.op {
	case '{':
		p.blocks = append(p.blocks, index)
		return c, nil
	case '}', '=', 'd', 'D', 'g', 'G', 'h', 'H', 'n', 'N', 'p', 'P', 'x':
	case 'q', 'Q':
		p.skip(" \t")
		c.status = p.number()
	case 's':
		if err = p.substitution(&c); err != nil {
			return c, err
		}
	case 'y':
		if err = p.transliteration(&c); err != nil {
			return c, err
		}
	case 'a', 'i', 'c':
		c.text = p.text()
		return c, nil
	case 'r', 'w':
		p.skip(" \t")
		c.text = p.line()
		return c, nil
	case ':', 'b', 't':
		p.skip(" \t")
		from := p.at
		for p.at < len(p.src) && strings.IndexByte("\n; \t}", p.src[p.at]) < 0 {
			p.at++
		}
		c.text = p.src[from:p.at]
		if c.op == ':' {
			p.labels[c.text] = index
		}
	default:
		return c, fmt.Errorf("unknown command: `%c'", c.op)
	}
	p.skip(" \t")
	if p.at < len(p.src) && strings.IndexByte("\n;}#", p.src[p.at]) < 0 {
		return c, fmt.Errorf("extra characters after command")
	}
	return c, nil
}

func (p *sedParser) address() (*sedAddr, error) {
	switch ch := p.peek(); {
	case ch == '$':
		p.at++
		return &sedAddr{last: true}, nil
	case ch >= '0' && ch <= '9':
		a := &sedAddr{line: p.number()}
		if p.peek() == '~' {
			p.at++
			a.step = p.number()
		}
		return a, nil
	case ch == '+':
		p.at++
		return &sedAddr{line: p.number(), plus: true}, nil
	case ch == '/' || ch == '\\':
		p.at++
		if ch == '\\' {
			ch = p.peek()
			p.at++
		}
		pattern, ok := p.until(ch, true)
		if !ok {
			return nil, fmt.Errorf("unterminated address regex")
		}
		fold := p.peek() == 'I'
		if fold {
			p.at++
		}
		re, err := p.compile(pattern, fold)
		return &sedAddr{re: re}, err
	}
	return nil, nil
}

func (p *sedParser) compile(pattern string, fold bool) (*regexp.Regexp, error) {
	if pattern == "" && p.last != nil {
		return p.last, nil
	}
	re, err := compile(pattern, p.ext, fold)
	p.last = re
	return re, err
}

// until takes text up to an unescaped delim. In an expression delim is plain
// within brackets.
func (p *sedParser) until(delim byte, expr bool) (string, bool) {
	var b strings.Builder
	for p.at < len(p.src) {
		ch := p.src[p.at]
		switch {
		case ch == delim:
			p.at++
			return b.String(), true
		case ch == '\\' && p.at+1 < len(p.src):
			p.at++
			if p.src[p.at] != delim || strings.IndexByte("|+?(){}.*[]^$&", delim) >= 0 && !expr {
				b.WriteByte('\\')
			}
			b.WriteByte(p.src[p.at])
		case ch == '[' && expr:
			if _, n := bracketSet(p.src[p.at:]); n > 0 && !strings.Contains(p.src[p.at:p.at+n], "\n") {
				b.WriteString(p.src[p.at : p.at+n])
				p.at += n
				continue
			}
			b.WriteByte(ch)
		default:
			b.WriteByte(ch)
		}
		p.at++
	}
	return "", false
}

func (p *sedParser) substitution(c *sedCmd) error {
	delim := p.peek()
	p.at++
	pattern, ok1 := p.until(delim, true)
	repl, ok2 := p.until(delim, false)
	if !ok1 || !ok2 || delim == 0 {
		return fmt.Errorf("unterminated `s' command")
	}
	c.repl = repl
	fold := false
	for done := false; !done; {
		switch f := p.peek(); {
		case f == 'g':
			c.global = true
		case f == 'p':
			c.print = true
		case f == 'i' || f == 'I':
			fold = true
		case f == 'm' || f == 'M':
		case f >= '1' && f <= '9':
			c.nth = p.number()
			continue
		case f == 'w':
			p.at++
			p.skip(" \t")
			c.text = p.line()
			done = true
			continue
		default:
			done = true
			continue
		}
		p.at++
	}
	var err error
	c.re, err = p.compile(pattern, fold)
	return err
}

func (p *sedParser) transliteration(c *sedCmd) error {
	delim := p.peek()
	p.at++
	from, ok1 := p.until(delim, false)
	to, ok2 := p.until(delim, false)
	if !ok1 || !ok2 || delim == 0 {
		return fmt.Errorf("unterminated `y' command")
	}
	plain := strings.NewReplacer(`\n`, "\n", `\t`, "\t", `\\`, `\`)
	c.text, c.repl = plain.Replace(from), plain.Replace(to)
	if len([]rune(c.text)) != len([]rune(c.repl)) {
		return fmt.Errorf("strings for `y' command are different lengths")
	}
	return nil
}

// text is the argument of a, i and c: what follows on the line, or after a
// backslash the next lines as long as each ends in one.
func (p *sedParser) text() string {
	p.skip(" \t")
	if strings.HasPrefix(p.src[p.at:], "\\") {
		p.at++
		p.skip(" \t")
		if p.peek() == '\n' {
			p.at++
		}
	}
	var b strings.Builder
	for p.at < len(p.src) && p.src[p.at] != '\n' {
		if p.src[p.at] == '\\' && p.at+1 < len(p.src) {
			p.at++
		}
		b.WriteByte(p.src[p.at])
		p.at++
	}
	return b.String()
}
