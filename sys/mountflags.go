// SPDX-License-Identifier: Apache-2.0

package sys

import (
	"lodger/abi"
	"lodger/fs"
)

// mountNoExec reports whether a file lies on a mount that allows no execution.
func mountNoExec(f *fs.File) bool {
	return f.Path.Mnt != nil && f.Path.Mnt.Flags()&abi.MS_NOEXEC != 0
}
