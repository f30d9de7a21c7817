//go:build !linux

package onion

import "syscall"

// dieWithParent: no kernel but Linux's offers it, so tor's own
// __OwningControllerProcess has to do, and takes some 15 s.
func dieWithParent() *syscall.SysProcAttr { return nil }
