// SPDX-License-Identifier: Apache-2.0

// Package file holds the built-in programs that work on files by name: ls, cp,
// mv, rm, find and their kin. They follow the GNU core utilities in options,
// messages and exit statuses as far as scripts look at those.
package file

import "lodger/userland/app"

// Applets is the table of this family.
func Applets() []app.Applet {
	return []app.Applet{
		{Name: "basename", Dir: "/bin", Usage: "NAME [SUFFIX]\nPrint NAME without its leading directories.", Main: basename},
		{Name: "chgrp", Dir: "/bin", Usage: "[-Rh] GROUP FILE...\nChange the group of files.", Main: chgrp},
		{Name: "chmod", Dir: "/bin", Usage: "[-Rv] MODE FILE...\nChange the permission bits of files.", Main: chmod},
		{Name: "chown", Dir: "/bin", Usage: "[-Rh] [OWNER][:[GROUP]] FILE...\nChange the owner of files.", Main: chown},
		{Name: "cp", Dir: "/bin", Usage: "[-aRrpdPLfivnlsTt] SOURCE... DEST\nCopy files and directories.", Main: cp},
		{Name: "dirname", Dir: "/bin", Usage: "NAME...\nPrint NAME without its last component.", Main: dirname},
		{Name: "du", Dir: "/bin", Usage: "[-askhxcbd N] [FILE]...\nSum up the disk usage of files.", Main: du},
		{Name: "find", Dir: "/bin", Usage: "[PATH]... [EXPRESSION]\nSearch for files. Tests: -name -iname -path -type -size -mtime -mmin -newer -perm -user -group\n-empty -maxdepth -mindepth -xdev -depth -prune -not -o ( ); actions: -print -print0 -ls -delete -exec -quit.", Main: find},
		{Name: "install", Dir: "/bin", Usage: "[-dDm MODE] SOURCE... DEST\nCopy files and set their mode.", Main: install},
		{Name: "link", Dir: "/bin", Usage: "FILE1 FILE2\nMake a hard link by link(2).", Main: link},
		{Name: "ln", Dir: "/bin", Usage: "[-sfnvTr] TARGET... LINK\nMake links between files.", Main: ln},
		{Name: "ls", Dir: "/bin", Usage: "[-aAlndhirRtSUF1CLsp] [FILE]...\nList directory contents.", Main: ls, Trouble: 2},
		{Name: "mkdir", Dir: "/bin", Usage: "[-pvm MODE] DIRECTORY...\nMake directories.", Main: mkdir},
		{Name: "mkfifo", Dir: "/bin", Usage: "[-m MODE] NAME...\nMake named pipes.", Main: mkfifo},
		{Name: "mknod", Dir: "/bin", Usage: "[-m MODE] NAME b|c|p [MAJOR MINOR]\nMake a device node.", Main: mknod},
		{Name: "mktemp", Dir: "/bin", Usage: "[-duqt] [-p DIR] [TEMPLATE]\nMake a temporary file or directory and print its name.", Main: mktemp},
		{Name: "mv", Dir: "/bin", Usage: "[-finvTt] SOURCE... DEST\nMove or rename files.", Main: mv},
		{Name: "pwd", Dir: "/bin", Usage: "[-LP]\nPrint the working directory.", Main: pwd},
		{Name: "readlink", Dir: "/bin", Usage: "[-fenmz] FILE...\nPrint the target of a symbolic link.", Main: readlink},
		{Name: "realpath", Dir: "/bin", Usage: "[-emsz] FILE...\nPrint the resolved path.", Main: realpath},
		{Name: "rm", Dir: "/bin", Usage: "[-rRfivd] FILE...\nRemove files and directories.", Main: rm},
		{Name: "rmdir", Dir: "/bin", Usage: "[-pv] DIRECTORY...\nRemove empty directories.", Main: rmdir},
		{Name: "stat", Dir: "/bin", Usage: "[-Lft] [-c FORMAT] FILE...\nShow the status of files or file systems.", Main: stat},
		{Name: "sync", Dir: "/bin", Usage: "[-df] [FILE]...\nWrite cached data to its disk.", Main: syncMain},
		{Name: "touch", Dir: "/bin", Usage: "[-acmh] [-r FILE] [-d DATE] FILE...\nSet the times of files, making those that do not exist.", Main: touch},
		{Name: "truncate", Dir: "/bin", Usage: "[-c] -s SIZE FILE...\nSet the size of files.", Main: truncate},
		{Name: "unlink", Dir: "/bin", Usage: "FILE\nRemove a name by unlink(2).", Main: unlink},
	}
}
