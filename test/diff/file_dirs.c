// SPDX-License-Identifier: Apache-2.0
//
// getdents sorted, seekdir, rewinddir, types, changes while reading, many entries

#include "t.h"

static int cmp(const void *a, const void *b) { return strcmp(*(char **)a, *(char **)b); }

static void list(const char *name)
{
	char *n[2000];
	int k = 0;
	DIR *d = opendir(name);
	if (!d) {
		say("%s: %s", name, en(errno));
		return;
	}
	for (struct dirent *e; (e = readdir(d));) {
		char b[300];
		snprintf(b, sizeof b, "%s(%s)", e->d_name, e->d_type == DT_DIR ? "dir" : e->d_type == DT_REG ? "file" : e->d_type == DT_LNK ? "link" :
			e->d_type == DT_FIFO ? "fifo" : e->d_type == DT_CHR ? "chr" : "?");
		n[k++] = strdup(b);
	}
	closedir(d);
	qsort(n, k, sizeof *n, cmp);
	for (int i = 0; i < k && i < 12; i++)
		say("  %s", n[i]);
	say("%s: %d entries", name, k);
}

int main(void)
{
	mkdir("d", 0755);
	list("d");
	put("d/f", "");
	mkdir("d/sub", 0755);
	symlink("f", "d/l");
	mkfifo("d/p", 0600);
	list("d");
	mkdir("many", 0755);
	char b[64];
	for (int i = 0; i < 1500; i++) {
		sprintf(b, "many/file%04d", i);
		close(creat(b, 0600));
	}
	list("many");
	// every entry exactly once though half of them go while we read
	int seen[1500] = { 0 }, n = 0;
	DIR *d = opendir("many");
	for (struct dirent *e; (e = readdir(d));) {
		int i;
		if (sscanf(e->d_name, "file%d", &i) == 1) {
			seen[i]++;
			n++;
			unlinkat(dirfd(d), e->d_name, 0);
		}
	}
	int twice = 0;
	for (int i = 0; i < 1500; i++)
		twice += seen[i] != 1;
	say("seen %d, not once %d", n, twice);
	closedir(d);
	list("many");
	OK(rmdir("many"));
	d = opendir("d");
	for (int i = 0; i < 3; i++)
		readdir(d);
	long pos = telldir(d);
	struct dirent *e = readdir(d);
	char name[256];
	strcpy(name, e->d_name);
	readdir(d);
	seekdir(d, pos);
	e = readdir(d);
	SHOW(!strcmp(name, e->d_name));
	put("d/new", "");
	rewinddir(d);
	n = 0;
	while (readdir(d))
		n++;
	SHOW(n);
	closedir(d);
	int fd = open("d", O_RDONLY);
	OK(syscall(SYS_getdents64, fd, b, 10));
	OK(syscall(SYS_getdents64, fd, (void *)8, 1000));
	OK(syscall(SYS_getdents64, open("d/f", O_RDONLY), b, 64));
	// d_ino agrees with stat
	struct stat st;
	d = opendir("d");
	int bad = 0;
	while ((e = readdir(d)))
		if (e->d_name[0] != '.' && (fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW), st.st_ino != e->d_ino))
			bad++;
	SHOW(bad);
	// who stands in a removed directory can still open it
	mkdir("left", 0755);
	OK(chdir("left"));
	OK(rmdir("../left"));
	list(".");
	OK(open(".", O_RDONLY | O_DIRECTORY));
	OK(open("new", O_CREAT | O_WRONLY, 0600));
	OK(open("..", O_RDONLY));
}
