// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"lodger/abi"
	"lodger/host"
)

// fill unpacks a tar, or what mmdebstrap makes of a suite, into a directory.
func (t *tools) fill(src source, tree string, b *bar) error {
	args := []string{"--extract", "--numeric-owner", "--same-owner", "--same-permissions",
		"--xattrs", "--xattrs-include=*", "--directory", tree}
	if t.ids != nil {
		// mknod(2) is not for user name spaces; Lodger's guests have devtmpfs.
		args = append(args, "--anchored", "--exclude=./dev/*", "--exclude=dev/*")
	}
	if src.kind == fromSuite {
		return t.suite(src.dir, args, b)
	}
	f, err := os.Open(src.dir)
	if err != nil {
		return err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return err
	}
	flag, err := compression(f)
	if err != nil {
		return err
	}
	if flag != "" {
		args = append(args, flag)
	}
	return t.run(&counter{r: f, tell: func(n int64) { b.tell(n, st.Size()) }}, nil, "tar", args...)
}

// suite pipes mmdebstrap's tar into tar. mmdebstrap makes a user name space of its
// own when we are not root.
func (t *tools) suite(name string, args []string, b *bar) error {
	b.tell(0, 0) // the first bytes take a while
	r, w := io.Pipe()
	made := make(chan error, 1)
	maker := &tools{ctx: t.ctx} // outside of our name space
	go func() {
		err := maker.run(nil, w, "mmdebstrap", "--format=tar", name, "-")
		w.CloseWithError(err)
		made <- err
	}()
	err := t.run(&counter{r: r, tell: func(n int64) { b.tell(n, 0) }}, nil, "tar", args...)
	r.CloseWithError(errors.New("tar ended")) // or mmdebstrap would write for ever
	if e := <-made; e != nil {
		return e // tar's complaint is of its half archive
	}
	return err
}

// compression gives tar's flag for what a file is packed with: it does not look
// itself when it reads a pipe.
func compression(f *os.File) (flag string, err error) {
	var b [6]byte
	n, err := f.ReadAt(b[:], 0)
	if err != nil && err != io.EOF {
		return "", err
	}
	for _, k := range []struct{ magic, flag, program string }{
		{"\x1f\x8b", "--gzip", "gzip"},
		{"BZh", "--bzip2", "bzip2"},
		{"\xfd7zXZ\x00", "--xz", "xz"},
		{"\x28\xb5\x2f\xfd", "--zstd", "zstd"},
	} {
		if bytes.HasPrefix(b[:n], []byte(k.magic)) {
			_, err := tool(k.program)
			return k.flag, err
		}
	}
	if n == 0 {
		return "", fmt.Errorf("an empty file is no tar")
	}
	return "", nil
}

// counter tells how much was read.
type counter struct {
	r    io.Reader
	n    int64
	tell func(int64)
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	c.tell(c.n)
	return n, err
}

// allocated is what the host keeps of a file; 0 when it cannot be seen.
func allocated(path string) int64 {
	fd, err := host.OpenPath(path, abi.O_RDONLY, 0)
	if err != nil {
		return 0
	}
	defer host.CloseFD(fd)
	var st host.FileStat
	if host.StatAt(fd, "", &st) != nil {
		return 0
	}
	return int64(st.Blocks) * 512
}

// removeAll removes a tree; what belongs to subordinate ids only their name space
// may remove.
func (t *tools) removeAll(dir string) error {
	if t.ids == nil {
		return os.RemoveAll(dir)
	}
	return t.run(nil, nil, "rm", "-rf", "--", dir)
}
