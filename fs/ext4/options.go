// SPDX-License-Identifier: Apache-2.0

package ext4

import (
	"strconv"
	"strings"

	"lodger/abi"
)

// parse reads a comma-separated list of mount options (man 5 ext4).
func (o *Options) parse(data string) error {
	for _, kv := range strings.Split(data, ",") {
		k, val, hasVal := strings.Cut(kv, "=")
		var err error
		switch k {
		case "errors":
			if val != "continue" && val != "remount-ro" && val != "panic" {
				return abi.EINVAL
			}
			o.Errors = val
		case "noload", "norecovery":
			o.NoLoad = true
		case "acl", "noacl":
			o.NoACL = k == "noacl"
		case "resuid":
			o.ResUID, err = parseID(val)
		case "resgid":
			o.ResGID, err = parseID(val)
		case "data": // data is written before metadata in any case
			if val != "ordered" && val != "writeback" && val != "journal" {
				return abi.EINVAL
			}
		case "", "defaults", "user_xattr", "nouser_xattr", "barrier", "nobarrier", "discard", "nodiscard",
			"delalloc", "nodelalloc", "auto_da_alloc", "noauto_da_alloc", "block_validity", "noblock_validity",
			"dioread_lock", "dioread_nolock", "i_version", "bsddf", "grpid", "nogrpid", "sysvgroups", "orlov", "oldalloc",
			"init_itable", "noinit_itable", "nombcache", "no_mbcache", "noquota", "prefetch_block_bitmaps",
			"no_prefetch_block_bitmaps", "journal_checksum", "nojournal_checksum", "lazytime", "nolazytime",
			"debug", "abort", "nouid32":
			if k == "abort" || hasVal && k != "barrier" && k != "auto_da_alloc" && k != "init_itable" {
				return abi.EINVAL
			}
		case "commit", "stripe", "inode_readahead_blks", "max_batch_time", "min_batch_time", "journal_ioprio",
			"max_dir_size_kb", "mb_optimize_scan":
			_, err = strconv.ParseUint(val, 10, 32)
		default:
			return abi.EINVAL
		}
		if err != nil {
			return abi.EINVAL
		}
	}
	if o.NoLoad && !o.ReadOnly {
		return abi.EINVAL
	}
	return nil
}

func parseID(s string) (uint32, error) {
	n, err := strconv.ParseUint(s, 10, 32)
	return uint32(n), err
}

// ShowOptions gives the options for /proc/mounts.
func (s *FS) ShowOptions() string {
	s.stateMu.Lock()
	defer s.stateMu.Unlock()
	if s.opt.Errors != "" || s.state.policy != errorsContinue {
		return ",errors=" + [...]string{errorsContinue: "continue", errorsRO: "remount-ro", errorsPanic: "panic"}[s.state.policy]
	}
	return ""
}
