// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path"
	"runtime/debug"
	"strings"

	"lodger/host"
	boot "lodger/init"
	"lodger/userland"
)

// run is main, with the exit status as its result.
func run(argv []string) int {
	if f, ok := userland.Lookup(argv[0]); ok {
		return f(argv[1:])
	}
	if len(argv) == 1 {
		return boot0(os.Stderr)
	}
	return runCommand(argv[1:], os.Stdout, os.Stderr)
}

// defaultPIDs bounds a guest's tasks well below the 32,768 process ids that many a
// host has in all.
const defaultPIDs = 4096

// maxHostname is __NEW_UTS_LEN of include/uapi/linux/utsname.h.
const maxHostname = 64

// list is a flag that may be given several times.
type list []string

func (l *list) String() string     { return strings.Join(*l, ",") }
func (l *list) Set(s string) error { *l = append(*l, s); return nil }

// straceFlag is --strace or --strace=FILE.
type straceFlag struct {
	on   bool
	file string
}

func (s *straceFlag) String() string   { return s.file }
func (s *straceFlag) IsBoolFlag() bool { return true }
func (s *straceFlag) Set(v string) error {
	s.on = v != "false"
	if v != "true" && v != "false" {
		s.file = v
	}
	return nil
}

// cmdRun is `lodger run [flags] ROOT [--] COMMAND [ARG...]`.
func cmdRun(args []string, stdout, stderr io.Writer) int {
	o, err := parseRun(args)
	if errors.Is(err, flag.ErrHelp) {
		o.usage(stdout)
		return 0
	}
	if err != nil {
		return fail(stderr, err)
	}
	return runOptions(o, stderr)
}

// runOptions opens what the command line names and runs the guest.
func runOptions(o *options, stderr io.Writer) int {
	shut := o.confine()
	cfg, err := o.config(stderr)
	if err != nil {
		return fail(stderr, err)
	}
	if shut != nil {
		cfg.Log.Warn("lodger runs with all rights of its user", "why", shut)
	}
	return runGuest(cfg, stderr)
}

// runGuest boots a guest and waits for its end.
func runGuest(cfg *boot.Config, stderr io.Writer) int {
	// The kernel's heap is a few MB: collecting it at each doubling would cost
	// guests more than the memory is worth.
	debug.SetGCPercent(400)
	m, err := boot.Boot(*cfg)
	if err != nil {
		return fail(stderr, err)
	}
	if err := host.DropPrivileges(); err != nil && cfg.Log != nil {
		cfg.Log.Warn("lodger keeps privileges that it does not need", "error", err)
	}
	st := m.Wait()
	if st.Panic != "" {
		fmt.Fprintf(stderr, "Kernel panic - not syncing: %s\n", st.Panic)
		return boot.ExitPanic
	}
	if c := cfg.Cmdline; c != nil && st.Restart && !c.NoReboot {
		return restartStatus
	}
	if st.Err != nil {
		fmt.Fprintf(stderr, "lodger: %v\n", st.Err)
		return boot.ExitLodger
	}
	return st.Code
}

// fail tells an error and returns its exit status.
func fail(stderr io.Writer, err error) int {
	if boot.IsPanic(err) {
		fmt.Fprintln(stderr, err)
	} else {
		fmt.Fprintf(stderr, "lodger: %v\n", err)
	}
	var e *boot.ExitError
	if errors.As(err, &e) {
		return e.Code
	}
	return boot.ExitLodger
}

// options is a parsed command line of lodger run. Nothing has been opened yet.
type options struct {
	flags   *flag.FlagSet
	cfg     boot.Config
	env     list
	volumes list
	strace  straceFlag
	verbose bool
}

func newOptions() *options {
	o := &options{flags: flag.NewFlagSet("lodger run", flag.ContinueOnError)}
	fl, cfg := o.flags, &o.cfg
	fl.SetOutput(io.Discard)
	fl.StringVar(&cfg.RootDevice, "root-device", "", "the root is on this `NAME` of ROOT, an image with several partitions: ubda2, LABEL=..., UUID=...")
	fl.BoolVar(&cfg.RW, "rw", false, "write through to ROOT instead of to a throw-away layer")
	fl.Var(&o.volumes, "volume", "`HOST:GUEST[:ro]`: show a host directory in the guest; may be repeated")
	fl.Var(&o.env, "env", "`NAME=VALUE`: add to COMMAND's environment; NAME alone passes ours on")
	fl.StringVar(&cfg.Workdir, "workdir", "", "start COMMAND in this `DIR` of the guest")
	fl.StringVar(&cfg.User, "user", "", "run COMMAND as `NAME|UID[:GROUP]`")
	fl.StringVar(&cfg.Hostname, "hostname", "lodger", "the guest's host `NAME`")
	fl.IntVar(&cfg.NCPUs, "ncpus", 0, "use at most `N` processors of the host")
	fl.IntVar(&cfg.PIDs, "pids", defaultPIDs, "allow at most `N` tasks in the guest")
	fl.Var(&o.strace, "strace", "print the guest's system calls as strace does, to `FILE` or standard error; what the\nhost or the guest process itself answers has the result ?")
	fl.BoolVar(&o.verbose, "verbose", false, "log what the kernel notices")
	return o
}

