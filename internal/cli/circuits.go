package cli

import (
	"fmt"
	"strconv"
)

// mostCircuits is the most that a call keeps open.
const mostCircuits = 8

// circuits is how many circuits a call keeps open.
type circuits int

func (n *circuits) String() string { return strconv.Itoa(int(*n)) }

// Type is what help shows.
func (*circuits) Type() string { return "int" }

// Set takes 1 to 8.
func (n *circuits) Set(text string) error {
	i, err := strconv.Atoi(text)
	if err != nil || i < 1 || i > mostCircuits {
		return fmt.Errorf("it is a number from 1 to %d", mostCircuits)
	}
	*n = circuits(i)
	return nil
}
