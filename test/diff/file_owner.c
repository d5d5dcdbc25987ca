// SPDX-License-Identifier: Apache-2.0
//
// chown, permission checks of other users, sticky, setgid, suid cleared (root) NEED_ROOT

#include "t.h"

static void as(int uid, int gid, void (*f)(void))
{
	pid_t p = CHILD(gid_t g[1]; g[0] = gid; setgroups(1, g); setresgid(gid, gid, gid); setresuid(uid, uid, uid); f());
	reap(p);
}
#include <grp.h>
static struct stat st;
#define OWN(f) (lstat(f, &st), say("%s %d:%d %o", f, st.st_uid, st.st_gid, st.st_mode))

static void stranger(void)
{
	OK(open("secret", O_RDONLY));
	OK(open("ro", O_RDONLY));
	OK(open("ro", O_WRONLY));
	OK(open("grp", O_RDONLY));
	OK(open("mine", O_RDWR));
	OK(open("closed/f", O_RDONLY));
	OK(stat("closed/f", &st));
	OK(stat("closed", &st));
	OK(opendir("closed") ? 0 : -1);
	OK(stat("xonly/f", &st));
	OK(opendir("xonly") ? 0 : -1);
	OK(creat("newfile", 0600));
	OK(unlink("ro"));
	OK(chmod("ro", 0777));
	OK(chown("mine", 0, 0));
	OK(chown("mine", -1, 60001));
	OK(chown("mine", -1, 60002));
	OK(chown("mine", 60001, -1));
	OK(chmod("mine", 02755));
	OWN("mine");
	OK(unlink("sticky/root"));
	OK(unlink("sticky/user"));
	OK(rename("sticky/root", "sticky/x"));
	OK(rename("sticky/own", "sticky/root"));
	OK(creat("sticky/new", 0600));
	OK(access("ro", W_OK));
	OK(access("ro", R_OK));
	OK(link("secret", "sticky/hard") & 0);
	OK(mknod("sticky/dev", S_IFCHR | 0600, makedev(1, 3)));
	OK(chroot("."));
	OK(setuid(0));
	OK(kill(getppid(), 0));
	OK(setpriority(PRIO_PROCESS, 0, -5));
	OK(utimensat(AT_FDCWD, "ro", 0, 0));
	OK(truncate("ro", 0));
	OK(truncate("mine", 5));
}

int main(void)
{
	umask(0);
	chmod(".", 0755);
	put("secret", "s");
	chmod("secret", 0600);
	put("ro", "r");
	chmod("ro", 0644);
	put("grp", "g");
	chmod("grp", 0640);
	OK(chown("grp", 0, 60001));
	put("mine", "m");
	OK(chown("mine", 60001, 60001));
	mkdir("closed", 0700);
	put("closed/f", "x");
	mkdir("xonly", 0711);
	put("xonly/f", "x");
	mkdir("sticky", 01777);
	put("sticky/root", "x");
	put("sticky/user", "x");
	chown("sticky/user", 60002, 60002);
	put("sticky/own", "x");
	chown("sticky/own", 60001, 60001);
	as(60001, 60001, stranger);
	// the mode's owner bits come before group and other
	put("odd", "x");
	chown("odd", 60001, 60001);
	chmod("odd", 0044);
	pid_t p = CHILD(setresgid(60001, 60001, 60001); setresuid(60001, 60001, 60001); OK(open("odd", O_RDONLY)); OK(chmod("odd", 0444)); OK(open("odd", O_RDONLY)));
	reap(p);
	// root passes everything but execution of files without x
	OK(open("odd", O_RDWR));
	OK(access("odd", X_OK));
	OK(execl("./odd", "odd", (char *)0));
	// chown clears suid and sgid, write by another user too
	chmod("odd", 06755);
	OK(chown("odd", 60002, 60002));
	OWN("odd");
	chmod("odd", 06777);
	p = CHILD(setresuid(60003, 60003, 60003); int fd = open("odd", O_WRONLY); write(fd, "y", 1));
	reap(p);
	OWN("odd");
	// setgid directory hands its group on
	mkdir("sg", 0777);
	chown("sg", 0, 60005);
	chmod("sg", 02777);
	p = CHILD(setresgid(60001, 60001, 60001); setresuid(60001, 60001, 60001); mkdir("sg/d", 0755); close(creat("sg/f", 02755)));
	reap(p);
	OWN("sg/d");
	OWN("sg/f");
	symlink("ro", "l");
	OK(lchown("l", 7, 8));
	OWN("l");
	OWN("ro");
	OK(chown("l", 9, 10));
	OWN("ro");
	OK(fchownat(AT_FDCWD, "l", 11, 12, AT_SYMLINK_NOFOLLOW));
	OWN("l");
	OK(chown("no", 1, 1));
	// supplementary groups
	gid_t g[2] = { 60010, 60011 };
	chown("grp", 0, 60011);
	p = CHILD(setgroups(2, g); setresgid(60001, 60001, 60001); setresuid(60001, 60001, 60001); OK(open("grp", O_RDONLY)); OK(setgroups(1, g)); VAL(getgroups(0, 0)));
	reap(p);
	OK(mknod("null", S_IFCHR | 0666, makedev(1, 3)));
	OWN("null");
}
