// SPDX-License-Identifier: Apache-2.0

// Package lint holds the checks that keep the tree's shape: layers, where unsafe
// code and host system calls may live, no state outside of objects, headers and
// comments. They are ordinary tests; CONTRIBUTING.md gives each habit's name and
// its reason. go vet is run beside them.
//
// It leaves out what a compiler or vet says already, and judges no style that
// gofmt does not.
package lint
