package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
)

var errMore = errors.New("something follows the object")

// malformed says what is wrong with a request's body, for who has written it in
// whatever language.
func malformed(err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	var size *http.MaxBytesError
	field, unknown := strings.CutPrefix(err.Error(), "json: unknown field ") // which has no type of its own
	why := "it cannot be read"
	switch {
	case errors.Is(err, errMore):
		why = errMore.Error()
	case errors.As(err, &size):
		why = fmt.Sprintf("it is too large: over %d KiB", size.Limit>>10)
	case errors.Is(err, io.ErrUnexpectedEOF):
		why = "it ends in the middle"
	case errors.As(err, &syntax):
		why = fmt.Sprintf("it is no JSON, at byte %d", syntax.Offset)
	case errors.As(err, &kind) && kind.Field == "":
		why = "it is no object"
	case errors.As(err, &kind):
		why = fmt.Sprintf("%q takes %s", kind.Field, wanted(kind.Type))
	case unknown:
		why = field + " is no field that is known here"
	}
	return usage{fmt.Errorf("the body is not what is wanted here: %s", why)}
}

// wanted is what a field takes, as JSON calls it.
func wanted(t reflect.Type) string {
	if t.Kind() == reflect.Bool {
		return "true or false"
	}
	return "a string"
}
