package portaudio

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// variable tells a process that it is a device's: its value is what it is to
// do, list, microphone or loudspeaker, a colon, and the device wanted.
const variable = "SOTTO_SOUND_CARD"

// hello is the first line that such a process writes.
type hello struct {
	Devices []Device      // list
	Device  Device        // microphone, loudspeaker: what was opened
	Latency time.Duration // by the device's own account
	Error   string
	None    bool // the error is ErrNoDevice
}

// chatterMost is as much of the libraries' chatter as an error quotes, bytes.
const chatterMost = 2000

// mostPiece is the most samples that go over a pipe at once.
const mostPiece = 9600

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
	return strings.TrimSpace(string(c.text))
}

// process is the other end of a device's process.
type process struct {
	hello
	cmd     *exec.Cmd
	cancel  context.CancelFunc
	in, out *os.File
	from    *bufio.Reader // of out
	said    chatter
	calls   int       // that number has heard of, up to firstCalls
	until   time.Time // the deadline of reading
	bytes   [4 * mostPiece]byte
}

// begun is whether Main was called: without it a new process would be a second
// copy of the whole program.
var begun bool

// start begins a process for one of the tasks, and waits until its device runs.
func start(ctx context.Context, task, want string) (_ *process, err error) {
	if !begun {
		return nil, errors.New("portaudio.Main was not called when the program began")
	}
	path := "/proc/self/exe" // there even when the file was replaced meanwhile
	if _, err := os.Stat(path); err != nil {
		if path, err = os.Executable(); err != nil {
			return nil, fmt.Errorf("starting a process for sound: %w", err)
		}
	}
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
	p := &process{in: in, out: out, cancel: cancel, from: bufio.NewReaderSize(out, 4*mostPiece)}
	p.cmd = exec.CommandContext(ctx, path)
	p.cmd.Args[0] = os.Args[0]
	p.cmd.Env = append(os.Environ(), variable+"="+task+":"+want)
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = theirIn, theirOut, &p.said
	p.cmd.Cancel, p.cmd.WaitDelay = in.Close, stopTime
	if err := p.cmd.Start(); err != nil {
		cancel()
		return nil, errors.Join(fmt.Errorf("starting a process for sound: %w", err), in.Close(), out.Close())
	}
	if err := p.greet(ctx); err != nil {
		p.kill()
		return nil, err
	}
	return p, nil
}

// greet reads hello, for which it waits until ctx's deadline at the latest.
func (p *process) greet(ctx context.Context) error {
	began, late := time.Now(), time.Now().Add(startTime)
	if end, ok := ctx.Deadline(); ok && end.Before(late) {
		late = end
	}
	p.out.SetReadDeadline(late)
	line, err := p.from.ReadBytes('\n')
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

// stop lets the process close its device, and waits until it has ended.
func (p *process) stop() {
	p.cancel()
	_ = p.cmd.Wait() // however it ended
	p.in.Close()     // if Cancel has not
	p.out.Close()
}

// kill ends it at once: its library may hang.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended
	p.stop()
}

// number reads one, waiting until the device is to be taken for lost.
func (p *process) number(ctx context.Context) (int, error) {
	long := lostAfter
	if p.calls < firstCalls {
		p.calls++
		long = firstTime
	}
	if now := time.Now(); now.Add(long*9/10).After(p.until) && ctx.Err() == nil { // a system call each time
		p.until = now.Add(long)
		p.out.SetReadDeadline(p.until)
	}
	return readNumber(p.from)
}

// again begins a process anew until one runs: with the device that was wanted,
// or the default one. It gives nil when ctx ends.
func again(ctx context.Context, task, want string) *process {
	retry := time.NewTicker(retryEvery)
	defer retry.Stop()
	for {
		for _, w := range []string{want, ""} {
			if p, err := start(ctx, task, w); err == nil {
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

// readNumber reads a count from a pipe.
func readNumber(r *bufio.Reader) (int, error) {
	b, err := r.Peek(4)
	if err != nil {
		return 0, err
	}
	n := binary.LittleEndian.Uint32(b)
	_, err = r.Discard(4)
	return int(n), err
}

// put writes samples as they go over a pipe.
func put(to []byte, samples []float32) []byte {
	for i, s := range samples {
		binary.LittleEndian.PutUint32(to[4*i:], math.Float32bits(s))
	}
	return to[:4*len(samples)]
}

// get is its inverse.
func get(samples []float32, from []byte) {
	for i := range samples {
		samples[i] = math.Float32frombits(binary.LittleEndian.Uint32(from[4*i:]))
	}
}
