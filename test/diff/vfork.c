// SPDX-License-Identifier: Apache-2.0
//
// the parent waits, memory is shared, exec and _exit release it

#include "t.h"

static volatile int shared;

int main(int argc, char **argv)
{
	if (argc > 1) {
		say("exec'ed with %s", argv[1]);
		return 12;
	}
	pid_t p = vfork();
	if (p == 0) {
		nap(30);
		shared = 5;
		_exit(3);
	}
	SHOW(shared);
	reap(p);
	p = vfork();
	if (p == 0) {
		shared++;
		execl("/proc/self/exe", "vfork", "hello", (char *)0);
		_exit(1);
	}
	reap(p);
	SHOW(shared);
	p = vfork();
	if (p == 0) {
		execl("/nonexistent", "x", (char *)0);
		shared = errno;
		_exit(77);
	}
	say("errno seen through shared memory: %s", en(shared));
	reap(p);
	p = vfork();
	if (p == 0) {
		kill(getpid(), SIGKILL);
		_exit(1);
	}
	reap(p);
	// descriptors are not shared
	p = vfork();
	if (p == 0) {
		close(0);
		close(2);
		_exit(0);
	}
	reap(p);
	SHOW(fcntl(2, F_GETFD));
	// nested
	p = vfork();
	if (p == 0) {
		pid_t q = vfork();
		if (q == 0) {
			shared = 100;
			_exit(1);
		}
		shared++;
		_exit(2);
	}
	reap(p);
	SHOW(shared);
}
