// SPDX-License-Identifier: Apache-2.0
//
// System V shared memory: keys, permissions, attachments over fork and exec, removal. NEED_ROOT

#include "t.h"
#include <sys/ipc.h>
#include <sys/shm.h>

#define P 4096

static int stat_of(int id, const char *when)
{
	struct shmid_ds d;
	memset(&d, 0xee, sizeof d);
	if (shmctl(id, IPC_STAT, &d)) {
		say("%s: %s", when, en(errno));
		return -1;
	}
	say("%s: size %zu mode %o nattch %lu own %d cpid %d lpid %d times %d %d %d key %d", when, d.shm_segsz, d.shm_perm.mode, (unsigned long)d.shm_nattch,
	    d.shm_perm.uid == geteuid() && d.shm_perm.cgid == getegid(), d.shm_cpid == getpid(), d.shm_lpid == getpid(),
	    d.shm_atime != 0, d.shm_dtime != 0, d.shm_ctime != 0, d.shm_perm.__key == IPC_PRIVATE);
	return 0;
}

static char *at(int id, void *p, int flags)
{
	char *r = shmat(id, p, flags);
	return r == (char *)-1 ? (char *)-1L : r;
}

int main(void)
{
	key_t key = 0x4c4f4447;
	int old = shmget(key, 0, 0);
	if (old >= 0)
		shmctl(old, IPC_RMID, 0);
	VAL(shmget(key, 100, 0600));
	VAL(shmget(key, 0, IPC_CREAT | 0600));
	int id = shmget(key, 3 * P - 100, IPC_CREAT | IPC_EXCL | 0640);
	SHOW(id >= 0);
	VAL(shmget(key, 100, IPC_CREAT | IPC_EXCL | 0600));
	SHOW(shmget(key, 0, 0) == id);
	SHOW(shmget(key, 3 * P - 100, IPC_CREAT | 0600) == id);
	VAL(shmget(key, 3 * P, 0600));
	stat_of(id, "new");
	char *a = at(id, 0, 0), *b = at(id, 0, 0), *r = at(id, 0, SHM_RDONLY);
	SHOW(a != b && a != (char *)-1L);
	strcpy(a + P, "written");
	say("%s %s", b + P, r + P);
	stat_of(id, "attached thrice");
	OK(mprotect(r, 3 * P, PROT_READ | PROT_WRITE));
	OK(mprotect(a, 3 * P, PROT_READ)); // a part would count as two
	OK(mprotect(a, 3 * P, PROT_READ | PROT_WRITE));
	OK(shmdt(a + 1));
	OK(shmdt(a + P));
	OK(shmdt(b));
	OK(shmdt(b));
	stat_of(id, "one detached");
	// where it is to lie
	char *room = mmap(0, 16 * P, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	OK(at(id, room + 4 * P, 0) == (char *)-1L ? -1 : 0);
	SHOW(at(id, room + 4 * P, SHM_REMAP) == room + 4 * P);
	say("%s", room + 5 * P);
	OK(at(id, room + 4 * P + 5, 0) == (char *)-1L ? -1 : 0);
	munmap(room + 8 * P, 8 * P);
	SHOW(at(id, room + 8 * P + 5, SHM_RND) == room + 8 * P);
	OK(at(id, 0, SHM_REMAP) == (char *)-1L ? -1 : 0);
	OK(at(-1, 0, 0) == (char *)-1L ? -1 : 0);
	OK(at(id + 1, 0, 0) == (char *)-1L ? -1 : 0);
	// what was put in its place stays
	mmap(room + 9 * P, P, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	OK(shmdt(room + 8 * P));
	SHOW(room[9 * P]);
	OK(msync(room + 8 * P, P, MS_ASYNC));
	OK(shmdt(room + 4 * P));
	stat_of(id, "detached");
	// a child has what its parent has
	pid_t k = CHILD(strcpy(a, "from the child"); struct shmid_ds d; shmctl(id, IPC_STAT, &d); say("child: nattch %d", (int)d.shm_nattch); OK(shmdt(r)));
	reap(k);
	say("%s", a);
	stat_of(id, "after the child");
	// permissions
	struct shmid_ds d;
	shmctl(id, IPC_STAT, &d);
	d.shm_perm.mode = 0604;
	OK(shmctl(id, IPC_SET, &d));
	stat_of(id, "set");
	k = CHILD(setgid(12345); setuid(12345); say("%d", at(id, 0, SHM_RDONLY) != (char *)-1L); OK(at(id, 0, 0) == (char *)-1L ? -1 : 0);
		  VAL(shmget(key, 0, 0006)); OK(shmctl(id, IPC_RMID, 0)); OK(shmctl(id, IPC_SET, &d)); OK(shmctl(id, IPC_STAT, &d));
		  OK(shmctl(id, SHM_LOCK, 0)));
	reap(k);
	OK(shmctl(id, SHM_LOCK, 0));
	stat_of(id, "locked");
	OK(shmctl(id, SHM_UNLOCK, 0));
	OK(shmctl(id, 99, &d));
	OK(shmctl(id, IPC_STAT, (void *)8));
	struct shminfo info;
	SHOW(shmctl(0, IPC_INFO, (struct shmid_ds *)&info) >= 0);
	say("mni %d min %d", info.shmmni == 4096, (int)info.shmmin);
	// removed, it lives until the last detach
	OK(shmctl(id, IPC_RMID, 0));
	stat_of(id, "removed");
	VAL(shmget(key, 0, 0));
	char *c = at(id, 0, 0);
	say("%s", c);
	OK(shmdt(c));
	OK(shmdt(a));
	OK(shmdt(r));
	stat_of(id, "gone");
	OK(shmctl(id, IPC_RMID, 0));
	int priv = shmget(IPC_PRIVATE, P, 0600), again = shmget(IPC_PRIVATE, P, 0600);
	SHOW(priv != again);
	OK(shmctl(priv, IPC_RMID, 0));
	at(again, 0, 0);
	OK(shmctl(again, IPC_RMID, 0));
	return 0; // the end detaches the other
}
