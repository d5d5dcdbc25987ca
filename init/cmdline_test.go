// SPDX-License-Identifier: Apache-2.0

package boot

import (
	"os"
	"strings"
	"testing"
)

// TestLogWords: the words that settle what becomes of the kernel's messages.
func TestLogWords(t *testing.T) {
	for _, c := range []struct {
		words  string
		level  int
		size   int
		ignore bool
		notime bool
		warns  bool
	}{
		{words: ""},
		{words: "quiet", level: 4},
		{words: "debug", level: 10},
		{words: "quiet loglevel=6", level: 6},
		{words: "loglevel=6 quiet", level: 4},
		{words: "loglevel=0", level: 1},
		{words: "loglevel=many", warns: true},
		{words: "loglevel", warns: true},
		{words: "ignore_loglevel printk.time=0 printk.other=1", ignore: true, notime: true},
		{words: "log_buf_len=1M", size: 1 << 20},
		{words: "log_buf_len=1000k", size: 1 << 20},
		{words: "log_buf_len=0x80000", size: 1 << 19},
		{words: "log_buf_len=1g", size: 1 << 30},
		{words: "log_buf_len=2G", warns: true},
		{words: "log_buf_len=99999999999G", warns: true},
		{words: "log_buf_len=", warns: true},
		{words: "log_buf_len=K", warns: true},
		{words: "log_buf_len=0", warns: true},
	} {
		p := ParseCmdline(strings.Fields(c.words))
		if p.LogLevel != c.level || p.LogBufLen != c.size || p.IgnoreLogLevel != c.ignore || p.NoPrintkTime != c.notime || len(p.Warnings) > 0 != c.warns {
			t.Errorf("%q: %+v", c.words, p)
		}
		if len(p.InitArgs)+len(p.InitEnv) > 0 {
			t.Errorf("%q: init gets %q, %q", c.words, p.InitArgs, p.InitEnv)
		}
	}
}

// TestParametersAreDocumented: docs/kernel-parameters.md has each word, and no other.
func TestParametersAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../docs/kernel-parameters.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		if words, ok := strings.CutPrefix(line, "| `"); ok {
			words, _, _ = strings.Cut(words, "` |")
			for _, w := range strings.Split(words, "`, `") {
				documented[w] = true
			}
		}
	}
	for _, p := range parameters() {
		if !documented[p.name] {
			t.Errorf("%s is not documented", p.name)
		}
		delete(documented, p.name)
	}
	for w := range documented {
		t.Errorf("%s is documented, and unknown", w)
	}
}
