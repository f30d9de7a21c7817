package trace

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// What is read at most: a file longer than this is no trace of a call.
const (
	maxLength = time.Hour   // of one file
	maxDelay  = time.Minute // of one row
	maxLine   = 64          // bytes
	maxFiles  = 10_000      // in one folder
)

const header = "sent_ms,arrived_ms"

// Read reads one file. Errors name the line and what is wrong with it.
func Read(name string, r io.Reader) (Trace, error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, maxLine), maxLine)
	var arrived []time.Duration
	n := 0
	for lines.Scan() {
		n++
		var err error
		if n > 1 {
			arrived, err = addRow(arrived, lines.Text())
		} else if lines.Text() != header {
			err = fmt.Errorf("%q where %q begins a trace", lines.Text(), header)
		}
		if err != nil {
			return Trace{}, fmt.Errorf("trace %s: line %d: %w", name, n, err)
		}
	}
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return Trace{}, fmt.Errorf("trace %s: line %d: over %d bytes", name, n+1, maxLine-2)
	case err != nil:
		return Trace{}, fmt.Errorf("trace %s: after line %d: %w", name, n, err)
	case len(arrived) == 0:
		return Trace{}, fmt.Errorf("trace %s: line %d: it ends without a row", name, n+1)
	}
	return fromArrivals(name, arrived), nil
}

// addRow appends a row and, before it, the rows that are missing.
func addRow(arrived []time.Duration, line string) ([]time.Duration, error) {
	first, second, _ := strings.Cut(line, ",")
	sent, err := milliseconds(first)
	if err != nil {
		return nil, fmt.Errorf("sent_ms: %w", err)
	}
	arrives, err := milliseconds(second)
	if err != nil {
		return nil, fmt.Errorf("arrived_ms: %w", err)
	}
	expected := time.Duration(len(arrived)) * Step
	switch {
	case sent%Step != 0:
		return nil, fmt.Errorf("sent_ms %s is not a multiple of %d", first, Step.Milliseconds())
	case sent < expected:
		return nil, fmt.Errorf("sent_ms %s is not after the row before", first)
	case sent >= maxLength:
		return nil, fmt.Errorf("sent_ms %s: a trace is at most %v long", first, maxLength)
	case arrives < sent:
		return nil, fmt.Errorf("arrived_ms %s is before sent_ms %s", second, first)
	case arrives-sent > maxDelay:
		return nil, fmt.Errorf("arrived_ms %s: delays are at most %v", second, maxDelay)
	case len(arrived) > 0 && arrives < arrived[len(arrived)-1]:
		return nil, fmt.Errorf("arrived_ms %s is before the row before arrived: a circuit keeps the order", second)
	}
	for ; expected <= sent; expected += Step {
		arrived = append(arrived, arrives)
	}
	return arrived, nil
}

// milliseconds reads a whole number of them without a sign.
func milliseconds(s string) (time.Duration, error) {
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil {
		return 0, fmt.Errorf("%q is not a whole number of milliseconds", s)
	}
	return time.Duration(n) * time.Millisecond, nil
}

// Load reads all .csv files of a folder, sorted by name.
func Load(dir string) ([]Trace, error) {
	entries, err := os.ReadDir(dir) // sorted
	if err != nil {
		return nil, fmt.Errorf("a folder of traces: %w", err)
	}
	var traces []Trace
	for _, e := range entries {
		name, isCSV := strings.CutSuffix(e.Name(), ".csv")
		if !isCSV || e.IsDir() {
			continue
		}
		if len(traces) == maxFiles {
			return nil, fmt.Errorf("%s holds over %d traces: give a smaller folder", dir, maxFiles)
		}
		t, err := loadFile(name, filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		traces = append(traces, t)
	}
	if len(traces) == 0 {
		return nil, fmt.Errorf("%s holds no .csv files: give a folder of traces, or model:1", dir)
	}
	return traces, nil
}

func loadFile(name, path string) (Trace, error) {
	f, err := os.Open(path)
	if err != nil {
		return Trace{}, fmt.Errorf("trace %s: %w", name, err)
	}
	defer f.Close()
	return Read(name, f)
}

// modelled is how many recordings [Open] makes: about twice as many as were
// measured for the model.
const modelled = 100

// Open gives the traces that a person asks for: the files of a folder, or, for
// "model:SEED", 100 recordings of 30 s made by [TorModel], both directions.
func Open(source string) ([]Trace, error) {
	text, isModel := strings.CutPrefix(source, "model:")
	if !isModel {
		return Load(source)
	}
	seed, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return nil, fmt.Errorf("%q: give model: and a whole number, as in model:1", source)
	}
	return TorModel().Recordings(seed, modelled), nil
}
