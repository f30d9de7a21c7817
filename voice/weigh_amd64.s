#include "textflag.h"

#define FOUR(at, sum) \
	MOVUPS at(AX), X4; \
	MOVUPS at(BX), X5; \
	MULPS X5, X4; \
	ADDPS X4, sum

// func weigh(samples, row []float32) float32
TEXT ·weigh(SB), NOSPLIT, $0-52
	MOVQ samples_base+0(FP), AX
	MOVQ row_base+24(FP), BX
	MOVQ row_len+32(FP), CX
	XORPS X0, X0
	XORPS X1, X1
	XORPS X2, X2
	XORPS X3, X3
	SHRQ $4, CX
	JZ done
sixteen:
	FOUR(0, X0)
	FOUR(16, X1)
	FOUR(32, X2)
	FOUR(48, X3)
	ADDQ $64, AX
	ADDQ $64, BX
	DECQ CX
	JNZ sixteen
done:
	ADDPS X1, X0
	ADDPS X3, X2
	ADDPS X2, X0
	MOVHLPS X0, X1
	ADDPS X1, X0
	MOVAPS X0, X1
	SHUFPS $0x55, X1, X1
	ADDSS X1, X0
	MOVSS X0, ret+48(FP)
	RET
