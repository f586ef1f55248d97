/* Rounding of weights that keeps what a linear computes, not each weight: rounding errors of one row are chosen to cancel for inputs as
 * they occur. */
#ifndef TS_ROUND_H
#define TS_ROUND_H
#include <stdint.h>

#include "base/arena.h"

/* How inputs vary together: for a row of weight errors e [n] the output is wrong by e^T h e, mean square. */
typedef struct ts_curvature ts_curvature;

/* h [n][n]: covariance of the inputs, symmetric; noise > 0 is added to its diagonal (the variance of the inputs' own rounding). */
const ts_curvature *ts_curvature_new(ts_arena *arena, int n, const double *h, double noise);

/* q [rows][n] in -max ... max such that each row of w [rows][n] - scale[row] * q is small under the curvature: by successive rounding, each
   weight taking up the errors of those before it (nearest plane; the result of GPTQ), then single changes as long as one helps. */
void ts_round_rows(const ts_curvature *curvature, int rows, const double *w, const double *scale, int32_t max, int32_t *q);

#endif
