package portaudio

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// variable tells a process that it is a device's: its value is what it is to
// do, list, microphone or loudspeaker, the latency to be asked for, ms, and the device
// wanted, with colons between.
const variable = "SOTTO_SOUND_CARD"

// hello is the first line that such a process writes.
type hello struct {
	Devices []Device      // list
	Device  Device        // microphone, loudspeaker: what was opened,
	Rate    int           // samples a second
	Latency time.Duration // by the device's own account
	Error   string
	None    bool // the error is ErrNoDevice
}

// chatterMost is as much of the libraries' chatter as an error quotes, bytes.
const chatterMost = 2000

// chatter keeps the beginning of what libraries say.
type chatter struct {
	mu   sync.Mutex
	text []byte
}

func (c *chatter) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.text = append(c.text, b[:min(len(b), chatterMost-len(c.text))]...)
	return len(b), nil
}

func (c *chatter) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	text, _, _ := strings.Cut(string(c.text), "\nSIG") // what Go says of a library that aborts helps nobody
	return strings.TrimSpace(printable(text))
}

// process is the other end of a device's process.
type process struct {
	hello
	*shared
	unmap   func()
	cmd     *exec.Cmd
	cancel  context.CancelFunc
	in, out *os.File
	gone    chan struct{} // closed when it has ended
	back    chan struct{} // closed when the device that this one stands in for is there again; nil: it is the one
	look    sync.WaitGroup
	said    chatter
}

// begun is whether Main was called: without it a new process would be a second
// copy of the whole program.
var begun bool

// start begins a process for one of the tasks, and waits until its device runs.
func start(ctx context.Context, task, want string, latency time.Duration) (_ *process, err error) {
	if !begun {
		return nil, errors.New("portaudio.Main was not called when the program began")
	}
	path := "/proc/self/exe" // there even when the file was replaced meanwhile
	if _, err := os.Stat(path); err != nil {
		if path, err = os.Executable(); err != nil {
			return nil, fmt.Errorf("starting a process for sound: %w", err)
		}
	}
	memory, err := memoryFile()
	if err != nil {
		return nil, err
	}
	defer memory.Close()
	theirIn, in, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("starting a process for sound: %w", err)
	}
	defer theirIn.Close()
	out, theirOut, err := os.Pipe()
	if err != nil {
		in.Close()
		return nil, fmt.Errorf("starting a process for sound: %w", err)
	}
	defer theirOut.Close()
	ctx, cancel := context.WithCancel(ctx)
	p := &process{in: in, out: out, cancel: cancel, gone: make(chan struct{})}
	p.cmd = exec.CommandContext(ctx, path)
	p.cmd.Args[0] = os.Args[0]
	p.cmd.Env = append(environment(os.Environ()), fmt.Sprintf("%s=%s:%d:%s", variable, task, latency.Milliseconds(), want))
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = theirIn, theirOut, &p.said
	p.cmd.ExtraFiles = []*os.File{memory} // sharedFile
	p.cmd.Cancel, p.cmd.WaitDelay = in.Close, stopTime
	if p.shared, p.unmap, err = mapShared(memory); err == nil {
		if err = p.cmd.Start(); err != nil {
			p.unmap()
			err = fmt.Errorf("starting a process for sound: %w", err)
		}
		theirOut.Close() // or its end would not be seen
	}
	if err != nil {
		cancel()
		return nil, errors.Join(err, in.Close(), out.Close())
	}
	greeted := make(chan error, 1)
	go func() {
		from := bufio.NewReader(out)
		greeted <- p.greet(ctx, from)
		_, _ = io.Copy(io.Discard, from)
		close(p.gone)
	}()
	err = <-greeted
	if err == nil && task != listing && p.Rate <= 0 {
		err = fmt.Errorf("%v has a rate of %d", p.Device, p.Rate)
	}
	if err != nil {
		p.kill()
		return nil, err
	}
	return p, nil
}

// environment is what of ours a device's process, and a sound server that it may
// start, is to know: nothing of Tor's or this program's.
func environment(all []string) []string {
	return slices.DeleteFunc(all, func(v string) bool {
		return strings.HasPrefix(v, "TOR_") || strings.HasPrefix(v, "SOTTO_")
	})
}

// greet reads hello, for which it waits until ctx's deadline at the latest.
func (p *process) greet(ctx context.Context, from *bufio.Reader) error {
	began, late := time.Now(), time.Now().Add(startTime)
	if end, ok := ctx.Deadline(); ok && end.Before(late) {
		late = end
	}
	p.out.SetReadDeadline(late)
	defer p.out.SetReadDeadline(time.Time{})
	line, err := from.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &p.hello)
	}
	switch {
	case err == nil && p.None:
		return fmt.Errorf("%w%s", ErrNoDevice, strings.TrimPrefix(p.Error, ErrNoDevice.Error()))
	case err == nil && p.Error != "":
		err = errors.New(p.Error)
	case err == nil:
		return nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		err = fmt.Errorf("sound does not start within %v: is the sound server well?", late.Sub(began).Round(time.Millisecond))
	default:
		err = fmt.Errorf("the sound library failed: %w", err)
	}
	if text := p.said.String(); text != "" {
		err = fmt.Errorf("%w\n%s", err, text)
	}
	return err
}

// over reports whether the device is lost, or needed no more.
func (p *process) over() bool {
	select {
	case <-p.gone:
		return true
	case <-p.back:
		return true
	default:
		return p.lost()
	}
}

// standIn looks every now and then for the device that was wanted, until it is there
// or the process is stopped.
func (p *process) standIn(ctx context.Context, task, want string) {
	p.back = make(chan struct{})
	ctx, cancel := context.WithCancel(ctx)
	stop := p.cancel
	p.cancel = func() { cancel(); stop() }
	p.look.Go(func() {
		tick := time.NewTicker(lookEvery)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
			if devices, err := devices(ctx); err == nil {
				if _, err := Find(devices, want, task == microphone); err == nil {
					close(p.back)
					return
				}
			}
		}
	})
}

// relieved reports whether it is over because the device that was wanted is back.
func (p *process) relieved() bool {
	select {
	case <-p.back:
		return true
	default:
		return false
	}
}

// wait waits until the device is lost, or needed no more, or ctx ends.
func (p *process) wait(ctx context.Context) {
	look := time.NewTicker(lostAfter / 5)
	defer look.Stop()
	for !p.lost() {
		select {
		case <-look.C:
		case <-p.gone:
			return
		case <-p.back:
			return
		case <-ctx.Done():
			return
		}
	}
}

// stop lets the process close its device, and waits until it has ended. What is
// shared must not be touched any more.
func (p *process) stop() {
	p.cancel()
	p.look.Wait()
	_ = p.cmd.Wait() // however it ended
	p.in.Close()     // if Cancel has not
	p.out.Close()
	<-p.gone
	p.unmap()
}

// kill ends it at once: its library may hang.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended
	p.stop()
}

// again begins a process anew until one runs: with the device that was wanted,
// or the default one. It gives nil when ctx ends.
func again(ctx context.Context, task, want string, latency time.Duration) *process {
	retry := time.NewTicker(retryEvery)
	defer retry.Stop()
	for {
		for _, w := range []string{want, ""} {
			if p, err := start(ctx, task, w, latency); err == nil {
				if _, number := strconv.Atoi(want); w != want && number != nil { // which may be another's by now
					p.standIn(ctx, task, want)
				}
				return p
			}
			if want == "" {
				break
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-retry.C:
		}
	}
}
