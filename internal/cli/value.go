package cli

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/pflag"
)

// take gives a flag a value, or says in plain words what it takes.
func take(f *pflag.Flag, text string) error {
	if err := f.Value.Set(text); err != nil {
		return plainly(f, err)
	}
	return nil
}

// plainly puts what the flags of Go's own types say of a wrong value in words for
// people; ours have theirs.
func plainly(f *pflag.Flag, err error) error {
	var number *strconv.NumError
	switch kind := f.Value.Type(); {
	case kind == "duration":
		return errors.New("it is a time with its unit, such as 40ms or 2.5s")
	case !errors.As(err, &number):
		return err
	case kind == "bool":
		return errors.New("it is true or false")
	case errors.Is(err, strconv.ErrRange):
		return errors.New("that is too large or too small a number")
	}
	return errors.New("it is a whole number")
}

// flagError is a flag that is wrong on the command line.
func flagError(err error) error {
	var wrong *pflag.InvalidValueError
	if errors.As(err, &wrong) {
		f := wrong.GetFlag()
		err = fmt.Errorf("invalid argument %q for --%s: %w", wrong.GetValue(), f.Name, plainly(f, wrong.Unwrap()))
	}
	return misuse{err}
}
