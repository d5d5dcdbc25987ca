// SPDX-License-Identifier: Apache-2.0

package jbd2

import (
	"math/rand"
	"strings"
	"testing"
)

// journalFeatures is what ext4 would set for a file system; the file system's
// own 64bit feature comes with the journal's.
func journalFeatures() map[string]Features {
	f := formats()
	delete(f, "plain")
	return f
}

// TestE2fsckReplaysOurs writes transactions into the journal of a real image,
// leaves it dirty, and has e2fsck replay it: the outcome must be ours, the file
// system sound, and debugfs must understand the log.
func TestE2fsckReplaysOurs(t *testing.T) {
	for i, fsFeatures := range []string{"^metadata_csum,^64bit", "metadata_csum,64bit"} {
		for name, feat := range journalFeatures() {
			if feat.is64bit() != (i == 1) {
				continue
			}
			bs := 1024
			if name == "v3-64" || name == "v2" || name == "checksum" {
				bs = 4096
			}
			t.Run(name, func(t *testing.T) {
				im := mkfs(t, bs, "-O", fsFeatures)
				im.debugfs(t, true, "feature needs_recovery")
				seed := int64(len(name))
				dirty := writeHistory(t, im, feat, seed)
				judge(t, im, dirty)
			})
		}
	}
}

// writeHistory writes random transactions into the journal and stops as a power
// cut would: the last transaction has its blocks in the log and no commit block.
func writeHistory(t *testing.T, im *image, feat Features, seed int64) []byte {
	t.Helper()
	d := &disk{data: im.read(t)}
	j, err := Load(im.options(d))
	if err != nil {
		t.Fatal(err)
	}
	off := Features{Compat: FeatureCompatChecksum, Incompat: FeatureIncompatCsumV2 | FeatureIncompatCsumV3}
	if err := j.SetFeatures(feat, off); err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewSource(seed))
	// 1024 blocks of log: so many transactions that it goes round, and so few
	// after the last checkpoint that much is left to replay.
	for i := range 60 {
		n := 1 + rng.Intn(20)
		if i%10 == 3 {
			n = 200 // more than a descriptor's tags
		}
		im.transaction(t, j, rng, n, feat.revoke() && i%3 == 0)
		if err := j.ForceCommit(); err != nil {
			t.Fatal(err)
		}
	}
	im.transaction(t, j, rng, 10, feat.revoke())
	tid, _ := j.Newest()
	j.mu.Lock()
	j.request(tid)
	j.mu.Unlock()
	for s := TNone; s != TCommitJFlush; {
		s, _ = j.Step()
	}
	return d.data
}

// transaction changes n blocks and revokes some others.
func (im *image) transaction(t *testing.T, j *Journal, rng *rand.Rand, n int, revoke bool) {
	t.Helper()
	revokes := 0
	if revoke {
		revokes = 10
	}
	h, err := j.Start(nil, n, revokes)
	if err != nil {
		t.Fatal(err)
	}
	blocks := im.pick(rng, n+10)
	for _, block := range blocks[:n] {
		b := im.cache[block]
		if b == nil {
			b = NewBuffer(block, make([]byte, im.bs))
		}
		if err := h.GetWriteAccess(b); err != nil {
			t.Fatal(err)
		}
		rng.Read(b.Data)
		if rng.Intn(4) == 0 {
			put32(b.Data, 0, Magic)
		}
		if err := h.DirtyMetadata(b); err != nil {
			t.Fatal(err)
		}
		im.cache[block] = b
	}
	if revoke {
		for _, block := range blocks[n:] {
			if err := h.Revoke(block, im.cache[block]); err != nil {
				t.Fatal(err)
			}
			delete(im.cache, block)
		}
	}
	if err := h.Stop(); err != nil {
		t.Fatal(err)
	}
}

func judge(t *testing.T, im *image, dirty []byte) {
	t.Helper()
	ours := &disk{data: append([]byte(nil), dirty...)}
	j, err := Load(im.options(ours))
	if err != nil {
		t.Fatal(err)
	}
	if j.Recovered.Replays < 100 || j.Recovered.Revokes == 0 && j.Features().revoke() {
		t.Errorf("too little to replay: %+v", j.Recovered)
	}
	theirs := im.copyOf(t, dirty)
	log := theirs.debugfs(t, false, "logdump -a")
	if n := strings.Count(log, "logged at journal block"); n < j.Recovered.Replays {
		t.Errorf("debugfs sees %d blocks in the log, we replayed %d\n%.2000s", n, j.Recovered.Replays, log)
	}
	out, status := theirs.e2fsck(t, "-fy")
	if status > 1 || strings.Contains(out, "corrupt") || !strings.Contains(out, "recovering journal") {
		t.Errorf("e2fsck: status %d\n%s", status, out)
	}
	if block, ok := im.differ(ours.data, theirs.read(t)); ok {
		t.Errorf("block %d differs\n%s", block, out)
	}
	// What we recovered and closed, e2fsck finds clean.
	if err := j.Destroy(); err != nil {
		t.Fatal(err)
	}
	clean := im.copyOf(t, ours.data)
	if out, status := clean.e2fsck(t, "-fy"); status > 1 || strings.Contains(out, "corrupt") {
		t.Errorf("e2fsck after ours: status %d\n%s", status, out)
	}
	if !strings.Contains(clean.dumpe2fs(t), "Journal start:            0") {
		t.Error("the log is not empty")
	}
}
