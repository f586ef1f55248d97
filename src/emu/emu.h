/* Executes the integer model, bit for bit what the hardware does (docs/numerics.md). */
#ifndef TS_EMU_H
#define TS_EMU_H
#include "quant/imodel.h"

/* Called with each tensor, the same (layer, role, part) as the float reference's ts_tap (SCORE and P: part = head, [n][n]). Layers of a
   slice count from its first; its tokens are role IN where they enter and OUT where they leave.
   data: [rows][cols]; the real value of data[r][c] is data * scale[c] + (offset ? offset[c] : 0). SCORE and P have one scale and
   the weights of one row of P do not sum to one: the division comes after the weighted sum. */
typedef void (*ts_emu_tap)(void *user, int layer, ts_role role, int part, int rows, int cols, const int32_t *data, const double *scale,
                           const double *offset);

typedef enum {
    TS_EMU_AUTO,     /* the fastest kernels this machine has */
    TS_EMU_PORTABLE, /* plain C twins of the vector kernels */
} ts_emu_kind;

typedef struct ts_emu ts_emu; /* a model packed for execution; const once made, shared by threads */

/* `im` must outlive the result; a slice (quant/slice.h) runs like a whole model, from residual tokens or to them. */
const ts_emu *ts_emu_new(ts_arena *arena, const ts_imodel *im, ts_emu_kind kind);

/* x: [n][features], y: [n][outputs] ([1][outputs] where pooled; zeros for n = 0). n >= 0. tap may be NULL. Thread-safe. */
void ts_emu_run(const ts_emu *emu, int n, const int32_t *x, int32_t *y, ts_emu_tap tap, void *user);

/* Many events, one thread each as far as there are processors. */
void ts_emu_run_events(const ts_emu *emu, int events, const int *n, const int32_t *const *x, int32_t *const *y);

/* The specification as code: the same results straight from num/fixed.h, without packing or vectors. Slow. */
void ts_emu_reference(const ts_imodel *im, int n, const int32_t *x, int32_t *y, ts_emu_tap tap, void *user);

/* Host side: x_int = clamp(floor(x / in_scale + 0.5)); x is finite. */
void ts_quantise_input(const ts_imodel *im, int n, const float *x, int32_t *x_int);
void ts_dequantise_output(const ts_imodel *im, int rows, const int32_t *y_int, double *y);

#endif
