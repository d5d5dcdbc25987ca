// SPDX-License-Identifier: Apache-2.0

package shell

import (
	"os"
	"path/filepath"
	"strings"
)

// complete is the tab key of the line editor: it extends the word before the
// cursor by what all matching file names (for a first word also all programs)
// have in common.
func (s *shell) complete(line string, pos int, key rune) (string, int, bool) {
	if key != '\t' {
		return "", 0, false
	}
	start := strings.LastIndexAny(line[:pos], " \t|&;<>()=") + 1
	word := line[start:pos]
	var found []string
	if strings.TrimSpace(line[:start]) == "" && !strings.Contains(word, "/") {
		path := s.runner.Env.Get("PATH").String()
		for _, dir := range filepath.SplitList(path) {
			found = append(found, match(dir, "", word)...)
		}
	} else {
		slash := strings.LastIndexByte(word, '/') + 1
		dir := word[:slash]
		switch {
		case strings.HasPrefix(dir, "~/"):
			dir = os.Getenv("HOME") + dir[1:]
		case !strings.HasPrefix(dir, "/"):
			dir = s.runner.Dir + "/" + dir
		}
		found = match(dir, word[:slash], word[slash:])
	}
	if len(found) == 0 {
		return line, pos, true
	}
	common := found[0]
	for _, f := range found[1:] {
		for !strings.HasPrefix(f, common) {
			common = common[:len(common)-1]
		}
	}
	if allSame(found) && !strings.HasSuffix(common, "/") {
		common += " "
	}
	return line[:start] + common + line[pos:], start + len(common), true
}

func allSame(list []string) bool {
	for _, s := range list {
		if s != list[0] {
			return false
		}
	}
	return true
}

// match lists the names in dir that start with stem, each behind prefix.
func match(dir, prefix, stem string) []string {
	list, _ := os.ReadDir(dir)
	var found []string
	for _, e := range list {
		name := e.Name()
		if !strings.HasPrefix(name, stem) || stem == "" && name[0] == '.' {
			continue
		}
		if st, err := os.Stat(filepath.Join(dir, name)); err == nil && st.IsDir() {
			name += "/"
		}
		found = append(found, prefix+name)
	}
	return found
}
