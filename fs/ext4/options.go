// SPDX-License-Identifier: Apache-2.0

package ext4

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"lodger/abi"
	"lodger/fs"
	"lodger/lib/printk"
)

// Mount options: man 5 ext4, fs/ext4/super.c's ext4_param_specs.

// optBits is a set of options that are on or off.
type optBits uint32

const (
	optMinixDF optBits = 1 << iota
	optGrpid
	optBlockValidity
	optDioreadNolock
	optDiscard
	optDelalloc
	optJournalChecksum
	optAsyncCommit
	optNoload
	optBarrier
	optNoAutoDaAlloc
	optInitItable
	optUserXattr
	optACL
	optNoUID32
	optDebug
	optNoMbcache
	optNoPrefetch
	optWarnOnError
	optIVersion
)

// optFlags is which of them a mount's options give, and how.
type optFlags struct{ given, on optBits }

func (f *optFlags) set(b optBits, on bool) {
	f.given |= b
	f.on &^= b
	if on {
		f.on |= b
	}
}

// toggle is an option that sets or clears a bit.
type toggle struct {
	name string
	bit  optBits
	on   bool
}

// toggles are in the order in which Linux shows them.
func toggles() []toggle {
	return []toggle{
		{"minixdf", optMinixDF, true}, {"bsddf", optMinixDF, false},
		{"grpid", optGrpid, true}, {"nogrpid", optGrpid, false},
		{"block_validity", optBlockValidity, true}, {"noblock_validity", optBlockValidity, false},
		{"dioread_nolock", optDioreadNolock, true}, {"nodioread_nolock", optDioreadNolock, false},
		{"discard", optDiscard, true}, {"nodiscard", optDiscard, false},
		{"delalloc", optDelalloc, true}, {"nodelalloc", optDelalloc, false},
		{"nojournal_checksum", optJournalChecksum, false}, {"journal_checksum", optJournalChecksum, true},
		{"journal_async_commit", optAsyncCommit, true},
		{"norecovery", optNoload, true},
		{"barrier", optBarrier, true}, {"nobarrier", optBarrier, false},
		{"noauto_da_alloc", optNoAutoDaAlloc, true}, {"auto_da_alloc", optNoAutoDaAlloc, false},
		{"noinit_itable", optInitItable, false},
		{"user_xattr", optUserXattr, true}, {"nouser_xattr", optUserXattr, false},
		{"acl", optACL, true}, {"noacl", optACL, false},
		{"nouid32", optNoUID32, true}, {"debug", optDebug, true},
		{"nombcache", optNoMbcache, true},
		{"no_prefetch_block_bitmaps", optNoPrefetch, true},
		{"warn_on_error", optWarnOnError, true}, {"nowarn_on_error", optWarnOnError, false},
	}
}

// synonym gives an option's usual name.
func synonym(k string) string {
	switch k {
	case "bsdgroups":
		return "grpid"
	case "sysvgroups":
		return "nogrpid"
	case "dioread_lock":
		return "nodioread_nolock"
	case "noload":
		return "norecovery"
	case "no_mbcache":
		return "nombcache"
	}
	return k
}

// parse reads a comma-separated list of mount options.
func (o *Options) parse(data string) error {
	for _, kv := range strings.Split(data, ",") {
		if kv == "" || kv == "defaults" {
			continue
		}
		k, val, hasVal := strings.Cut(kv, "=")
		if err := o.parseOne(synonym(k), val, hasVal); err != nil {
			return refuse("unknown mount option, or bad value: %q", kv)
		}
	}
	o.NoLoad = o.flags.on&optNoload != 0
	o.NoACL = o.flags.given&^o.flags.on&optACL != 0
	return nil
}

