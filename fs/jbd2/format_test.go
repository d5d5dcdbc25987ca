// SPDX-License-Identifier: Apache-2.0

package jbd2

import (
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"lodger/abi"
)

// TestChecksums: the known values of the two polynomials.
func TestChecksums(t *testing.T) {
	p := []byte("123456789")
	if c := crc32c(^uint32(0), p); c != ^uint32(0xe3069283) {
		t.Errorf("crc32c %#x", c)
	}
	if c := newCRC32BE().update(^uint32(0), p); c != 0x0376e6e7 { // CRC-32/MPEG-2
		t.Errorf("crc32be %#x", c)
	}
}

// TestTags: each layout's size, and what is written is read.
func TestTags(t *testing.T) {
	sizes := map[string]int{
		"plain": 8, "revoke": 8, "checksum": 8, "64": 12, "v2": 10, "v2-64": 14, "v3": 16, "v3-64": 16,
	}
	for name, feat := range formats() {
		f := format{Features: feat, blocksize: 1024}
		if f.tagBytes() != sizes[name] {
			t.Errorf("%s: %d bytes", name, f.tagBytes())
		}
		want := tag{block: 0x12345678, flags: flagEscape | flagSameUUID | flagLastTag}
		if f.is64bit() {
			want.block |= 0xabcd << 32
		}
		if f.csumV2() {
			want.sum = 0x1234
		} else if f.csumV3() {
			want.sum = 0x12345678
		}
		b := make([]byte, 16)
		f.putTag(b, want)
		if got := f.parseTag(b); got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
}

// TestTIDWraps: sequence numbers are compared round the corner.
func TestTIDWraps(t *testing.T) {
	if a, b := TID(0xfffffffe), TID(1); !b.After(a) || a.AtLeast(b) || !a.AtLeast(a) || a.After(a) {
		t.Error("order is wrong")
	}
}

// TestRefused: what is not understood is named.
func TestRefused(t *testing.T) {
	base := func(f Features, change func(b []byte)) []byte {
		l := small(f)
		b := l.superblock()
		change(b)
		return b
	}
	external := make([]byte, 4096)
	binary.LittleEndian.PutUint16(external[1024+0x38:], 0xef53)
	binary.LittleEndian.PutUint32(external[1024+0x60:], 8)
	none := func([]byte) {}
	for _, c := range []struct {
		b    []byte
		err  error
		text string
	}{
		{base(Features{}, none), nil, ""},
		{base(Features{Incompat: 0x40}, none), abi.EINVAL, "FEATURE_I6"},
		{base(Features{Incompat: 0x80000001}, none), abi.EINVAL, "FEATURE_I31"},
		{base(Features{ROCompat: 2}, none), abi.EINVAL, "ro_compat 0x2"},
		{base(Features{Compat: 0x100}, none), nil, ""},
		{base(Features{Incompat: FeatureIncompatCsumV2 | FeatureIncompatCsumV3}, none), abi.EINVAL, "both"},
		{base(Features{Compat: 1, Incompat: FeatureIncompatCsumV3}, none), abi.EINVAL, "both"},
		{base(v3(), func(b []byte) { b[sbMaxlen] = 1 }), EFSBADCRC, "superblock"},
		{base(v3(), func(b []byte) { b[sbChecksumType] = 1 }), abi.EINVAL, "checksum type 1"},
		{base(Features{}, func(b []byte) { put32(b, 4, 9) }), abi.EINVAL, "format 9"},
		{base(Features{}, func(b []byte) { put32(b, 0, 9) }), abi.EINVAL, "no journal"},
		{base(Features{}, func(b []byte) { put32(b, sbFirst, 0) }), abi.EINVAL, "start block"},
		{base(Features{}, func(b []byte) { put32(b, sbFirst, 70) }), abi.EINVAL, "start block"},
		{base(Features{}, func(b []byte) { put32(b, sbStart, 70) }), EFSCORRUPTED, "starts at"},
		{base(Features{}, func(b []byte) { put32(b, sbBlocksize, 1000) }), abi.EINVAL, "block size"},
		{base(Features{}, func(b []byte) { put32(b, sbNrUsers, 2) }), ErrExternal, "external"},
		{base(Features{Incompat: FeatureIncompatFastCommit}, none), abi.EINVAL, "fast-commit"}, // 256 of 70
		{external, ErrExternal, "external"},
		{nil, abi.EINVAL, "bytes"},
	} {
		_, err := ParseSuperblock(c.b)
		if !errors.Is(err, c.err) || err != nil && !strings.Contains(err.Error(), c.text) {
			t.Errorf("%v, want %v with %q", err, c.err, c.text)
		}
	}
}

// TestFastCommit: an empty fast-commit area is no trouble, one that holds
// something is refused by name.
func TestFastCommit(t *testing.T) {
	l := small(Features{Incompat: FeatureIncompatRevoke | FeatureIncompatFastCommit})
	l.fc = 10
	d := l.format()
	j := l.load(t, d)
	tid := change(t, j, 1, l.buffer(5))
	must(t, j.CompleteTransaction(tid))
	if !holds(l.at(replayed(t, l, d), 5), 1) {
		t.Error("not replayed")
	}
	off, _ := l.mapping(l.journal - l.fc + 1)
	le := binary.LittleEndian
	le.PutUint16(d.data[off:], fcTagHead)
	le.PutUint16(d.data[off+2:], 8)
	le.PutUint32(d.data[off+8:], uint32(tid)) // an old one's
	if !holds(l.at(replayed(t, l, d), 5), 1) {
		t.Error("not replayed with a stale fast commit")
	}
	le.PutUint32(d.data[off+8:], uint32(tid+1))
	_, err := Load(l.options(d))
	var u *UnsupportedError
	if !errors.As(err, &u) || !strings.Contains(err.Error(), "fast_commit") {
		t.Errorf("%v", err)
	}
}

// TestVersion1: an old superblock works and has no features.
func TestVersion1(t *testing.T) {
	l := small(Features{})
	l.version = 1
	d := l.format()
	j := l.load(t, d)
	if err := j.SetFeatures(v3(), Features{}); !errors.Is(err, abi.EINVAL) {
		t.Errorf("features: %v", err)
	}
	if _, err := j.Start(nil, 1, 1); !errors.Is(err, abi.EINVAL) {
		t.Errorf("revokes: %v", err)
	}
	must(t, j.CompleteTransaction(change(t, j, 4, l.buffer(5))))
	if !holds(l.at(replayed(t, l, d), 5), 4) {
		t.Error("not replayed")
	}
	must(t, j.Destroy())
}

// TestReadOnly: a dirty log needs a writable device.
func TestReadOnly(t *testing.T) {
	l := small(v3())
	d := l.format()
	j := l.load(t, d)
	must(t, j.CompleteTransaction(change(t, j, 4, l.buffer(5))))
	before := string(d.data)
	o := l.options(d)
	o.ReadOnly = true
	if _, err := Load(o); !errors.Is(err, abi.EROFS) || string(d.data) != before {
		t.Errorf("dirty: %v", err)
	}
	must(t, j.Destroy())
	if _, err := Load(o); err != nil {
		t.Errorf("clean: %v", err)
	}
}

// TestAsyncCommit: with asynchronous commits the last transaction may have its
// commit block and not all others; then the log ends before it.
func TestAsyncCommit(t *testing.T) {
	for _, feat := range []Features{
		{Incompat: FeatureIncompatAsyncCommit | FeatureIncompatCsumV3},
		{Compat: FeatureCompatChecksum, Incompat: FeatureIncompatAsyncCommit},
	} {
		l := small(feat)
		d := l.format()
		j := l.load(t, d)
		b := l.buffer(5)
		must(t, j.CompleteTransaction(change(t, j, 1, b)))
		must(t, j.CompleteTransaction(change(t, j, 2, b)))
		hurt := func(tx int) *disk {
			c := &disk{data: append([]byte(nil), d.data...)}
			off, _ := l.mapping(uint32(1 + 3*tx + 1)) // the logged block
			c.data[off+100] ^= 1
			return c
		}
		c := hurt(1)
		l.load(t, c)
		if !holds(l.at(c.data, 5), 1) {
			t.Errorf("%v: not the first transaction's", feat)
		}
		// In the middle of the log it is damage for version 1, which can tell.
		if _, err := Load(l.options(hurt(0))); feat.checksumV1() && !errors.Is(err, EFSCORRUPTED) {
			t.Errorf("%v: %v", feat, err)
		}
	}
}
