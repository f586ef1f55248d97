/* Float evaluation of a recognised encoder on one event, with taps on every tensor that quantisation gives a format. */
#ifndef TS_ENCODER_EVAL_H
#define TS_ENCODER_EVAL_H
#include "base/err.h"
#include "graph/encoder.h"

/* Every place of the encoder that has a format of its own. Keyed by (layer, role); embed uses layer 0, head the last. */
#define TS_ROLES(X) \
    X(IN, "in", "model input, standardised") \
    X(EMBED_HIDDEN, "embed_hidden", "between the linears of the embedding, after the activation") \
    X(RES, "residual", "residual stream: layer input, attention and FFN branch outputs, sums, norm outputs") \
    X(QKV_IN, "qkv_in", "input of the q, k, v linears") \
    X(Q, "q", "queries, before scale") \
    X(K, "k", "keys") \
    X(V, "v", "values") \
    X(SCORE, "score", "scale * q.k in octaves (times log2 e)") \
    X(P, "p", "probabilities") \
    X(CTX, "ctx", "attention output before the output projection") \
    X(FFN_IN, "ffn_in", "input of the first FFN linear") \
    X(ACT_IN, "act_in", "FFN hidden before its activation") \
    X(HIDDEN, "hidden", "FFN hidden after its activation") \
    X(HEAD_IN, "head_in", "input of the head") \
    X(HEAD_HIDDEN, "head_hidden", "between the linears of the head, after the activation") \
    X(OUT, "out", "model output") \
    X(W, "w", "weights (never tapped)") \
    X(QK_IN, "qk_in", "queries and keys in front of their norm, where the model has one")
typedef enum {
#define X(id, name, doc) TS_ROLE_##id,
    TS_ROLES(X)
#undef X
        TS_ROLE_COUNT
} ts_role;
const char *ts_role_name(ts_role role);

/* Called with each tapped tensor: data [rows][cols]; for q, k, v, ctx cols = heads*d_head, head-major; for SCORE and P it is
   called once a head with [n][n] (head = 0...), else head = -1. `part` tells tensors of one (layer, role) apart: RES:
   0 layer input, 1 attention branch, 2 sum 1, 3 output of the norm behind that (where there is one), 4 FFN branch, 5 sum 2, 6 layer output,
   7 final norm output; QK_IN: 0 queries, 1 keys; EMBED_HIDDEN, HEAD_HIDDEN: index of the linear. */
typedef void (*ts_tap)(void *user, int layer, ts_role role, int part, int head, int rows, int cols, const float *data);

/* x: [n][features], standardised; y: [n][outputs] ([1][outputs] where pooled). n >= 0; n = 0 leaves y alone unless pooled,
   which is zeros then. tap may be NULL. Thread-safe. */
void ts_encoder_eval(const ts_encoder *enc, int n, const float *x, float *y, ts_tap tap, void *user);

/* Whether this machine has the memory for `at_once` such evaluations of n hits; with a tap all scores of a head are kept, n * n of them. */
bool ts_encoder_eval_fits(const ts_encoder *enc, int n, bool tapped, int at_once);

/* The same of one, and what to say where it is not so. */
bool ts_encoder_eval_check(const ts_encoder *enc, int n, bool tapped, ts_err *err);

#endif