// usage prints what --help promises.
func (o *options) usage(w io.Writer) {
	fmt.Fprint(w, "usage: lodger run [flags] ROOT [--] COMMAND [ARG...]\n\nROOT is a directory, a disk image (raw, or a COW file of UML) or `builtin`.\n\nflags:\n")
	o.flags.SetOutput(w)
	o.flags.PrintDefaults()
}

// parseRun reads the arguments of lodger run. It touches neither files nor
// descriptors; config does.
func parseRun(args []string) (*options, error) {
	o := newOptions()
	if err := o.flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return o, err
		}
		return o, fmt.Errorf("run: %w (lodger run --help lists the flags)", err)
	}
	cfg, rest := &o.cfg, o.flags.Args()
	if len(rest) == 0 || rest[0] == "" {
		return o, errors.New("run: ROOT is missing (a directory, a disk image, or `builtin`); see lodger run --help")
	}
	cfg.Root = rest[0]
	rest = rest[1:]
	if len(rest) > 0 && rest[0] == "--" {
		rest = rest[1:]
	}
	if len(rest) == 0 {
		return o, errors.New("run: COMMAND is missing after ROOT; see lodger run --help")
	}
	cfg.Command = rest
	if cfg.PIDs < 4 || cfg.PIDs > 4194304 {
		return o, fmt.Errorf("run: --pids %d: want 4 to 4194304", cfg.PIDs)
	}
	if cfg.NCPUs < 0 || cfg.NCPUs == 0 && o.given("ncpus") {
		return o, fmt.Errorf("run: --ncpus %d: want a positive number", cfg.NCPUs)
	}
	if len(cfg.Hostname) > maxHostname {
		return o, fmt.Errorf("run: --hostname: %d bytes are too long, %d is the most", len(cfg.Hostname), maxHostname)
	}
	for _, e := range o.env {
		if strings.HasPrefix(e, "=") || e == "" {
			return o, fmt.Errorf("run: --env %q: want NAME=VALUE or NAME", e)
		}
	}
	for _, v := range o.volumes {
		vol, err := parseVolume(v)
		if err != nil {
			return o, err
		}
		cfg.Volumes = append(cfg.Volumes, vol)
	}
	return o, nil
}

// given reports whether a flag stood on the command line.
func (o *options) given(name string) (yes bool) {
	o.flags.Visit(func(f *flag.Flag) { yes = yes || f.Name == name })
	return yes
}

// config completes the machine's configuration with what our own process has:
// environment, standard descriptors and the trace file.
func (o *options) config(stderr io.Writer) (*boot.Config, error) {
	cfg := o.cfg
	if t := os.Getenv("TERM"); t != "" && host.IsTerminal(0) {
		cfg.Env = append(cfg.Env, "TERM="+t)
	}
	for _, e := range o.env {
		if !strings.Contains(e, "=") {
			v, ok := os.LookupEnv(e)
			if !ok {
				continue
			}
			e += "=" + v
		}
		cfg.Env = append(cfg.Env, e)
	}
	if o.strace.on {
		cfg.Strace = stderr
		if o.strace.file != "" {
			f, err := os.Create(o.strace.file)
			if err != nil {
				return nil, fmt.Errorf("run: --strace: %w", err)
			}
			cfg.Strace = f
		}
	}
	level := slog.LevelError
	if o.verbose {
		level = slog.LevelDebug
	}
	cfg.Log = slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: level}))
	cfg.Explain = diskError
	cfg.Printk = func(line string) { fmt.Fprintln(stderr, line) }
	for fd := range cfg.Stdio {
		cfg.Stdio[fd] = -1
		if host.IsOpen(fd) {
			cfg.Stdio[fd] = fd
		}
	}
	return &cfg, nil
}

// parseVolume reads HOST:GUEST[:ro].
func parseVolume(s string) (boot.Volume, error) {
	parts := strings.Split(s, ":")
	v := boot.Volume{}
	if len(parts) == 3 && (parts[2] == "ro" || parts[2] == "rw") {
		v.ReadOnly = parts[2] == "ro"
		parts = parts[:2]
	}
	if len(parts) != 2 || parts[0] == "" || !strings.HasPrefix(parts[1], "/") {
		return v, fmt.Errorf("run: --volume %q: want HOST:GUEST[:ro] with an absolute GUEST", s)
	}
	if path.Clean(parts[1]) == "/" {
		return v, fmt.Errorf("run: --volume %q: GUEST is the root itself; give that directory as ROOT", s)
	}
	v.Host, v.Guest = parts[0], parts[1]
	return v, nil
}

// boot0 is `lodger` alone: the built-in guest with a shell.
func boot0(stderr io.Writer) int {
	o, err := parseRun([]string{"--workdir", "/root", boot.Builtin, "sh"})
	if err != nil {
		return fail(stderr, err)
	}
	o.cfg.Login = true
	return runOptions(o, stderr)
}
