// SPDX-License-Identifier: Apache-2.0
//
// chroot, pivot of '..', statfs, mount points, /proc/self/root (root) NEED_ROOT

#include "t.h"

int main(void)
{
	mkdir("jail", 0755);
	mkdir("jail/in", 0755);
	put("jail/f", "inside");
	put("f", "outside");
	symlink("/f", "jail/abs");
	symlink("../f", "jail/rel");
	int out = open(".", O_RDONLY);
	OK(chroot("no"));
	OK(chroot("f"));
	pid_t p = CHILD(
		OK(chroot("jail")); OK(chdir("/"));
		say("%s", text("/f")); say("%s", text("/abs")); say("%s", text("/rel")); say("%s", text("../../f"));
		char b[100]; getcwd(b, 100); say("%s", b);
		OK(chdir("in")); getcwd(b, 100); say("%s", b);
		OK(fchdir(out)); say("escaped by fchdir: %s", text("f"));
		long n = syscall(SYS_getcwd, b, 100); say("unreachable %d", n > 0 && !strncmp(b, "(unreachable)", 13)));
	reap(p);
	struct statfs sf;
	OK(statfs("/proc", &sf));
	say("%lx", (long)sf.f_type);
	OK(statfs(".", &sf));
	say("name length %ld block size %d free %d", (long)sf.f_namelen, sf.f_bsize > 0, sf.f_bfree <= sf.f_blocks);
	OK(statfs("no", &sf));
	OK(fstatfs(out, &sf));
	OK(fstatfs(999, &sf));
}
