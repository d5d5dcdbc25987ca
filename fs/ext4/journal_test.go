// SPDX-License-Identifier: Apache-2.0

package ext4_test

import (
	"bytes"
	"fmt"
	"math/rand"
	"testing"

	"lodger/abi"
	"lodger/fs"
	"lodger/fs/ext4"
)

// fakeJournal is a journal whose transactions reach the disk whole at Commit, and
// not at all before. It counts what handles change against what they asked for.
type fakeJournal struct {
	t       testing.TB
	d       *disk
	bs      int
	dirty   map[*ext4.Buffer]bool
	after   []func()
	credits int
	handle  map[uint64]bool // blocks changed by the running handle
	allowed map[*ext4.Buffer]bool
	open    bool
	worst   int
	commits int
	max     int
}

func (j *fakeJournal) Start(credits int) (ext4.Handle, error) {
	if j.open {
		j.t.Error("two handles at a time")
	}
	j.open, j.credits = true, credits
	j.handle, j.allowed = map[uint64]bool{}, map[*ext4.Buffer]bool{}
	return j, nil
}

func (j *fakeJournal) MaxCredits() int      { return j.max }
func (j *fakeJournal) AfterCommit(f func()) { j.after = append(j.after, f) }
func (j *fakeJournal) Close() error         { return j.Commit() }

func (j *fakeJournal) GetWriteAccess(b *ext4.Buffer) error {
	j.allowed[b] = true
	return nil
}

func (j *fakeJournal) DirtyMetadata(b *ext4.Buffer) error {
	if !j.allowed[b] {
		j.t.Errorf("block %d is dirty without access", b.Block())
	}
	j.dirty[b], j.handle[b.Block()] = true, true
	return nil
}

func (j *fakeJournal) Revoke(b *ext4.Buffer, block uint64) error {
	delete(j.dirty, b)
	return nil
}

func (j *fakeJournal) Extend(n int) bool {
	if len(j.handle)+n <= j.max {
		j.credits = max(j.credits, len(j.handle)+n)
		return true
	}
	return false
}

func (j *fakeJournal) Stop() error {
	if n := len(j.handle); n > j.credits {
		j.t.Errorf("%d blocks changed, %d credits", n, j.credits)
	} else {
		j.worst = max(j.worst, n)
	}
	j.open = false
	return nil
}

func (j *fakeJournal) Commit() error {
	for b := range j.dirty {
		j.d.WriteAt(b.Data(), int64(b.Block())*int64(j.bs))
		b.Unpin()
		delete(j.dirty, b)
	}
	j.commits++
	l := j.after
	j.after = nil
	for _, f := range l {
		f()
	}
	return nil
}

// TestTransactions: whatever is on the disk between two commits is a sound file
// system, with the data that was there at the last one, unless written over.
func TestTransactions(t *testing.T) {
	list := []kind{kinds()[5], kinds()[4], kinds()[2], kinds()[3]}
	if testing.Short() {
		list = list[:1]
	}
	for _, k := range list {
		t.Run(k.name, func(t *testing.T) {
			d := mkfs(t, "64M", k.args...)
			var j *fakeJournal
			v, sb := mount(t, d, ext4.Options{OpenJournal: func(info ext4.JournalInfo) (ext4.Journal, error) {
				j = &fakeJournal{t: t, d: d, bs: info.BlockSize, dirty: map[*ext4.Buffer]bool{}, max: 128}
				return j, nil
			}})
			e := env(t, v, sb)
			rnd := rand.New(rand.NewSource(9))
			f := sb.Ops.(*ext4.FS)
			var zero fs.Path
			synced := map[string][]byte{}
			var open []*fs.File
			for i := range 600 {
				x := rnd.Intn(40)
				n := fmt.Sprintf("/%0*d", 1+x*5, x)
				switch rnd.Intn(8) {
				case 0, 1:
					fs.Mkdir(e.Ctx, zero, fmt.Sprint("/dir", rnd.Intn(9)), 0o755)
					fs.Rename(e.Ctx, zero, n, zero, fmt.Sprintf("/dir%d/%s", rnd.Intn(9), n[1:]), 0)
				case 2:
					fs.Unlink(e.Ctx, zero, n)
				case 3:
					fs.Truncate(e.Ctx, zero, n, int64(rnd.Intn(300000)))
				case 4:
					fs.Rmdir(e.Ctx, zero, fmt.Sprint("/dir", rnd.Intn(9)))
				default:
					h, err := e.Open(n, abi.O_CREAT|abi.O_RDWR, 0o600)
					if err != nil {
						continue
					}
					p := make([]byte, rnd.Intn(100000))
					rnd.Read(p)
					h.Pwrite(e.Ctx, p, int64(rnd.Intn(200000)))
					if rnd.Intn(4) == 0 {
						h.Fallocate(e.Ctx, abi.FALLOC_FL_PUNCH_HOLE|abi.FALLOC_FL_KEEP_SIZE, int64(rnd.Intn(100000)), 50000)
					}
					if open = append(open, h); len(open) > 6 {
						open[0].DecRef()
						open = open[1:]
					}
				}
				if i%60 == 59 {
					cut := &disk{data: bytes.Clone(d.data)}
					v2, sb2 := mountDirty(t, cut)
					e2 := env(t, v2, sb2)
					for n, want := range synced {
						if got := e2.Read(n); got != string(want) {
							t.Errorf("%s differs after a power cut", n)
						}
					}
					closed(t, sb2, cut)
				}
				if i%60 == 29 {
					n := fmt.Sprint("/synced", i)
					p := make([]byte, rnd.Intn(400000))
					rnd.Read(p)
					e.Write(n, string(p))
					synced[n] = p
					e.Must(f.Sync())
				}
			}
			t.Logf("%d commits, at most %d blocks in a handle", j.commits, j.worst)
			for _, h := range open {
				h.DecRef()
			}
			closed(t, sb, d)
		})
	}
}

// mountDirty mounts what a power cut left; the fake journal needs no replay.
func mountDirty(t *testing.T, d *disk) (*fs.VFS, *fs.SuperBlock) {
	return mount(t, d, ext4.Options{OpenJournal: func(info ext4.JournalInfo) (ext4.Journal, error) {
		if !info.Recover {
			t.Error("needs_recovery is not set")
		}
		return &fakeJournal{t: t, d: d, bs: info.BlockSize, dirty: map[*ext4.Buffer]bool{}, max: 128}, nil
	}})
}
