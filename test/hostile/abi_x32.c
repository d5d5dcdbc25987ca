// SPDX-License-Identifier: Apache-2.0
//
// every number with the x32 bit, and numbers with other high bits

#include "h.h"

int main(int argc, char **argv)
{
	start(argc, argv);
	unsigned long bits[] = { 0x40000000, 0x80000000, 0x40000000UL << 32, 1UL << 32, ~0xffffffffUL };
	for (int k = 0; k < 5; k++)
		for (int nr = 0; nr <= 600; nr++) {
			if (k != 0 && nr > 470)
				break;
			ATTEMPT("x32", 300,
				// the upper half of rax is ignored by the host: such numbers are plain
				// calls of the guest and may succeed there, but never on the host's files
				long r = syscall(nr | bits[k], canary, O_RDWR, 0666, 0, 0, 0);
				if (is_canary(r)) ESCAPED("number %#lx opened the canary", nr | bits[k]);
				if (k == 0 && r >= 0) ESCAPED("x32 call %d returned %ld", nr, r));
		}
	ATTEMPT("x32", 300, if (syscall(0x40000000 | 62, host_pid, SIGKILL) == 0) ESCAPED("x32 kill"));
	ATTEMPT("x32", 300, if (syscall(0x40000000 | 57) >= 0) ESCAPED("x32 fork"));
	ATTEMPT("x32", 300, char *a[] = { "sh", 0 }; syscall(0x40000000 | 520, "/bin/sh", a, 0));
	return finish();
}
