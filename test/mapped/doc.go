// SPDX-License-Identifier: Apache-2.0

// Package mapped proves that mappings of files on disk images are what Linux's are
// while the files change: one program runs on the host's ext4 and in guests whose disks
// lie in every way that makes a difference, and must print the same. There is nothing
// but the test.
package mapped
