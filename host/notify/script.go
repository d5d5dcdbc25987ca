// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"bytes"
	"encoding/binary"
	"os"

	"golang.org/x/sys/unix"

	"lodger/host"
)

// data builds a block of initialised memory at a known address.
type data struct {
	base uint64
	buf  bytes.Buffer
}

// add appends b at a multiple of 16 and returns its address.
func (d *data) add(b []byte) uint64 {
	for d.buf.Len()%16 != 0 {
		d.buf.WriteByte(0)
	}
	at := d.base + uint64(d.buf.Len())
	d.buf.Write(b)
	return at
}

func (d *data) str(s string) uint64      { return d.add(append([]byte(s), 0)) }
func (d *data) words(w ...uint64) uint64 { return d.add(words(w...)) }
func words(w ...uint64) []byte {
	b := make([]byte, 8*len(w))
	for i, v := range w {
		binary.LittleEndian.PutUint64(b[8*i:], v)
	}
	return b
}

// zscript is what the zygote does before it makes the first guest process.
type zscript struct {
	entries []batchEntry
	data    data
	filter  []bpfInsn
}

// zygoteScript composes the set-up of box b as host calls, with a name for each.
func zygoteScript(b Box, o Options, filter []bpfInsn, lay areaLayout) (*zscript, []string) {
	s := &zscript{data: data{base: stubData}, filter: filter}
	var names []string
	call := func(name string, fatal bool, nr uint32, args ...uint64) *batchEntry {
		e := batchEntry{Nr: nr, Flags: batchNoStore}
		if fatal {
			e.Flags |= batchFatal
		}
		copy(e.Args[:], args)
		s.entries = append(s.entries, e)
		names = append(names, name)
		return &s.entries[len(s.entries)-1]
	}
	last := unix.SIGKILL
	if !b.Namespaces {
		// No pid namespace ends the guest's processes with the zygote, and guest
		// code may have left out the PDEATHSIG of its own.
		last = unix.SIGTERM
		act := s.data.words(slot(slotTerm), saFlags&^0x08000000, slot(slotRestorer), 0) // not SA_ONSTACK
		call("rt_sigaction(SIGTERM)", true, unix.SYS_RT_SIGACTION, uint64(last), act, 0, 8)
	}
	call("prctl(PR_SET_PDEATHSIG)", true, unix.SYS_PRCTL, unix.PR_SET_PDEATHSIG, uint64(last))
	call("prctl(PR_SET_NO_NEW_PRIVS)", true, unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1)
	switch {
	case b.Namespaces && o.EmptyDir > 0:
		s.goneRoot(call)
	case b.Namespaces:
		s.emptyRoot(call)
	}
	call("setrlimit(RLIMIT_CORE)", true, unix.SYS_PRLIMIT64, 0, unix.RLIMIT_CORE, s.data.words(1, 1), 0)
	call("setrlimit(RLIMIT_NOFILE)", false, unix.SYS_PRLIMIT64, 0, unix.RLIMIT_NOFILE, s.data.words(4096, 4096), 0)
	if b.UserNS && o.Tasks > 0 {
		// Ended processes count until the host has reaped them.
		most := uint64(2*o.Tasks + 1024)
		call("setrlimit(RLIMIT_NPROC)", true, unix.SYS_PRLIMIT64, 0, unix.RLIMIT_NPROC, s.data.words(most, most), 0)
	}
	if b.Landlock > 0 {
		attr := host.LandlockAttr(b.Landlock)
		fd := s.data.words(0)
		e := call("landlock_create_ruleset", true, unix.SYS_LANDLOCK_CREATE_RULESET, s.data.words(attr...), uint64(8*len(attr)), 0)
		e.Flags, e.Ret = batchFatal|batchStore, fd
		call("landlock_restrict_self", true, unix.SYS_LANDLOCK_RESTRICT_SELF, fd, 0).Flags |= batchLoadArg0
		call("close(landlock)", true, unix.SYS_CLOSE, fd).Flags |= batchLoadArg0
	}
	const ignore = 1 // SIG_IGN: children need no reaping
	call("rt_sigaction(SIGCHLD)", true, unix.SYS_RT_SIGACTION, uint64(unix.SIGCHLD), s.data.words(ignore, 0, 0, 0), 0, 8)
	// No capability, and none back at exec.
	call("prctl(PR_SET_SECUREBITS)", false, unix.SYS_PRCTL, unix.PR_SET_SECUREBITS, 0x2f)
	hdr := make([]byte, 8)
	binary.LittleEndian.PutUint32(hdr, unix.LINUX_CAPABILITY_VERSION_3)
	call("capset", true, unix.SYS_CAPSET, s.data.add(hdr), s.data.words(0, 0, 0))
	// The listener's passage and the seed process must see the socket only here.
	call("fcntl(FD_CLOEXEC)", true, unix.SYS_FCNTL, 0, unix.F_SETFD, unix.FD_CLOEXEC)
	return s, names
}

