// SPDX-License-Identifier: Apache-2.0

// Command load works on a file system until somebody stops it, and says what it was
// promised: it is the guest's side of test/crash.
//
//	load DIR SEED    work; on standard output a line "try FILE SUM" before and
//	                 "ok FILE SUM" after each change that is to last, "gone FILE" for
//	                 removals that are
//	load -check DIR  print "FILE SUM" of each file that is to last
//
// A file that is to last is written whole under another name, synced, renamed over
// the old one, and its directory synced. Its first line is the sum of the rest, so
// that a torn one is known. Beside these runs noise that nobody syncs.
package main

import (
	"bufio"
	"bytes"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"sync"
	"syscall"
)

const workers = 3

func main() {
	var err error
	switch {
	case len(os.Args) == 3 && os.Args[1] == "-check":
		err = check(os.Args[2])
	case len(os.Args) == 3:
		var seed uint64
		if seed, err = strconv.ParseUint(os.Args[2], 10, 64); err == nil {
			err = work(os.Args[1], seed)
		}
	default:
		err = fmt.Errorf("usage: load DIR SEED | load -check DIR")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

var out struct {
	sync.Mutex
}

func say(format string, args ...any) {
	out.Lock()
	defer out.Unlock()
	fmt.Printf(format+"\n", args...)
}

func work(dir string, seed uint64) error {
	failed := make(chan error)
	for w := range workers {
		for _, f := range []func(string, *rand.Rand) error{lasting, noise} {
			name := fmt.Sprintf("w%d", w)
			rnd := rand.New(rand.NewPCG(seed, uint64(w)))
			at := filepath.Join(dir, name)
			if err := os.MkdirAll(filepath.Join(at, "noise"), 0o755); err != nil {
				return err
			}
			go func() { failed <- f(at, rnd) }()
		}
	}
	return <-failed
}

// lasting makes, replaces and removes files that are to last.
func lasting(dir string, rnd *rand.Rand) error {
	for {
		name := filepath.Join(dir, fmt.Sprintf("f%d", rnd.IntN(8)))
		if rnd.IntN(6) == 0 {
			if _, err := os.Lstat(name); err != nil {
				continue
			}
			say("try %s -", name)
			if err := os.Remove(name); err != nil {
				return err
			}
			if err := syncDir(dir); err != nil {
				return err
			}
			say("ok %s -", name)
			continue
		}
		body := make([]byte, rnd.IntN(200000))
		for i := range body {
			body[i] = byte(rnd.Uint32())
		}
		sum := fmt.Sprintf("%08x", crc32.ChecksumIEEE(body))
		say("try %s %s", name, sum)
		var err error
		if rnd.IntN(3) == 0 && len(body) > 0 {
			err = writeMapped(name+".new", sum, body)
		} else {
			err = write(name+".new", sum, body)
		}
		if err == nil {
			err = os.Rename(name+".new", name)
		}
		if err == nil {
			err = syncDir(dir)
		}
		if err != nil {
			return err
		}
		say("ok %s %s", name, sum)
	}
}

func write(name, sum string, body []byte) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer f.Close()
	w := bufio.NewWriterSize(f, 5000)
	fmt.Fprintln(w, sum)
	w.Write(body)
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Sync()
}

// writeMapped does it through a shared mapping, which is synced as such or as a file.
func writeMapped(name, sum string, body []byte) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer f.Close()
	all := append([]byte(sum+"\n"), body...)
	if err := f.Truncate(int64(len(all))); err != nil {
		return err
	}
	m, err := syscall.Mmap(int(f.Fd()), 0, len(all), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		return err
	}
	copy(m, all)
	if len(body)%2 == 0 {
		err = msync(m)
	} else {
		err = f.Sync()
	}
	if e := syscall.Munmap(m); err == nil {
		err = e
	}
	return err
}

func msync(m []byte) error {
	const sync = 4 // MS_SYNC
	if _, _, errno := syscall.Syscall(syscall.SYS_MSYNC, reflect.ValueOf(m).Pointer(), uintptr(len(m)), sync); errno != 0 {
		return errno
	}
	return nil
}

func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

// noise is what nobody syncs.
func noise(dir string, rnd *rand.Rand) error {
	dir = filepath.Join(dir, "noise")
	path := func() string { return filepath.Join(dir, fmt.Sprintf("n%d", rnd.IntN(40))) }
	for {
		p := path()
		switch rnd.IntN(10) {
		case 0:
			os.Mkdir(p, 0o755)
		case 1:
			os.Rename(p, path())
		case 2:
			os.Link(p, path())
		case 3:
			os.Symlink(string(make([]byte, 0))+"target", p)
		case 4:
			os.RemoveAll(p)
		case 5:
			os.Truncate(p, int64(rnd.IntN(300000)))
		case 6:
			syscall.Setxattr(p, "user.x", make([]byte, rnd.IntN(900)), 0)
		case 7:
			if f, err := os.OpenFile(p, os.O_RDWR, 0); err == nil {
				mode := []uint32{0, 1, 3, 16}[rnd.IntN(4)] // plain, KEEP_SIZE, PUNCH_HOLE, ZERO_RANGE
				syscall.Fallocate(int(f.Fd()), mode, int64(rnd.IntN(100000)), int64(1+rnd.IntN(100000)))
				f.Close()
			}
		default:
			if f, err := os.OpenFile(p, os.O_RDWR|os.O_CREATE, 0o644); err == nil {
				f.WriteAt(make([]byte, 1+rnd.IntN(30000)), int64(rnd.IntN(200000)))
				f.Close()
			}
		}
	}
}

func check(dir string) error {
	files, err := filepath.Glob(filepath.Join(dir, "w*", "f*"))
	if err != nil {
		return err
	}
	for _, name := range files {
		if filepath.Ext(name) == ".new" {
			continue
		}
		b, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		sum, body, ok := bytes.Cut(b, []byte("\n"))
		if !ok || fmt.Sprintf("%08x", crc32.ChecksumIEEE(body)) != string(sum) {
			fmt.Println(name, "torn")
			continue
		}
		fmt.Println(name, string(sum))
	}
	return nil
}
