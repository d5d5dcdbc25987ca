// SPDX-License-Identifier: Apache-2.0

// Package disks proves that a Debian guest's disks are disks to the tools that people
// use on them, and that images which somebody damaged harm nobody.
//
// The scripts of testdata run once in a guest and once on the host, from the same
// root image; disks are ubd devices there and loop devices here. Both must say the
// same, but for devices' names. A script whose name begins with guest- is not run on
// the host, since that may not be able to or would have to give what belongs to the whole
// machine; what it says is in a .want file. $LODGER_DISKS is a regular expression of the
// scripts to run. There is nothing but tests.
package disks
