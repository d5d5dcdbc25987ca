// SPDX-License-Identifier: Apache-2.0

// Package uml has the kernel that Lodger stands in for as a witness: disks that
// User-mode Linux left behind when it was killed, journal and COW file and all, are
// Lodger's next, and the other way round. There is nothing but the test.
package uml
