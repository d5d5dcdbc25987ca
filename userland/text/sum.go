// SPDX-License-Identifier: Apache-2.0

package text

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"strings"

	"lodger/userland/app"
)

func newHash(name string) hash.Hash {
	switch name {
	case "md5sum":
		return md5.New()
	case "sha1sum":
		return sha1.New()
	case "sha512sum":
		return sha512.New()
	}
	return sha256.New()
}

func sum(c *app.Ctx, args []string) int {
	o, status, ok := c.Parse(args, "c|check b|binary t|text quiet s|status w|warn strict z tag")
	if !ok {
		return status
	}
	digest := func(r io.Reader) (string, error) {
		h := newHash(c.Name)
		_, err := io.CopyBuffer(h, struct{ io.Reader }{r}, make([]byte, 128<<10))
		return hex.EncodeToString(h.Sum(nil)), err
	}
	if !o.Has("c") {
		c.EachFile(o.Args, func(name string, r io.Reader) error {
			s, err := digest(r)
			if err == nil {
				fmt.Fprintf(c.Out, "%s  %s\n", s, name)
			}
			return err
		})
		return c.Status()
	}
	bad := 0
	c.EachFile(o.Args, func(_ string, list io.Reader) error {
		return eachLine(list, func(line []byte) bool {
			want, name, ok := strings.Cut(strings.TrimSuffix(string(line), "\n"), " ")
			if !ok || len(name) < 2 {
				return true
			}
			name = name[1:]
			f, ok := c.Open(name)
			if !ok {
				fmt.Fprintf(c.Out, "%s: FAILED open or read\n", name)
				return true
			}
			got, err := digest(f)
			f.Close()
			switch {
			case err != nil || !strings.EqualFold(got, want):
				bad++
				if !o.Has("s") {
					fmt.Fprintf(c.Out, "%s: FAILED\n", name)
				}
			case !o.Has("quiet") && !o.Has("s"):
				fmt.Fprintf(c.Out, "%s: OK\n", name)
			}
			return true
		})
	})
	if bad > 0 {
		noun := "checksums"
		if bad == 1 {
			noun = "checksum"
		}
		c.Errorf("WARNING: %d computed %s did NOT match", bad, noun)
	}
	return c.Status()
}

func base64Main(c *app.Ctx, args []string) int {
	o, status, ok := c.Parse(args, "d|decode i|ignore-garbage w|wrap:")
	if !ok {
		return status
	}
	cols, ok := o.Int("w", 76)
	if !ok {
		return c.BadUsage("invalid wrap size: %s", app.Quote(o.Str("w", "")))
	}
	c.EachFile(o.Args, func(_ string, r io.Reader) error {
		data, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		if o.Has("d") {
			out, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(string(data)), ""))
			c.Out.Write(out)
			if err != nil {
				c.Errorf("invalid input")
			}
			return nil
		}
		s := base64.StdEncoding.EncodeToString(data)
		for cols > 0 && int64(len(s)) > cols {
			c.Out.WriteString(s[:cols] + "\n")
			s = s[cols:]
		}
		c.Out.WriteString(s)
		if cols > 0 && s != "" {
			c.Out.WriteByte('\n')
		}
		return nil
	})
	return c.Status()
}
