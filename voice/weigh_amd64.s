#include "textflag.h"

#define FOUR(at) \
	MOVUPS at(AX), X1; \
	MOVUPS at(BX), X2; \
	MULPS X2, X1; \
	ADDPS X1, X0

// func weigh(samples, row *[32]float32) float32
TEXT ·weigh(SB), NOSPLIT, $0-20
	MOVQ samples+0(FP), AX
	MOVQ row+8(FP), BX
	XORPS X0, X0
	FOUR(0)
	FOUR(16)
	FOUR(32)
	FOUR(48)
	FOUR(64)
	FOUR(80)
	FOUR(96)
	FOUR(112)
	// The four sums, in the order that weigh_other.go has.
	MOVAPS X0, X1
	SHUFPS $0x55, X1, X1
	MOVAPS X0, X2
	SHUFPS $0xaa, X2, X2
	MOVAPS X0, X3
	SHUFPS $0xff, X3, X3
	ADDSS X1, X0
	ADDSS X2, X0
	ADDSS X3, X0
	MOVSS X0, ret+16(FP)
	RET
