// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"lodger/block"
)

// createFrom makes an ext4 image of what from names. All work is done in a
// directory beside the image, on the file system that has to hold it anyway; the
// image gets its name at the end, so that there is never half of one.
func (d *disk) createFrom(path, from string, size int64) (err error) {
	if err := absent(path); err != nil {
		return err
	}
	defer d.untilSignal()()
	src, err := d.source(from)
	if err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(filepath.Dir(path), "."+filepath.Base(path)+".making-")
	if err != nil {
		return fmt.Errorf("make a temporary directory beside %s: %w", path, err)
	}
	t := &tools{ctx: d.ctx, ids: src.ids}
	defer func() {
		// A canceled context would keep rm(1) from running.
		clean := tools{ctx: context.Background(), ids: src.ids}
		if e := clean.removeAll(tmp); e != nil && err == nil {
			err = advised{fmt.Errorf("%s is made, but %s cannot be removed; remove it by hand: %w", path, tmp, e)}
		}
		if d.ctx.Err() != nil && err != nil {
			err = advised{fmt.Errorf("interrupted; %s is not made", path)}
		}
	}()
	tree := src.dir
	if src.kind != fromDir {
		tree = filepath.Join(tmp, "tree")
		if err := os.Mkdir(tree, 0o755); err == nil {
			err = os.Chmod(tree, 0o755) // whatever the umask: it becomes the guest's /
		}
		if err != nil {
			return err
		}
		b := d.progress("unpack")
		err = t.fill(src, tree, b)
		b.end()
		if err != nil && src.kind == fromSuite {
			return fmt.Errorf("%s: there is no directory or tar of that name, and as a Debian suite: %w", from, err)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", from, err)
		}
	}
	content, err := t.measure(tree)
	if err != nil {
		return fmt.Errorf("%s: %w", from, err)
	}
	if size == 0 {
		size = content.roomy()
	}
	img := filepath.Join(tmp, "image")
	b := d.progress("copy")
	err = t.mkfs(img, tree, size, content.bytes, b)
	b.end()
	if err != nil {
		return fmt.Errorf("%s: %w", from, err)
	}
	return place(img, path)
}

// The kinds of sources.
const (
	fromDir = iota
	fromTar
	fromSuite
)

type source struct {
	kind int
	dir  string // the directory, the tar or the suite's name
	ids  []string
}

// source finds out what --from names, and that the tools for it are there.
func (d *disk) source(from string) (source, error) {
	s := source{dir: from}
	st, err := os.Stat(from)
	switch {
	case err == nil && st.IsDir():
	case err == nil && st.Mode().IsRegular():
		s.kind = fromTar
	case err == nil:
		return s, fmt.Errorf("--from %s: it is neither a directory nor a file", from)
	case errors.Is(err, os.ErrNotExist) && regexp.MustCompile(`^[a-z][a-z0-9-]*$`).MatchString(from):
		s.kind = fromSuite
		if _, err := tool("mmdebstrap"); err != nil {
			return s, fmt.Errorf("--from %s: there is no directory or tar of that name, and for the Debian suite %w", from, err)
		}
	default:
		return s, fmt.Errorf("--from: %w", err)
	}
	if _, err := tool("mkfs.ext4"); err != nil {
		return s, fmt.Errorf("an ext4 image: %w", err)
	}
	s.ids, err = idMapping(d.ctx, s.kind != fromDir)
	if err != nil {
		return s, fmt.Errorf("--from %s: %w", from, err)
	}
	return s, nil
}

// content is what a tree takes.
type content struct{ bytes, inodes int64 }

// measure asks du(1), which counts hard links once, in the ids' name space, where
// everything can be read.
func (t *tools) measure(tree string) (c content, err error) {
	for _, q := range []struct {
		flag string
		to   *int64
	}{{"--block-size=1", &c.bytes}, {"--inodes", &c.inodes}} {
		var out bytes.Buffer
		if err := t.run(nil, &out, "du", "-sx", q.flag, "--", tree); err != nil {
			return c, err
		}
		n, _, _ := strings.Cut(out.String(), "\t")
		if *q.to, err = strconv.ParseInt(n, 10, 64); err != nil {
			return c, fmt.Errorf("du printed %q", out.String())
		}
	}
	return c, nil
}

// roomy is the size of an image without --size: the file is sparse, so room costs
// the host nothing. mkfs.ext4 makes an inode for each 16 KiB (mke2fs.conf).
func (c content) roomy() int64 {
	const room, perInode = 256 << 20, 16 << 10
	n := max(c.bytes+c.bytes/2, (c.inodes+c.inodes/4)*perInode) + room
	return (n + 1<<20 - 1) &^ (1<<20 - 1)
}

// mkfs makes the file system and copies the tree into it.
func (t *tools) mkfs(img, tree string, size, bytes int64, b *bar) error {
	f, err := block.CreateFile(img, size, block.Options{})
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	stop := watchFile(img, bytes, b)
	// mke2fs(8): -F, since the image is no block device.
	err = t.run(nil, io.Discard, "mkfs.ext4", "-q", "-F", "-d", tree, img)
	stop()
	if toolSaid(err, "could not allocate") || toolSaid(err, "not enough space") || toolSaid(err, "too small") {
		return advised{fmt.Errorf("the tree has %s and does not fit an image of %s (%w); give a larger --size, or none", human(bytes), human(size), err)}
	}
	return err
}

// watchFile tells a bar how much of an image is written; mkfs.ext4 says nothing.
func watchFile(img string, total int64, b *bar) (stop func()) {
	if b.w == nil {
		return func() {}
	}
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-end:
				return
			case <-time.After(200 * time.Millisecond):
				b.tell(min(allocated(img), total), total)
			}
		}
	}()
	return func() { close(end); <-ended }
}
