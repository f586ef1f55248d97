/* Slices of an integer model: what a part of a partitioned design computes. The whole model is a chain of blocks,

       cut 0   attention 0   cut 1   FFN 0   cut 2   attention 1   ...   FFN L-1   cut 2L

   with the embedding in front of the first and the head behind the last. At a cut one stream of residual tokens carries the whole state:
   d values of im->res each. (Post-norm: behind a block's norm. Pre-norm: on the residual stream. Never through a residual branch.)
   A slice is an integer model like any other: every later step takes it as it is, and slices run one after the other give the whole
   model's outputs bit for bit. */
#ifndef TS_SLICE_H
#define TS_SLICE_H
#include "quant/imodel.h"

/* The blocks between cuts `first` and `end`, 0 <= first < end <= 2 * layers. */
typedef struct ts_slice {
    int first, end;
    bool embed; /* with the embedding; first = 0 */
    bool head;  /* with the final norm, pooling and head; end = 2 * layers */
} ts_slice;

static inline int ts_block_count(const ts_imodel *im)
{
    return 2 * im->layers;
}

/* The slice with everything that belongs to these blocks: the embedding with the first one, the head with the last. */
static inline ts_slice ts_slice_between(const ts_imodel *im, int first, int end)
{
    return (ts_slice){first, end, first == 0, end == ts_block_count(im)};
}

/* The slice as a model; its tensors are those of `im`, which must have whole layers and outlive it; of a model without
   embedding or head (a slice itself) the ends have none either. Its name is the model's with the cuts
   behind it ("encreg_2_5"). NULL with a message where there is no such slice, or where it would take tokens from an embedding that is
   fused with the first QKV. */
const ts_imodel *ts_imodel_slice(ts_arena *arena, const ts_imodel *im, ts_slice slice, ts_err *err);

/* Real value of one unit of the residual tokens at a cut. */
double ts_cut_scale(const ts_imodel *im, int cut);

#endif
