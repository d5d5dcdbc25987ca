// SPDX-License-Identifier: Apache-2.0

package jbd2

import "slices"

// maxStaging is how many log blocks are collected for one write.
const maxStaging = 128

// tagCap is how many tags a descriptor block of ours has at most: a descriptor
// and its blocks are staged together.
func (j *Journal) tagCap() int { return min(j.fmt.tagsPerBlock(), maxStaging-1) }

// logWriter collects blocks of the log and writes them in large pieces.
type logWriter struct {
	j    *Journal
	at   uint32 // the log block that the first staged one goes to
	n    int    // blocks staged
	most int
}

// newLogWriter begins at a log block; it will write about total blocks.
func (j *Journal) newLogWriter(at uint32, total int) *logWriter {
	w := &logWriter{j: j, at: at, most: min(total, maxStaging)}
	if size := w.most * j.opt.Blocksize; len(j.staging) < size {
		j.staging = make([]byte, size)
	}
	return w
}

// room makes sure that so many blocks can be staged without a write.
func (w *logWriter) room(blocks int) error {
	if w.n+blocks > w.most {
		return w.flush()
	}
	return nil
}

// next gives the next block's memory, which the caller fills.
func (w *logWriter) next() []byte {
	bs := w.j.opt.Blocksize
	w.n++
	return w.j.staging[(w.n-1)*bs : w.n*bs : w.n*bs]
}

// flush writes what is staged: one write for each run of the log.
func (w *logWriter) flush() error {
	p := w.j.staging[:w.n*w.j.opt.Blocksize]
	w.n = 0
	for len(p) > 0 {
		off, n := w.j.log.at(w.at)
		n = min(n, w.j.last-w.at)
		size := min(len(p), int(n)*w.j.opt.Blocksize)
		if err := writeFull(w.j.dev, p[:size], off); err != nil {
			return err
		}
		w.at = w.j.wrap(w.at + uint32(size/w.j.opt.Blocksize))
		p = p[size:]
	}
	return nil
}

// writeRevokes writes the transaction's revoke blocks
// (jbd2_journal_write_revoke_records).
func (w *logWriter) writeRevokes(t *Transaction) error {
	if len(t.revokes) == 0 {
		return nil
	}
	per := w.j.fmt.revokesPerBlock()
	list := make([]uint64, 0, len(t.revokes))
	for block := range t.revokes {
		list = append(list, block)
	}
	slices.Sort(list) // the same history gives the same log
	for len(list) > 0 {
		if err := w.room(1); err != nil {
			return err
		}
		n := min(per, len(list))
		w.j.fmt.putRevokes(w.next(), t.tid, list[:n])
		list = list[n:]
	}
	return nil
}

// writeMetadata writes descriptors and copies of the buffers.
func (w *logWriter) writeMetadata(t *Transaction) error {
	limit := w.j.tagCap()
	for rest := t.dirty; len(rest) > 0; {
		n := min(len(rest), limit)
		if err := w.room(1 + n); err != nil {
			return err
		}
		w.writeGroup(t, rest[:n])
		rest = rest[n:]
	}
	return nil
}

// writeGroup stages one descriptor and its blocks.
func (w *logWriter) writeGroup(t *Transaction, group []*Buffer) {
	j := w.j
	desc := w.next()
	clear(desc)
	putHeader(desc, descriptorBlock, t.tid)
	off, first, seed := headerSize, w.n, j.fmt.tidSeed(t.tid)
	for i, b := range group {
		data := w.next()
		j.copyLogged(data, b)
		tg := tag{block: b.Block}
		if be32(data, 0) == Magic {
			put32(data, 0, 0)
			tg.flags |= flagEscape
		}
		if i > 0 {
			tg.flags |= flagSameUUID
		}
		if i == len(group)-1 {
			tg.flags |= flagLastTag
		}
		if j.fmt.csumV2or3() {
			tg.sum = crc32c(seed, data)
		}
		j.fmt.putTag(desc[off:], tg)
		off += j.fmt.tagBytes()
		if i == 0 {
			off += copy(desc[off:], j.fmt.uuid[:])
		}
	}
	j.fmt.setTail(desc)
	if j.fmt.checksumV1() {
		bs := j.opt.Blocksize
		t.sum = j.crcBE.update(t.sum, j.staging[(first-1)*bs:w.n*bs])
	}
}

// copyLogged copies what the committing transaction has of a buffer. From then
// on the running one may change it without a copy.
func (j *Journal) copyLogged(p []byte, b *Buffer) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if b.frozen != nil {
		copy(p, b.frozen)
		j.thaw(b)
	} else {
		copy(p, b.Data)
	}
	b.logged = true
}
