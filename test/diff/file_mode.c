// SPDX-License-Identifier: Apache-2.0
//
// chmod, umask, setgid directories, sticky, execute bits, clearing of suid

#include "t.h"

int main(void)
{
	struct stat st;
#define MODE(f) (stat(f, &st), say("%s %o", f, st.st_mode))
	umask(027);
	close(creat("a", 0777));
	mkdir("d", 0777);
	MODE("a");
	MODE("d");
	umask(0);
	OK(chmod("a", 06755));
	MODE("a");
	OK(chmod("a", 0177777));
	MODE("a");
	OK(chmod("no", 0755));
	OK(chmod("a/", 0755));
	int fd = open("a", O_RDWR);
	OK(fchmod(fd, 0600));
	MODE("a");
	symlink("a", "l");
	OK(chmod("l", 0640));
	MODE("a");
	OK(fchmodat(AT_FDCWD, "l", 0600, AT_SYMLINK_NOFOLLOW));
	OK(chmod("d", 02775));
	mkdir("d/e", 0755);
	MODE("d/e");
	close(creat("d/f", 0644));
	MODE("d/f");
	OK(access("a", R_OK | W_OK));
	OK(access("a", X_OK));
	OK(access("d", X_OK));
	OK(access("no", F_OK));
	OK(access("a", 8));
	OK(faccessat(AT_FDCWD, "l", F_OK, AT_SYMLINK_NOFOLLOW));
	OK(syscall(SYS_faccessat2, AT_FDCWD, "a", W_OK, AT_EACCESS));
	OK(syscall(SYS_faccessat2, AT_FDCWD, "a", W_OK, 0x4));
	SHOW(umask(077));
	SHOW(umask(0177777));
	SHOW(umask(022));
}
