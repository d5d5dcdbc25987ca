// SPDX-License-Identifier: Apache-2.0

package userland

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lodger/internal/need"
)

// TestMain lets the test binary stand for the programs: with LODGER_APPLET set
// it is the one that its arguments name.
func TestMain(m *testing.M) {
	if os.Getenv("LODGER_APPLET") != "" {
		main, ok := Lookup(os.Args[1])
		if !ok {
			os.Exit(127)
		}
		os.Exit(main(os.Args[2:]))
	}
	os.Exit(m.Run())
}

// fixture makes a directory with a few files of fixed content and time.
func fixture(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	files := map[string]string{
		"words":     "pear\napple\nfig\napple\n\nBanana 3\nfig 12\nfig 2\n",
		"table":     "root:x:0:0:root:/root\nbin:x:2:7:bin:/bin\nme:y:10:1::/home/me\n",
		"numbers":   "10\n9\n2.5\n-3\n1e2\n 7\n",
		"bytes":     "\x00\x01abc\xff\n\tTail without newline",
		"sub/inner": "one\ntwo\nthree\n",
		"sub/empty": "",
		"old":       "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\nk\nl\n",
		"new":       "a\nB\nc\nd\ne\nf\ng\nh\ni\nj\nX\nk\nl2\n",
	}
	for name, text := range files {
		os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755)
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	os.Symlink("words", filepath.Join(dir, "link"))
	os.Symlink("nowhere", filepath.Join(dir, "dangling"))
	when := time.Date(2020, 2, 3, 4, 5, 6, 0, time.UTC)
	filepath.Walk(dir, func(path string, _ os.FileInfo, _ error) error { return os.Chtimes(path, when, when) })
	return dir
}

type result struct {
	out, err string
	status   int
}

