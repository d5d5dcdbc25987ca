// SPDX-License-Identifier: Apache-2.0

// Command files writes, walks, renames and removes a small tree through the
// standard library.
package main

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

func main() {
	dir, err := os.MkdirTemp(".", "tree")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	os.Chdir(dir)
	var wg sync.WaitGroup
	for i := range 10 {
		wg.Go(func() {
			d := fmt.Sprintf("d%d/e", i)
			os.MkdirAll(d, 0o755)
			for k := range 10 {
				os.WriteFile(fmt.Sprintf("%s/f%d", d, k), bytes.Repeat([]byte{byte(i + k)}, 1000*k), 0o644)
			}
		})
	}
	wg.Wait()
	h := sha256.New()
	n := 0
	fs.WalkDir(os.DirFS("."), ".", func(p string, e fs.DirEntry, err error) error {
		fmt.Fprintln(h, p, e.IsDir())
		if b, err := os.ReadFile(p); err == nil {
			h.Write(b)
		}
		n++
		return err
	})
	fmt.Printf("%d entries %x\n", n, h.Sum(nil)[:8])
	m, _ := filepath.Glob("d*/e/f3")
	fmt.Println(len(m), m[0])
	fmt.Println(os.Rename("d0", "d1"))
	fmt.Println(os.Rename("d0", "moved"))
	_, err = os.Stat("d0")
	fmt.Println(errors.Is(err, fs.ErrNotExist))
	fmt.Println(os.Symlink("moved/e/f5", "l"))
	st, _ := os.Stat("l")
	fmt.Println(st.Size(), st.Mode())
	r, _ := os.OpenRoot("moved")
	_, err = r.Open("../d1")
	fmt.Println(err)
	f, err := r.Open("e/f2")
	fmt.Println(f != nil, err)
	fmt.Println(os.RemoveAll("d1"))
	es, _ := os.ReadDir(".")
	for _, e := range es {
		fmt.Println(e.Name(), e.Type())
	}
}