func (o *Options) parseOne(k, val string, hasVal bool) (err error) {
	switch k {
	case "errors":
		o.Errors = val
		return oneOf(val, "continue", "remount-ro", "panic")
	case "data":
		o.Data = val
		return oneOf(val, "ordered", "writeback", "journal")
	case "data_err":
		o.DataErrAbort = val == "abort"
		return oneOf(val, "ignore", "abort")
	case "resuid":
		o.ResUID, err = parseID(val)
		return err
	case "resgid":
		o.ResGID, err = parseID(val)
		return err
	case "commit":
		n, err := strconv.ParseUint(val, 10, 32)
		if err == nil && n > math.MaxInt32/1000 {
			err = abi.EINVAL
		}
		o.Commit = int(n)
		return err
	case "sb":
		n, err := strconv.ParseUint(val, 10, 32)
		if err == nil && n > 1 { // the copies are e2fsck's business
			return abi.EINVAL
		}
		return err
	case "barrier", "auto_da_alloc":
		if !hasVal {
			break
		}
		n, err := strconv.ParseUint(val, 10, 32)
		bit, on := optBarrier, n != 0
		if k == "auto_da_alloc" {
			bit, on = optNoAutoDaAlloc, n == 0
		}
		o.flags.set(bit, on)
		return err
	case "abort": // at a mount it means nothing
		o.abort = true
		return valueless(hasVal)
	case "init_itable":
		o.flags.set(optInitItable, true)
		if !hasVal {
			return nil
		}
		return o.number(k, val)
	case "stripe", "inode_readahead_blks", "max_batch_time", "min_batch_time", "journal_ioprio", "max_dir_size_kb", "mb_optimize_scan",
		"debug_want_extra_isize":
		return o.number(k, val)
	case "orlov", "oldalloc", "nocheck", "check", "i_version", "lazytime", "nolazytime", "prefetch_block_bitmaps", "noquota", "mblk_io_submit",
		"nomblk_io_submit", "removed":
		return nil // without effect on Linux too, or the VFS's
	}
	for _, t := range toggles() {
		if t.name == k && !hasVal {
			o.flags.set(t.bit, t.on)
			return nil
		}
	}
	return abi.EINVAL
}

func valueless(hasVal bool) error {
	if hasVal {
		return abi.EINVAL
	}
	return nil
}

func oneOf(val string, list ...string) error {
	for _, v := range list {
		if v == val {
			return nil
		}
	}
	return abi.EINVAL
}

// number notes an option that tunes what is not here.
func (o *Options) number(k, val string) error {
	n, err := strconv.ParseUint(val, 10, 32)
	switch {
	case err != nil:
		return err
	case k == "inode_readahead_blks" && (n > 1<<30 || n&(n-1) != 0), k == "journal_ioprio" && n > 7:
		return abi.EINVAL
	case k == "journal_ioprio" || k == "mb_optimize_scan" || k == "debug_want_extra_isize":
		return nil
	}
	for i, s := range o.given {
		if s.name == k {
			o.given[i].val = n
			return nil
		}
	}
	o.given = append(o.given, numberOpt{k, n})
	return nil
}

// numberOpt is an option with a number that only ShowOptions tells of.
type numberOpt struct {
	name string
	val  uint64
}

// showNumbers shows options of number that differ from the default, in Linux's
// order.
func (o *Options) showNumber(b *strings.Builder, name string, def uint64) {
	for _, x := range o.given {
		if x.name == name && x.val != def {
			fmt.Fprintf(b, ",%s=%d", name, x.val)
		}
	}
}

func parseID(s string) (uint32, error) {
	n, err := strconv.ParseUint(s, 10, 32)
	return uint32(n), err
}

// Bits of s_default_mount_opts.
const (
	defmDebug         = 0x1
	defmBSDGroups     = 0x2
	defmXattrUser     = 0x4
	defmUID16         = 0x10
	defmJMode         = 0x60
	defmNoBarrier     = 0x100
	defmBlockValidity = 0x200
	defmDiscard       = 0x400
	defmNoDelalloc    = 0x800
)

// defaults gives the options that a mount without any has (ext4_set_def_opts).
func (s *FS) defaults() optBits {
	m := s.es.defaultMntOpts
	b := optInitItable | optUserXattr | optACL | optBlockValidity | optBarrier | optDelalloc | optDioreadNolock
	for _, x := range []struct {
		has   bool
		bit   optBits
		clear bool
	}{
		{m&defmDebug != 0, optDebug, false}, {m&defmBSDGroups != 0, optGrpid, false}, {m&defmUID16 != 0, optNoUID32, false},
		{s.es.metadataCsum(), optJournalChecksum, false},
		{m&defmNoBarrier != 0, optBarrier, true}, {m&defmDiscard != 0, optDiscard, false},
		{m&defmNoDelalloc != 0, optDelalloc, true},
	} {
		if x.has && x.clear {
			b &^= x.bit
		} else if x.has {
			b |= x.bit
		}
	}
	return b
}

// defaultData is data= by default.
func (s *FS) defaultData() int {
	switch s.es.defaultMntOpts & defmJMode {
	case 0x20:
		return dataJournal
	case 0x60:
		return dataWriteback
	}
	return dataOrdered
}

