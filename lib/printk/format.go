// SPDX-License-Identifier: Apache-2.0

package printk

import (
	"bytes"
	"fmt"
	"strings"
)

// priority is what syslog(3) calls a message's level and facility.
func (r *Record) priority() int { return r.Facility<<3 | int(r.Level) }

// appendText appends a record as syslog(2) gives it (record_print_text): each line of
// it with a prefix.
func (r *Record) appendText(b []byte, time bool) []byte {
	prefix := fmt.Appendf(nil, "<%d>", r.priority())
	if time {
		prefix = fmt.Appendf(prefix, "[%5d.%06d] ", r.Time/1e9, r.Time%1e9/1e3)
	}
	for line := range strings.SplitSeq(r.Text, "\n") {
		b = append(append(append(b, prefix...), line...), '\n')
	}
	return b
}

// textLen is how long appendText's is (get_record_print_text_size).
func (r *Record) textLen(time bool) int { return len(r.appendText(nil, time)) }

// extended gives a record as /dev/kmsg does (info_print_ext_header and
// msg_print_ext_body; Documentation/ABI/testing/dev-kmsg).
func (r *Record) extended() []byte {
	b := bytes.NewBuffer(nil)
	fmt.Fprintf(b, "%d,%d,%d,-;", r.priority(), r.Seq, r.Time/1e3)
	for _, c := range []byte(r.Text) {
		if c < ' ' || c >= 127 || c == '\\' {
			fmt.Fprintf(b, `\x%02x`, c)
		} else {
			b.WriteByte(c)
		}
	}
	b.WriteByte('\n')
	return b.Bytes()
}
