// SPDX-License-Identifier: Apache-2.0

// Package abi holds the constants and memory layouts of the Linux user-space
// ABI: what include/uapi defines. It has no behaviour, imports nothing of
// Lodger, and keeps Linux's own names.
package abi

import "syscall"

// Errno is a Linux error number. It is the only error type that crosses the
// system call boundary.
type Errno = syscall.Errno

// Error numbers, include/uapi/asm-generic/errno*.h.
const (
	EPERM           = syscall.EPERM
	ENOENT          = syscall.ENOENT
	ESRCH           = syscall.ESRCH
	EINTR           = syscall.EINTR
	EIO             = syscall.EIO
	ENXIO           = syscall.ENXIO
	E2BIG           = syscall.E2BIG
	ENOEXEC         = syscall.ENOEXEC
	EBADF           = syscall.EBADF
	ECHILD          = syscall.ECHILD
	EAGAIN          = syscall.EAGAIN
	ENOMEM          = syscall.ENOMEM
	EACCES          = syscall.EACCES
	EFAULT          = syscall.EFAULT
	ENOTBLK         = syscall.ENOTBLK
	EBUSY           = syscall.EBUSY
	EEXIST          = syscall.EEXIST
	EXDEV           = syscall.EXDEV
	ENODEV          = syscall.ENODEV
	ENOTDIR         = syscall.ENOTDIR
	EISDIR          = syscall.EISDIR
	EINVAL          = syscall.EINVAL
	ENFILE          = syscall.ENFILE
	EMFILE          = syscall.EMFILE
	ENOTTY          = syscall.ENOTTY
	ETXTBSY         = syscall.ETXTBSY
	EFBIG           = syscall.EFBIG
	ENOSPC          = syscall.ENOSPC
	ESPIPE          = syscall.ESPIPE
	EROFS           = syscall.EROFS
	EMLINK          = syscall.EMLINK
	EPIPE           = syscall.EPIPE
	EDOM            = syscall.EDOM
	ERANGE          = syscall.ERANGE
	EDEADLK         = syscall.EDEADLK
	ENAMETOOLONG    = syscall.ENAMETOOLONG
	ENOLCK          = syscall.ENOLCK
	ENOSYS          = syscall.ENOSYS
	ENOTEMPTY       = syscall.ENOTEMPTY
	ELOOP           = syscall.ELOOP
	EIDRM           = syscall.EIDRM
	EBADR           = syscall.EBADR
	ENODATA         = syscall.ENODATA
	ETIME           = syscall.ETIME
	EOVERFLOW       = syscall.EOVERFLOW
	EILSEQ          = syscall.EILSEQ
	ENOTSOCK        = syscall.ENOTSOCK
	EOPNOTSUPP      = syscall.EOPNOTSUPP
	ENOTSUP         = syscall.ENOTSUP
	EAFNOSUPPORT    = syscall.EAFNOSUPPORT
	ETIMEDOUT       = syscall.ETIMEDOUT
	ECONNREFUSED    = syscall.ECONNREFUSED
	ECONNRESET      = syscall.ECONNRESET
	EALREADY        = syscall.EALREADY
	EINPROGRESS     = syscall.EINPROGRESS
	ESTALE          = syscall.ESTALE
	EDQUOT          = syscall.EDQUOT
	EBADMSG         = syscall.EBADMSG
	EUCLEAN         = syscall.EUCLEAN
	ECANCELED       = syscall.ECANCELED
	EOWNERDEAD      = syscall.EOWNERDEAD
	ENOTRECOVERABLE = syscall.ENOTRECOVERABLE
	EBADFD          = syscall.EBADFD
	ELIBBAD         = syscall.ELIBBAD
)

// Error numbers that never leave the kernel, include/linux/errno.h: they tell
// what becomes of a system call that a signal interrupts.
const (
	ERESTARTSYS           = Errno(512) // restart if the handler has SA_RESTART or there is no handler
	ERESTARTNOINTR        = Errno(513) // always restart
	ERESTARTNOHAND        = Errno(514) // restart only if there is no handler
	ERESTART_RESTARTBLOCK = Errno(516) // restart through the task's restart block; EINTR with a handler
)
