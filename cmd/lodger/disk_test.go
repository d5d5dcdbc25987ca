// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lodger/block/cow"
)

// Each bad command line ends in one line that names what was wrong, and status 125.
func TestBadDiskCommandLines(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{"", "COMMAND is missing"},
		{"bogus", `unknown command "bogus"`},
		{"--bogus", `unknown command "--bogus"`},
		{"create", "IMAGE is missing"},
		{"create --size 1G", "IMAGE is missing"},
		{"create /nowhere/a", "one of --size, --base and --from is missing"},
		{"create /nowhere/a --size", "flag needs an argument: -size"},
		{"create /nowhere/a --size 0", "at least 512"},
		{"create /nowhere/a --size -1G", `--size "-1G"`},
		{"create /nowhere/a --size 1G /nowhere/b", `"/nowhere/b" is too much: it takes IMAGE`},
		{"create /nowhere/a --size 1G --base b", "--base and --size exclude"},
		{"create /nowhere/a --from c --base b", "--base and --from exclude"},
		{"create /nowhere/a --size 1G", "create disk /nowhere/a: no such file or directory"},
		{"create /nowhere/a --base /nowhere/b", "backing file /nowhere/b: its directory: lstat /nowhere: no such file or directory; check the name"},
		{"create /nowhere/a --from ./nowhere", "./nowhere: no such file or directory"},
		{"create /nowhere/a --from /dev/null", "neither a directory nor a file"},
		{"info", "FILE is missing"},
		{"info --yaml x", "-yaml"},
		{"info /nowhere/a", "/nowhere/a: no such file"},
		{"commit", "COW is missing"},
		{"commit a b", `"b" is too much`},
		{"rebase a", "BASE is missing"},
		{"convert a", "DST is missing"},
		{"convert --to qcow2 a b", `--to "qcow2": want raw or cow`},
		{"convert --to cow a b", "--to cow needs --base"},
		{"convert --to raw --base x a b", "--base is of COW files"},
		{"check", "FILE is missing"},
	} {
		var out, msg bytes.Buffer
		status := cmdDisk(strings.Fields(c.line), &out, &msg)
		text := msg.String()
		if status != 125 || out.Len() != 0 || strings.Count(text, "\n") != 1 ||
			!strings.HasPrefix(text, "lodger: disk") || !strings.Contains(text, c.want) {
			t.Errorf("lodger disk %s: status %d, stdout %q, stderr %q; want 125 and %q", c.line, status, out.String(), text, c.want)
		}
	}
}

func TestDiskHelp(t *testing.T) {
	for line, want := range map[string]string{
		"--help":          "convert [--to raw|cow]",
		"-h":              "rebase [--unsafe] COW BASE",
		"create --help":   "--from DIR|TAR|SUITE",
		"info x --help":   "-json",
		"rebase -h":       "-unsafe",
		"commit --help":   "usage: lodger disk commit COW",
		"convert -help x": "-base BASE",
	} {
		var out, msg bytes.Buffer
		if status := cmdDisk(strings.Fields(line), &out, &msg); status != 0 || msg.Len() != 0 || !strings.Contains(out.String(), want) {
			t.Errorf("lodger disk %s: status %d, stdout %q, stderr %q", line, status, out.String(), msg.String())
		}
	}
	var out bytes.Buffer
	cmdHelp(nil, &out, nil)
	for _, c := range diskCommands() {
		if !strings.Contains(out.String(), c.name) {
			t.Errorf("lodger help does not name disk %s", c.name)
		}
	}
}

func TestParseSize(t *testing.T) {
	for s, want := range map[string]int64{
		"512": 512, "1K": 1024, "3k": 3072, "10M": 10 << 20, "2g": 2 << 30, "1T": 1 << 40, "0512": 512, "4194304T": 1 << 62,
		"": -1, "G": -1, "0": -1, "0K": -1, "-1K": -1, "+1K": -1, "1.5G": -1, "1 G": -1, "1GB": -1, "1P": -1, "0x200": -1,
		"513": -1, "8388608T": -1, "9223372036854775808": -1, "99999999999999999999": -1, "1_0K": -1,
	} {
		n, err := parseSize(s)
		if want < 0 && (err == nil || !strings.Contains(err.Error(), "--size")) || want >= 0 && (err != nil || n != want) {
			t.Errorf("parseSize(%q) = %d, %v, want %d", s, n, err, want)
		}
	}
}

// FuzzParseSize: what is accepted is a whole number of sectors.
func FuzzParseSize(f *testing.F) {
	for _, s := range []string{"1G", "512", "9223372036854775807", "8191P", "8388607T", "K"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if n, err := parseSize(s); err == nil && (n < 512 || n%512 != 0) {
			t.Errorf("%q: %d", s, n)
		}
	})
}

