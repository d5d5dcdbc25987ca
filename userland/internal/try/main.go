// SPDX-License-Identifier: Apache-2.0

// Command try runs a built-in program natively: by the name it was started
// under, or "try NAME ARGS...".
package main

import (
	"fmt"
	"os"

	"lodger/userland"
)

func main() {
	argv := os.Args
	main, ok := userland.Lookup(argv[0])
	if !ok && len(argv) > 1 {
		argv = argv[1:]
		main, ok = userland.Lookup(argv[0])
	}
	if !ok {
		for _, e := range userland.Names() {
			fmt.Println(e.Path)
		}
		os.Exit(2)
	}
	os.Exit(main(argv[1:]))
}
