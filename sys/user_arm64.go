// SPDX-License-Identifier: Apache-2.0

package sys

// taskSize is TASK_SIZE: the end of user space.
const taskSize = 1 << 48
