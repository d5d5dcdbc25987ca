// SPDX-License-Identifier: Apache-2.0

package kernel

import "lodger/lib/elf"

const (
	elfMachine        = elf.MachineARM64
	elfPlatform       = "aarch64"
	sysRestartSyscall = 128
)

// Machine is uname's machine.
const Machine = "aarch64"
