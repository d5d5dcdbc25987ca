// SPDX-License-Identifier: Apache-2.0

package kernel

import (
	"bytes"
	"math/rand/v2"
	"strings"

	"lodger/abi"
	"lodger/fs"
	"lodger/host"
	"lodger/host/notify"
	"lodger/lib/elf"
	"lodger/mm"
)

// execing is an exec under way: what was prepared before the point of no return,
// and how far the fresh image has come.
type execing struct {
	started bool // the host's execve was let through
	mapping bool // the program's segments are being mapped
	waits   bool // for a file's bytes, to learn where they lie; guarded by callMu

	file   *fs.File // the program
	interp *fs.File // its ELF interpreter; nil: none
	image  *elf.File
	loader *elf.File
	argv   []string
	envp   []string
	path   string // AT_EXECFN
	comm   string
	creds  *fs.Creds
	secure bool // AT_SECURE
	proof  bool // the host must show that its execve took place; see execMark
	ignore []int
	mask   abi.Sigset

	batches *notify.Batch // what is left to map
	setup   notify.Setup
	zero    []zeroRange
	oldMM   *mm.AddressSpace
	oldArea int

	// siblings are the host threads that the host's execve ends. Until then their
	// calls are left unanswered. Guarded by k.mu.
	siblings []int32
}

// zeroRange is the rest of a page behind a segment's file bytes.
type zeroRange struct{ addr, len uint64 }

func (x *execing) release() {
	if x.file != nil {
		x.file.DecRef()
	}
	if x.interp != nil {
		x.interp.DecRef()
	}
}

// ExecArgs are execveat(2)'s arguments.
type ExecArgs struct {
	Dir     fs.Path // the directory that Path is relative to
	Path    string
	AtFlags int
	FDName  string // "/dev/fd/N/..." for scripts run through a descriptor
	// FDCloexec: the descriptor of FDName goes with the exec, so that no
	// script's interpreter could open that name (ENOENT).
	FDCloexec bool
	Argv      []string
	Envp      []string
}

// Limits of exec: a string has at most 32 pages (MAX_ARG_STRLEN).
const (
	maxArgString = 32 * 4096
	argvLeast    = 32 * 4096
	argvMost     = 6 << 20 // 3/4 of _STK_LIM
	bprmHead     = 256     // BINPRM_BUF_SIZE: a script's first line
	elfHead      = 1024    // read at once of a program: its headers, as a rule
	maxScripts   = 5
)

// Exec replaces t's program. It is a framed call: once everything that can fail
// has been checked, the stub execs itself, and onStart builds the new image.
func (t *Task) Exec(a ExecArgs) (uint64, error) {
	if t.call.kind != callFrame {
		return 0, abi.ENOSYS
	}
	x, err := t.prepareExec(a)
	if err != nil {
		return 0, err
	}
	mask, table, err := t.proc().ReadMaskTable(t.tg.sigtab)
	if err != nil {
		x.release()
		return 0, abi.EFAULT
	}
	x.mask, x.ignore = abi.Sigset(mask), ignoredSignals(&table)
	t.execC = x
	t.k.deThread(t)
	if t.releaseForExec() != nil {
		t.k.forceFatal(t, abi.SIGKILL)
	}
	return 0, errAnswered
}

