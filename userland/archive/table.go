// SPDX-License-Identifier: Apache-2.0

// Package archive holds the built-in programs for archives and compressed
// files: tar and the gzip family, upon Go's own packages.
package archive

import "lodger/userland/app"

// Applets is the table of this family.
func Applets() []app.Applet {
	return []app.Applet{
		{Name: "gunzip", Dir: "/bin", Usage: "[-cfkt] [FILE]...\nExpand compressed files.", Main: gzipMain},
		{Name: "gzip", Dir: "/bin", Usage: "[-cdfkt123456789] [FILE]...\nCompress files.", Main: gzipMain},
		{Name: "tar", Dir: "/bin", Usage: "-c|-x|-t [-zvpOk] [-f ARCHIVE] [-C DIR] [--strip-components=N] [--exclude=PATTERN] [FILE]...\nMake, list or unpack an archive.", Main: tarMain, Trouble: 2},
		{Name: "zcat", Dir: "/bin", Usage: "[FILE]...\nExpand compressed files to standard output.", Main: gzipMain},
	}
}
