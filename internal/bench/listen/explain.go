package listen

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/sottovoce/sotto/jitter"
)

// explanation is the stream of jitter's decisions on one trace, and how each
// came about, as CSV: a row a decision.
type explanation struct {
	file *os.File
	w    *bufio.Writer
}

const explained = "now_ms,action,seq,skipped,speed,surplus_ms,target_ms,delay_ms,cushion_ms,margin_ms,lateness_ms\n"

// explain begins one in a folder; with no folder it is nil, and takes nothing.
func explain(dir, name string) (*explanation, error) {
	if dir == "" {
		return nil, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("a folder for explanations: %w", err)
	}
	f, err := os.Create(filepath.Join(dir, name+".csv"))
	if err != nil {
		return nil, fmt.Errorf("an explanation: %w", err)
	}
	x := &explanation{f, bufio.NewWriter(f)}
	x.w.WriteString(explained)
	return x, nil
}

func (x *explanation) add(e *jitter.Explained) {
	if x == nil {
		return
	}
	fmt.Fprintf(x.w, "%.0f,%v,%d,%d,%.3f", ms(e.Now), e.Action, e.Seq, e.Skipped, e.Speed)
	for _, d := range []time.Duration{e.Surplus, e.Target, e.Delay, e.Cushion, e.Margin, e.Lateness} {
		fmt.Fprintf(x.w, ",%.1f", ms(d))
	}
	x.w.WriteByte('\n') // the writer remembers an error until Flush
}

func (x *explanation) close() error {
	if x == nil {
		return nil
	}
	return errors.Join(x.w.Flush(), x.file.Close())
}
