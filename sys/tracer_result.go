// SPDX-License-Identifier: Apache-2.0

package sys

import (
	"encoding/binary"
	"fmt"
	"strconv"

	"lodger/abi"
)

// failed reports whether val is an error.
func failed(val uint64) bool { return int64(val) < 0 && int64(val) >= -4095 }

// result shows a call's result of kind ret; the zero Kind is a number.
func result(ret Kind, val uint64) string {
	switch {
	case failed(val):
		n := int(-int64(val))
		e, ok := errnoTexts[n]
		switch {
		case !ok:
			return fmt.Sprintf("-1 (errno %d)", n)
		case n >= 512:
			return fmt.Sprintf("? %s (%s)", e.name, e.text)
		}
		return fmt.Sprintf("-1 %s (%s)", e.name, e.text)
	case ret == Addr:
		return hex(val)
	case ret == Oct:
		return octal(val)
	}
	return strconv.FormatInt(int64(val), 10)
}

// signalNames are the signals' names without SIG.
var signalNames = [...]string{1: "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM",
	"STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS"}

// signalName names a signal as strace does: real-time ones count from 32.
func signalName(sig int) string {
	switch {
	case sig > 0 && sig < len(signalNames):
		return "SIG" + signalNames[sig]
	case sig == abi.SIGRTMIN:
		return "SIGRTMIN"
	case sig > abi.SIGRTMIN && sig <= abi.NSIG:
		return fmt.Sprintf("SIGRT_%d", sig-abi.SIGRTMIN)
	}
	return strconv.Itoa(sig)
}

// codeNames are si_code values that every signal may have.
var codeNames = map[int32]string{
	abi.SI_USER: "SI_USER", abi.SI_KERNEL: "SI_KERNEL", abi.SI_QUEUE: "SI_QUEUE", abi.SI_TIMER: "SI_TIMER",
	abi.SI_MESGQ: "SI_MESGQ", abi.SI_ASYNCIO: "SI_ASYNCIO", abi.SI_SIGIO: "SI_SIGIO", abi.SI_TKILL: "SI_TKILL",
}

// signalCodes are the positive si_code values of single signals.
var signalCodes = map[int][]string{
	abi.SIGCHLD: {1: "CLD_EXITED", "CLD_KILLED", "CLD_DUMPED", "CLD_TRAPPED", "CLD_STOPPED", "CLD_CONTINUED"},
	abi.SIGSEGV: {1: "SEGV_MAPERR", "SEGV_ACCERR"},
	abi.SIGBUS:  {1: "BUS_ADRALN", "BUS_ADRERR", "BUS_OBJERR"},
	abi.SIGFPE:  {1: "FPE_INTDIV", "FPE_INTOVF", "FPE_FLTDIV"},
	abi.SIGILL:  {1: "ILL_ILLOPC", "ILL_ILLOPN"},
	abi.SIGIO:   {1: "POLL_IN", "POLL_OUT", "POLL_MSG", "POLL_ERR", "POLL_PRI", "POLL_HUP"},
}

func codeName(sig int, code int32) string {
	if s, ok := codeNames[code]; ok {
		return s
	}
	if list := signalCodes[sig]; code > 0 && int(code) < len(list) {
		return list[code]
	}
	return strconv.Itoa(int(code))
}

// siginfoText shows a siginfo_t.
func siginfoText(info *abi.Siginfo) string {
	le := binary.LittleEndian
	sig, code := info.Signo(), info.Code()
	word := func(at int) int32 { return int32(le.Uint32(info[at:])) }
	s := fmt.Sprintf("{si_signo=%s, si_code=%s", signalName(sig), codeName(sig, code))
	switch {
	case code == abi.SI_KERNEL:
	case code == abi.SI_TIMER:
		s += fmt.Sprintf(", si_timerid=%d, si_overrun=%d", word(16), word(20))
	case code == abi.SI_QUEUE:
		s += fmt.Sprintf(", si_pid=%d, si_uid=%d, si_value={sival_int=%d, sival_ptr=%s}", word(16), word(20), word(24), pointer(le.Uint64(info[24:])))
	case code <= 0:
		s += fmt.Sprintf(", si_pid=%d, si_uid=%d", word(16), word(20))
	case sig == abi.SIGCHLD:
		status := strconv.Itoa(int(word(24)))
		if code != abi.CLD_EXITED {
			status = signalName(int(word(24)))
		}
		s += fmt.Sprintf(", si_pid=%d, si_uid=%d, si_status=%s, si_utime=%d, si_stime=%d", word(16), word(20), status, le.Uint64(info[32:]), le.Uint64(info[40:]))
	case sig == abi.SIGIO:
		s += fmt.Sprintf(", si_band=%d, si_fd=%d", le.Uint64(info[16:]), word(24))
	default:
		s += ", si_addr=" + pointer(le.Uint64(info[16:]))
	}
	return s + "}"
}
