// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"lodger/host"
)

// bar shows on a terminal how far long work is: percentage, bytes and rate. It is
// wiped off at the end, so that logs and what follows stay clean.
type bar struct {
	w     io.Writer // nil: nobody looks
	label string
	now   func() time.Time
	start time.Time
	last  time.Time
	drawn bool
}

// progress gives a bar on standard error, which draws only on a terminal.
func (d *disk) progress(label string) *bar {
	b := &bar{label: label, now: time.Now}
	if f, ok := d.stderr.(*os.File); ok && host.IsTerminal(int(f.Fd())) {
		b.w = f
	}
	b.start = b.now()
	return b
}

// tell is an image.Progress. A total of 0 is one that nobody knows.
func (b *bar) tell(done, total int64) {
	const often = 100 * time.Millisecond // drawing is dearer than a chunk of work
	now := b.now()
	if b.w == nil || now.Sub(b.last) < often {
		return
	}
	b.last, b.drawn = now, true
	rate := int64(0)
	if s := now.Sub(b.start).Seconds(); s > 0 {
		rate = int64(float64(done) / s)
	}
	if total <= 0 {
		fmt.Fprintf(b.w, "\r%s %s  %s/s\x1b[K", b.label, human(done), human(rate))
		return
	}
	const width = 20
	share := min(max(float64(done)/float64(total), 0), 1)
	full := int(share * width)
	fmt.Fprintf(b.w, "\r%s [%s%s] %3d%%  %s of %s  %s/s\x1b[K", b.label,
		strings.Repeat("#", full), strings.Repeat(".", width-full), int(share*100), human(done), human(total), human(rate))
}

// end wipes the bar off.
func (b *bar) end() {
	if b.drawn {
		fmt.Fprint(b.w, "\r\x1b[K")
		b.drawn = false
	}
}
