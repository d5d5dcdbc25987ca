// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"lodger/userland/app"
)

type archiver struct {
	c       *app.Ctx
	verbose bool
	gzip    bool
	stdout  bool
	keep    bool
	owner   bool // restore owners
	perms   bool // restore all mode bits
	touch   bool // do not restore times
	strip   int
	exclude []string
	names   []string
	dirs    []*tar.Header // their times and modes are set last
	links   map[[2]uint64]string
	mask    uint32
}

func tarMain(c *app.Ctx, args []string) int {
	if len(args) > 0 && args[0] != "" && args[0][0] != '-' { // "tar xf FILE"
		args = oldForm(args)
	}
	o, status, ok := c.Parse(args, "c|create x|extract|get t|list r|append z|gzip|gunzip a|auto-compress v|verbose f|file: C|directory: p|preserve-permissions|same-permissions "+
		"O|to-stdout k|keep-old-files m|touch h|dereference strip-components: exclude: no-same-owner same-owner no-same-permissions o numeric-owner overwrite one-file-system sort: mtime: owner: group:")
	if !ok {
		return status
	}
	strip, ok := o.Int("strip-components", 0)
	mode := o.Last("cxtr")
	if mode == "" || !ok {
		return c.BadUsage("You must specify one of the '-c', '-x' or '-t' options")
	}
	root := os.Geteuid() == 0
	a := &archiver{c: c, verbose: o.Has("v"), gzip: o.Has("z"), stdout: o.Has("O"), keep: o.Has("k"), touch: o.Has("m"), strip: int(strip),
		owner: (root || o.Has("same-owner")) && !o.Has("no-same-owner") && !o.Has("o"), perms: root || o.Has("p"),
		exclude: o.All("exclude"), names: o.Args, links: map[[2]uint64]string{}}
	if a.perms = a.perms && !o.Has("no-same-permissions"); !a.perms {
		old := unix.Umask(0)
		unix.Umask(old)
		a.mask = uint32(old)
	}
	file := o.Str("f", "-")
	if file != "-" {
		if abs, err := filepath.Abs(file); err == nil {
			file = abs
		}
	}
	if o.Has("a") && (strings.HasSuffix(file, ".gz") || strings.HasSuffix(file, ".tgz")) {
		a.gzip = true
	}
	if dir := o.Str("C", ""); dir != "" {
		if err := os.Chdir(dir); err != nil {
			c.Errorf("%s: Cannot open: %s", dir, app.Reason(err))
			return 2
		}
	}
	var err error
	switch mode {
	case "c":
		err = a.create(file)
	case "r":
		err = fmt.Errorf("appending is not supported")
	default:
		err = a.read(file, mode == "t")
	}
	if err != nil {
		c.Errorf("%s", app.Reason(err))
	}
	return c.Status()
}

// oldForm turns the leading letters without a dash into options; those that
// take a value take it from the words that follow, in order.
func oldForm(args []string) []string {
	var out []string
	rest := args[1:]
	for _, l := range args[0] {
		out = append(out, "-"+string(l))
		if (l == 'f' || l == 'C') && len(rest) > 0 {
			out, rest = append(out, rest[0]), rest[1:]
		}
	}
	return append(out, rest...)
}

func (a *archiver) excluded(name string) bool {
	for _, p := range a.exclude {
		if app.Match(p, name) || app.Match(p, filepath.Base(name)) {
			return true
		}
	}
	return false
}

func (a *archiver) create(file string) error {
	if len(a.names) == 0 {
		return fmt.Errorf("Cowardly refusing to create an empty archive")
	}
	out := io.Writer(a.c.Out)
	if file != "-" {
		f, err := os.Create(file)
		if err != nil {
			return fmt.Errorf("%s: Cannot open: %s", file, app.Reason(err))
		}
		defer f.Close()
		b := bufio.NewWriterSize(f, 64<<10)
		defer b.Flush()
		out = b
	}
	if a.gzip {
		z := gzip.NewWriter(out)
		defer z.Close()
		out = z
	}
	w := tar.NewWriter(out)
	for _, name := range a.names {
		filepath.WalkDir(name, func(path string, d fs.DirEntry, err error) error {
			if a.excluded(path) {
				if d != nil && d.IsDir() {
					return fs.SkipDir
				}
				return nil
			}
			if err == nil {
				err = a.add(w, path)
			}
			if err != nil {
				a.c.Errorf("%s: %s", path, app.Reason(err))
			}
			return nil
		})
	}
	return w.Close()
}

