package clean

// #cgo CFLAGS: -O3
// #cgo LDFLAGS: -lm
// #include "sums.h"
import "C"

import "unsafe"

func cx(z *complex64) *C.struct_cx { return (*C.struct_cx)(unsafe.Pointer(z)) }

// complex transforms work, which is in bit-reversed order, in place.
func (t *transform) complex() { C.butterflies(cx(&t.work[0]), cx(&t.roots[0]), size/2) }

// believe makes y the echo that is believed to come of past, and residual the power
// by which that may be wrong.
func (e *echo) believe() {
	e.y = spectrum{}
	clear(e.residual[:])
	C.believe(cx(&e.y[0]), (*C.float)(&e.residual[0]), cx(&e.w[0][0]), cx(&e.past[0][0]), (*C.float)(&e.wrong[0][0]), C.int(e.now), parts, band)
}

// correct moves the way by what is in error, each part and bin as far as it may be
// wrong against what else is there.
func (e *echo) correct(kept float32) {
	C.learn(cx(&e.w[0][0]), (*C.float)(&e.wrong[0][0]), cx(&e.past[0][0]), cx(&e.error[0]), (*C.float)(&e.rate[0]), C.int(e.now), parts, band,
		leaks, C.float(kept), C.float(share))
}

// match says how alike a is to what begins at each sample of b, by normalised
// correlation, for as many as like has room for.
func match(like, a, b []float32) {
	_ = b[len(a)+len(like)-2]
	C.match((*C.float)(&like[0]), (*C.float)(&a[0]), (*C.float)(&b[0]), C.int(len(a)), C.int(len(like)))
}
