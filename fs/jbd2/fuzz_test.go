// SPDX-License-Identifier: Apache-2.0

package jbd2

import (
	"testing"
)

// FuzzSuperblock: any first block is refused or makes sense.
//
// CI fuzz budget: 3000x
func FuzzSuperblock(f *testing.F) {
	for _, feat := range formats() {
		f.Add(small(feat).superblock())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := ParseSuperblock(b)
		if err == nil && (s.First == 0 || s.First >= s.Last() || s.Last() > s.Maxlen || s.Start >= s.Last()) {
			t.Errorf("accepted %+v", s)
		}
	})
}

// FuzzBlocks: descriptor, revoke and commit blocks of any contents are read
// within their bounds.
func FuzzBlocks(f *testing.F) {
	l := small(v3())
	fm := format{Features: l.feat, blocksize: l.bs}
	b := make([]byte, l.bs)
	fm.putRevokes(b, 1, []uint64{1, 2, 1 << 40})
	f.Add(byte(0x13), b)
	c := make([]byte, l.bs)
	fm.putCommit(c, 1, 1e18, 0)
	f.Add(byte(0), c)
	f.Fuzz(func(t *testing.T, feat byte, in []byte) {
		fm := format{blocksize: 1024, Features: Features{Incompat: uint32(feat) & knownIncompat}}
		b := make([]byte, fm.blocksize)
		copy(b, in)
		if n := fm.countTags(b); n > fm.blocksize/8 {
			t.Errorf("%d tags in a block", n)
		}
		n := 0
		if err := fm.revokes(b, func(uint64) { n++ }); err == nil && n > fm.revokesPerBlock() {
			t.Errorf("%d records in a block", n)
		}
		fm.tailOK(b)
		fm.commitOK(b)
		commitSumOK(b, 0)
	})
}

// FuzzRecovery: whatever the journal holds, recovery ends, without a panic, and
// writes only to the file system's own blocks (the disk panics otherwise). What
// it recovered can be used. in is laid over a sound log, whose checksums are
// corrected so that damage gets past them.
func FuzzRecovery(f *testing.F) {
	f.Add(byte(0), uint16(0), []byte{})
	f.Add(byte(1), uint16(1024+12), []byte{0, 0, 0, 5, 0, 0, 0, 2})
	f.Add(byte(5), uint16(28), []byte{0, 0, 0, 9})
	f.Add(byte(7), uint16(1024), []byte{0xc0, 0x3b, 0x39, 0x98, 0, 0, 0, 5})
	names := []string{"plain", "revoke", "checksum", "v2", "v2-64", "v3", "v3-64", "64"}
	logs := map[string]*disk{}
	for _, name := range names {
		logs[name] = sampleLog(f, small(formats()[name]))
	}
	f.Fuzz(func(t *testing.T, which byte, at uint16, in []byte) {
		name := names[int(which)%len(names)]
		l := small(formats()[name])
		d := &disk{data: append([]byte(nil), logs[name].data...)}
		for i, c := range in {
			n := int(at) + i
			off, err := l.mapping(uint32(n / l.bs % int(l.journal)))
			if err != nil {
				t.Fatal(err)
			}
			d.data[int(off)+n%l.bs] = c
		}
		l.seal(d)
		j, err := Load(l.options(d))
		if err != nil {
			return
		}
		tid := change2(t, j, l)
		if err := j.CompleteTransaction(tid); err != nil {
			t.Error(err)
		}
		if err := j.Destroy(); err != nil {
			t.Error(err)
		}
	})
}

// change2 is change without a *testing.T of its own to fail.
func change2(t *testing.T, j *Journal, l layout) TID {
	t.Helper()
	return change(t, j, 4, l.buffer(3), l.buffer(4))
}

// sampleLog is a log of a few transactions, some revoked.
func sampleLog(f *testing.F, l layout) *disk {
	d := l.format()
	j, err := Load(l.options(d))
	for i := range 4 {
		if err != nil {
			break
		}
		var h *Handle
		revokes := 0
		if l.feat.revoke() {
			revokes = i
		}
		if h, err = j.Start(nil, 6, revokes); err != nil {
			break
		}
		for k := range 6 {
			b := l.buffer(uint64(10 + i + k))
			fill(b.Data, uint64(i*6+k))
			if i > 0 && k < 5 {
				continue // one buffer for each block
			}
			_, _ = h.GetCreateAccess(b), h.DirtyMetadata(b)
		}
		for k := range revokes {
			_ = h.Revoke(uint64(10+k), nil)
		}
		if err = h.Stop(); err == nil {
			err = j.ForceCommit()
		}
	}
	if err != nil {
		f.Fatal(err)
	}
	return d
}

// seal corrects the checksums of all log blocks after damage.
func (l layout) seal(d *disk) {
	fm := format{Features: l.feat, blocksize: l.bs}
	off, _ := l.mapping(0)
	copy(fm.uuid[:], d.data[off+sbUUID:])
	fm.seed = crc32c(^uint32(0), fm.uuid[:])
	sealSuperblock(d.data[off:off+int64(l.bs)], l.feat)
	for i := uint32(1); i < l.journal; i++ {
		off, _ := l.mapping(i)
		b := d.data[off : off+int64(l.bs)]
		switch h := parseHeader(b); {
		case h.magic != Magic:
		case h.blocktype == descriptorBlock || h.blocktype == revokeBlock:
			fm.setTail(b)
		case h.blocktype == commitBlock && fm.csumV2or3():
			put32(b, commitChksum, crcHole(fm.seed, b, commitChksum))
		}
	}
}
