// SPDX-License-Identifier: Apache-2.0

//go:build amd64

package notify

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A zygote starts in the strongest box that the host allows; its first process
// asks for an execve of the stub and then announces itself.
func TestStart(t *testing.T) {
	p, err := Start(map[int]Route{nrMunmap: RouteNative, nrMmap: RouteChecked, nrFutex: RouteChecked}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Stop()
	t.Logf("box %+v", p.Box())
	var ev Event
	if err := p.Recv(&ev); err != nil {
		t.Fatal(err)
	}
	if !ev.FromStub() || ev.Nr != unix.SYS_EXECVEAT {
		t.Fatalf("first call: %+v", ev)
	}
	if err := p.Continue(ev.ID); err != nil {
		t.Fatal(err)
	}
	if err := p.Recv(&ev); err != nil {
		t.Fatal(err)
	}
	if !ev.FromStub() || Op(ev.Nr) != OpStart || ev.Args[1] != 0 {
		t.Fatalf("second call: %+v", ev)
	}
}

// A zygote that ends before its first process has been let through takes it
// along, also where no pid namespace does (lodger info left such processes).
func TestStopBeforeFirstExec(t *testing.T) {
	routes := map[int]Route{nrMunmap: RouteNative, nrMmap: RouteChecked, nrFutex: RouteChecked}
	p, err := Start(routes, Options{NoNamespaces: true})
	if err != nil {
		t.Skip("no box without namespaces here:", err)
	}
	var ev Event
	if err := p.Recv(&ev); err != nil {
		p.Stop()
		t.Fatal(err)
	}
	p.Stop()
	for i := 0; unix.Kill(int(ev.TID), 0) == nil; i++ {
		if i == 500 {
			t.Fatalf("host process %d outlives its zygote", ev.TID)
		}
		time.Sleep(10 * time.Millisecond)
	}
}
