// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"lodger/userland/app"
)

func gzipMain(c *app.Ctx, args []string) int {
	o, status, ok := c.Parse(args, "c|stdout|to-stdout d|decompress|uncompress f|force k|keep t|test v|verbose q n N 1|fast 2 3 4 5 6 7 8 9|best")
	if !ok {
		return status
	}
	z := &zipper{c: c, unpack: o.Has("d") || c.Name != "gzip" || o.Has("t"), stdout: o.Has("c") || c.Name == "zcat",
		force: o.Has("f"), keep: o.Has("k"), test: o.Has("t"), level: gzip.DefaultCompression}
	if l := o.Last("123456789"); l != "" {
		z.level = int(l[0] - '0')
	}
	names := o.Args
	if len(names) == 0 {
		names = []string{"-"}
	}
	for _, name := range names {
		z.file(name)
	}
	return c.Status()
}

type zipper struct {
	c                                 *app.Ctx
	unpack, stdout, force, keep, test bool
	level                             int
}

// convert packs or unpacks from in to out.
func (z *zipper) convert(out io.Writer, in io.Reader, name string, mtime time.Time) error {
	if z.unpack {
		r, err := gzip.NewReader(in)
		if err != nil {
			return notGzip(err)
		}
		_, err = io.Copy(out, r)
		return notGzip(err)
	}
	w, err := gzip.NewWriterLevel(out, z.level)
	if err != nil {
		return err
	}
	w.Name, w.ModTime = name, mtime
	if _, err := io.Copy(w, in); err != nil {
		return err
	}
	return w.Close()
}

func notGzip(err error) error {
	switch err {
	case gzip.ErrHeader:
		return fmt.Errorf("not in gzip format")
	case io.ErrUnexpectedEOF, io.EOF:
		return fmt.Errorf("unexpected end of file")
	}
	return err
}

func (z *zipper) file(name string) {
	if name == "-" {
		if err := z.convert(z.c.Out, z.c.In, "", time.Time{}); err != nil {
			z.c.Fail("stdin", err)
		}
		return
	}
	in, err := os.Open(name)
	if err != nil {
		z.c.Fail(name, err)
		return
	}
	defer in.Close()
	st, err := in.Stat()
	if err == nil && st.IsDir() {
		err = unix.EISDIR
	}
	if err != nil {
		z.c.Fail(name, err)
		return
	}
	if z.stdout || z.test {
		out := io.Writer(z.c.Out)
		if z.test {
			out = io.Discard
		}
		if err := z.convert(out, in, "", st.ModTime()); err != nil {
			z.c.Fail(name, err)
		}
		return
	}
	z.replace(name, in, st)
}

// replace writes the converted file beside name and removes name.
func (z *zipper) replace(name string, in *os.File, st os.FileInfo) {
	target := name + ".gz"
	base := name[strings.LastIndexByte(name, '/')+1:]
	if z.unpack {
		stem, ok := strings.CutSuffix(name, ".gz")
		if s, tgz := strings.CutSuffix(name, ".tgz"); tgz {
			stem, ok = s+".tar", true
		}
		if !ok {
			z.c.Errorf("%s: unknown suffix -- ignored", name)
			return
		}
		target = stem
	}
	flags := os.O_WRONLY | os.O_CREATE | os.O_EXCL
	if z.force {
		flags = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	}
	out, err := os.OpenFile(target, flags, st.Mode().Perm())
	if err != nil {
		z.c.Fail(target, err)
		return
	}
	err = z.convert(out, in, base, st.ModTime())
	if e := out.Close(); err == nil {
		err = e
	}
	if err != nil {
		os.Remove(target)
		z.c.Fail(name, err)
		return
	}
	os.Chtimes(target, time.Time{}, st.ModTime())
	if !z.keep {
		os.Remove(name)
	}
}
