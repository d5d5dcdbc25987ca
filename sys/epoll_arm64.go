// SPDX-License-Identifier: Apache-2.0

package sys

// struct epoll_event has its natural alignment.
const (
	epollEventSize = 16
	epollDataAt    = 8
)