func run(t *testing.T, cmd *exec.Cmd, dir, in string) result {
	t.Helper()
	var out, errs bytes.Buffer
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = dir, strings.NewReader(in), &out, &errs
	cmd.Env = append(cmd.Env, "PATH="+os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC", "LODGER_APPLET=1", "HOME=/root")
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return result{out.String(), errs.String(), cmd.ProcessState.ExitCode()}
}

func ours(t *testing.T, dir, in string, argv ...string) result {
	t.Helper()
	return run(t, exec.Command(os.Args[0], argv...), dir, in)
}

// TestAgainstHost runs each command line on a fixture with the program of the
// host and with ours, and compares standard output and status.
func TestAgainstHost(t *testing.T) {
	const input = "one two\nthree\n\nfour  five\n"
	cases := [][]string{
		{"cat", "words", "numbers"}, {"cat", "-n", "words"}, {"cat", "-b", "words"}, {"cat", "-A", "bytes"}, {"cat", "-"}, {"cat", "missing", "words"},
		{"head", "-n", "2", "words", "table"}, {"head", "-3", "words"}, {"head", "-c", "5", "words"}, {"head", "-n", "-2", "words"},
		{"tail", "-n", "2", "words"}, {"tail", "-n", "+3", "words"}, {"tail", "-c", "4", "bytes"}, {"tail", "-2", "words"},
		{"wc", "words"}, {"wc", "-l", "words", "table"}, {"wc"}, {"wc", "-c"}, {"wc", "-lw", "words"},
		{"sort", "words"}, {"sort", "-u", "words"}, {"sort", "-r", "words"}, {"sort", "-n", "numbers"}, {"sort", "-g", "numbers"}, {"sort", "-f", "words"},
		{"sort", "-t:", "-k3,3n", "table"}, {"sort", "-t:", "-k3nr", "-k1", "table"}, {"sort", "-k2n", "words"}, {"sort", "-c", "numbers"}, {"sort", "-V", "words"},
		{"uniq", "words"}, {"uniq", "-c"}, {"uniq", "-d", "words"}, {"uniq", "-f1", "words"},
		{"cut", "-d:", "-f1,3", "table"}, {"cut", "-c2-4", "words"}, {"cut", "-f2", "words"}, {"cut", "-d:", "-s", "-f2-", "words", "table"}, {"cut", "-d:", "--complement", "-f2", "table"},
		{"tr", "a-z", "A-Z"}, {"tr", "-d", "aeiou"}, {"tr", "-s", " \n"}, {"tr", "-cd", "[:alpha:]"}, {"tr", "-c", "[:alnum:]", "_"}, {"tr", "\\n", ","},
		{"grep", "fig", "words"}, {"grep", "-c", "fig", "words"}, {"grep", "-vn", "fig", "words"}, {"grep", "-i", "BANANA", "words"}, {"grep", "nothing", "words"},
		{"grep", "-E", "^(fig|pear)$", "words"}, {"grep", "fig\\|pear", "words"}, {"grep", "-o", "[0-9]\\+", "words"}, {"grep", "-w", "fig", "words"}, {"grep", "-x", "fig", "words"},
		{"grep", "-r", "one", "sub"}, {"grep", "-l", "a", "words", "table", "numbers"}, {"grep", "-F", "2.5", "numbers"}, {"grep", "-A1", "-n", "Banana", "words"}, {"grep", "-C1", "apple", "words"},
		{"grep", "-q", "fig", "words"}, {"grep", "x", "missing"}, {"grep", "-m1", "fig", "words"}, {"grep", "-e", "fig", "-e", "pear", "words"}, {"grep", "-h", "root", "table", "words"},
		{"sed", "s/fig/FIG/", "words"}, {"sed", "-n", "2,3p", "words"}, {"sed", "/fig/d", "words"}, {"sed", "-n", "$p", "words"}, {"sed", "$d", "words"}, {"sed", "s/\\([a-z]*\\):x/<\\1>/", "table"},
		{"sed", "-E", "s/([a-z]+)/[&]/g", "table"}, {"sed", "s/:/\\n/2", "table"}, {"sed", "/apple/,/fig/s/^/> /", "words"}, {"sed", "2q", "words"}, {"sed", "y/abc/xyz/", "words"}, {"sed", "1!G;h;$!d", "words"},
		{"sed", "-n", "/apple/{p;=}", "words"}, {"sed", "3a\\\nadded", "words"}, {"sed", "1i first", "words"}, {"sed", "2c changed", "words"}, {"sed", ":a;N;$!ba;s/\\n/,/g", "words"}, {"sed", "s|/|_|g", "table"},
		{"sed", "-e", "s/a/b/", "-e", "t", "-e", "s/$/!/", "words"}, {"sed", "N;P;D", "words"}, {"sed", "2,4{s/a/A/;n;d}", "words"}, {"sed", "5,2d", "words"}, {"sed", "1~2d", "words"}, {"sed", "s/x", "words"}, {"sed", "s/.*/\\U&/", "words"},
		{"seq", "5"}, {"seq", "2", "3", "11"}, {"seq", "-s,", "3"}, {"seq", "-w", "8", "11"}, {"seq", "0", "0.1", "0.5"}, {"seq", "5", "-2", "1"}, {"seq", "3", "1"},
		{"printf", "%s-%d\\n", "a", "1", "b", "2"}, {"printf", "%5.2f|%-4s|%x\\n", "3.14159", "ab", "255"}, {"printf", "no newline"}, {"printf", "%b", "a\\tb\\n"}, {"printf", "%c%c\\n", "xy", "z"}, {"printf", "\\101\\x42\\n"},
		{"echo", "-n", "a", "b"}, {"echo", "a  b"}, {"echo", "-e", "x\\ty"}, {"true"}, {"false"},
		{"basename", "/a/b.c", ".c"}, {"basename", "-a", "/a/b", "c/"}, {"dirname", "/a/b", "c", "/"}, {"dirname", "a//b/"}, {"basename"},
		{"test", "a", "=", "a"}, {"test", "1", "-gt", "2"}, {"test", "-f", "words"}, {"test", "-d", "sub", "-a", "!", "-e", "missing"}, {"test", "-L", "link"}, {"test", "(", "1", "-lt", "2", ")"}, {"test", "x", "-eq", "1"}, {"[", "-n", "x", "]"}, {"test"}, {"test", "-z"},
		{"ls"}, {"ls", "-a"}, {"ls", "-A", "sub"}, {"ls", "-R"}, {"ls", "-r"}, {"ls", "-l"}, {"ls", "-ln", "words"}, {"ls", "-d", "sub", "words"}, {"ls", "-F"}, {"ls", "-S", "--group-directories-first"}, {"ls", "missing"}, {"ls", "-1", "sub", "words"}, {"ls", "-lh", "words"}, {"ls", "-p"}, {"ls", "-C", "sub"},
		{"readlink", "link"}, {"readlink", "words"}, {"readlink", "-f", "link"}, {"readlink", "-f", "sub/../dangling"}, {"realpath", "sub/.."}, {"realpath", "missing/x"}, {"realpath", "-m", "missing/x"}, {"readlink", "-e", "dangling"},
		{"stat", "-c", "%n %s %a %A %F %h %Y %U", "words", "sub", "link"}, {"stat", "-L", "-c", "%s", "link"}, {"stat", "missing"},
		{"find", "sub", "-name", "in*"}, {"find", ".", "-maxdepth", "1", "-type", "l"}, {"find", "sub", "-type", "f", "-empty"}, {"find", "sub", "-type", "f", "-exec", "echo", "{}", ";"}, {"find", "sub", "!", "-name", "empty", "-a", "-type", "f"}, {"find", "sub", "-name", "e*", "-o", "-name", "i*", "-print"}, {"find", "missing"}, {"find", "sub", "-size", "+0", "-printf", "%f %s\\n"}, {"find", ".", "-name", "sub", "-prune", "-o", "-name", "words", "-print"}, {"find", "sub", "-mtime", "+5", "-type", "f", "-name", "inner"},
		{"md5sum", "words"}, {"sha1sum", "words"}, {"sha256sum", "words", "missing"}, {"sha512sum"}, {"base64", "bytes"}, {"base64", "-w10", "words"},
		{"cmp", "old", "new"}, {"cmp", "old", "old"}, {"cmp", "-s", "old", "new"}, {"cmp", "words", "missing"}, {"cmp", "sub/empty", "words"},
		{"diff", "-U3", "-L", "a", "-L", "b", "old", "new"}, {"diff", "-u", "-L", "a", "-L", "b", "sub/empty", "old"}, {"diff", "-q", "old", "new"}, {"diff", "old", "old"}, {"diff", "-U0", "-L", "a", "-L", "b", "old", "new"}, {"diff", "old", "missing"},
		{"tac", "words"}, {"tee", "copy"}, {"xargs"}, {"xargs", "-n1", "echo", "x"}, {"xargs", "-I{}", "echo", "<{}>"}, {"xargs", "-L1", "echo", "l"}, {"xargs", "false"}, {"xargs", "nosuchprogram"},
		{"env", "-i", "A=b"}, {"env", "-i", "A=b", "sh", "-c", "echo $A"}, {"env", "nosuchprogram"}, {"printenv", "TZ"}, {"printenv", "NOPE"},
		{"date", "-u", "-d", "@86400", "+%F %T %a %j %s %e %-d %y %Z"}, {"date", "-d", "2024-02-29 12:34:56"}, {"date", "-R", "-d", "@0"}, {"date", "-r", "words", "+%Y"},
		{"uname", "-s"}, {"uname", "-a"}, {"id"}, {"id", "-un"}, {"whoami"}, {"sleep", "x"}, {"sleep", "0"}, {"timeout", "0.1", "sleep", "5"}, {"timeout", "5", "sh", "-c", "exit 3"}, {"kill", "-l", "9"}, {"nproc"},
		{"du", "-b", "sub"}, {"du", "-ab", "sub"}, {"rmdir", "sub"}, {"rm", "missing"}, {"rm", "sub"}, {"mv", "missing", "x"}, {"cp", "missing", "x"}, {"cp", "sub", "x"}, {"mkdir", "sub"}, {"mkdir", "a/b"}, {"chmod", "9z", "words"}, {"ln", "missing", "x"}, {"hexdump", "-C", "bytes"}, {"hexdump", "bytes"},
	}
	for _, argv := range cases {
		t.Run(strings.ReplaceAll(strings.Join(argv, " "), "/", "_"), func(t *testing.T) {
			path, err := exec.LookPath(argv[0])
			if err != nil {
				need.Missing(t, "%s is not on this host", argv[0])
			}
			if _, ok := Lookup(argv[0]); !ok {
				t.Fatalf("%s is not built in", argv[0])
			}
			dir := fixture(t)
			got := ours(t, dir, input, argv...)
			host := exec.Command(path, argv[1:]...)
			host.Args[0] = argv[0]
			want := run(t, host, dir, input)
			if got.out != want.out || got.status != want.status {
				t.Errorf("status %d, output %q, errors %q\nhost: status %d, output %q, errors %q",
					got.status, got.out, got.err, want.status, want.out, want.err)
			}
		})
	}
}

// TestEffects runs scripts of ours in our shell and looks at what they print.
func TestEffects(t *testing.T) {
	bin := t.TempDir()
	for _, e := range Names() {
		script := "#!/bin/sh\nexec '" + os.Args[0] + "' '" + e.Name + "' \"$@\"\n"
		if err := os.WriteFile(filepath.Join(bin, e.Name), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ name, script, want string }{
		{"cp -r", "cp -r sub d && cat d/inner | tail -n1; cp -a sub d; ls d", "three\nempty\ninner\nsub\n"},
		{"mv", "mv words w && ls w words 2>&1", "ls: cannot access 'words': No such file or directory\nw\n"},
		{"rm -rf", "rm -rf sub old; rm sub 2>&1; ls", "rm: cannot remove 'sub': No such file or directory\nbytes\ndangling\nlink\nnew\nnumbers\ntable\nwords\n"},
		{"mkdir -p", "mkdir -p a/b/c && rmdir -p a/b/c && ls -d a 2>&1; echo $?", "ls: cannot access 'a': No such file or directory\n2\n"},
		{"chmod", "chmod 4755 old; stat -c %a old; chmod u-s,g=u,o-x old; stat -c %A old; chmod -x old; stat -c %a old", "4755\n-rwxrwxr--\n664\n"},
		{"ln", "ln -s sub l2; ln old hard; stat -c %h old; readlink l2; ln -sf new l2; ls sub", "2\nsub\nempty\ninner\nnew\n"},
		{"touch", "touch -d 2001-02-03 t; stat -c %y t | cut -c1-10; touch -c none; ls none 2>/dev/null; echo $?", "2001-02-03\n2\n"},
		{"tar", "tar czf a.tgz sub link; tar tf a.tgz; mkdir x; tar xzf a.tgz -C x; cat x/sub/inner; readlink x/link", "sub/\nsub/empty\nsub/inner\nlink\none\ntwo\nthree\nwords\n"},
		{"gzip", "gzip old; ls old*; zcat old.gz | head -n1; gunzip old.gz; ls old*; echo hi | gzip | gunzip", "old.gz\na\nold\nhi\n"},
		{"sed -i", "sed -i s/a/A/ old; head -n1 old; sed -i.bak 1d old; head -n1 old old.bak | tr '\\n' ' '", "A\n==> old <== b  ==> old.bak <== A "},
		{"find -delete", "find sub -delete; ls sub 2>/dev/null; echo $?", "2\n"},
		{"find +", "find sub -type f -exec cat {} + | wc -l", "3\n"},
		{"sum -c", "sha256sum old new >s; echo >>new; sha256sum -c s 2>/dev/null; echo $?", "old: OK\nnew: FAILED\n1\n"},
		{"pipeline", "seq 100000 | tail -n 3 | sort -rn | head -n 1; yes | head -n 2", "100000\ny\ny\n"},
		{"mktemp", "d=$(mktemp -d -p .); test -d $d && stat -c %a $d", "700\n"},
		{"background", "sleep 0.2 & echo a; wait; echo b", "a\nb\n"},
		{"exec", "(exec echo sub); exec echo end; echo never", "sub\nend\n"},
		{"kill", "sh -c 'kill -9 $$' 2>/dev/null; echo $?; kill -0 $$ && echo alive", "137\nalive\n"},
		{"install", "install -D -m 750 old p/q/r; stat -c %a p/q/r", "750\n"},
		{"truncate", "truncate -s 1K z; stat -c %s z; dd 2>/dev/null; truncate -s -24 z; stat -c %s z", "1024\n1000\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := fixture(t)
			cmd := exec.Command(os.Args[0], "sh", "-c", c.script)
			cmd.Env = []string{"PATH=" + bin}
			got := run(t, cmd, dir, "")
			if got.out != c.want {
				t.Errorf("got %q (status %d, errors %q)\nwant %q", got.out, got.status, got.err, c.want)
			}
		})
	}
}

// TestShell checks statuses and the reading of scripts.
func TestShell(t *testing.T) {
	for _, c := range []struct {
		args   []string
		in     string
		out    string
		status int
	}{
		{[]string{"-c", "echo $0 $1; exit 7", "n", "a"}, "", "n a\n", 7},
		{[]string{"-c", "nosuch"}, "", "", 127},
		{[]string{"-c", "/"}, "", "", 126},
		{[]string{"-ec", "false; echo no"}, "", "", 1},
		{[]string{"-uc", "echo $nope; echo no"}, "", "", 1},
		{[]string{"-c", "if"}, "", "", 2},
		{[]string{"-s", "x"}, "echo $1\n", "x\n", 0},
		{nil, "cat\nrest of input\n", "rest of input\n", 0},
		{nil, "cat <<E\na $((1+1))\nE\nfalse\n", "a 2\n", 1},
		{nil, "trap 'echo bye' EXIT\necho hi\nexit 3\n", "hi\nbye\n", 3},
		{nil, "for i in 1 2\ndo echo $i\ndone\necho a \\\nb\n", "1\n2\na b\n", 0},
		{[]string{"missing"}, "", "", 127},
		{[]string{"-c", "kill -TERM $$; sleep 2"}, "", "", -1},
	} {
		got := ours(t, t.TempDir(), c.in, append([]string{"sh"}, c.args...)...)
		if got.out != c.out || got.status != c.status {
			t.Errorf("sh %q: status %d, output %q, errors %q; want %d, %q", c.args, got.status, got.out, got.err, c.status, c.out)
		}
	}
}

// TestTable checks that every name is there once, with help, and a sane place.
func TestTable(t *testing.T) {
	seen := map[string]bool{}
	for _, a := range table() {
		if seen[a.Name] {
			t.Errorf("%s twice", a.Name)
		}
		seen[a.Name] = true
		if a.Main == nil || !strings.Contains(a.Usage, "\n") || (a.Dir != "/bin" && a.Dir != "/sbin") {
			t.Errorf("%s: incomplete row", a.Name)
		}
	}
	if _, ok := Lookup("-sh"); !ok {
		t.Error("a login shell is not found")
	}
	if _, ok := Lookup("/bin/lodger"); ok {
		t.Error("lodger is found")
	}
	dirs := map[string]bool{"/": true}
	for _, f := range Files() {
		if !dirs[filepath.Dir(f.Path)] {
			t.Errorf("%s comes before its directory", f.Path)
		}
		dirs[f.Path] = f.Mode.IsDir()
	}
}
