// SPDX-License-Identifier: Apache-2.0

// Package ipc is Linux's ipc/: System V's interprocess communication.
//
// # Model
//
// A guest has one set of shared memory segments, Shm. A segment is a nameless file of
// memory; to attach it is to map the file, which the kernel above does. Who has a segment
// attached is counted by address space (mm.AddressSpace keeps the attachments): at
// attach, detach, fork, exec and exit. What a guest unmaps piece by piece stays counted
// until one of these, since the host performs munmap and nobody hears of it.
//
// # Locks
//
// Shm.mu guards everything; it is a leaf but for the file's own.
//
// # Left out
//
// Semaphores and message queues, huge pages, namespaces, /proc/sysvipc.
package ipc
