// SPDX-License-Identifier: Apache-2.0

package notify

import "golang.org/x/sys/unix"

// KillStranger kills the process that sent ev. The notification is still
// unanswered when its thread is found by number, so the number cannot have been
// given to somebody else.
func (p *Platform) KillStranger(ev *Event) {
	fd, err := unix.PidfdOpen(int(ev.TID), 0)
	if err != nil {
		fd, err = unix.PidfdOpen(int(ev.TID), unix.O_EXCL) // PIDFD_THREAD
	}
	if err != nil || !p.valid(ev.ID) {
		if fd >= 0 && err == nil {
			unix.Close(fd)
		}
		_ = p.AnswerErrno(ev.ID, unix.ENOSYS)
		return
	}
	_ = unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0)
	unix.Close(fd)
}
