package trace_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/sottovoce/sotto/onion/trace"
)

func TestDamagedFilesAreRefused(t *testing.T) {
	const head = "sent_ms,arrived_ms\n"
	for name, c := range map[string]struct{ text, want string }{
		"nothing":         {"", "line 1: it ends without a row"},
		"no header":       {"0,18\n", `line 1: "0,18" where "sent_ms,arrived_ms" begins a trace`},
		"no rows":         {head, "line 2: it ends without a row"},
		"one column":      {head + "0\n", `line 2: arrived_ms: "" is not a whole number`},
		"three columns":   {head + "0,1,2\n", `line 2: arrived_ms: "1,2" is not`},
		"a word":          {head + "0,18\n20,late\n", `line 3: arrived_ms: "late" is not`},
		"a fraction":      {head + "0,18.5\n", `line 2: arrived_ms: "18.5" is not`},
		"a sign":          {head + "-20,18\n", `line 2: sent_ms: "-20" is not`},
		"too large":       {head + "0,99999999999\n", `line 2: arrived_ms: "99999999999" is not`},
		"off the grid":    {head + "0,18\n30,50\n", "line 3: sent_ms 30 is not a multiple of 20"},
		"a row twice":     {head + "0,18\n0,18\n", "line 3: sent_ms 0 is not after the row before"},
		"back in time":    {head + "40,58\n20,58\n", "line 3: sent_ms 20 is not after"},
		"overtaken":       {head + "0,118\n20,117\n", "line 3: arrived_ms 117 is before the row before arrived"},
		"before it left":  {head + "20,18\n", "line 2: arrived_ms 18 is before sent_ms 20"},
		"minutes late":    {head + "0,60001\n", "line 2: arrived_ms 60001: delays are at most 1m0s"},
		"hours long":      {head + "3600000,3600001\n", "line 2: sent_ms 3600000: a trace is at most 1h0m0s long"},
		"a long line":     {head + "0,18\n" + strings.Repeat("0", 100) + "\n", "line 3: over 62 bytes"},
		"an empty line":   {head + "0,18\n\n20,40\n", `line 3: sent_ms: "" is not`},
		"a binary":        {"\x7fELF\x00", "line 1:"},
		"an endless line": {strings.Repeat("x", 1<<20), "line 1: over 62 bytes"},
	} {
		_, err := trace.Read("x-in", strings.NewReader(c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "trace x-in") {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	broken := errors.New("broken")
	_, err := trace.Read("x-in", io.MultiReader(strings.NewReader(head+"0,18\n"), iotest.ErrReader(broken)))
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), "after line 2") {
		t.Error(err)
	}
}

func TestLoadSortsAndNames(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := trace.Load(dir); err == nil || !strings.Contains(err.Error(), "holds no .csv files") {
		t.Error(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "old.csv"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"b-in", "a-out", "b-out"} {
		write(name+".csv", "sent_ms,arrived_ms\r\n0,18\r\n20,40\r\n") // as spreadsheets write it, too
	}
	write("README.md", "what these are")
	traces, err := trace.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, tr := range traces {
		names = append(names, tr.Name)
		if tr.Delay(trace.Step) != 2*time.Millisecond {
			t.Errorf("%s: %v", tr.Name, tr.Delay(trace.Step))
		}
	}
	if got := fmt.Sprint(names); got != "[a-out b-in b-out]" {
		t.Error(got)
	}
	write("c-in.csv", "sent_ms,arrived_ms\n0,18\n20,17\n")
	if _, err := trace.Load(dir); err == nil || !strings.Contains(err.Error(), "trace c-in: line 3") {
		t.Error(err)
	}
	if _, err := trace.Load(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

func TestOpenAModel(t *testing.T) {
	traces, err := trace.Open("model:7")
	if err != nil || len(traces) != 200 || traces[0].Length() != 30*time.Second {
		t.Fatalf("%d traces, %v", len(traces), err)
	}
	for i := range traces {
		if j, ok := trace.Partner(traces, i); !ok || j != i^1 {
			t.Errorf("the partner of %s: %d", traces[i].Name, j)
		}
	}
	for _, source := range []string{"model:", "model:x", "model:-1"} {
		if _, err := trace.Open(source); err == nil || !strings.Contains(err.Error(), "as in model:1") {
			t.Errorf("%s: %v", source, err)
		}
	}
}

// What Read accepts keeps its promises.
func FuzzRead(f *testing.F) {
	for _, text := range []string{
		"", "sent_ms,arrived_ms\n", "sent_ms,arrived_ms\n0,18\n20,40\n", "sent_ms,arrived_ms\r\n40,18\r\n60,100",
		"sent_ms,arrived_ms\n0,60000\n3599980,3599980\n",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		tr, err := trace.Read("fuzz", strings.NewReader(text))
		if err != nil {
			if !strings.Contains(err.Error(), "line ") {
				t.Errorf("an error without a line: %v", err)
			}
			return
		}
		if tr.Length() > time.Hour {
			t.Errorf("%v long", tr.Length())
		}
		inOrder(t, tr)
	})
}
