/* Models that were quantised in training (QuantizeLinear and DequantizeLinear in the file): what the file prescribes, in the integer
   model's terms. docs/quantised-models.md says what is kept exactly, what nearly, and what is refused. */
#ifndef TS_GIVEN_H
#define TS_GIVEN_H
#include "graph/encoder.h"
#include "quant/activation.h"
#include "quant/formats.h"

/* How the codes of a tensor are held here. */
typedef enum {
    TS_GIVEN_SIGNED,   /* code - zero point: zero is zero */
    TS_GIVEN_OFFSET,   /* signed, around the middle of the codes: real = y * scale + offset */
    TS_GIVEN_POSITIVE, /* unsigned, code - zero point: what is negative never occurs, or is cut off by a ReLU */
    TS_GIVEN_UNSIGNED, /* unsigned, from the lowest code on: real = y * scale + offset */
} ts_given_kind;

/* Bits of such a format: as many as the file has where its codes are +-(2^(b-1) - 1), -2^(b-1) ... 2^(b-1) - 1 or 0 ... 2^b - 1. */
int ts_given_bits(const ts_given *g, ts_given_kind kind);

/* Real value of y = 0 in channel c; 0 for the kinds without an offset. */
double ts_given_offset(const ts_given *g, int c, ts_given_kind kind);

bool ts_given_uniform(const ts_given *g); /* one scale and one zero point for all channels */

/* The least scale from `scale` on that requantises exactly (17 bits of m, docs/numerics.md) to that of g: with it, the steps of a stage
   input are the file's to the last bit. g may be NULL or have several scales: `scale` then. */
double ts_given_snap(double scale, const ts_given *g);

/* What the file says of a layer's tensors; members are NULL where it says nothing. */
typedef struct ts_given_layer {
    const ts_given *qkv_in, *q, *k, *v, *p, *ctx, *ffn_in, *act_in, *hidden;
    bool qkv_weights, o_weights, ffn1_weights, ffn2_weights; /* integers */
} ts_given_layer;
ts_given_layer ts_given_of_layer(const ts_encoder *enc, int layer);

/* What stands between linear `i` of an MLP and the next one; NULL where the file says nothing. */
const ts_given *ts_given_mlp_hidden(const ts_mlp *mlp, int i);

/* Scales of an activation: between two linears (g may be NULL), and of the table that all layers share: the coarsest of the layers', since
   with it none saturates earlier than the file has it. */
ts_act_given ts_given_hidden(ts_act act, const ts_given *g);
ts_act_given ts_given_table(const ts_encoder *enc);

/* Whether the file says anything of the first layer's queries, keys and values or what they are made from: they are then computed as the
   file has it, not fused with the embedding. */
bool ts_given_keeps_qkv0(const ts_encoder *enc);

/* Takes the file's bits into `formats`, where they are fixed from then on: ts_formats_parse refuses others. Fails where the hardware
   cannot have them, naming the node. What is kept in another way than the file asks goes to formats->warn. To be called between
   ts_formats_default and ts_formats_parse. */
bool ts_given_formats(ts_formats *formats, const ts_encoder *enc, ts_err *err);

#endif
