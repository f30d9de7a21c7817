//go:build !unix

package onion

// trustworthy: owners and modes are not looked at here.
func trustworthy(path string) (string, error) { return path, nil }
