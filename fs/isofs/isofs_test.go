// SPDX-License-Identifier: Apache-2.0

package isofs_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"lodger/abi"
	"lodger/fs"
	"lodger/fs/isofs"
	"lodger/test/rofstest"
)

// TestRockRidge: what two programs put into an image is what is found there.
func TestRockRidge(t *testing.T) {
	tree := rofstest.Tree(t)
	if err := os.MkdirAll(filepath.Join(tree, "1/2/3/4/5/6/7/8/9/10"), 0o755); err != nil { // deeper than ISO 9660 allows
		t.Fatal(err)
	}
	for _, k := range [][]string{
		{"genisoimage", "-quiet", "-R", "-J", "-o", "IMG", tree},
		{"genisoimage", "-quiet", "-R", "-o", "IMG", tree},
		{"xorriso", "-outdev", "IMG", "-map", tree, "/", "-commit"},
		{"xorriso", "-as", "mkisofs", "-quiet", "-R", "-J", "-o", "IMG", tree},
	} {
		t.Run(strings.Join(k[:len(k)-3], " "), func(t *testing.T) {
			img := rofstest.Make(t, k[0], slices.Clone(k[1:])...)
			e := rofstest.Env(t, rofstest.Load(t, img), isofs.Mount, "")
			host, guest := rofstest.Facts{Loose: true}, rofstest.Facts{Loose: true}
			host.Host(t, tree)
			guest.Guest(e)
			other := func(l string) bool { // than in the tree
				name, _, _ := strings.Cut(l, " ")
				// xorriso writes device numbers in a form that Linux reads as others.
				return name == "/" || name == "/rr_moved" || k[0] == "xorriso" && (name == "/d/blk" || name == "/d/chr")
			}
			host.Lines, guest.Lines = slices.DeleteFunc(host.Lines, other), slices.DeleteFunc(guest.Lines, other)
			rofstest.Diff(t, &host, &guest)
			for _, name := range []string{"/data/mixed", "/data/text4097", "/data/zeroes"} {
				rofstest.Mapping(e, name)
			}
			e.Want(fs.Mkdir(e.Ctx, fs.Path{}, "/new", 0o755), abi.EROFS, "mkdir")
			e.Want(fs.DoMount(e.Ctx, "", "/", "", abi.MS_REMOUNT, ""), abi.EROFS, "remount,rw")
		})
	}
}

// TestNames: without Rock Ridge names are Joliet's, and without that plain ones.
func TestNames(t *testing.T) {
	tree := t.TempDir()
	for _, n := range []string{"Some Mixed-Case näme.text", "UPPER.TXT", "dir/file", "noext"} {
		p := filepath.Join(tree, n)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(n), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	img := rofstest.Make(t, "genisoimage", "-quiet", "-R", "-J", "-input-charset", "utf-8", "-o", "IMG", tree)
	for _, c := range []struct {
		options string
		want    []string
	}{
		{"", []string{"Some Mixed-Case näme.text", "UPPER.TXT", "dir", "noext"}},
		{"norock", []string{"Some Mixed-Case näme.text", "UPPER.TXT", "dir", "noext"}},
		{"norock,nojoliet", []string{"dir", "noext", "some_mix.tex", "upper.txt"}},
		{"norock,nojoliet,map=off", []string{"DIR", "NOEXT.;1", "SOME_MIX.TEX;1", "UPPER.TXT;1"}},
	} {
		e := rofstest.Env(t, rofstest.Load(t, img), isofs.Mount, c.options)
		var got []string
		for _, x := range rofstest.List(e, "/") {
			got = append(got, x.Name)
		}
		slices.Sort(got)
		if !slices.Equal(got, c.want) {
			t.Errorf("%q: %q, not %q", c.options, got, c.want)
		}
		for _, name := range got {
			p, err := fs.Lookup(e.Ctx, fs.Path{}, "/"+name, 0)
			e.Must(err)
			a, err := p.Getattr()
			e.Must(err)
			if perm := a.Mode & 0o777; c.options != "" && perm != 0o555 {
				t.Errorf("%q: %s has mode %o", c.options, name, perm)
			}
		}
	}
	e := rofstest.Env(t, rofstest.Load(t, img), isofs.Mount, "norock,uid=5,gid=6,mode=640,dmode=750")
	for name, want := range map[string]uint32{"/noext": abi.S_IFREG | 0o640, "/dir": abi.S_IFDIR | 0o750} {
		p, err := fs.Lookup(e.Ctx, fs.Path{}, name, 0)
		e.Must(err)
		if a, _ := p.Getattr(); a.Mode != want || a.UID != 5 || a.GID != 6 {
			t.Errorf("%s: mode %o owner %d:%d", name, a.Mode, a.UID, a.GID)
		}
	}
}

// FuzzImage changes bytes of images.
//
// CI fuzz budget: 5000x
func FuzzImage(f *testing.F) {
	tree := rofstest.SmallTree(f)
	if err := os.MkdirAll(filepath.Join(tree, "1/2/3/4/5/6/7/8/9"), 0o755); err != nil {
		f.Fatal(err)
	}
	var bases [][]byte
	for _, args := range [][]string{{"-R"}, {"-J"}} {
		bases = append(bases, rofstest.Load(f, rofstest.Make(f, "genisoimage", append(args, "-quiet", "-o", "IMG", tree)...)).Data)
	}
	for k := range bases {
		f.Add(uint8(k), []byte{})
		for at := 32768; at < len(bases[k]) && at < 120000; at += 5 + at/150 {
			f.Add(uint8(k), []byte{byte(at >> 16), byte(at >> 8), byte(at), 0xff, 1, byte((at + 5) >> 16), byte((at + 5) >> 8), byte(at + 5), 0x10, 0})
		}
	}
	f.Fuzz(func(t *testing.T, kind uint8, edits []byte) {
		rofstest.Use(t, rofstest.Broken(bases[int(kind)%len(bases)], edits), isofs.Mount, "")
	})
}
