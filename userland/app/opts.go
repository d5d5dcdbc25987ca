// SPDX-License-Identifier: Apache-2.0

package app

import (
	"strconv"
	"strings"
)

// Opt is one option as given: Key is the first name in its specification.
type Opt struct{ Key, Value string }

// Opts are the parsed options in the order given, and the operands.
type Opts struct {
	Order []Opt
	Args  []string
}

// Has reports whether the option was given.
func (o *Opts) Has(key string) bool { return o.Count(key) > 0 }

// Count is how often the option was given.
func (o *Opts) Count(key string) int {
	n := 0
	for _, opt := range o.Order {
		if opt.Key == key {
			n++
		}
	}
	return n
}

// Str is the last value of the option, or def.
func (o *Opts) Str(key, def string) string {
	for _, opt := range o.Order {
		if opt.Key == key {
			def = opt.Value
		}
	}
	return def
}

// All are the values of a repeated option.
func (o *Opts) All(key string) []string {
	var all []string
	for _, opt := range o.Order {
		if opt.Key == key {
			all = append(all, opt.Value)
		}
	}
	return all
}

// Last is the option among keys that was given last, or "".
func (o *Opts) Last(keys string) string {
	last := ""
	for _, opt := range o.Order {
		if len(opt.Key) == 1 && strings.Contains(keys, opt.Key) {
			last = opt.Key
		}
	}
	return last
}

// Int is the last value of the option as a number; ok is false when it is none.
func (o *Opts) Int(key string, def int64) (n int64, ok bool) {
	s := o.Str(key, "")
	if s == "" {
		return def, true
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}

type optSpec struct {
	key      string
	names    []string
	value    bool // takes a value
	optional bool // only as --name=value
}

func parseSpec(spec string) []optSpec {
	var specs []optSpec
	for _, f := range strings.Fields(spec) {
		var s optSpec
		f, s.value = strings.CutSuffix(f, ":")
		f, s.optional = strings.CutSuffix(f, "?")
		s.names = strings.Split(f, "|")
		s.key = s.names[0]
		specs = append(specs, s)
	}
	return specs
}

func find(specs []optSpec, name string) *optSpec {
	for i := range specs {
		for _, n := range specs[i].names {
			if n == name {
				return &specs[i]
			}
		}
	}
	return nil
}

// findLong also accepts an unambiguous beginning, as getopt_long(3) does.
func findLong(specs []optSpec, name string) *optSpec {
	if s := find(specs, name); s != nil {
		return s
	}
	var got *optSpec
	for i := range specs {
		for _, n := range specs[i].names {
			if len(n) > 1 && strings.HasPrefix(n, name) {
				if got != nil && got != &specs[i] {
					return nil
				}
				got = &specs[i]
			}
		}
	}
	return got
}

// Parse reads options as getopt_long(3) does. spec has one word per option:
// its names with | between them (a single letter is a short option), followed
// by ":" when it takes a value or "?" when it may take one as --name=value. A
// spec that starts with "+" stops at the first operand. When ok is false the
// program ends with status: help was asked for, or the options are wrong.
func (c *Ctx) Parse(args []string, spec string) (o *Opts, status int, ok bool) {
	rest, inOrder := strings.CutPrefix(spec, "+")
	specs := parseSpec(rest)
	o = &Opts{}
	for i := 0; i < len(args); i++ {
		arg := args[i]
		if arg == "--" {
			o.Args = append(o.Args, args[i+1:]...)
			break
		}
		if len(arg) < 2 || arg[0] != '-' {
			if inOrder {
				o.Args = append(o.Args, args[i:]...)
				break
			}
			o.Args = append(o.Args, arg)
			continue
		}
		if arg == "--help" || (arg == "-h" && find(specs, "h") == nil) {
			c.Help()
			return nil, 0, false
		}
		var used int
		if strings.HasPrefix(arg, "--") {
			used, ok = o.long(c, specs, arg[2:], args[i+1:])
		} else {
			used, ok = o.short(c, specs, arg[1:], args[i+1:])
		}
		if !ok {
			return nil, c.trouble, false
		}
		i += used
	}
	return o, 0, true
}

// long handles --name and --name=value; used is how many of next it took.
func (o *Opts) long(c *Ctx, specs []optSpec, arg string, next []string) (used int, ok bool) {
	name, value, hasValue := strings.Cut(arg, "=")
	s := findLong(specs, name)
	switch {
	case s == nil:
		c.BadUsage("unrecognized option '--%s'", arg)
		return 0, false
	case hasValue && !s.value && !s.optional:
		c.BadUsage("option '--%s' doesn't allow an argument", name)
		return 0, false
	case s.value && !hasValue:
		if len(next) == 0 {
			c.BadUsage("option '--%s' requires an argument", name)
			return 0, false
		}
		value, used = next[0], 1
	}
	o.Order = append(o.Order, Opt{s.key, value})
	return used, true
}

// short handles a cluster such as -la or -n5.
func (o *Opts) short(c *Ctx, specs []optSpec, arg string, next []string) (used int, ok bool) {
	for j := 0; j < len(arg); j++ {
		s := find(specs, arg[j:j+1])
		if s == nil {
			c.BadUsage("invalid option -- '%c'", arg[j])
			return 0, false
		}
		if !s.value {
			o.Order = append(o.Order, Opt{Key: s.key})
			continue
		}
		value := arg[j+1:]
		if value == "" {
			if len(next) == 0 {
				c.BadUsage("option requires an argument -- '%c'", arg[j])
				return 0, false
			}
			value, used = next[0], 1
		}
		o.Order = append(o.Order, Opt{s.key, value})
		break
	}
	return used, true
}