// prepareExec opens and checks program and interpreter.
func (t *Task) prepareExec(a ExecArgs) (*execing, error) {
	if len(a.Argv) == 0 {
		a.Argv = []string{""} // as Linux has it since 5.18
	}
	if err := t.checkArgSize(a.Argv, a.Envp); err != nil {
		return nil, err
	}
	ctx := t.Context()
	x := &execing{argv: a.Argv, envp: a.Envp, path: a.Path}
	if a.FDName != "" {
		x.path = a.FDName
	}
	dir, name, at := a.Dir, a.Path, a.AtFlags
	for depth := 0; ; depth++ {
		f, err := fs.OpenExec(ctx, dir, name, at)
		if err != nil {
			return nil, err
		}
		head := make([]byte, elfHead)
		n, err := f.Pread(ctx, head, 0)
		if err != nil {
			f.DecRef()
			return nil, err
		}
		head = head[:n]
		if depth == 0 {
			x.comm = baseName(x.path)
		}
		if !bytes.HasPrefix(head, []byte("#!")) {
			x.file = f
			if err := t.loadELF(x, head); err != nil {
				x.release()
				return nil, err
			}
			x.creds, x.secure = t.execCreds(f)
			x.proof = true
			return x, nil
		}
		f.DecRef()
		if depth >= maxScripts {
			return nil, abi.ELOOP
		}
		interp, arg, err := parseScript(head[:min(len(head), bprmHead)])
		if err != nil {
			return nil, err
		}
		if depth == 0 && a.FDCloexec {
			return nil, abi.ENOENT
		}
		args := []string{interp}
		if arg != "" {
			args = append(args, arg)
		}
		x.argv = append(append(args, x.path), x.argv[1:]...)
		x.path, name, dir, at = interp, interp, ctx.Cwd, 0
	}
}

func baseName(p string) string { return p[strings.LastIndexByte(p, '/')+1:] }

// parseScript reads a #! line: interpreter and at most one argument
// (fs/binfmt_script.c).
func parseScript(head []byte) (interp, arg string, err error) {
	line := head[2:]
	i := bytes.IndexByte(line, '\n')
	if i < 0 {
		// Cut off: fine unless the interpreter's name itself may be.
		trimmed := bytes.TrimLeft(line, " \t")
		if len(head) == bprmHead && !bytes.ContainsAny(trimmed, " \t\x00") {
			return "", "", abi.ENOEXEC
		}
		i = len(line)
	}
	line = line[:i]
	if j := bytes.IndexByte(line, 0); j >= 0 {
		line = line[:j]
	}
	line = bytes.Trim(line, " \t")
	if len(line) == 0 {
		return "", "", abi.ENOEXEC
	}
	interp = string(line)
	if j := bytes.IndexAny(line, " \t"); j >= 0 {
		interp, arg = string(line[:j]), string(bytes.TrimLeft(line[j:], " \t"))
	}
	return interp, arg, nil
}

func (t *Task) checkArgSize(argv, envp []string) error {
	total := uint64(0)
	for _, l := range [][]string{argv, envp} {
		for _, s := range l {
			if len(s) >= maxArgString {
				return abi.E2BIG
			}
			total += uint64(len(s)) + 1 + 8
		}
	}
	limit := min(max(t.Rlimit(abi.RLIMIT_STACK).Cur/4, argvLeast), argvMost)
	if total > limit {
		return abi.E2BIG
	}
	return nil
}

// preader reads a file for the ELF parser.
type preader struct {
	ctx  *fs.Context
	f    *fs.File
	head []byte // the first bytes, read already
}

func (p preader) ReadAt(b []byte, off int64) (int, error) {
	if off >= 0 && off+int64(len(b)) <= int64(len(p.head)) {
		return copy(b, p.head[off:]), nil
	}
	total := 0
	for total < len(b) {
		n, err := p.f.Pread(p.ctx, b[total:], off+int64(total))
		if err != nil || n == 0 {
			return total, err
		}
		total += n
	}
	return total, nil
}

// loadELF parses the program and its interpreter.
func (t *Task) loadELF(x *execing, head []byte) error {
	ctx := t.Context()
	im, err := elf.Parse(head, preader{ctx, x.file, head})
	if err != nil {
		return abi.ENOEXEC
	}
	if im.Machine != elfMachine {
		return abi.ENOEXEC
	}
	x.image = im
	if im.Interp == "" {
		return nil
	}
	f, err := fs.OpenExec(ctx, ctx.Cwd, im.Interp, 0)
	if err != nil {
		return err
	}
	x.interp = f
	lhead := make([]byte, elfHead)
	n, err := f.Pread(ctx, lhead, 0)
	if err != nil {
		return err
	}
	ld, err := elf.Parse(lhead[:n], preader{ctx, f, lhead[:n]})
	if err != nil || ld.Machine != elfMachine {
		return abi.ELIBBAD
	}
	x.loader = ld
	return nil
}

