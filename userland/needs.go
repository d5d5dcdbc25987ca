// SPDX-License-Identifier: Apache-2.0

package userland

import (
	"debug/elf"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Needs lists the absolute paths of the dynamic linker and the libraries that
// the executable exe is linked with, directly or through one another. It is
// empty for a static executable, which "CGO_ENABLED=0 go build" makes. With a C
// compiler present, cgo is on by default and package os/user, which the shell
// imports, draws in the C library: a built-in root then has to hold these files
// at the same paths, or none of its programs starts.
func Needs(exe string) ([]string, error) {
	var list []string
	seen := map[string]bool{}
	todo := []string{exe}
	for len(todo) > 0 {
		file := todo[0]
		todo = todo[1:]
		interp, libs, err := dynamic(file)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		if interp != "" && !seen[interp] {
			seen[interp] = true
			list = append(list, interp)
		}
		for _, name := range libs {
			path, err := findLib(name)
			if err != nil {
				return nil, err
			}
			// The linker itself may be among the libraries.
			if !seen[path] && filepath.Base(path) != filepath.Base(strings.Join(list[:min(1, len(list))], "")) {
				seen[path] = true
				list = append(list, path)
				todo = append(todo, path)
			}
		}
	}
	return list, nil
}

func dynamic(file string) (interp string, libs []string, err error) {
	f, err := elf.Open(file)
	if err != nil {
		return "", nil, err
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			b := make([]byte, p.Filesz)
			if _, err := p.ReadAt(b, 0); err != nil {
				return "", nil, err
			}
			interp = strings.TrimRight(string(b), "\x00")
		}
	}
	libs, err = f.ImportedLibraries()
	return interp, libs, err
}

// findLib looks where the linkers of the usual distributions look by default.
func findLib(name string) (string, error) {
	for _, pattern := range []string{"/lib/*-linux-gnu/", "/lib64/", "/usr/lib/*-linux-gnu/", "/usr/lib64/", "/lib/", "/usr/lib/"} {
		found, _ := filepath.Glob(pattern + name)
		for _, path := range found {
			if st, err := os.Stat(path); err == nil && st.Mode().IsRegular() {
				return path, nil
			}
		}
	}
	return "", fmt.Errorf("library %s: %w", name, os.ErrNotExist)
}