// applyOptions settles what the mount's options and the super block's defaults
// make together.
func (s *FS) applyOptions() error {
	s.dataMode = s.defaultData()
	switch s.opt.Data {
	case "":
	case "ordered":
		s.dataMode = dataOrdered
	case "writeback":
		s.dataMode = dataWriteback
	case "journal":
		s.dataMode = dataJournal
	default:
		return abi.EINVAL
	}
	if f := &s.opt.flags; f.on&optAsyncCommit != 0 { // it implies the checksum
		f.set(optJournalChecksum, true)
	}
	if s.opt.DataErrAbort && s.dataMode != dataOrdered {
		s.log(printk.Err, "data_err=abort is for data=ordered")
		return abi.EINVAL
	}
	if s.es.hasCompat(compatHasJournal) && s.dataMode == dataOrdered && s.opt.flags.on&optAsyncCommit != 0 {
		return refuse("journal_async_commit cannot keep data=ordered: mount with data=writeback")
	}
	s.noBarrier.Store(s.options()&optBarrier == 0)
	s.stateMu.Lock()
	defer s.stateMu.Unlock()
	return s.parseErrors()
}

// options is what is on.
func (s *FS) options() optBits {
	f := s.opt.flags
	on := s.defaults()&^f.given | f.on
	if s.journal != nil && s.dataMode == dataJournal {
		on &^= optDelalloc | optDioreadNolock
	}
	return on
}

// parseErrors settles errors=. Called with stateMu held.
func (s *FS) parseErrors() error {
	switch s.opt.Errors {
	case "":
		s.state.policy = s.es.errors
		if p := s.es.errors; p != errorsRO && p != errorsPanic {
			s.state.policy = errorsContinue
		}
	case "continue":
		s.state.policy = errorsContinue
	case "remount-ro":
		s.state.policy = errorsRO
	case "panic":
		s.state.policy = errorsPanic
	default:
		return abi.EINVAL
	}
	return nil
}

// mayRemount refuses what a remount cannot change.
func (s *FS) mayRemount(o *Options) error {
	modes := map[string]int{"ordered": dataOrdered, "writeback": dataWriteback, "journal": dataJournal}
	switch {
	case o.Data != "" && s.journal == nil, o.Data != "" && modes[o.Data] != s.dataMode:
		s.log(printk.Err, "data= cannot change on a remount")
		return abi.EINVAL
	case o.Commit != 0 && s.journal == nil:
		return abi.EINVAL
	}
	return nil
}

// takeOptions takes the options of a remount over.
func (s *FS) takeOptions(o *Options) {
	s.stateMu.Lock()
	defer s.stateMu.Unlock()
	f := &s.opt.flags
	f.given |= o.flags.given
	f.on = f.on&^o.flags.given | o.flags.on
	s.noBarrier.Store(s.options()&optBarrier == 0)
	if o.Errors != "" {
		s.opt.Errors = o.Errors
		_ = s.parseErrors() // parse has checked it
	}
	if o.Commit != 0 {
		s.opt.Commit = o.Commit
		s.journal.SetCommitInterval(int64(s.commitInterval()))
	}
	for _, x := range o.given {
		_ = s.opt.number(x.name, strconv.FormatUint(x.val, 10))
	}
}

// ShowOptions gives the options for /proc/mounts: those that differ from the
// defaults (_ext4_show_options).
func (s *FS) ShowOptions() string {
	s.stateMu.Lock()
	defer s.stateMu.Unlock()
	var b strings.Builder
	put := func(format string, args ...any) { fmt.Fprintf(&b, ","+format, args...) }
	o := &s.opt
	def, now := s.defaults(), s.options()
	for _, t := range toggles() {
		if (def^now)&t.bit != 0 && (now&t.bit != 0) == t.on {
			put("%s", t.name)
		}
	}
	if o.ResUID != 0 || s.es.defResuid != 0 {
		put("resuid=%d", o.ResUID)
	}
	if o.ResGID != 0 || s.es.defResgid != 0 {
		put("resgid=%d", o.ResGID)
	}
	if p := s.state.policy; p != s.es.errors {
		put("errors=%s", [...]string{errorsContinue: "continue", errorsRO: "remount-ro", errorsPanic: "panic"}[p])
	}
	if o.Commit != 0 && o.Commit != 5 {
		put("commit=%d", o.Commit)
	}
	o.showNumber(&b, "min_batch_time", 0)
	o.showNumber(&b, "max_batch_time", 15000)
	o.showNumber(&b, "stripe", 0)
	if jmode := s.es.defaultMntOpts & defmJMode; o.Data != "" && (jmode == 0 || s.dataMode != s.defaultData()) {
		put("data=%s", [...]string{dataOrdered: "ordered", dataWriteback: "writeback", dataJournal: "journal"}[s.dataMode])
	}
	o.showNumber(&b, "inode_readahead_blks", 32)
	o.showNumber(&b, "init_itable", 10)
	o.showNumber(&b, "max_dir_size_kb", 0)
	if o.DataErrAbort {
		put("data_err=abort")
	}
	if o.abort {
		put("abort")
	}
	return b.String()
}

var _ fs.OptionShower = (*FS)(nil)
