// SPDX-License-Identifier: Apache-2.0
//
// user attributes: set, get, list, remove, sizes, errors

#include "t.h"

#include <sys/xattr.h>

int main(void)
{
	char b[256];
	put("f", "x");
	mkdir("d", 0755);
	OK(setxattr("f", "user.a", "value", 5, 0));
	VAL(getxattr("f", "user.a", b, 256));
	VAL(getxattr("f", "user.a", b, 0));
	OK(getxattr("f", "user.a", b, 2));
	OK(getxattr("f", "user.none", b, 256));
	OK(setxattr("f", "user.a", "new", 3, XATTR_CREATE));
	OK(setxattr("f", "user.b", "new", 3, XATTR_REPLACE));
	OK(setxattr("f", "user.a", "new", 3, XATTR_REPLACE));
	OK(setxattr("f", "user.empty", "", 0, 0));
	VAL(getxattr("f", "user.empty", b, 256));
	VAL(listxattr("f", 0, 0) > 0);
	int n = listxattr("f", b, 256), names = 0;
	for (int i = 0; i < n; i += strlen(b + i) + 1)
		names += !strncmp(b + i, "user.", 5);
	SHOW(names);
	OK(listxattr("f", b, 3));
	OK(setxattr("f", "bogus.x", "v", 1, 0));
	OK(setxattr("f", "noprefix", "v", 1, 0));
	OK(setxattr("f", "user.", "v", 1, 0));
	OK(setxattr("f", "", "v", 1, 0));
	OK(setxattr("f", "user.a", "v", 1, 0x7));
	OK(setxattr("d", "user.dir", "v", 1, 0));
	symlink("f", "l");
	OK(lsetxattr("l", "user.x", "v", 1, 0));
	OK(setxattr("l", "user.through", "v", 1, 0));
	VAL(getxattr("f", "user.through", b, 256));
	OK(removexattr("f", "user.a"));
	OK(removexattr("f", "user.a"));
	OK(setxattr("no", "user.a", "v", 1, 0));
	int fd = open("f", O_RDONLY);
	OK(fsetxattr(fd, "user.fd", "v", 1, 0));
	VAL(fgetxattr(fd, "user.fd", b, 256));
	OK(setxattr("f", "user.big", b, 70000, 0));
	char name[300] = "user.";
	memset(name + 5, 'n', 280);
	OK(setxattr("f", name, "v", 1, 0));
}