func TestHuman(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 1536: "1.5 KiB", 1 << 20: "1.0 MiB", 1<<20 - 1: "1.0 MiB", 5 << 40: "5.0 TiB", 1<<63 - 1: "8.0 EiB",
	} {
		if got := human(n); got != want {
			t.Errorf("human(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestBar(t *testing.T) {
	var out bytes.Buffer
	clock := time.Unix(0, 0)
	b := &bar{w: &out, label: "copy", now: func() time.Time { return clock }, start: clock}
	clock = clock.Add(2 * time.Second)
	b.tell(1<<20, 4<<20)
	b.tell(2<<20, 4<<20) // too soon
	if want := "\rcopy [#####...............]  25%  1.0 MiB of 4.0 MiB  512.0 KiB/s\x1b[K"; out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
	out.Reset()
	clock = clock.Add(2 * time.Second)
	b.tell(8<<20, 0)
	b.end()
	b.end()
	if want := "\rcopy 8.0 MiB  2.0 MiB/s\x1b[K\r\x1b[K"; out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
	silent := (&disk{stderr: &out}).progress("x")
	out.Reset()
	silent.tell(1, 2)
	silent.end()
	if out.Len() != 0 {
		t.Errorf("%q though it is no terminal", out.String())
	}
}

func TestGist(t *testing.T) {
	for s, want := range map[string]string{
		"":                             "",
		"a\n\nb\nc\nd\n":               "b; c; d",
		"I: start\nE: why.\nE: so\n\n": "why",
	} {
		if got := gist(s); got != want {
			t.Errorf("gist(%q) = %q, want %q", s, got, want)
		}
	}
}

func TestPrintable(t *testing.T) {
	for s, want := range map[string]string{
		"/a b/ü: x": "/a b/ü: x", "\x1b[2J\r\x7f": `\x1b[2J\x0d\x7f`, "\xff\u009b": "\ufffd" + `\x9b`, "\u202e": `\x202e`,
	} {
		if got := printable(s); got != want {
			t.Errorf("printable(%q) = %q, want %q", s, got, want)
		}
	}
}

func TestMissingTool(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if _, err := tool("no-such-tool"); err == nil || !strings.Contains(err.Error(), "install Debian's package no-such-tool") {
		t.Error(err)
	}
	if p := toolPackage("mkfs.ext4"); p != "e2fsprogs" {
		t.Error(p)
	}
}

// TestInterrupted: canceled work leaves what it found, or can be finished later,
// and says so.
func TestInterrupted(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	try := func(ctx context.Context, args ...string) (int, string) {
		t.Helper()
		var out, msg bytes.Buffer
		status := runDisk(ctx, args, &out, &msg)
		if s := msg.String(); status == 125 && (strings.Count(s, "\n") != 1 || !strings.HasPrefix(s, "lodger: disk "+args[0]+": ")) {
			t.Errorf("%q: stderr %q", args, s)
		}
		return status, msg.String()
	}
	must := func(args ...string) {
		t.Helper()
		if status, msg := try(t.Context(), args...); status != 0 {
			t.Fatalf("%q: status %d, %s", args, status, msg)
		}
	}
	want := bytes.Repeat([]byte("new!"), 64<<10)
	for name, b := range map[string][]byte{"base": make([]byte, 256<<10), "new": want} {
		if err := os.WriteFile(in(name), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if status, msg := try(canceled, "convert", in("new"), in("raw")); status != 125 || !strings.Contains(msg, "interrupted") || exists(in("raw")) {
		t.Errorf("convert: %d, %s", status, msg)
	}
	must("convert", "--base", in("base"), in("new"), in("cow"))
	must("create", in("cow2"), "--base", in("base"))
	if status, msg := try(canceled, "rebase", in("cow2"), in("new")); status != 125 || !strings.Contains(msg, "run the same again") {
		t.Errorf("rebase: %d, %s", status, msg)
	}
	must("check", in("cow2"))
	if status, msg := try(canceled, "commit", in("cow")); status != 125 || !strings.Contains(msg, `run "lodger disk commit `+in("cow")+`" again`) {
		t.Errorf("commit: %d, %s", status, msg)
	}
	if status, _ := try(t.Context(), "check", in("cow")); status != exitProblems {
		t.Errorf("check in between: status %d", status)
	}
	must("commit", in("cow"))
	must("check", in("cow"))
	if got, _ := os.ReadFile(in("base")); !bytes.Equal(got, want) || exists(cow.Marker(in("cow"))) {
		t.Error("the second commit did not finish the first")
	}
}
