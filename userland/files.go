// SPDX-License-Identifier: Apache-2.0

package userland

import "io/fs"

// File is a directory or small text file of the built-in root. All belong to
// root.
type File struct {
	Path    string      // absolute
	Mode    fs.FileMode // with fs.ModeDir and fs.ModeSticky
	Content string
}

// Files lists what the built-in root holds beside the programs, each directory
// before what is in it.
func Files() []File {
	dir := func(path string, perm fs.FileMode) File { return File{Path: path, Mode: fs.ModeDir | perm} }
	text := func(path, content string) File { return File{Path: path, Mode: 0o644, Content: content} }
	return []File{
		dir("/bin", 0o755), dir("/sbin", 0o755), dir("/dev", 0o755), dir("/etc", 0o755), dir("/home", 0o755),
		dir("/mnt", 0o755), dir("/proc", 0o555), dir("/root", 0o700), dir("/run", 0o755), dir("/sys", 0o555),
		dir("/tmp", fs.ModeSticky|0o777), dir("/usr", 0o755), dir("/usr/bin", 0o755), dir("/usr/sbin", 0o755),
		dir("/usr/lib", 0o755), dir("/usr/share", 0o755), dir("/usr/local", 0o755), dir("/usr/local/bin", 0o755),
		dir("/opt", 0o755), dir("/lib", 0o755), dir("/srv", 0o755),
		dir("/var", 0o755), dir("/var/cache", 0o755), dir("/var/lib", 0o755), dir("/var/log", 0o755),
		dir("/var/spool", 0o755), dir("/var/tmp", fs.ModeSticky|0o777),
		text("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:daemon:/:/bin/false\n"+
			"nobody:x:65534:65534:nobody:/:/bin/false\n"),
		text("/etc/group", "root:x:0:\ndaemon:x:1:\ntty:x:5:\ndisk:x:6:\nusers:x:100:\nnogroup:x:65534:\n"),
		{Path: "/etc/shadow", Mode: 0o600, Content: "root:*::0:::::\ndaemon:*::0:::::\nnobody:*::0:::::\n"},
		text("/etc/hostname", "lodger\n"),
		text("/etc/hosts", "127.0.0.1\tlocalhost\n127.0.1.1\tlodger\n::1\tlocalhost ip6-localhost\n"),
		text("/etc/resolv.conf", ""),
		text("/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n"),
		text("/etc/shells", "/bin/sh\n/bin/gosh\n"),
		text("/etc/fstab", "proc\t/proc\tproc\tdefaults\t0 0\nsysfs\t/sys\tsysfs\tdefaults\t0 0\ntmpfs\t/run\ttmpfs\tdefaults\t0 0\n"),
		text("/etc/os-release", "NAME=\"Lodger\"\nPRETTY_NAME=\"Lodger built-in guest\"\nID=lodger\n"),
		text("/etc/motd", "This is Lodger's built-in guest. 'poweroff' or 'exit' leaves it.\n"),
		text("/etc/profile", "export PATH=/bin:/sbin:/usr/bin:/usr/sbin:/usr/local/bin\nexport USER=${USER:-root}\nexport LOGNAME=$USER\n"+
			"export SHELL=/bin/sh\nalias ll='ls -l'\n"),
	}
}
