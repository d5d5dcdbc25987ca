// SPDX-License-Identifier: Apache-2.0

// Package text holds the built-in programs that read and write text and bytes:
// cat, grep, sed, sort and their kin. Regular expressions are those of Go
// (RE2): there are no back references, and basic ones are translated.
package text

import "lodger/userland/app"

// Applets is the table of this family.
func Applets() []app.Applet {
	list := []app.Applet{
		{Name: "[", Dir: "/bin", Usage: "EXPRESSION ]\nEvaluate a condition.", Main: test, Trouble: 2, Literal: true},
		{Name: "cat", Dir: "/bin", Usage: "[-nbsAETv] [FILE]...\nConcatenate files to standard output.", Main: cat},
		{Name: "clear", Dir: "/bin", Usage: "\nClear the terminal.", Main: clearMain},
		{Name: "cmp", Dir: "/bin", Usage: "[-sl] FILE1 FILE2\nCompare two files byte by byte.", Main: cmp, Trouble: 2},
		{Name: "cut", Dir: "/bin", Usage: "-b LIST | -c LIST | -f LIST [-d DELIM] [-s] [--complement] [FILE]...\nPrint parts of lines.", Main: cut},
		{Name: "diff", Dir: "/bin", Usage: "[-uqrNbwi] [-U N] FILE1 FILE2\nCompare files line by line; the output is unified.", Main: diff, Trouble: 2},
		{Name: "echo", Dir: "/bin", Usage: "[-neE] [STRING]...\nPrint a line of text.", Main: echo, Literal: true},
		{Name: "false", Dir: "/bin", Usage: "\nFail.", Main: func(*app.Ctx, []string) int { return 1 }, Literal: true},
		{Name: "grep", Dir: "/bin", Usage: "[-EFGivnclLqsorhHwxem N] PATTERN [FILE]...\nPrint lines that match.", Main: grep, Trouble: 2},
		{Name: "egrep", Dir: "/bin", Usage: "[OPTION]... PATTERN [FILE]...\ngrep -E.", Main: grep, Trouble: 2},
		{Name: "fgrep", Dir: "/bin", Usage: "[OPTION]... PATTERN [FILE]...\ngrep -F.", Main: grep, Trouble: 2},
		{Name: "head", Dir: "/bin", Usage: "[-qv] [-n [-]N | -c [-]N] [FILE]...\nPrint the beginning of files.", Main: head},
		{Name: "hexdump", Dir: "/bin", Usage: "[-Cv] [-n N] [-s N] [FILE]...\nShow bytes in hexadecimal.", Main: hexdump},
		{Name: "more", Dir: "/bin", Usage: "[FILE]...\nShow files, without paging.", Main: cat},
		{Name: "printf", Dir: "/bin", Usage: "FORMAT [ARGUMENT]...\nPrint arguments by a format.", Main: printf},
		{Name: "sed", Dir: "/bin", Usage: "[-nEri[SUFFIX]] [-e SCRIPT] [-f FILE] [SCRIPT] [FILE]...\nEdit a stream. Commands: s y p P d D q Q = a i c n N g G h H x w b t : { } !", Main: sed},
		{Name: "seq", Dir: "/bin", Usage: "[-w] [-s SEP] [-f FORMAT] [FIRST [STEP]] LAST\nPrint numbers.", Main: seq},
		{Name: "sort", Dir: "/bin", Usage: "[-nrufbcshV] [-t SEP] [-k KEY]... [-o FILE] [FILE]...\nSort lines.", Main: sortMain, Trouble: 2},
		{Name: "tac", Dir: "/bin", Usage: "[FILE]...\nPrint lines last first.", Main: tac},
		{Name: "tail", Dir: "/bin", Usage: "[-fqv] [-n [+]N | -c [+]N] [FILE]...\nPrint the end of files.", Main: tail},
		{Name: "tee", Dir: "/bin", Usage: "[-ai] [FILE]...\nCopy standard input to standard output and files.", Main: tee},
		{Name: "test", Dir: "/bin", Usage: "EXPRESSION\nEvaluate a condition.", Main: test, Trouble: 2, Literal: true},
		{Name: "tr", Dir: "/bin", Usage: "[-cds] SET1 [SET2]\nTranslate, delete or squeeze characters.", Main: tr},
		{Name: "true", Dir: "/bin", Usage: "\nSucceed.", Main: func(*app.Ctx, []string) int { return 0 }},
		{Name: "uniq", Dir: "/bin", Usage: "[-cdui] [-f N] [-s N] [INPUT [OUTPUT]]\nLeave out repeated lines.", Main: uniq},
		{Name: "wc", Dir: "/bin", Usage: "[-lwcmL] [FILE]...\nCount lines, words and bytes.", Main: wc},
		{Name: "yes", Dir: "/bin", Usage: "[STRING]...\nPrint a line until killed.", Main: yes},
		{Name: "base64", Dir: "/bin", Usage: "[-d] [-w COLS] [FILE]\nEncode or decode base64.", Main: base64Main},
	}
	for _, name := range []string{"md5sum", "sha1sum", "sha256sum", "sha512sum"} {
		list = append(list, app.Applet{Name: name, Dir: "/bin", Usage: "[-c] [FILE]...\nPrint or check digests of files.", Main: sum})
	}
	return list
}
