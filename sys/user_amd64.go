// SPDX-License-Identifier: Apache-2.0

package sys

// taskSize is TASK_SIZE_MAX: the end of user space.
const taskSize = 1<<47 - pageSize
