// SPDX-License-Identifier: Apache-2.0

package isofs

import (
	"strings"
	"time"
	"unicode/utf16"

	"lodger/abi"
	"lodger/fs/rofs"
)

// Flags of a record.
const (
	flagHidden = 1
	flagDir    = 2
	flagAssoc  = 4
	flagMore   = 0x80 // another record tells the file's next section
)

const recordHead = 33

// record is a directory record: struct iso_directory_record.
type record struct {
	b    []byte
	at   int64 // its place on the disc
	name string
}

// record reads the one at a place. name, when it is not nil, makes its name.
func (s *FS) record(at int64, name func(r *record) string) (record, error) {
	b, err := s.block(at >> blockBits)
	if err != nil {
		return record{}, err
	}
	b = b[at&(blockSize-1):]
	n := int(b[0])
	if n <= recordHead || n > len(b) || recordHead+int(b[32]) > n || b[32] == 0 {
		s.Printf("corrupted directory entry in block %d", at>>blockBits)
		return record{}, abi.EIO
	}
	r := record{b: b[:n], at: at}
	if name != nil {
		r.name = name(&r)
	}
	return r, nil
}

func (r *record) extent() uint32 { return rofs.LE32(r.b, 2) + uint32(r.b[1]) } // behind extended attributes
func (r *record) size() int64    { return int64(rofs.LE32(r.b, 10)) }
func (r *record) flags() byte    { return r.b[25] }
func (r *record) raw() []byte    { return r.b[recordHead:][:r.b[32]] }

// isDot reports whether the record is "." or "..".
func (r *record) isDot() bool { return r.b[32] == 1 && r.b[33] <= 1 }

// extensions is what follows the name, without skip bytes.
func (r *record) extensions(skip int) []byte {
	off := recordHead + int(r.b[32])
	off += 1 - int(r.b[32])&1 // padded to an even place
	off += skip
	if off >= len(r.b) {
		return nil
	}
	return r.b[off:]
}

// plainName is isofs_name_translate: lower case, without version.
func plainName(raw []byte) string {
	var b strings.Builder
	for i, c := range raw {
		rest := string(raw[i:])
		switch {
		case c == 0 || rest == ".;1" || rest == ";1":
			return b.String()
		case c >= 'A' && c <= 'Z':
			c |= 0x20
		case c == ';' || c == '/':
			c = '.'
		}
		b.WriteByte(c)
	}
	return b.String()
}

// jolietName is get_joliet_filename: UTF-16, big end first.
func jolietName(raw []byte) string {
	u := make([]uint16, len(raw)/2)
	for i := range u {
		u[i] = uint16(raw[2*i])<<8 | uint16(raw[2*i+1])
	}
	name := string(utf16.Decode(u))
	name, _, _ = strings.Cut(name, "\x00")
	if len(name) > 2 {
		name = strings.TrimSuffix(name, ";1")
	}
	for len(name) >= 2 && name[len(name)-1] == '.' { // as Windows does
		name = name[:len(name)-1]
	}
	return strings.ReplaceAll(name, "/", "_")
}

// date is iso_date: 7 bytes, the last one the zone in quarters of an hour.
func date(b []byte) abi.Timespec {
	year := int(b[0])
	if year == 0 && b[1] == 0 {
		return abi.Timespec{}
	}
	t := time.Date(1900+year, time.Month(b[1]), int(b[2]), int(b[3]), int(b[4]), int(b[5]), 0, time.UTC).Unix()
	if z := int64(int8(b[6])); z >= -52 && z <= 52 {
		t -= z * 15 * 60
	}
	return abi.Timespec{Sec: t}
}

// longDate reads the 17 bytes of the long form: digits, hundredths, zone.
func longDate(b []byte) abi.Timespec {
	num := func(from, to int) (n int) {
		for _, c := range b[from:to] {
			if c < '0' || c > '9' {
				return 0
			}
			n = n*10 + int(c-'0')
		}
		return n
	}
	if num(0, 4) == 0 {
		return abi.Timespec{}
	}
	t := time.Date(num(0, 4), time.Month(num(4, 6)), num(6, 8), num(8, 10), num(10, 12), num(12, 14), 0, time.UTC).Unix()
	if z := int64(int8(b[16])); z >= -52 && z <= 52 {
		t -= z * 15 * 60
	}
	return abi.Timespec{Sec: t, Nsec: int64(num(14, 16)) * 10_000_000}
}
