// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// cowGuests is how many guests have one base.
const cowGuests = 20

// bootLimit is how long a guest may take until it says that it is up.
const bootLimit = 30 * time.Second

// A diskGuest is a guest that bash, its process 1, keeps up until stdin ends.
type diskGuest struct {
	cmd    *exec.Cmd
	stdin  io.Closer
	cancel context.CancelFunc
	up     time.Duration // from start to bash's first command
}

// startDisk boots a disk as a kernel does, without an init system, and waits until
// bash has run its first command.
func (b *bench) startDisk(ubd0 string) (*diskGuest, error) {
	ctx, cancel := context.WithTimeout(b.ctx, 5*time.Minute)
	g := &diskGuest{cancel: cancel}
	g.cmd = exec.CommandContext(ctx, b.lodger, "ubd0="+ubd0, "root=/dev/ubda", "rw", "quiet",
		"init=/bin/bash", "-c", "echo up; read x; exec /bench/disk power-off")
	g.cmd.Dir, g.cmd.WaitDelay = "/", 2*time.Second
	var msg bytes.Buffer
	g.cmd.Stderr = &msg
	in, err := g.cmd.StdinPipe()
	if err != nil {
		cancel()
		return nil, err
	}
	g.stdin = in
	out, err := g.cmd.StdoutPipe()
	if err != nil {
		cancel()
		return nil, err
	}
	s := time.Now()
	if err := g.cmd.Start(); err != nil {
		cancel()
		return nil, err
	}
	late := time.AfterFunc(bootLimit, cancel)
	row, err := bufio.NewReader(out).ReadString('\n')
	g.up = time.Since(s)
	late.Stop()
	if err != nil || row != "up\n" {
		in.Close()
		cancel()
		g.cmd.Wait()
		return nil, fmt.Errorf("the guest of %s is not up, it said %q: %v: %s", ubd0, row, err, strings.TrimSpace(msg.String()))
	}
	return g, nil
}

// stop ends the guest as its power button would.
func (g *diskGuest) stop() error {
	g.stdin.Close()
	defer g.cancel()
	return g.cmd.Wait()
}

// bootBash times a boot from the Debian image until bash has run its first command,
// in milliseconds: the median of nine.
func bootBash(b *bench, _ line) (float64, error) {
	var v []float64
	for range 9 {
		g, err := b.startDisk(b.disks.path("guest-large"))
		if err != nil {
			return 0, err
		}
		v = append(v, g.up.Seconds()*1000)
		if err := g.stop(); err != nil {
			return 0, err
		}
	}
	m, _ := median(v)
	return m, nil
}

// watchCOW starts guests of one base, each with a COW file of its own, and looks at
// their memory when they are at rest.
func (b *bench) watchCOW() (err error) {
	if b.tree == "" {
		return errors.New("no Debian tree")
	}
	base := b.disks.path("guest-large")
	var guests []*diskGuest
	defer func() {
		for i, g := range guests {
			err = errors.Join(err, g.stop())
			os.Remove(b.disks.path(fmt.Sprintf("cow%d", i)))
		}
	}()
	for i := range cowGuests {
		g, err := b.startDisk(b.disks.path(fmt.Sprintf("cow%d", i)) + "," + base)
		if err != nil {
			return err
		}
		guests = append(guests, g)
	}
	time.Sleep(settle)
	var private, rss, pss int
	for _, g := range guests {
		for _, pid := range family(g.cmd.Process.Pid) {
			rollup := fmt.Sprintf("/proc/%d/smaps_rollup", pid)
			private += field(rollup, "Private_Clean") + field(rollup, "Private_Dirty")
			r, p := mapped(pid, base)
			rss, pss = rss+r, pss+p
		}
	}
	b.guest["cow20-private-MB"] = []float64{float64(private) / 1024 / cowGuests}
	b.guest["cow20-base-rss-MB"] = []float64{float64(rss) / 1024}
	b.guest["cow20-base-pss-MB"] = []float64{float64(pss) / 1024}
	if rss == 0 {
		return fmt.Errorf("no guest maps anything of the base %s", base)
	}
	b.guest["cow20-base-pss/rss"] = []float64{float64(pss) / float64(rss)}
	return nil
}

// mapped sums Rss and Pss, in KiB, of a process's mappings of a file. Those that it
// has written into are left out: pages of its own are counted in them too.
func mapped(pid int, file string) (rss, pss int) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps", pid))
	if err != nil {
		return 0, 0 // it ended
	}
	ours, r, p := false, 0, 0
	for row := range strings.Lines(string(text)) {
		name, rest, _ := strings.Cut(row, " ")
		if !strings.HasSuffix(name, ":") { // begins a mapping
			ours = strings.HasSuffix(row, " "+file+"\n")
			continue
		}
		words := strings.Fields(rest)
		if !ours || len(words) == 0 {
			continue
		}
		n, _ := strconv.Atoi(words[0])
		switch name {
		case "Rss:":
			r = n
		case "Pss:":
			p = n
		case "Anonymous:": // comes after both
			if n == 0 {
				rss, pss = rss+r, pss+p
			}
		}
	}
	return rss, pss
}
