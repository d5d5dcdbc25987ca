// SPDX-License-Identifier: Apache-2.0

package abi

// Open flags whose value depends on the processor.
const (
	O_DIRECTORY = 0o40000
	O_NOFOLLOW  = 0o100000
	O_DIRECT    = 0o200000
	O_LARGEFILE = 0o400000
)
