// SPDX-License-Identifier: Apache-2.0

package ubd

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"

	"lodger/abi"
)

// Spec is what a switch says of one disk.
type Spec struct {
	N        int
	File     string // "" : the switch has no file, and there is no disk
	Base     string // "" : whatever a COW file's header says
	Serial   string
	ReadOnly bool // r
	Sync     bool // s, or ubd=sync before
	NoCOW    bool // d
	Shared   bool // c
	NoTrim   bool // t
	// Scratch: the file is only read, and what the guest writes is kept in memory
	// until its end. No switch says so; lodger run does.
	Scratch bool
}

// Default is the disk that UML has when no switch says anything of number 0.
func Default() Spec { return Spec{File: "root_fs"} }

// The words of ubd_setup_common.
var (
	ErrNumber     = errors.New("Couldn't parse device number")
	ErrRange      = errors.New("Device number out of range")
	ErrConfigured = errors.New("Device is already configured")
	ErrFlag       = errors.New("Expected '=' or flag letter (r, s, c, t or d)")
	ErrTooMany    = errors.New("Too many flags specified")
	ErrNoEquals   = errors.New("Missing '='")
	ErrNoCOW      = errors.New("Can't specify both 'd' and a cow file")
	ErrMajor      = errors.New("fake major not supported any more")
)

// SetupError is a switch that cannot be understood. Boot goes on without it.
type SetupError struct {
	Arg string // without "ubd"
	Err error
}

func (e *SetupError) Error() string {
	return fmt.Sprintf("Failed to initialize device with \"%s\" : %v", e.Arg, e.Err)
}

// Unwrap gives the reason.
func (e *SetupError) Unwrap() error { return e.Err }

// Errno is what UML's ubd_setup_common returns for the reason.
func (e *SetupError) Errno() abi.Errno {
	if e.Err == ErrConfigured {
		return abi.EBUSY
	}
	return abi.EINVAL
}

// Parse reads a switch that is no general one (ubd=...): what follows "ubd".
func Parse(arg string) (Spec, error) {
	s, err := parse(arg, nil)
	if err != nil {
		return s, &SetupError{arg, err}
	}
	return s, nil
}

// maxFlags is sizeof("rscdt=") less the '=' and the NUL, and one more, as UML
// counts.
const maxFlags = 6

// parse is Parse; taken tells of numbers in use, which UML looks at between the
// number and the flags.
func parse(arg string, taken func(int) bool) (s Spec, err error) {
	var rest string
	if s.N, rest, err = unit(arg); err != nil {
		return s, err
	}
	if taken != nil && taken(s.N) {
		return s, ErrConfigured
	}
	equals := false
	for range maxFlags + 1 {
		if rest == "" {
			return s, ErrFlag
		}
		c := rest[0]
		rest = rest[1:]
		if c == '=' {
			equals = true
			break
		}
		switch c {
		case 'r':
			s.ReadOnly = true
		case 's':
			s.Sync = true
		case 'd':
			s.NoCOW = true
		case 'c':
			s.Shared = true
		case 't':
			s.NoTrim = true
		default:
			return s, ErrFlag
		}
	}
	if !equals {
		if strings.HasPrefix(rest, "=") {
			return s, ErrTooMany
		}
		return s, ErrNoEquals
	}
	s.File, rest = field(rest)
	s.Base, rest = field(rest)
	s.Serial, _ = field(rest)
	if s.Base != "" && s.NoCOW {
		return s, ErrNoCOW
	}
	return s, nil
}

// field cuts at the first separator. Names with ',' or ':' in them cannot be said,
// as in UML.
func field(s string) (first, rest string) {
	if i := strings.IndexAny(s, ",:"); i >= 0 {
		return s[:i], s[i+1:]
	}
	return s, ""
}

// unit reads the disk's number: parse_unit, with simple_strtoul of base 0.
func unit(arg string) (n int, rest string, err error) {
	if arg == "" {
		return 0, "", ErrNumber
	}
	switch c := arg[0]; {
	case c >= 'a' && c <= 'z':
		n, rest = int(c-'a'), arg[1:]
	case c >= '0' && c <= '9':
		n, rest = number(arg)
	default:
		return 0, "", ErrNumber
	}
	if n >= MaxDisks {
		return n, "", ErrRange
	}
	return n, rest, nil
}

// number is simple_strtoul: 0x needs a hexadecimal digit after it, 0 means octal,
// and reading ends at the first other byte. Too large ones stay large.
func number(s string) (n int, rest string) {
	base := 10
	if s[0] == '0' {
		base = 8
		if len(s) > 2 && (s[1] == 'x' || s[1] == 'X') && digit(s[2]) < 16 {
			base, s = 16, s[2:]
		}
	}
	for s != "" && digit(s[0]) < base {
		n = min(n*base+digit(s[0]), math.MaxInt32)
		s = s[1:]
	}
	return n, s
}

func digit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return 99
}

// Config is a guest's disks, as its command line and mconsole say.
type Config struct {
	mu    sync.Mutex
	sync  bool         // ubd=sync was said; guarded by mu
	specs map[int]Spec // guarded by mu
}

// Set takes what follows "ubd" in one switch. index is -1 for a general one.
// ErrMajor is a warning only.
func (c *Config) Set(arg string) (index int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if v, ok := strings.CutPrefix(arg, "="); ok {
		if v != "sync" {
			return -1, &SetupError{arg, ErrMajor}
		}
		c.sync = true // of the switches to come
		return -1, nil
	}
	s, err := parse(arg, func(n int) bool { return c.specs[n].File != "" })
	if err != nil {
		return -1, &SetupError{arg, err}
	}
	s.Sync = s.Sync || c.sync
	if c.specs == nil {
		c.specs = map[int]Spec{}
	}
	c.specs[s.N] = s
	return s.N, nil
}

// Remove forgets a disk: hot unplug.
func (c *Config) Remove(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.specs, n)
}

// Specs gives the disks that have a file, by number. Without any word of number 0
// that is the default's.
func (c *Config) Specs() []Spec {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []Spec
	for n := range MaxDisks {
		s, ok := c.specs[n]
		if n == 0 && !ok {
			s = Default()
			s.Sync = c.sync
		}
		if s.File != "" {
			out = append(out, s)
		}
	}
	return out
}
