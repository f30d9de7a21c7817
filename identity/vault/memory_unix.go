//go:build unix

package vault

import (
	"fmt"
	"reflect"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/sottovoce/sotto/identity"
)

// secretPage is memory outside of Go's, of n bytes or more, locked and kept
// from dumps as far as the system's limits allow (ulimit -l).
func secretPage(n int) []byte {
	page, err := unix.Mmap(-1, 0, n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return make([]byte, n)
	}
	_ = unix.Mlock(page)
	keepFromDumps(page)
	return page
}

func freePage(page []byte) { _ = unix.Munmap(page) } // refuses what is Go's own

// lockKey keeps the pages that a key lies on from being swapped out, for as
// long as the process lives: objects in Go's memory stay where they are. The
// copy that crypto/ecdh has is found by reflection.
func lockKey(key *identity.Key) error {
	pages := []struct {
		at   unsafe.Pointer
		size uintptr
	}{{unsafe.Pointer(key), unsafe.Sizeof(*key)}}
	if f := reflect.ValueOf(key.ECDH()).Elem().FieldByName("privateKey"); f.Kind() == reflect.Slice {
		pages = append(pages, pages[0])
		pages[1].at, pages[1].size = f.UnsafePointer(), uintptr(f.Len())
	}
	for _, p := range pages {
		if err := unix.Mlock(unsafe.Slice((*byte)(p.at), p.size)); err != nil { // the kernel takes whole pages
			return fmt.Errorf("the key cannot be kept from swap space (see ulimit -l): %w", err)
		}
	}
	return nil
}