func (a *archiver) add(w *tar.Writer, path string) error {
	st, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if st.Mode()&os.ModeSocket != 0 {
		return nil
	}
	target := ""
	if st.Mode()&os.ModeSymlink != 0 {
		if target, err = os.Readlink(path); err != nil {
			return err
		}
	}
	h, err := tar.FileInfoHeader(st, target)
	if err != nil {
		return err
	}
	h.Name = strings.TrimLeft(path, "/")
	if h.Name == "" {
		h.Name = "."
	}
	if st.IsDir() {
		h.Name = strings.TrimSuffix(h.Name, "/") + "/"
	}
	sys := st.Sys().(*syscall.Stat_t)
	h.Uname, h.Gname = app.UserName(sys.Uid), app.GroupName(sys.Gid)
	h.AccessTime, h.ChangeTime = time.Time{}, time.Time{}
	if id := [2]uint64{uint64(sys.Dev), sys.Ino}; sys.Nlink > 1 && st.Mode().IsRegular() {
		if first, ok := a.links[id]; ok {
			h.Typeflag, h.Linkname, h.Size = tar.TypeLink, first, 0
		} else {
			a.links[id] = h.Name
		}
	}
	if a.verbose {
		fmt.Fprintln(a.c.Err, h.Name)
	}
	if err := w.WriteHeader(h); err != nil || h.Typeflag != tar.TypeReg {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.CopyN(w, f, h.Size)
	return err
}

func (a *archiver) read(file string, list bool) error {
	in := io.Reader(a.c.In)
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return fmt.Errorf("%s: Cannot open: %s", file, app.Reason(err))
		}
		defer f.Close()
		in = f
	}
	b := bufio.NewReaderSize(in, 64<<10)
	in = b
	if magic, _ := b.Peek(2); len(magic) == 2 && magic[0] == 0x1f && magic[1] == 0x8b {
		z, err := gzip.NewReader(b)
		if err != nil {
			return err
		}
		in = z
	}
	found := map[string]bool{}
	r := tar.NewReader(in)
	for {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if !a.wanted(h.Name, found) {
			continue
		}
		if list {
			a.list(h)
			continue
		}
		if err := a.extract(h, r); err != nil {
			a.c.Errorf("%s: %s", h.Name, app.Reason(err))
		}
	}
	for i := len(a.dirs) - 1; i >= 0; i-- {
		a.attributes(a.dirs[i].Name, a.dirs[i])
	}
	for _, name := range a.names {
		if !found[name] {
			a.c.Errorf("%s: Not found in archive", name)
		}
	}
	return nil
}

// wanted says whether a member is among those asked for.
func (a *archiver) wanted(name string, found map[string]bool) bool {
	if a.excluded(strings.TrimSuffix(name, "/")) {
		return false
	}
	for _, n := range a.names {
		plain := strings.TrimSuffix(n, "/")
		if strings.TrimSuffix(name, "/") == plain || strings.HasPrefix(name, plain+"/") {
			found[n] = true
			return true
		}
	}
	return len(a.names) == 0
}

func (a *archiver) list(h *tar.Header) {
	if !a.verbose {
		fmt.Fprintln(a.c.Out, h.Name)
		return
	}
	owner := h.Uname + "/" + h.Gname
	if h.Uname == "" {
		owner = fmt.Sprintf("%d/%d", h.Uid, h.Gid)
	}
	mode := []byte(h.FileInfo().Mode().Perm().String())
	name := h.Name
	switch h.Typeflag {
	case tar.TypeDir:
		mode[0] = 'd'
	case tar.TypeSymlink:
		mode[0] = 'l'
		name += " -> " + h.Linkname
	case tar.TypeLink:
		mode[0] = 'h'
		name += " link to " + h.Linkname
	case tar.TypeChar:
		mode[0] = 'c'
	case tar.TypeBlock:
		mode[0] = 'b'
	case tar.TypeFifo:
		mode[0] = 'p'
	}
	fmt.Fprintf(a.c.Out, "%s %s %9d %s %s\n", mode, owner, h.Size, h.ModTime.Format("2006-01-02 15:04"), name)
}

