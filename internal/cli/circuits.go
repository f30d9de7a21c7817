package cli

import (
	"errors"
	"strconv"
)

// circuits is how many circuits a call keeps open.
type circuits int

func (n *circuits) String() string { return strconv.Itoa(int(*n)) }

// Type is what help shows.
func (*circuits) Type() string { return "int" }

// Set takes 1 to 8.
func (n *circuits) Set(text string) error {
	i, err := strconv.Atoi(text)
	if err != nil || i < 1 || i > 8 {
		return errors.New("it is a number from 1 to 8")
	}
	*n = circuits(i)
	return nil
}
