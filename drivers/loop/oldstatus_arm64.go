// SPDX-License-Identifier: Apache-2.0

package loop

// struct loop_info with an unsigned int as __kernel_old_dev_t.
const (
	oldNumber  = 0
	oldDevice  = 4
	oldInode   = 8
	oldRdevice = 16
	oldOffset  = 20
	oldFlags   = 32
	oldName    = 36
	oldSize    = 160
)
