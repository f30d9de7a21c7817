// Command sotto makes voice calls between Tor onion services.
package main

import (
	"os"

	"github.com/sottovoce/sotto/internal/cli"
)

func main() { os.Exit(cli.Main(os.Args[1:])) }
