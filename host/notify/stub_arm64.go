// SPDX-License-Identifier: Apache-2.0

package notify

import "errors"

const elfMachine = 183 // EM_AARCH64

// errProcessor is what Start says on arm64: stub and filter are still to be
// written. Everything else compiles, so that it stays portable.
var errProcessor = errors.New("guests are not supported on this processor yet: lodger runs on amd64 (x86-64) only")

func stubText() ([]byte, error) { return nil, errProcessor }

func futexWindow([]byte) (lo, hi uint64, err error) { return 0, 0, errProcessor }

func buildFilter(map[int]Route, bool) ([]bpfInsn, error) { return nil, errProcessor }
