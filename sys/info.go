// SPDX-License-Identifier: Apache-2.0

package sys

import (
	"lodger/abi"
	"lodger/kernel"
)

const utsLen = 65 // __NEW_UTS_LEN + 1

func uname(t *kernel.Task, a Args) (uint64, error) {
	var b [6 * utsLen]byte
	node, domain := t.Kernel().UTS.Names()
	for i, s := range []string{"Linux", node, kernel.Release, kernel.Version, kernel.Machine, domain} {
		copy(b[i*utsLen:(i+1)*utsLen-1], s)
	}
	return 0, t.CopyOut(a[0], b[:])
}

func sysinfo(t *kernel.Task, a Args) (uint64, error) {
	m := t.Kernel().Memory()
	threads, _ := t.Kernel().Tasks()
	var b [112]byte
	put := func(off int, v uint64) { le.PutUint64(b[off:], v) }
	put(0, uint64(t.Kernel().Uptime()/nsPerSec))
	for i, l := range t.Kernel().LoadAvg() {
		put(8+8*i, uint64(l*65536))
	}
	put(32, m.Total)
	put(40, m.Free)
	put(48, m.Shared)
	put(56, m.Buffers)
	swap := t.Kernel().Swaps.Total()
	put(64, swap)
	put(72, swap)
	le.PutUint16(b[80:], uint16(threads))
	le.PutUint32(b[104:], 1) // mem_unit
	return 0, t.CopyOut(a[0], b[:])
}

func setNameCall(t *kernel.Task, a Args, set func(string)) (uint64, error) {
	if !t.Creds().Capable(abi.CAP_SYS_ADMIN) {
		return 0, abi.EPERM
	}
	if n := a.Int(1); n < 0 || n > utsLen-1 {
		return 0, abi.EINVAL
	}
	b := make([]byte, a.Int(1))
	if err := t.CopyIn(a[0], b); err != nil {
		return 0, err
	}
	set(string(b))
	return 0, nil
}

func sethostname(t *kernel.Task, a Args) (uint64, error) {
	return setNameCall(t, a, t.Kernel().UTS.SetNode)
}

func setdomainname(t *kernel.Task, a Args) (uint64, error) {
	return setNameCall(t, a, t.Kernel().UTS.SetDomain)
}
