// SPDX-License-Identifier: Apache-2.0

// Package sysfs is sysfs: Linux's fs/sysfs, and of drivers/base and block/ what
// their files there show.
//
// # Model
//
// A Tree of directories, to which parts of the kernel add files, links and more
// directories, also later and not for ever. A file has a function that makes its
// text when it is read, and one that takes what is written, if it may be. Nodes are
// made when somebody looks for them. All mounts show one tree.
//
//	Blocks    block, class/block, dev/block and the devices themselves
//	CPUs      devices/system/cpu
//
// Programs find their way by names and by a few links (subsystem, the links below
// class, block and dev); what else Linux shows is here where a tool was seen to
// read it.
//
// # Locks
//
// Dir.mu, a leaf: the entries of one directory.
//
// # Left out
//
// Buses, drivers, modules and power management (their directories are empty or
// absent), uevents, binary files, poll on attributes.
package sysfs
