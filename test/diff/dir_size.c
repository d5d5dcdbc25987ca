// SPDX-License-Identifier: Apache-2.0
//
// size and links of directories as entries come and go

#include "t.h"

static void show(const char *what)
{
	struct stat st;
	MUST(stat("d", &st));
	say("%s: size %ld links %ld", what, (long)st.st_size, (long)st.st_nlink);
}

int main(void)
{
	MUST(mkdir("d", 0755));
	show("empty");
	put("d/f", "x");
	show("a file");
	MUST(mkdir("d/s", 0755));
	show("a directory");
	MUST(rename("d/f", "d/g"));
	show("renamed");
	MUST(rename("d/s", "s"));
	show("moved away");
	MUST(unlink("d/g"));
	show("removed");
}
