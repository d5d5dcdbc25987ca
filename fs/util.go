// SPDX-License-Identifier: Apache-2.0

package fs

import (
	"strconv"
	"strings"
)

func expandIno(name string, ino uint64) string {
	return strings.Replace(name, "%d", strconv.FormatUint(ino, 10), 1)
}

func utoa(n uint64) string { return strconv.FormatUint(n, 10) }
