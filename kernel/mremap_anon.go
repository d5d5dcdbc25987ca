// SPDX-License-Identifier: Apache-2.0

package kernel

import (
	"strings"

	"lodger/abi"
	"lodger/host"
	"lodger/host/notify"
)

// Growing anonymous memory by hand. The host's mremap(2) grows what lies at the old
// place when it looks, which another thread may have replaced by a piece of a disk
// image. What is done here instead shows nothing whatever lies there: fresh memory is
// put behind the old, or elsewhere and the old moved to it as it is. So one area
// becomes several on the host, which the next call must take for one.

// ownArea lists the mappings that make up private anonymous memory of one protection
// from old on; nil: it is something else. EFAULT: it ends before oldLen does, or is not
// there.
func (t *Task) ownArea(old, oldLen uint64) (head []host.Mapping, prot uint64, err error) {
	maps, err := host.Maps(t.thread())
	if err != nil {
		return nil, 0, abi.ENOMEM
	}
	perms, next := "", old
	for _, v := range maps {
		if v.End <= next {
			continue
		}
		if v.Start > next || perms != "" && v.Perms != perms {
			break
		}
		end := min(v.End, old+oldLen)
		if v.Ino != 0 || len(v.Perms) < 4 || v.Perms[3] != 'p' || strings.HasPrefix(v.Name, "[v") {
			if perms == "" && end == old+oldLen {
				return nil, 0, nil
			}
			break
		}
		perms = v.Perms
		head = append(head, host.Mapping{Start: next, End: end})
		if next = end; next == old+oldLen {
			return head, protOf(host.Mapping{R: perms[0] == 'r', W: perms[1] == 'w', X: perms[2] == 'x'}), nil
		}
	}
	return nil, 0, abi.EFAULT
}

// growOwn is mremap(2) of memory that ownArea has found, to a greater length. It is a
// framed call.
func (t *Task) growOwn(head []host.Mapping, prot, old, oldLen, newLen, flags, newAddr uint64) (uint64, error) {
	t.MM.Pieced.Store(true)
	g := &growing{q: &mapping{length: newLen}, head: head, old: old, oldLen: oldLen, flags: flags, newAddr: newAddr}
	reserve := func(addr, length, flags uint64) *notify.Batch {
		var b notify.Batch
		b.Add(notify.NrMmap, addr, length, prot, flags|mapPrivate|mapAnonymous, ^uint64(0), 0)
		return &b
	}
	end := old + oldLen
	if flags&mremapFixed != 0 || !t.StubSafe(end, newLen-oldLen) {
		return t.growElsewhere(g, nil, reserve)
	}
	return t.runBatch(reserve(end, newLen-oldLen, fixedNoReplace), func(at uint64, err error) (uint64, error) {
		switch {
		case err == nil && at == end:
			return old, nil
		case err == nil || err == abi.EEXIST:
			return t.growElsewhere(g, nil, reserve)
		}
		return 0, err
	})
}