// local makes a member's name safe: relative, without "..", stripped.
func (a *archiver) local(name string) (string, bool) {
	parts := strings.FieldsFunc(name, func(r rune) bool { return r == '/' })
	kept := parts[:0]
	for _, p := range parts {
		if p == ".." {
			return "", false
		}
		if p != "." {
			kept = append(kept, p)
		}
	}
	if a.strip > 0 {
		kept = kept[min(a.strip, len(kept)):]
	}
	return strings.Join(kept, "/"), true
}

func (a *archiver) extract(h *tar.Header, r io.Reader) error {
	name, ok := a.local(h.Name)
	if !ok {
		return fmt.Errorf("Member name contains '..'")
	}
	if name == "" {
		if h.Typeflag == tar.TypeDir {
			return nil
		}
		return nil
	}
	if a.verbose {
		fmt.Fprintln(a.c.Out, h.Name)
	}
	if a.stdout {
		if h.Typeflag == tar.TypeReg {
			_, err := io.Copy(a.c.Out, r)
			return err
		}
		return nil
	}
	if i := strings.LastIndexByte(name, '/'); i > 0 {
		os.MkdirAll(name[:i], 0o755)
	}
	if h.Typeflag == tar.TypeDir {
		err := os.Mkdir(name, 0o700|os.FileMode(h.Mode)&0o777)
		if st, e := os.Stat(name); e == nil && st.IsDir() {
			err = nil
		}
		own := *h
		own.Name = name
		a.dirs = append(a.dirs, &own)
		return err
	}
	if st, err := os.Lstat(name); err == nil {
		if a.keep {
			return unix.EEXIST
		}
		if st.IsDir() {
			return unix.EISDIR
		}
		if err := os.Remove(name); err != nil {
			return err
		}
	}
	if err := a.make(name, h, r); err != nil {
		return err
	}
	if h.Typeflag != tar.TypeLink {
		a.attributes(name, h)
	}
	return nil
}

func (a *archiver) make(name string, h *tar.Header, r io.Reader) error {
	dev := int(unix.Mkdev(uint32(h.Devmajor), uint32(h.Devminor)))
	switch h.Typeflag {
	case tar.TypeSymlink:
		return os.Symlink(h.Linkname, name)
	case tar.TypeLink:
		old, ok := a.local(h.Linkname)
		if !ok {
			return fmt.Errorf("link target contains '..'")
		}
		return os.Link(old, name)
	case tar.TypeChar:
		return unix.Mknod(name, unix.S_IFCHR|0o600, dev)
	case tar.TypeBlock:
		return unix.Mknod(name, unix.S_IFBLK|0o600, dev)
	case tar.TypeFifo:
		return unix.Mkfifo(name, 0o600)
	case tar.TypeReg, tar.TypeGNUSparse:
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return err
		}
		_, err = io.Copy(f, r)
		if e := f.Close(); err == nil {
			err = e
		}
		return err
	}
	return fmt.Errorf("unknown file type '%c'", h.Typeflag)
}

// attributes restores owner, mode and times; the owner first, for chown(2)
// clears the set-id bits.
func (a *archiver) attributes(name string, h *tar.Header) {
	if a.owner {
		uid, ok1 := app.UserID(h.Uname)
		gid, ok2 := app.GroupID(h.Gname)
		if !ok1 || h.Uname == "" {
			uid = h.Uid
		}
		if !ok2 || h.Gname == "" {
			gid = h.Gid
		}
		if err := os.Lchown(name, uid, gid); err != nil {
			a.c.Errorf("%s: Cannot change ownership to uid %d, gid %d: %s", name, uid, gid, app.Reason(err))
		}
	}
	if h.Typeflag != tar.TypeSymlink {
		mode := uint32(h.Mode) & 0o7777
		if !a.perms {
			mode &= 0o777 &^ a.mask
		}
		if err := unix.Chmod(name, mode); err != nil {
			a.c.Errorf("%s: Cannot change mode: %s", name, app.Reason(err))
		}
	}
	if !a.touch {
		mt := unix.NsecToTimespec(h.ModTime.UnixNano())
		unix.UtimesNanoAt(unix.AT_FDCWD, name, []unix.Timespec{{Nsec: unix.UTIME_NOW}, mt}, unix.AT_SYMLINK_NOFOLLOW)
	}
}
