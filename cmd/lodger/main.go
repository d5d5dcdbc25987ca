// SPDX-License-Identifier: Apache-2.0

// Command lodger runs Linux guests as ordinary processes.
package main

import "os"

func main() { os.Exit(run(os.Args)) }
