// SPDX-License-Identifier: Apache-2.0

package loop

// struct loop_info with an unsigned long as __kernel_old_dev_t.
const (
	oldNumber  = 0
	oldDevice  = 8
	oldInode   = 16
	oldRdevice = 24
	oldOffset  = 32
	oldFlags   = 44
	oldName    = 48
	oldSize    = 168
)
