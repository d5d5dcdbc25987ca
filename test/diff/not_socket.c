// SPDX-License-Identifier: Apache-2.0
//
// socket calls on descriptors that are no sockets

#include "t.h"
#include <sys/socket.h>

static void all(int fd)
{
	char b[64] = "";
	socklen_t n = sizeof b;
	struct sockaddr *a = (void *)b;
	struct iovec v = { b, 4 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };
	OK(getpeername(fd, a, &n));
	OK(getsockname(fd, a, &n));
	OK(connect(fd, a, 16));
	OK(bind(fd, a, 16));
	OK(listen(fd, 1));
	OK(accept(fd, a, &n));
	OK(shutdown(fd, SHUT_RDWR));
	OK(getsockopt(fd, SOL_SOCKET, SO_TYPE, b, &n));
	OK(setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, b, 4));
	OK(send(fd, b, 4, 0));
	OK(recv(fd, b, 4, 0));
	OK(sendmsg(fd, &m, 0));
	OK(recvmsg(fd, &m, 0));
}

int main(void)
{
	int p[2];
	MUST(pipe(p));
	all(-1);
	all(99);
	all(p[0]);
	all(MUST(open("/dev/null", O_RDWR)));
	all(MUST(open(".", O_PATH)));
}
