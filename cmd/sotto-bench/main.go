// Command sotto-bench repeats sotto's measurements.
package main

import (
	"os"

	"github.com/sottovoce/sotto/internal/bench"
)

func main() { os.Exit(bench.Main(os.Args[1:])) }
