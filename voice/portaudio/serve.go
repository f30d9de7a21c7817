package portaudio

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unicode"

	pa "github.com/gordonklaus/portaudio"
)

// The tasks of a device's process.
const (
	listing     = "list"
	microphone  = "microphone"
	loudspeaker = "loudspeaker"
)

// Main is to be called first of all by a program that uses this package. In the
// process of a device it does not return.
func Main() {
	task, ours := os.LookupEnv(variable)
	if begun = true; !ours {
		return
	}
	signal.Ignore(os.Interrupt, syscall.SIGHUP) // meant for the call, which hangs up first
	quiet()
	os.Unsetenv(variable) // what the library starts is none
	task, want, _ := strings.Cut(task, ":")
	ms, want, _ := strings.Cut(want, ":")
	n, _ := strconv.Atoi(ms)
	if err := serve(task, want, time.Duration(n)*time.Millisecond); err != nil {
		greet(hello{Error: err.Error(), None: errors.Is(err, ErrNoDevice)})
		os.Exit(1)
	}
	os.Exit(0)
}

// The call's ends of the pipes.
var stdin, stdout = os.Stdin, os.Stdout

// quiet makes the runtime cost little: one processor is enough, and threads that
// wait in a read would have it watch them 50,000 times a second.
func quiet() {
	runtime.GOMAXPROCS(1)
	for _, fd := range []int{0, 1} {
		if syscall.SetNonblock(fd, true) != nil {
			return // they block, then
		}
	}
	stdin, stdout = os.NewFile(0, "stdin"), os.NewFile(1, "stdout")
}

// greet writes hello.
func greet(h hello) error { return json.NewEncoder(stdout).Encode(h) }

// serve does a task until standard input ends.
func serve(task, want string, latency time.Duration) error {
	if err := pa.Initialize(); err != nil {
		return fmt.Errorf("starting PortAudio: %w", err)
	}
	devices, err := list()
	if err != nil {
		return err
	}
	if task == listing {
		return greet(hello{Devices: devices})
	}
	file := os.NewFile(sharedFile, "sound")
	memory, _, err := mapShared(file)                      // it stays: callbacks may come until the end
	if err := errors.Join(err, file.Close()); err != nil { // what the library starts is not to get it
		return err
	}
	c := &card{shared: memory, input: task == microphone}
	if c.device, err = Find(devices, want, c.input); err != nil {
		return err
	}
	if err := c.open(latency); err != nil {
		return err
	}
	started := int64(monotonic())
	c.called.Store(started)
	if err := c.start(); err != nil {
		return err
	}
	c.called.CompareAndSwap(started, int64(monotonic())) // starting may take long
	h := hello{Device: c.device, Rate: c.rate, Latency: c.latency()}
	if err := greet(h); err != nil {
		return nil // nobody wants to know any more
	}
	io.Copy(io.Discard, stdin)
	time.AfterFunc(stopTime, func() { os.Exit(0) }) // the library may hang
	return errors.Join(c.close(), pa.Terminate())
}

// printable is text without what would command a terminal: a name may come from a
// plug or from another program.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || unicode.IsPrint(r) {
			return r
		}
		return -1
	}, text)
}

// list asks PortAudio, which runs.
func list() ([]Device, error) {
	infos, err := pa.Devices()
	if err != nil {
		return nil, fmt.Errorf("listing sound devices: %w", err)
	}
	in, inErr := pa.DefaultInputDevice()
	speaker, outErr := pa.DefaultOutputDevice()
	var out []Device
	for _, d := range infos {
		out = append(out, Device{
			Number: d.Index, Name: printable(d.Name), HostAPI: d.HostApi.Name,
			Inputs: d.MaxInputChannels, Outputs: d.MaxOutputChannels,
			DefaultInput:  inErr == nil && d == in,
			DefaultOutput: outErr == nil && d == speaker,
			info:          d,
		})
	}
	return out, nil
}