// goneRoot makes Options.EmptyDir the root: where our own Landlock domain forbids
// mounts. Nobody leaves it, since chroot, chdir and fchdir come to the kernel.
func (s *zscript) goneRoot(call func(string, bool, uint32, ...uint64) *batchEntry) {
	call("fchdir to the empty root", true, unix.SYS_FCHDIR, zygoteRootFD)
	call("chroot", true, unix.SYS_CHROOT, s.data.str("."))
	call("close(empty root)", true, unix.SYS_CLOSE, zygoteRootFD)
}

// zygoteRootFD is where the zygote finds Options.EmptyDir at its start.
const zygoteRootFD = 2

// emptyRoot leaves the mount namespace with one empty read-only directory.
func (s *zscript) emptyRoot(call func(string, bool, uint32, ...uint64) *batchEntry) {
	at := "/tmp"
	for _, dir := range []string{"/proc", "/tmp", "/dev", "/etc"} {
		if st, err := os.Stat(dir); err == nil && st.IsDir() {
			at = dir
			break
		}
	}
	dir, none, root, tmpfs, dot := s.data.str(at), s.data.str("none"), s.data.str("/"), s.data.str("tmpfs"), s.data.str(".")
	opts := s.data.str("size=4k,nr_inodes=1,mode=000")
	call("make mounts private", true, unix.SYS_MOUNT, none, root, 0, unix.MS_REC|unix.MS_PRIVATE, 0)
	call("mount an empty root", true, unix.SYS_MOUNT, tmpfs, dir, tmpfs, unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC|unix.MS_RDONLY, opts)
	call("chdir to the empty root", true, unix.SYS_CHDIR, dir)
	call("pivot_root", true, unix.SYS_PIVOT_ROOT, dot, dot)
	call("umount the host's tree", true, unix.SYS_UMOUNT2, dot, unix.MNT_DETACH)
	call("chdir to the root", true, unix.SYS_CHDIR, root)
}

// zygoteImage builds the zygote's ELF file.
func zygoteImage(code []byte, lay areaLayout, s *zscript) ([]byte, error) {
	d := &s.data
	insns := make([]byte, 0, 8*len(s.filter))
	for _, i := range s.filter {
		insns = binary.LittleEndian.AppendUint16(insns, i.Code)
		insns = append(insns, i.Jt, i.Jf)
		insns = binary.LittleEndian.AppendUint32(insns, i.K)
	}
	fprog := d.words(uint64(len(s.filter)), d.add(insns))
	slotWord := d.words(0)
	info := d.add(make([]byte, 16))
	// struct cmsghdr with one descriptor; the stub fills the number in.
	cmsg := make([]byte, 24)
	binary.LittleEndian.PutUint64(cmsg, 20)
	binary.LittleEndian.PutUint32(cmsg[8:], unix.SOL_SOCKET)
	binary.LittleEndian.PutUint32(cmsg[12:], unix.SCM_RIGHTS)
	cmsgAt := d.add(cmsg)
	iov := d.words(d.str("L"), 1)
	msg := d.words(0, 0, iov, 1, cmsgAt, 24, 0)

	im := newImage(code, lay.size())
	im.common(lay, code)
	im.put(cNZyg, uint64(len(s.entries)))
	im.put(cZStack, lay.mainHeader())
	im.put(cZSlot, slotWord)
	im.put(cZMsg, msg)
	im.put(cZCmsgFD, cmsgAt+16)
	im.put(cZFlags1, filterListen|filterKillRcv)
	im.put(cZFlags2, filterListen)
	im.put(cZFprog, fprog)
	im.put(cZInfo, info)
	im.put(cZDfl, d.words(0, 0, 0, 0))
	if err := im.batch(s.entries); err != nil {
		return nil, err
	}
	im.data = d.buf.Bytes()
	return im.bytes(slot(slotZygote)), nil
}
