// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"os"
	"regexp"
	"strconv"
	"testing"
)

// The assembler's header and layout.go say the same.
func TestLayoutMatchesAssembly(t *testing.T) {
	text, err := os.ReadFile("layout_amd64.h")
	if err != nil {
		t.Fatal(err)
	}
	defs := map[string]int64{}
	for _, m := range regexp.MustCompile(`(?m)^#define (\w+)\s+(-?0x[0-9a-f]+|\d+)\b`).FindAllStringSubmatch(string(text), -1) {
		v, err := strconv.ParseInt(m[2], 0, 64)
		if err != nil {
			t.Fatal(err)
		}
		defs[m[1]] = v
	}
	want := map[string]int64{
		"STUB_BASE": StubBase, "STUB_CODE": stubCode, "STUB_END": StubEnd,
		"C_HDR": StubBase + cHdr, "C_NBOOT": StubBase + cNBoot, "C_FWLO": StubBase + cFwLo, "C_FWHI": StubBase + cFwHi,
		"C_PDEATH": StubBase + cPdeath, "C_ARGV": StubBase + cArgv, "C_EMPTY": StubBase + cEmpty, "C_ENVP": StubBase + cEnvp,
		"C_NZYG": StubBase + cNZyg, "C_ZSTACK": StubBase + cZStack, "C_ZSLOT": StubBase + cZSlot, "C_ZMSG": StubBase + cZMsg,
		"C_ZCMSGFD": StubBase + cZCmsgFD, "C_ZFLAGS1": StubBase + cZFlags1, "C_ZFLAGS2": StubBase + cZFlags2,
		"C_ZFPROG": StubBase + cZFprog, "C_ZINFO": StubBase + cZInfo, "C_ZDFL": StubBase + cZDfl, "C_BATCH": StubBase + cBatch,
		"H_TID": hTID, "H_PID": hPID, "H_MASK": hMask, "H_PENDING": hPending, "H_SIGTAB": hSigTab, "H_KICKED": hKicked,
		"H_RESULT": hResult, "H_NBATCH": hNBatch, "H_BATCHRES": hBatchRes, "H_CFLAGS": hCFlags, "H_DSIGNO": hDSigno,
		"H_DREADY": hDReady, "H_CTOKEN": hCToken, "STUB_SIGNALS": stubSignals, "H_BATCH": hBatch, "H_UC": hUC, "H_OWNTAB": hOwnTab,
		"OP_KICK": int64(OpKick), "OP_FAULT": int64(OpFault), "OP_START": int64(OpStart), "OP_CHILD": int64(OpChild),
		"OP_BATCH": int64(OpBatch), "OP_MASK": int64(OpMask), "OP_BADFRAME": int64(OpBadFrame), "OP_CLONED": int64(OpCloned),
		"OP_NOEXEC": int64(OpNoExec), "OP_FRAME": int64(OpFrame), "OP_TRACED": int64(OpTraced), "C_TRACE": StubBase + cTrace,
		"ACT_RESUME": int64(ActResume), "ACT_RESULT": int64(ActResult), "ACT_DELIVER": int64(ActDeliver), "ACT_REWIND": int64(ActRewind),
		"ACT_PARK": int64(ActPark), "ACT_BATCH": int64(ActBatch), "ACT_BATCHRES": int64(ActBatchRes), "ACT_CLONE": int64(ActClone),
		"ACT_EXEC": int64(ActExec), "ACT_GO": int64(ActGo), "ACT_ENOSYS": int64(ActENOSYS),
		"KICK_BIT": 1 << (KickSignal - 1),
	}
	for name, v := range want {
		if defs[name] != v {
			t.Errorf("%s: assembly %#x, Go %#x", name, defs[name], v)
		}
	}
}
