// SPDX-License-Identifier: Apache-2.0
//
// memory calls in the same 4 GiB as the stub, and on it

#include "../../diff/t.h"

int main(void)
{
	for (int k = 0; k < 3; k++) {
		static const unsigned long at[] = { 0x7f0040000000, 0x7eff80000000, 0x7effffff8000 };
		char *p = mmap((void *)at[k], 0x4000, 3, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
		SHOW(p == (char *)at[k]);
		OK(mprotect(p, 0x4000, PROT_READ));
		OK(madvise(p, 0x1000, MADV_DONTNEED));
		SHOW(mremap(p, 0x4000, 0x2000, 0) == p);
		SHOW(mremap(p, 0x2000, 0x3000, MREMAP_MAYMOVE) != MAP_FAILED);
		OK(munmap(p, 0x4000));
	}
	OK(munmap((void *)0x7effffff8000, 0x10000));
	OK(mprotect((void *)0x7f0000001000, 0x1000, 7));
	OK(madvise((void *)0x7f0000010000, 0x1000, MADV_DONTNEED));
	return 0;
}