// execCreds gives the credentials of the new program: set-user-id bits, and the
// capability rules of capabilities(7) for root and ambient sets. File
// capabilities are not looked at.
func (t *Task) execCreds(f *fs.File) (*fs.Creds, bool) {
	old := t.Creds()
	n := *old
	st, err := f.Stat()
	if err == nil && !t.NoNewPrivs && !mountNoSuid(f) {
		if st.Mode&abi.S_ISUID != 0 {
			n.EUID = st.UID
		}
		if st.Mode&(abi.S_ISGID|0o010) == abi.S_ISGID|0o010 {
			n.EGID = st.GID
		}
	}
	changed := n.EUID != old.EUID || n.EGID != old.EGID
	n.SUID, n.FSUID = n.EUID, n.EUID
	n.SGID, n.FSGID = n.EGID, n.EGID
	if changed {
		n.Ambient = 0
	}
	if n.EUID == 0 || n.UID == 0 {
		n.Permitted = old.Inheritable | old.Bounding
		n.Effective = 0
		if n.EUID == 0 {
			n.Effective = n.Permitted
		}
	} else {
		n.Permitted = n.Ambient
		n.Effective = n.Ambient
	}
	secure := changed || n.EUID != n.UID || n.EGID != n.GID
	return &n, secure
}

// ignoredSignals lists which signals stay ignored over exec.
func ignoredSignals(table *[64][32]byte) []int {
	var out []int
	for i, b := range table {
		if abi.DecodeSigaction(b[:]).Handler == abi.SIG_IGN {
			out = append(out, i+1)
		}
	}
	return out
}

// deThread ends t's sibling threads; t takes the process's id. The host does the
// same at its execve, and gives t's thread the process's host id.
func (k *Kernel) deThread(t *Task) {
	k.mu.Lock()
	defer k.mu.Unlock()
	g := t.tg
	for _, o := range append([]*Task(nil), g.tasks...) {
		if o != t {
			if o.hostTID != 0 {
				k.leaving[o.hostTID] = true
				t.execC.siblings = append(t.execC.siblings, o.hostTID)
			}
			k.reapTask(o)
		}
	}
	g.execed = true
	if t != g.leader {
		delete(k.tasks, t.tid)
		t.tid = g.pid
		g.leader = t
		k.tasks[t.tid] = t
	}
	if t.hostTID != g.hostPID {
		// Bound to both numbers until the new image announces itself.
		k.byHost.set(g.hostPID, t)
	}
}

// forgetSiblings: the host threads of x's process's other threads are gone, or the
// whole process is. The caller holds k.mu.
func (k *Kernel) forgetSiblings(x *execing) {
	for _, tid := range x.siblings {
		delete(k.leaving, tid)
	}
	x.siblings = nil
}

// onStart: a fresh image after the host's execve. The caller holds t.callMu.
func (t *Task) onStart() {
	x := t.execC
	if x == nil || !x.started || x.mapping || !t.execProved(x) {
		t.k.forceFatal(t, abi.SIGKILL)
		return
	}
	k := t.k
	k.mu.Lock()
	if t.hostTID != t.tg.hostPID {
		k.byHost.clear(t.hostTID, t)
		t.hostTID = t.tg.hostPID
	}
	k.forgetSiblings(x)
	t.tg.mapFDs.clear()
	x.oldMM, x.oldArea = t.MM, t.area
	t.MM = mm.New()
	t.area, t.header = 0, k.p.MainHeader()
	if x.oldMM != nil && x.oldMM.Users() > 1 {
		x.oldMM.FreeArea(x.oldArea)
	}
	t.tg.sigtab, t.tg.tabArea = notify.OwnTable(t.header), 0
	t.pendW = 0
	k.mu.Unlock()

	t.takeOnProgram(x)
	t.startImage(x)
}

