// SPDX-License-Identifier: Apache-2.0

package ubd

import (
	"errors"
	"strings"
	"testing"

	"lodger/abi"
)

func TestParse(t *testing.T) {
	for _, c := range []struct {
		arg  string
		want Spec
		err  error
	}{
		{"0=root", Spec{File: "root"}, nil},
		{"a=root", Spec{File: "root"}, nil},
		{"z=root", Spec{N: 25, File: "root"}, nil},
		{"1r=f", Spec{N: 1, File: "f", ReadOnly: true}, nil},
		{"1rscdt=f", Spec{N: 1, File: "f", ReadOnly: true, Sync: true, Shared: true, NoCOW: true, NoTrim: true}, nil},
		{"1tdcsr=f", Spec{N: 1, File: "f", ReadOnly: true, Sync: true, Shared: true, NoCOW: true, NoTrim: true}, nil},
		{"brr=f", Spec{N: 1, File: "f", ReadOnly: true}, nil},
		{"rr=f", Spec{N: 17, File: "f", ReadOnly: true}, nil}, // disk r, flag r
		{"0=cow,base", Spec{File: "cow", Base: "base"}, nil},
		{"0=cow:base", Spec{File: "cow", Base: "base"}, nil},
		{"0=cow:base,serial", Spec{File: "cow", Base: "base", Serial: "serial"}, nil},
		{"0=file,,serial", Spec{File: "file", Serial: "serial"}, nil},
		{"0=file::serial:rest", Spec{File: "file", Serial: "serial"}, nil},
		{"0d=file,,serial", Spec{File: "file", Serial: "serial", NoCOW: true}, nil},
		{"0=", Spec{}, nil},
		{"0=,base", Spec{Base: "base"}, nil},
		{"0=a=b", Spec{File: "a=b"}, nil},
		{"16=f", Spec{N: 16, File: "f"}, nil},
		{"0x1f=f", Spec{N: 31, File: "f"}, nil},
		{"017=f", Spec{N: 15, File: "f"}, nil},
		{"0rrrrrr=f", Spec{File: "f", ReadOnly: true}, nil},
		{"0rrrrrrr=f", Spec{}, ErrTooMany},
		{"0rrrrrrrr", Spec{}, ErrNoEquals},
		{"0rrrrrrrr=f", Spec{}, ErrNoEquals},
		{"0", Spec{}, ErrFlag},
		{"0r", Spec{}, ErrFlag},
		{"0x=f", Spec{}, ErrFlag}, // as UML 7.2 was seen to say
		{"08=f", Spec{}, ErrFlag}, // octal ends before 8
		{"0R=f", Spec{}, ErrFlag},
		{"256=f", Spec{}, ErrRange},
		{"99999999999999999999=f", Spec{}, ErrRange},
		{"", Spec{}, ErrNumber},
		{"A=f", Spec{}, ErrNumber},
		{"-1=f", Spec{}, ErrNumber},
		{"0d=cow,base", Spec{}, ErrNoCOW},
	} {
		got, err := Parse(c.arg)
		if !errors.Is(err, c.err) || c.err == nil && got != c.want {
			t.Errorf("%q: %+v, %v", c.arg, got, err)
		}
	}
	_, err := Parse("0x=f")
	if want := "Failed to initialize device with \"0x=f\" : Expected '=' or flag letter (r, s, c, t or d)"; err.Error() != want {
		t.Error(err)
	}
}

func TestConfig(t *testing.T) {
	var c Config
	for _, x := range []struct {
		arg   string
		index int
		err   error
	}{
		{"0=a", 0, nil},
		{"=sync", -1, nil},
		{"1=b", 1, nil},
		{"b=again", -1, ErrConfigured},
		{"1?", -1, ErrConfigured}, // UML looks at the flags after that
		{"=98", -1, ErrMajor},
		{"2=", 2, nil},
		{"2=now", 2, nil}, // there was no file
	} {
		index, err := c.Set(x.arg)
		if index != x.index || !errors.Is(err, x.err) {
			t.Errorf("%q: %d, %v", x.arg, index, err)
		}
	}
	var e *SetupError
	if _, err := c.Set("0=c"); !errors.As(err, &e) || e.Errno() != abi.EBUSY {
		t.Error(err)
	}
	s := c.Specs()
	if len(s) != 3 || s[0].Sync || !s[1].Sync || !s[2].Sync || s[2].File != "now" {
		t.Errorf("%+v", s)
	}
	c.Remove(1)
	if _, err := c.Set("1=c"); err != nil {
		t.Error(err)
	}
	if s := new(Config).Specs(); len(s) != 1 || s[0] != Default() {
		t.Errorf("%+v", s)
	}
	var none Config
	none.Set("0=")
	if s := none.Specs(); len(s) != 0 {
		t.Errorf("%+v", s)
	}
}

func TestNames(t *testing.T) {
	for n, want := range map[int]string{0: "ubda", 15: "ubdp", 25: "ubdz", 26: "ubdaa", 255: "ubdiv"} {
		if got := Name(n); got != want {
			t.Errorf("%d: %s", n, got)
		}
	}
	if msg, ok := Typo("udb0=f"); !ok || !strings.HasPrefix(msg, "udb0=f specified") {
		t.Error(msg)
	}
	if _, ok := Typo("ubd0=f"); ok {
		t.Error("no typo")
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"0rscdt=cow,base:serial", "0x1f=", "zzz", "01777777=f"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, arg string) {
		s, err := Parse(arg)
		if err != nil {
			return
		}
		if s.N < 0 || s.N >= MaxDisks || strings.ContainsAny(s.File+s.Base+s.Serial, ",:") || s.NoCOW && s.Base != "" {
			t.Fatalf("%q: %+v", arg, s)
		}
	})
}
