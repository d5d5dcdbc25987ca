// SPDX-License-Identifier: Apache-2.0

package sys

// struct epoll_event is packed on x86-64.
const (
	epollEventSize = 12
	epollDataAt    = 4
)
