// SPDX-License-Identifier: Apache-2.0

package jbd2

import (
	"fmt"
	"math/rand"
	"strings"
	"testing"
)

// TestReplayLikeE2fsck replays logs that debugfs wrote, and damaged ones of
// them: the file system's blocks must become what e2fsck makes of them.
func TestReplayLikeE2fsck(t *testing.T) {
	for i, features := range featureSets() {
		for k, open := range []string{"jo", "jo -c", "jo -c -v 2", "jo -c -v 3"} {
			if testing.Short() && (i+k)%5 != 0 {
				continue
			}
			bs := 1024
			if (i+k)%3 == 0 {
				bs = 4096
			}
			t.Run(fmt.Sprintf("%s/%s/%d", features, strings.ReplaceAll(open, " ", ""), bs), func(t *testing.T) {
				rng := rand.New(rand.NewSource(int64(i*10 + k)))
				im := mkfs(t, bs, "-O", features)
				im.debugfs(t, true, im.journalWrites(t, rng, open)...)
				dirty := im.read(t)
				n := replayBoth(t, im, dirty, true)
				// debugfs writes no right checksums of version 1.
				if n < 50 && im.feature(t, "journal_checksum ") == "" {
					t.Errorf("only %d blocks replayed", n)
				}
				for range 6 {
					hurt := append([]byte(nil), dirty...)
					im.damage(hurt, rng)
					replayBoth(t, im, hurt, false)
				}
			})
		}
	}
}

// feature looks for one of the journal's features.
func (im *image) feature(t *testing.T, name string) string {
	t.Helper()
	for _, line := range strings.Split(im.dumpe2fs(t), "\n") {
		if strings.HasPrefix(line, "Journal features:") && strings.Contains(line+" ", name) {
			return line
		}
	}
	return ""
}

// damage changes a byte in one of the log's used blocks.
func (im *image) damage(data []byte, rng *rand.Rand) {
	off := im.bmap[1+rng.Intn(30)]
	at := off + int64(rng.Intn(im.bs))
	h := parseHeader(data[off:])
	// Behind its header a commit block holds nothing, and newer kernels than
	// e2fsck's model do not mind what does.
	if rng.Intn(2) == 0 || h.magic == Magic && h.blocktype == commitBlock {
		at = off + int64(rng.Intn(commitHeaderSize)) // headers and tags
	}
	data[at] ^= byte(1 << rng.Intn(8))
}

// replayBoth compares the two; sound ones must be without error.
func replayBoth(t *testing.T, im *image, dirty []byte, sound bool) int {
	t.Helper()
	ours := &disk{data: append([]byte(nil), dirty...)}
	j, err := Load(im.options(ours))
	theirs := im.copyOf(t, dirty)
	out, status := theirs.e2fsck(t, "-y", "-E", "journal_only")
	if corrupt := strings.Contains(out, "corrupt"); sound && (status > 1 || corrupt != (err != nil)) {
		t.Fatalf("e2fsck: status %d, our error %v\n%s", status, err, out)
	}
	after := theirs.read(t)
	if block, ok := im.differ(ours.data, after); ok {
		t.Errorf("block %d differs (sound %v, our error %v)\n%s", block, sound, err, out)
	}
	if err != nil {
		return 0
	}
	return j.Recovered.Replays
}
