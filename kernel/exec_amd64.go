// SPDX-License-Identifier: Apache-2.0

package kernel

import "lodger/lib/elf"

const (
	elfMachine        = elf.MachineX86
	elfPlatform       = "x86_64"
	sysRestartSyscall = 219
)

// Machine is uname's machine.
const Machine = "x86_64"
