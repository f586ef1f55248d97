/* The inner loops of the emulator, each in plain C and with AVX2. The operands are pairs of 16-bit integers in one 32-bit word (low half
   first), because one instruction multiplies both and adds. The twins agree on every bit: all arithmetic is exact. */
#ifndef TS_EMU_KERNELS_H
#define TS_EMU_KERNELS_H
#include <stdint.h>

enum { TS_LANES = 8 }; /* 32-bit words of a vector; widths are padded to a multiple */

static inline int ts_padded(int n)
{
    return (n + TS_LANES - 1) / TS_LANES * TS_LANES;
}

typedef struct ts_kernels {
    /* acc[row][o] = sum over pairs of x[row][pair] . w[pair][o]; x: [rows][pairs], w: [pairs][out], acc: [rows][out], out padded. */
    void (*product)(int rows, int pairs, int out, const int32_t *x, const int32_t *w, int32_t *acc);
    /* score[j] = clamp(round(q . k_j / 2^shift), +-limit) for j < padded n; q: [pairs], k: [pairs][padded n]. Returns the largest of the
       first n. */
    int32_t (*scores)(int n, int pairs, const int32_t *q, const int32_t *k, int shift, int32_t limit, int32_t *score);
    /* p[j] = exp2(score[j] - max) for j < n and 0 up to padded n; returns their sum. */
    int64_t (*weights)(int n, const int32_t *score, int32_t max, const uint32_t *exp2, int frac_bits, int16_t *p);
    /* acc[c] = sum_j p_j v_jc; p: [pairs], v: [pairs][width], width padded. `block` pairs fit a 32-bit sum. */
    void (*context)(int pairs, int width, int block, const int32_t *p, const int32_t *v, int64_t *acc);
} ts_kernels;

extern const ts_kernels ts_kernels_portable;

const ts_kernels *ts_kernels_best(void); /* of this machine */

#endif
