package portaudio

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"time"

	pa "github.com/gordonklaus/portaudio"

	"github.com/sottovoce/sotto/voice"
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
	task, want, _ := strings.Cut(task, ":")
	if err := serve(task, want); err != nil {
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
func serve(task, want string) error {
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
	if err := c.open(); err != nil {
		return err
	}
	started := int64(monotonic())
	c.called.Store(started)
	if err := c.stream.Start(); err != nil {
		return fmt.Errorf("starting %v: %w", c.device, err)
	}
	c.called.CompareAndSwap(started, int64(monotonic())) // starting may take long
	info := c.stream.Info()
	h := hello{Device: c.device, Rate: c.rate, Latency: info.OutputLatency}
	if c.input {
		h.Latency = info.InputLatency
	}
	if err := greet(h); err != nil {
		return nil // nobody wants to know any more
	}
	io.Copy(io.Discard, stdin)
	time.AfterFunc(stopTime, func() { os.Exit(0) }) // the library may hang
	return errors.Join(c.stream.Abort(), c.stream.Close(), pa.Terminate())
}

// open opens the device in the first form that it takes, 48 kHz and mono being
// the best: some cards know a single rate, some nothing but stereo.
func (c *card) open() (err error) {
	for _, rate := range []int{voice.SampleRate, int(c.device.info.DefaultSampleRate)} {
		for _, channels := range []int{1, 2} {
			c.rate, c.channels = rate, channels
			callback := any(c.played)
			if c.input {
				callback = c.heard
			}
			if c.stream, err = pa.OpenStream(c.parameters(), callback); err == nil {
				return nil
			}
		}
	}
	return fmt.Errorf("opening %v: %w", c.device, err)
}

// parameters asks for as little delay as the device can give, but not less than
// [latency], and for buffers of the size it likes best.
func (c *card) parameters() pa.StreamParameters {
	p := pa.StreamParameters{SampleRate: float64(c.rate), FramesPerBuffer: pa.FramesPerBufferUnspecified}
	side, low := &p.Output, c.device.info.DefaultLowOutputLatency
	if c.input {
		side, low = &p.Input, c.device.info.DefaultLowInputLatency
	}
	*side = pa.StreamDeviceParameters{Device: c.device.info, Channels: c.channels, Latency: max(latency, low)}
	return p
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
			Number: d.Index, Name: d.Name, HostAPI: d.HostApi.Name,
			Inputs: d.MaxInputChannels, Outputs: d.MaxOutputChannels,
			DefaultInput:  inErr == nil && d == in,
			DefaultOutput: outErr == nil && d == speaker,
			info:          d,
		})
	}
	return out, nil
}
