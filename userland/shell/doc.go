// SPDX-License-Identifier: Apache-2.0

// Package shell is the built-in sh: the interpreter mvdan.cc/sh with a line
// editor, option parsing and the running of programs around it.
//
// The interpreter runs subshells, pipelines and background lists as goroutines
// of one process. So this shell has no job control and $! is not a process id;
// only "exec" and redirections of descriptors 0 to 2 act on the process. A
// guest that needs a whole shell runs dash or bash.
//
// Ctrl-C: an interactive shell catches SIGINT. While a program runs in the
// foreground the signal is that program's business, and only its death by
// SIGINT stops the command line (the "wait and cooperative exit" of bash);
// without one the command line is cancelled at once.
package shell
