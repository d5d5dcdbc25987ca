// SPDX-License-Identifier: Apache-2.0

//go:build amd64

package sys

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"lodger/host/notify"
)

var update = flag.Bool("update", false, "write docs/syscalls.md anew")

const docsFile = "../docs/syscalls.md"

// TestDocsAreCurrent compares docs/syscalls.md with what the table says; -update
// writes it.
func TestDocsAreCurrent(t *testing.T) {
	want := docs()
	if *update {
		if err := os.WriteFile(docsFile, want, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	have, err := os.ReadFile(docsFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, want) {
		t.Errorf("docs/syscalls.md does not match the call table: go test ./sys -run TestDocsAreCurrent -update")
	}
}

// TestNamesMatchRows checks the rows' numbers against Linux's names.
func TestNamesMatchRows(t *testing.T) {
	for _, r := range Rows() {
		if nr := r.number(); nr >= 0 && callName(nr) != r.Name && !(r.Name == "newfstatat" && callName(nr) == "fstatat") {
			t.Errorf("call %d is %s, the row says %s", nr, callName(nr), r.Name)
		}
	}
}

var routeTexts = map[notify.Route]string{
	notify.RouteNotify: "kernel", notify.RouteNative: "host", notify.RouteChecked: "host or kernel",
	notify.RouteStub: "process", notify.RouteFrame: "kernel, with registers",
}

func docs() []byte {
	rows := slices.DeleteFunc(Rows(), func(r Row) bool { return r.X86 < 0 })
	slices.SortFunc(rows, func(a, b Row) int { return a.X86 - b.X86 })
	known := map[int]bool{}
	var b bytes.Buffer
	b.WriteString(docsHead)
	for _, r := range rows {
		if r.Level == Absent {
			continue
		}
		known[r.X86] = true
		level := map[Level]string{Full: "full", Partial: "partial"}[r.Level]
		fmt.Fprintf(&b, "| %d | %s | %s | %s | %s |\n", r.X86, r.Name, routeTexts[r.Route], level, r.Note)
	}
	var absent []string
	for nr, name := range callNames {
		if name != "" && !known[nr] {
			absent = append(absent, fmt.Sprintf("%s (%d)", name, nr))
		}
	}
	fmt.Fprintf(&b, docsAbsent, len(known), len(absent))
	b.WriteString(wrap(absent, 100))
	return b.Bytes()
}

// wrap joins words to lines of at most width bytes.
func wrap(words []string, width int) string {
	var b strings.Builder
	n := 0
	for i, w := range words {
		if i < len(words)-1 {
			w += ","
		} else {
			w += "."
		}
		switch {
		case n > 0 && n+1+len(w) > width:
			b.WriteByte('\n')
			n = 0
		case n > 0:
			b.WriteByte(' ')
			n++
		}
		b.WriteString(w)
		n += len(w)
	}
	return b.String() + "\n"
}

const docsHead = `# System calls

Made from the call table in package sys; do not edit it by hand. After a change of the table:

    go test ./sys -run TestDocsAreCurrent -update

Numbers are those of x86-64. "Answered by" tells where a call ends:

- kernel: it comes to Lodger's kernel as a seccomp notification.
- kernel, with registers: the same, after the stub has saved the caller's registers.
- host: the host performs it; it touches only the caller's own memory or thread.
- host or kernel: the host where the arguments are harmless, else the kernel.
- process: the stub in the guest's own process answers it.

| Number | Call | Answered by | Level | Note |
|---:|---|---|---|---|
`

const docsAbsent = `
## Absent calls

%d calls are present. These %d of Linux 6.18 give ENOSYS; the first use of each is named in the log
(lodger run --verbose) and in a trace:

`
