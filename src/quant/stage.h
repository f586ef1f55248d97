/* Building blocks of quantisation: real weights and scales in, the integers of one hardware stage out. A stage serves all
   layers of a ring, so its shifts are chosen over all of them at once, with the margin of a room; or they are those of hardware that is
   there: kept, of one of its layers. What does not fit them is noted in the room. */
#ifndef TS_STAGE_H
#define TS_STAGE_H
#include "quant/imodel.h"
#include "quant/room.h"
#include "quant/round.h"

/* One linear in real numbers: acc = sum w[o][i] * x[i] + b[o] where x are integers (their scales are folded into w), and the
   output integer is acc / y_scale[o]. */
typedef struct ts_lin_plan {
    const char *name; /* for messages */
    int in, out;
    double *w;            /* [out][in] */
    double *b;            /* [out] */
    const double *w_unit; /* [out] or NULL: weights of output o are whole multiples of it, in the units of w; 0: they are not */
    ts_fmt x;
    int w_bits;
    double *y_scale;               /* [out], > 0 */
    ts_fmt y;                      /* format after requantisation */
    const ts_curvature *curvature; /* of the inputs as integers; NULL: every weight is rounded to the nearest */
    const double *x_mean;          /* [in]: their mean; NULL where there is no curvature */
} ts_lin_plan;

/* Makes in, out, x, w_bits, w, bias, acc_bits, rq and y_scale of `count` linears that share a stage. `dead_rows` (may be NULL)
   gets the number of outputs of each linear whose weights are all zero. */
bool ts_build_linears(ts_arena *arena, int count, const ts_lin_plan *plan, ts_ilin *const *lin, int *dead_rows, ts_room *room,
                      const ts_rq *kept, ts_err *err);

/* Requantisation of a stage input in real numbers: real = x * x_scale = y * y_scale[c] + y_offset[c], as near as integers come. */
typedef struct ts_rq_plan {
    const char *name; /* for messages */
    int count;
    double x_scale;
    ts_fmt x, y;
    double *y_scale, *y_offset; /* [count], wanted */
} ts_rq_plan;

/* Makes `count` requantisations that share a stage. Their y_scale and y_offset are what the integers really do; fold these into the next
   weights, not the wanted ones. Fails where a scale or an offset is not finite. */
bool ts_build_rqs(ts_arena *arena, int count, const ts_rq_plan *plan, ts_rq *const *rq, ts_room *room, const ts_rq *kept, ts_err *err);

/* Largest magnitude that the accumulator of a linear can have at any step of summation, in any order, for any input. */
int64_t ts_acc_bound(const ts_ilin *lin);

enum { TS_RQ_IN_BITS = 25, TS_M_BITS = 17, TS_B_BITS = 43, TS_E_MAX = 7 }; /* see ts_requant */

#endif
