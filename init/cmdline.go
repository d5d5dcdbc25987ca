// SPDX-License-Identifier: Apache-2.0

package boot

import (
	"fmt"
	"strings"

	"lodger/drivers/ubd"
	"lodger/lib/printk"
)

// Cmdline is a kernel command line: what UML takes from its arguments and Linux
// from its boot loader (init/main.c, arch/um/kernel/um_arch.c). Its zero value is an
// empty one.
type Cmdline struct {
	Text       string // as /proc/cmdline shows it
	Root       string // root=
	RootFSType string // rootfstype=, names separated by commas
	RootFlags  string // rootflags=
	RW         bool   // rw; the last of ro and rw counts
	Init       string // init=
	Hostname   string // hostname=
	NoReboot   bool   // noreboot: a restart is an end
	// What becomes of the kernel's messages. LogLevel: what is below it is printed; 0:
	// not said.
	LogLevel       int    // quiet, debug, loglevel=; the last counts
	IgnoreLogLevel bool   // ignore_loglevel
	LogBufLen      int    // log_buf_len=; 0: not said
	NoPrintkTime   bool   // printk.time=0
	DevKmsg        string // printk.devkmsg=
	Disks          ubd.Config
	// InitArgs and InitEnv are for init: what nobody here knows.
	InitArgs, InitEnv []string
	// Warnings are what the kernel says of words that it cannot use, and goes on.
	Warnings []string
}

// parameter is a word that the kernel knows. Names that end in * are prefixes.
type parameter struct {
	name string
	set  func(c *Cmdline, name, val string)
}

// parameters lists the words; one row each. A word without = has the value "".
func parameters() []parameter {
	return []parameter{
		{"root", func(c *Cmdline, _, v string) { c.Root = v }},
		{"rootfstype", func(c *Cmdline, _, v string) { c.RootFSType = v }},
		{"rootflags", func(c *Cmdline, _, v string) { c.RootFlags = v }},
		{"rw", func(c *Cmdline, _, _ string) { c.RW = true }},
		{"ro", func(c *Cmdline, _, _ string) { c.RW = false }},
		{"init", func(c *Cmdline, _, v string) { c.Init, c.InitArgs = v, nil }}, // init_setup
		{"hostname", func(c *Cmdline, _, v string) { c.Hostname = v }},
		{"noreboot", func(c *Cmdline, _, _ string) { c.NoReboot = true }},
		{"quiet", func(c *Cmdline, _, _ string) { c.LogLevel = printk.ConsoleQuiet }},
		{"debug", func(c *Cmdline, _, _ string) { c.LogLevel = printk.ConsoleDebug }},
		{"loglevel", (*Cmdline).logLevel},
		{"ignore_loglevel", func(c *Cmdline, _, _ string) { c.IgnoreLogLevel = true }},
		{"log_buf_len", (*Cmdline).logBufLen},
		{"printk.time", func(c *Cmdline, _, v string) { c.NoPrintkTime = v == "0" || v == "n" || v == "N" || v == "off" }},
		{"printk.devkmsg", func(c *Cmdline, _, v string) { c.DevKmsg = v }},
		{"ubd*", (*Cmdline).disk},
		{"udb*", func(c *Cmdline, name, _ string) { msg, _ := ubd.Typo(name); c.warn("%s", msg) }},
		{"rootwait", nothing}, {"rootdelay", nothing}, // every disk is there at once
		{"console", nothing}, {"con", nothing}, {"con0", nothing}, // the terminal, or what stands for it
		{"earlyprintk", nothing}, {"printk.*", nothing},
		{"panic", nothing}, // UML's never gets there
		{"mem", nothing},   // memory is the host's
		{"con*", later}, {"ssl*", later}, {"umid", later}, {"uml_dir", later}, {"mconsole", later},
		{"eth*", later}, {"vec*", later}, {"hostfs", later}, {"initrd", later}, {"ncpus", later},
	}
}

func nothing(*Cmdline, string, string) {}

// later is the set function of what UML has and Lodger has not yet.
func later(c *Cmdline, name, _ string) {
	c.warn("%s= is not supported yet and does nothing", name)
}

func (c *Cmdline) warn(format string, args ...any) {
	c.Warnings = append(c.Warnings, fmt.Sprintf(format, args...))
}

func (c *Cmdline) disk(name, val string) {
	if _, err := c.Disks.Set(strings.TrimPrefix(name, "ubd") + "=" + val); err != nil {
		c.warn("%v", err)
	}
}

// KernelWord reports whether a word can begin a kernel command line.
func KernelWord(word string) bool {
	name, _, assigns := strings.Cut(word, "=")
	return assigns && name != "" && !strings.HasPrefix(name, "-") || find(name) != nil
}

func find(name string) *parameter {
	for _, p := range parameters() {
		if prefix, open := strings.CutSuffix(p.name, "*"); name == p.name || open && strings.HasPrefix(name, prefix) {
			return &p
		}
	}
	return nil
}

// ParseCmdline takes the words in order. As in parse_args of kernel/params.c, words
// after "--" are init's; an unknown word is init's argument, and with = a variable
// of its environment, unless there is a dot in its name (a module's parameter).
func ParseCmdline(words []string) *Cmdline {
	c := &Cmdline{Text: strings.Join(words, " ")}
	for i, w := range words {
		if w == "--" {
			c.InitArgs = append(c.InitArgs, words[i+1:]...)
			break
		}
		name, val, assigns := strings.Cut(w, "=")
		switch p := find(name); {
		case w == "":
		case p != nil:
			p.set(c, name, unquote(val))
		case assigns && strings.Contains(name, "."):
		case assigns:
			c.InitEnv = setEnv(c.InitEnv, name, unquote(val))
		default:
			c.InitArgs = append(c.InitArgs, w)
		}
	}
	return c
}

// unquote takes the quotes off a value, as next_arg does.
func unquote(v string) string {
	if strings.HasPrefix(v, `"`) {
		return strings.TrimSuffix(v[1:], `"`)
	}
	return v
}

// setEnv adds a variable, or replaces the one of its name.
func setEnv(env []string, name, val string) []string {
	for i, e := range env {
		if strings.HasPrefix(e, name+"=") {
			env[i] = name + "=" + val
			return env
		}
	}
	return append(env, name+"="+val)
}
