// SPDX-License-Identifier: Apache-2.0

package sys

import (
	"bytes"

	"lodger/abi"
	"lodger/kernel"
)

// prctl options, include/uapi/linux/prctl.h.
const (
	prSetPdeathsig      = 1
	prGetPdeathsig      = 2
	prGetDumpable       = 3
	prSetDumpable       = 4
	prGetKeepcaps       = 7
	prSetKeepcaps       = 8
	prGetTiming         = 13
	prSetTiming         = 14
	prSetName           = 15
	prGetName           = 16
	prGetSeccomp        = 21
	prCapbsetRead       = 23
	prCapbsetDrop       = 24
	prGetSecurebits     = 27
	prSetTimerslack     = 29
	prGetTimerslack     = 30
	prSetChildSubreaper = 36
	prGetChildSubreaper = 37
	prSetNoNewPrivs     = 38
	prGetNoNewPrivs     = 39
	prGetTidAddress     = 40
	prSetTHPDisable     = 41
	prGetTHPDisable     = 42
	prCapAmbient        = 47
)

func prctl(t *kernel.Task, a Args) (uint64, error) {
	g := t.Group()
	noMore := a[2]|a[3]|a[4] == 0
	switch a.Int(0) {
	case prSetPdeathsig:
		if a[1] > abi.NSIG {
			return 0, abi.EINVAL
		}
		t.PDeathSig = int(a[1])
		return 0, nil
	case prGetPdeathsig:
		return 0, putUint32(t, a[1], uint32(t.PDeathSig))
	case prGetDumpable:
		return uint64(g.Dumpable()), nil
	case prSetDumpable:
		if a[1] > 1 {
			return 0, abi.EINVAL
		}
		g.SetDumpable(int(a[1]))
		return 0, nil
	case prSetName:
		return setName(t, a[1])
	case prGetName:
		var b [16]byte
		copy(b[:], t.Comm())
		return 0, t.CopyOut(a[1], b[:])
	case prGetTiming, prGetSeccomp, prGetSecurebits:
		return 0, nil
	case prGetKeepcaps:
		if t.KeepCaps {
			return 1, nil
		}
		return 0, nil
	case prSetKeepcaps:
		if a[1] > 1 {
			return 0, abi.EINVAL
		}
		t.KeepCaps = a[1] == 1
		return 0, nil
	case prSetTiming:
		if a[1] != 0 {
			return 0, abi.EINVAL
		}
		return 0, nil
	case prCapbsetRead:
		if a[1] > abi.CAP_LAST_CAP {
			return 0, abi.EINVAL
		}
		return t.Creds().Bounding >> a[1] & 1, nil
	case prCapbsetDrop:
		return capbsetDrop(t, a[1])
	case prSetTimerslack:
		t.TimerSlack = a[1]
		if a[1] == 0 {
			t.TimerSlack = defaultSlack
		}
		return 0, nil
	case prGetTimerslack:
		if t.TimerSlack == 0 {
			return defaultSlack, nil
		}
		return t.TimerSlack, nil
	case prSetChildSubreaper:
		g.SetSubreaper(a[1] != 0)
		return 0, nil
	case prGetChildSubreaper:
		v := uint32(0)
		if g.Subreaper() {
			v = 1
		}
		return 0, putUint32(t, a[1], v)
	case prSetNoNewPrivs:
		if a[1] != 1 || !noMore {
			return 0, abi.EINVAL
		}
		t.NoNewPrivs = true
		return 0, nil
	case prGetNoNewPrivs:
		if a[1] != 0 || !noMore {
			return 0, abi.EINVAL
		}
		if t.NoNewPrivs {
			return 1, nil
		}
		return 0, nil
	case prCapAmbient:
		return capAmbient(t, a)
	case prGetTHPDisable:
		return 0, nil
	}
	return 0, abi.EINVAL
}

const defaultSlack = 50000 // nanoseconds

func setName(t *kernel.Task, addr uint64) (uint64, error) {
	var b [16]byte
	if n, err := t.CopyInSome(addr, b[:15]); err != nil {
		return 0, err
	} else if i := bytes.IndexByte(b[:n], 0); i >= 0 {
		t.SetComm(string(b[:i]))
	} else if n < 15 {
		return 0, abi.EFAULT
	} else {
		t.SetComm(string(b[:15]))
	}
	return 0, nil
}

func capbsetDrop(t *kernel.Task, c uint64) (uint64, error) {
	old := t.Creds()
	if !old.Capable(abi.CAP_SETPCAP) {
		return 0, abi.EPERM
	}
	if c > abi.CAP_LAST_CAP {
		return 0, abi.EINVAL
	}
	n := *old
	n.Bounding &^= 1 << c
	t.SetCreds(&n)
	return 0, nil
}

// capAmbient is PR_CAP_AMBIENT: IS_SET 1, RAISE 2, LOWER 3, CLEAR_ALL 4.
func capAmbient(t *kernel.Task, a Args) (uint64, error) {
	n := *t.Creds()
	if a[1] == 4 {
		if a[2] != 0 {
			return 0, abi.EINVAL
		}
		n.Ambient = 0
		t.SetCreds(&n)
		return 0, nil
	}
	if a[2] > abi.CAP_LAST_CAP || a[3]|a[4] != 0 {
		return 0, abi.EINVAL
	}
	bit := uint64(1) << a[2]
	switch a[1] {
	case 1:
		return n.Ambient >> a[2] & 1, nil
	case 2:
		if n.Permitted&bit == 0 || n.Inheritable&bit == 0 {
			return 0, abi.EPERM
		}
		n.Ambient |= bit
	case 3:
		n.Ambient &^= bit
	default:
		return 0, abi.EINVAL
	}
	t.SetCreds(&n)
	return 0, nil
}
