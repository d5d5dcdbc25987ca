// SPDX-License-Identifier: Apache-2.0

package notify

// Route says what the host does with a guest's system call.
type Route uint8

// Routes. DESIGN section 2 gives the reasons.
const (
	// RouteNotify: the kernel gets number and arguments and answers.
	RouteNotify Route = iota
	// RouteNative: it touches only the caller's own memory or thread, whatever
	// its arguments are.
	RouteNative
	// RouteChecked: native when the arguments are harmless, else another route;
	// the filter has a check by that name.
	RouteChecked
	// RouteStub: answered by the stub in the process itself.
	RouteStub
	// RouteFrame: by the stub, which tells the kernel with the registers saved.
	RouteFrame
)

func (r Route) String() string {
	return [...]string{"notify", "native", "checked", "stub", "frame"}[r]
}

// madviseHarmless are the advices of madvise(2), a bit each, that change nothing
// but the caller's own pages.
const madviseHarmless = 1<<0 | 1<<1 | 1<<2 | 1<<3 | 1<<4 | 1<<8 | 1<<10 | 1<<11 | 1<<14 | 1<<15 | 1<<16 | 1<<17 | 1<<18 | 1<<19 | 1<<20 | 1<<21 | 1<<22 | 1<<23 | 1<<25

// HarmlessAdvice reports whether the host may take a guest's advice to
// madvise(2) as it stands.
func HarmlessAdvice(advice uint64) bool {
	return uint32(advice) < 32 && madviseHarmless>>uint32(advice)&1 != 0
}
