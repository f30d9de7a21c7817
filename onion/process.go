package onion

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"
)

// grace is how long a program has between SIGINT and SIGKILL.
const grace = 2 * time.Second

// Process is one program, a tor or a tool beside it, run so that it cannot
// outlive us: it ends with the context of [Process.Run] (SIGINT, and SIGKILL
// 2 s later), and if this program dies the kernel sends it SIGKILL at once
// (Linux: PR_SET_PDEATHSIG).
//
// The kernel ties that last signal to the thread that forked, not to the
// process, so Run keeps its goroutine locked to one thread from the fork to the
// end. tor's own guard, __OwningControllerProcess, polls, and leaves only some
// 12 s after its owner's SIGKILL.
//
// Its arguments show in the process list: secrets and addresses belong in
// files, on Stdin or on the control socket. What it prints is kept bounded, is
// free of onion addresses, and becomes the error when it fails.
type Process struct {
	Path    string            // absolute
	Args    []string          // without the program's name
	Stdin   io.Reader         // nil: none
	Started func(pid int)     // called once it runs; may be nil
	Line    func(line string) // called for each line it prints, onion addresses removed; may be nil, must not block
}

// Run starts p and waits until it is gone. It returns nil when p ended well or
// because ctx did, otherwise what p last said.
func (p Process) Run(ctx context.Context) error {
	if ctx.Err() != nil {
		return nil
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	name := filepath.Base(p.Path)
	said := &lastWords{each: p.Line}
	cmd := exec.CommandContext(ctx, p.Path, p.Args...)
	cmd.Env = []string{"PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL=C"}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = p.Stdin, said, said
	cmd.SysProcAttr = dieWithParent()
	cmd.WaitDelay = grace
	stopped := false // by ctx; set before Wait returns
	cmd.Cancel = func() error {
		stopped = true
		return cmd.Process.Signal(os.Interrupt)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting %s: %w", name, err)
	}
	if p.Started != nil {
		p.Started(cmd.Process.Pid)
	}
	err := cmd.Wait()
	if err == nil || stopped {
		return nil
	}
	if reason := said.reason(); reason != "" {
		return fmt.Errorf("%s stopped (%w) and said: %s", name, err, reason)
	}
	return fmt.Errorf("%s stopped: %w", name, err)
}
