// SPDX-License-Identifier: Apache-2.0

package ext4_test

import (
	"bytes"
	"fmt"
	"testing"

	"lodger/abi"
	"lodger/fs"
	"lodger/fs/ext4"
)

// The targets of this file change one kind of structure each and make its
// checksum right again: FuzzImage hardly ever gets past one.

// fuzzImage is a base image and its structures of one kind.
type fuzzImage struct {
	data []byte
	at   []ext4.Structure
}

// fuzzImages makes images that have structures of a kind.
func fuzzImages(f *testing.F, kind string) (l []fuzzImage) {
	for _, args := range [][]string{
		{"-t", "ext4", "-I", "256", "-O", "metadata_csum,64bit,orphan_file,ea_inode", "-J", "size=1"},
		{"-t", "ext4", "-I", "512", "-O", "^has_journal,metadata_csum,^64bit,inline_data,metadata_csum_seed,ea_inode,^resize_inode,meta_bg"},
		{"-t", "ext4", "-I", "256", "-O", "^has_journal,^metadata_csum,uninit_bg,^64bit,^flex_bg"},
		{"-t", "ext2", "-I", "128"},
	} {
		d := &disk{}
		if args[len(args)-1] == "size=1" {
			d.data = fuzzBaseOf(f, "3M", args...)
			ext4.WithoutJournal(d.data)
		} else {
			d.data = fuzzBase(f, args...)
		}
		v, sb := mount(f, d, ext4.Options{})
		img := fuzzImage{data: furnish(f, d, v, sb)}
		ro, err := ext4.New(fs.New(0), &disk{data: img.data}, ext4.Options{ReadOnly: true, NoLoad: true})
		if err != nil {
			f.Fatal(err)
		}
		all, err := ro.Ops.(*ext4.FS).Structures()
		if err != nil {
			f.Fatal(err)
		}
		for _, s := range all {
			if s.Kind == kind {
				same := bytes.Clone(img.data)
				if s.Reseal(same); !bytes.Equal(same, img.data) {
					f.Fatalf("%s at %d: its checksum is computed wrongly", kind, s.Off)
				}
				img.at = append(img.at, s)
			}
		}
		if len(img.at) > 0 {
			l = append(l, img)
		}
	}
	if len(l) == 0 {
		f.Fatalf("no image has a structure of kind %s", kind)
	}
	return l
}

// furnish adds attributes, a file of many extents and orphans, and gives what a
// power cut would leave.
func furnish(f *testing.F, d *disk, v *fs.VFS, sb *fs.SuperBlock) []byte {
	root := v.NewMountNS(sb, "x", 0).RootPath()
	ctx := &fs.Context{Creds: fs.RootCreds(), Root: root, Cwd: root, MayWait: true}
	must := func(err error) {
		f.Helper()
		if err != nil {
			f.Fatal(err)
		}
	}
	open := func(name string, flags int) *fs.File {
		file, err := fs.Open(ctx, fs.Path{}, name, abi.OpenHow{Flags: uint64(flags), Mode: 0o600})
		must(err)
		return file
	}
	many := open("many", abi.O_CREAT|abi.O_RDWR)
	for k := range int64(14) {
		_, err := many.Pwrite(ctx, []byte("x"), k*20000)
		must(err)
	}
	acl := fs.ACL{{Tag: fs.ACLUserObj, Perm: 6, ID: fs.NoACLID}, {Tag: fs.ACLUser, Perm: 6, ID: 7}, {Tag: fs.ACLGroupObj, Perm: 4, ID: fs.NoACLID},
		{Tag: fs.ACLMask, Perm: 7, ID: fs.NoACLID}, {Tag: fs.ACLOther, ID: fs.NoACLID}}
	must(fs.Setxattr(ctx, many.Path, "system.posix_acl_access", acl.Bytes(), 0))
	must(fs.Setxattr(ctx, many.Path, "user.long", bytes.Repeat([]byte("v"), 500), 0))
	fs.Setxattr(ctx, many.Path, "user.longer", bytes.Repeat([]byte("v"), 3000), 0) // with ea_inode only
	many.DecRef()
	for k := range 3 {
		name := fmt.Sprint("orphan", k)
		o := open(name, abi.O_CREAT|abi.O_RDWR)
		_, err := o.Write(ctx, make([]byte, 5000))
		must(err)
		must(fs.Unlink(ctx, fs.Path{}, name))
	}
	must(sb.Ops.(*ext4.FS).Sync())
	return bytes.Clone(d.data)
}

// fuzz changes bytes of a structure: 4-byte pieces of the input say where (2
// bytes) and what (xor, add).
func fuzz(f *testing.F, kind string) {
	images := fuzzImages(f, kind)
	seeds := 40
	if testing.Short() {
		seeds = 4
	}
	for k, img := range images {
		for n, s := range img.at {
			for at := 0; at < s.Len; at += 1 + s.Len/seeds {
				f.Add(uint8(k), uint16(n), []byte{byte(at >> 8), byte(at), 0xff, byte(at)})
			}
			if n > 20 {
				break
			}
		}
	}
	f.Fuzz(func(t *testing.T, k uint8, n uint16, edits []byte) {
		img := images[int(k)%len(images)]
		s := img.at[int(n)%len(img.at)]
		d := &strict{disk: disk{data: bytes.Clone(img.data)}}
		for ; len(edits) >= 4; edits = edits[4:] {
			at := s.Off + (int(edits[0])<<8|int(edits[1]))%s.Len
			d.data[at] = d.data[at] ^ edits[2] + edits[3]
		}
		s.Reseal(d.data)
		use(t, d)
		if d.outside > 0 {
			t.Errorf("%d accesses outside the image", d.outside)
		}
	})
}

// CI fuzz budget: 3000x
func FuzzSuper(f *testing.F) { fuzz(f, "super") }

// CI fuzz budget: 3000x
func FuzzGroup(f *testing.F) { fuzz(f, "group") }

// CI fuzz budget: 3000x
func FuzzInode(f *testing.F) { fuzz(f, "inode") }

// CI fuzz budget: 3000x
func FuzzExtents(f *testing.F) { fuzz(f, "extent") }

// CI fuzz budget: 3000x
func FuzzDirectory(f *testing.F) { fuzz(f, "directory") }

// CI fuzz budget: 3000x
func FuzzXattr(f *testing.F) { fuzz(f, "xattr") }

// CI fuzz budget: 3000x
func FuzzOrphans(f *testing.F) { fuzz(f, "orphan") }