// startImage maps the program, now or when its file's bytes lie still. The caller
// holds t.callMu; t's host thread waits in its first words.
func (t *Task) startImage(x *execing) {
	k := t.k
	x.waits = false
	err := t.buildImage(x, t.call.args[0])
	if later, ok := err.(*notReady); ok {
		x.waits = true
		t.prepareRuns(later.q, func(err error) {
			t.callMu.Lock()
			defer t.callMu.Unlock()
			switch {
			case t.dying.Load():
			case err != nil:
				k.Log.Debug("exec failed after the point of no return", "task", t.String(), "err", err)
				k.forceFatal(t, abi.SIGSEGV)
			default:
				t.startImage(x)
			}
		})
		return
	}
	if err != nil {
		k.Log.Debug("exec failed after the point of no return", "task", t.String(), "err", err)
		k.forceFatal(t, abi.SIGSEGV)
		return
	}
	t.nextBatch(x, true)
}

// takeOnProgram changes what exec changes besides memory.
func (t *Task) takeOnProgram(x *execing) {
	ctx := t.Context()
	if x.oldMM != nil {
		x.oldMM.Drop()
	}
	if t.Files.Users() > 1 {
		n := t.Files.Fork()
		t.Files.Drop(ctx, t.tg)
		t.Files = n
	}
	t.Files.forgetHost()
	for _, f := range t.Files.closeOnExec() {
		_ = f.Flush(ctx, t.tg)
		f.DecRef()
	}
	t.SetCreds(x.creds)
	t.SetComm(x.comm)
	t.AltStack, t.KeepCaps = AltStack{}, false
	t.RobustList.Store(0)
	t.MM.Exe, t.MM.ExePath = x.file, fs.DPath(x.file.Path, ctx.Root)
	t.k.mu.Lock()
	if x.secure {
		t.PDeathSig = 0
		t.tg.dumpable = 0
	} else {
		t.tg.dumpable = 1
	}
	t.tg.dropTimers()
	t.tg.exitSignal = abi.SIGCHLD
	t.k.mu.Unlock()
}

// nextBatch hands the stub its next piece of work, or lets it enter the program.
func (t *Task) nextBatch(x *execing, first bool) {
	head := x.batches.Take(notify.MaxBatch)
	var err error
	if first {
		err = x.setup.Write(t.k.p, t.proc(), head)
	} else {
		err = head.Write(t.proc())
	}
	if err != nil {
		t.k.forceFatal(t, abi.SIGKILL)
		return
	}
	x.mapping = true
	t.act(notify.ActBatch)
}

// onBatch: the stub has run a batch.
func (t *Task) onBatch() {
	x := t.execC
	switch {
	case t.inRites:
		t.ritesDone()
		return
	case t.afterBatch != nil:
		f := t.afterBatch
		t.afterBatch = nil
		t.call.kind, t.call.nr = callBatch, notify.NrFutex
		t.finish(f())
		return
	case x != nil && !x.started:
		t.act(notify.ActExec) // robust futexes have been released
		return
	case x == nil || !x.mapping:
		t.enterChild()
		return
	}
	left := t.call.args[0]
	if left != 0 {
		t.k.Log.Debug("mapping a program failed", "task", t.String(), "path", x.path, "errno", abi.Errno(-int64(t.call.args[1])).Error())
		t.k.forceFatal(t, abi.SIGKILL)
		return
	}
	if x.batches.Len() > 0 {
		t.nextBatch(x, false)
		return
	}
	var pieces []host.Piece
	for _, z := range x.zero {
		pieces = append(pieces, host.Piece{Addr: z.addr, Buf: t.k.zeros[:min(z.len, pageSize)]})
	}
	if len(pieces) > 0 {
		_, _ = host.WriteMem(t.hostTID, pieces...)
	}
	t.execC = nil
	t.traceReturn(0)
	if x.interp != nil {
		x.interp.DecRef()
	}
	t.k.mu.Lock()
	if t.anyDeliverable() || t.tg.stopped.Load() {
		t.hostKick()
	}
	t.notePending()
	t.k.mu.Unlock()
	t.act(notify.ActGo)
}

// randPages is a random page-aligned offset of up to 1<<bits pages.
func randPages(bits int) uint64 { return rand.Uint64N(1<<bits) << 12 }
