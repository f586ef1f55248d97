/* Number formats: how many bits each tensor has, keyed by (layer, role). Scales follow from calibration, not from here. */
#ifndef TS_FORMATS_H
#define TS_FORMATS_H
#include <jansson.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "graph/encoder.h"

/* id, name, default bits, least, most, whether each layer has its own, what it is */
#define TS_FORMATS(X) \
    X(IN, "in", 16, 4, 18, false, "model input, signed") \
    X(EMBED_HIDDEN, "embed_hidden", 12, 4, 18, false, "between the linears of the embedding, unsigned") \
    X(RES, "residual", 16, 8, 20, false, "residual stream, signed") \
    X(QKV_IN, "qkv_in", 12, 4, 18, true, "input of the q, k, v linears, signed") \
    X(Q, "q", 12, 4, 18, true, "queries, signed") \
    X(K, "k", 12, 4, 18, true, "keys, signed") \
    X(V, "v", 12, 4, 18, true, "values, signed") \
    X(SCORE, "score", 18, 8, 24, false, "attention scores, signed") \
    X(FRAC, "score_frac", 8, 2, 12, false, "fraction bits of a score, at most (fewer where scores would saturate)") \
    X(P, "p", 12, 4, 18, false, "probabilities, unsigned") \
    X(CTX, "ctx", 12, 4, 18, true, "attention output, signed") \
    X(FFN_IN, "ffn_in", 12, 4, 18, true, "input of the first FFN linear, signed") \
    X(ACT_IN, "act_in", 12, 4, 14, true, "index of the FFN's activation table, signed (no table for ReLU)") \
    X(HIDDEN, "hidden", 12, 4, 18, true, "FFN hidden after its activation, unsigned") \
    X(HEAD_IN, "head_in", 12, 4, 18, false, "input of the head, signed") \
    X(HEAD_HIDDEN, "head_hidden", 12, 4, 18, false, "between the linears of the head, unsigned") \
    X(OUT, "out", 18, 4, 24, false, "model output, signed") \
    X(W_EMBED, "w_embed", 12, 2, 16, false, "weights of the embedding") \
    X(W_QKV, "w_qkv", 12, 2, 16, true, "weights of q, k, v") \
    X(W_O, "w_o", 12, 2, 16, true, "weights of the output projection") \
    X(W_FFN1, "w_ffn1", 12, 2, 16, true, "weights of the first FFN linear") \
    X(W_FFN2, "w_ffn2", 12, 2, 16, true, "weights of the second FFN linear") \
    X(W_HEAD, "w_head", 12, 2, 16, false, "weights of the head")
typedef enum {
#define X(id, name, bits, least, most, per_layer, doc) TS_FMT_##id,
    TS_FORMATS(X)
#undef X
        TS_FMT_COUNT
} ts_fmt_key;

/* What the user asks of quantisation. */
typedef struct ts_formats {
    int layers;
    int *bits;          /* [TS_FMT_COUNT][layers]; a ring-wide format is the same in all layers */
    const char **fixed; /* [TS_FMT_COUNT][layers]: the node of the model's file that fixes these bits, NULL: they may be chosen */
    bool classifier;    /* outputs share one scale, so that their arg-max means something */
    void (*warn)(void *user, const char *message); /* NULL: warnings are dropped */
    void *warn_user;
    struct ts_room *room; /* hardware's (quant/room.h); NULL: as much as the model needs */
} ts_formats;

ts_formats *ts_formats_default(ts_arena *arena, int layers);

/* Changes formats as `text` says: either "NAME=BITS,..." where NAME may be "layers.N.NAME", "w" (all weights) or "act" (all
   activations but in, residual, score and out), in order; or the path of a JSON file: the same names as keys, and "layers" as an
   object {"3": {"q": 10}} or an array. The error lists the known names. NULL or "" changes nothing. */
bool ts_formats_parse(ts_formats *formats, const char *text, ts_err *err);

/* Sets the bits of a format for good, as `node` of the model's file prescribes; layer -1: of one that all layers share. Fails where the
   format cannot have so many. */
bool ts_formats_fix(ts_formats *formats, ts_fmt_key key, int layer, int bits, const char *node, ts_err *err);

int ts_formats_get(const ts_formats *formats, ts_fmt_key key, int layer);

/* Tells the user, where anybody listens. */
void ts_formats_warn(const ts_formats *formats, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* In all layers where the model's file does not fix it; bits outside the format's range become its nearest end. */
void ts_formats_set(ts_formats *formats, ts_fmt_key key, int bits);

/* With bits of its own; who is warned stays the same. */
ts_formats *ts_formats_copy(ts_arena *arena, const ts_formats *formats);

const char *ts_formats_name(ts_fmt_key key);                      /* as in --formats: "qkv_in" */
int ts_formats_widest(const ts_formats *formats, ts_fmt_key key); /* of all layers: what a ring has to provide */

/* For the report, and again a legal formats.json. New reference; "layers" is an array. */
json_t *ts_formats_json(const ts_formats *formats);

#endif
