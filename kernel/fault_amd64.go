// SPDX-License-Identifier: Apache-2.0

package kernel

import (
	"lodger/abi"
	"lodger/lib/printk"
)

// logFault says in the kernel log that a fault kills a program, in the words of
// show_signal_msg (arch/x86/mm/fault.c) and show_signal (arch/x86/kernel/traps.c). The
// mapping that the instruction lies in, the processor and the code around it are left
// out. a is what the stub tells of the fault.
func (t *Task) logFault(sig int, a [6]uint64) {
	errorCode, trap := uint32(a[4]), a[4]>>32
	const pageFault = 14
	if trap == pageFault {
		level := printk.Info
		if t.tid == 1 {
			level = printk.Emerg
		}
		if sig == abi.SIGSEGV {
			t.k.Printk.Limited("show_signal_msg", level, "%s[%d]: segfault at %x ip %016x sp %016x error %x", t.Comm(), t.tid, a[2], a[5], a[3], errorCode)
		}
		return
	}
	if what := trapName(trap); what != "" {
		t.k.Printk.Limited("show_signal", printk.Info, "traps: %s[%d] %s ip:%x sp:%x error:%x", t.Comm(), t.tid, what, a[5], a[3], errorCode)
	}
}

// trapName is what Linux calls an exception of a program; "": it says nothing of it.
func trapName(trap uint64) string {
	switch trap {
	case 0:
		return "trap divide error"
	case 3:
		return "trap int3"
	case 4:
		return "trap overflow"
	case 6:
		return "trap invalid opcode"
	case 11:
		return "trap segment not present"
	case 12:
		return "trap stack segment"
	case 13:
		return "general protection fault"
	case 17:
		return "trap alignment check"
	}
	return ""
}
