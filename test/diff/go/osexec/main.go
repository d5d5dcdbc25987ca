// SPDX-License-Identifier: Apache-2.0

// Command osexec starts itself as a child in several ways: output captured,
// input piped, exit codes, many at once, killed by a deadline.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

func child(mode string) {
	switch mode {
	case "echo":
		fmt.Println(strings.Join(os.Args[2:], "|"), os.Getenv("X"))
	case "upper":
		s := bufio.NewScanner(os.Stdin)
		for s.Scan() {
			fmt.Println(strings.ToUpper(s.Text()))
		}
	case "exit":
		os.Exit(23)
	case "sleep":
		time.Sleep(time.Hour)
	case "fd":
		b, err := io.ReadAll(os.NewFile(3, "three"))
		fmt.Println(string(b), err)
	}
	os.Exit(0)
}

func main() {
	if len(os.Args) > 1 {
		child(os.Args[1])
	}
	const self = "/proc/self/exe"
	c := exec.Command(self, "echo", "a b", "", "c")
	c.Env = []string{"X=env"}
	out, err := c.CombinedOutput()
	fmt.Printf("%q %v\n", out, err)
	c = exec.Command(self, "upper")
	c.Stdin = strings.NewReader("one\ntwo\n")
	out, err = c.Output()
	fmt.Printf("%q %v\n", out, err)
	err = exec.Command(self, "exit").Run()
	var ee *exec.ExitError
	fmt.Println(errors.As(err, &ee), ee.ExitCode())
	fmt.Println(exec.Command("/no/such/program").Run())
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	fmt.Println(exec.CommandContext(ctx, self, "sleep").Run())
	r, w, _ := os.Pipe()
	c = exec.Command(self, "fd")
	c.ExtraFiles = []*os.File{r}
	go func() { w.WriteString("through three"); w.Close() }()
	out, err = c.Output()
	fmt.Printf("%q %v\n", out, err)
	var wg sync.WaitGroup
	var mu sync.Mutex
	n := 0
	for i := range 20 {
		wg.Go(func() {
			out, err := exec.Command(self, "echo", fmt.Sprint(i)).Output()
			if err == nil && strings.TrimSpace(string(out)) == fmt.Sprint(i) {
				mu.Lock()
				n++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	fmt.Println("right answers", n)
}
