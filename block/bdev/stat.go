// SPDX-License-Identifier: Apache-2.0

package bdev

import (
	"sync/atomic"
	"time"

	"lodger/block"
)

// The groups of struct disk_stats.
const (
	opRead = iota
	opWrite
	opDiscard
	opFlush
	numOps
)

// Stat counts what was done with a device: struct disk_stats. A disk counts what is
// done with its partitions too.
type Stat struct {
	ios, sectors, nsecs [numOps]atomic.Int64
	inflight            [2]atomic.Int64 // reads, all else
	busy                atomic.Int64    // nanoseconds
}

// StatLine is the fields of /proc/diskstats and of stat in sysfs
// (Documentation/admin-guide/iostats.rst).
func (s *Stat) StatLine() []int64 {
	ms := func(n int64) int64 { return n / int64(time.Millisecond) }
	var out []int64
	var weighted int64
	for op := range numOps {
		n := s.nsecs[op].Load()
		weighted += n
		switch op {
		case opFlush:
			out = append(out, s.ios[op].Load(), ms(n))
		default:
			out = append(out, s.ios[op].Load(), 0, s.sectors[op].Load(), ms(n))
		}
		if op == opWrite {
			out = append(out, s.inflight[0].Load()+s.inflight[1].Load(), ms(s.busy.Load()), 0)
		}
	}
	out[10] = ms(weighted)
	return out
}

// Inflight is the requests under way, reads and writes.
func (s *Stat) Inflight() (reads, writes int64) { return s.inflight[0].Load(), s.inflight[1].Load() }

// request is one under way, to be counted at its end.
type request struct {
	d     *Device
	op    int
	n     int64
	start time.Time
}

// begin starts to count a request of n bytes (bdev_start_io_acct).
func (d *Device) begin(op int, n int64) request {
	dir := min(op, 1)
	d.Stat.inflight[dir].Add(1)
	if d.part != 0 {
		d.disk.whole.Stat.inflight[dir].Add(1)
	}
	return request{d, op, n, time.Now()}
}

func (r request) end() {
	took := int64(time.Since(r.start))
	r.d.Stat.add(r.op, min(r.op, 1), r.n, took)
	if r.d.part != 0 {
		r.d.disk.whole.Stat.add(r.op, min(r.op, 1), r.n, took)
	}
}

func (s *Stat) add(op, dir int, n, took int64) {
	s.inflight[dir].Add(-1)
	s.ios[op].Add(1)
	s.sectors[op].Add((n + block.SectorSize - 1) / block.SectorSize)
	s.nsecs[op].Add(took)
	s.busy.Add(took)
}
