#define TS_FAIL_CODE TS_UNSUPPORTED
#include "host/assist.h"

#include <stdlib.h>
#include <string.h>

#include "graph/encoder_part.h"
#include "op/op.h"
#include "pass/subgraph.h"

/* One end of a range: the cut in front of a stage and the cut behind it, or the embedding or head beyond the first or last cut. */
typedef struct stage {
    int first, end;
    bool embed, head;
} stage;

static bool parse_stage(const char *text, size_t length, bool last, int layers, stage *s)
{
    static const char prefix[] = "layers.";
    char name[64];
    if (length == 0 || length >= sizeof name)
        return false;
    memcpy(name, text, length);
    name[length] = 0;
    if (strcmp(name, "embed") == 0) {
        *s = (stage){0, 0, true, false};
        return true;
    }
    if (strcmp(name, "head") == 0) {
        *s = (stage){2 * layers, 2 * layers, false, true};
        return true;
    }
    const bool full = strncmp(name, prefix, strlen(prefix)) == 0;
    const char *number = full ? name + strlen(prefix) : name;
    char *end = NULL;
    const long n = strtol(number, &end, 10);
    if ((!full && !last) || *number < '0' || *number > '9' || n < 0 || n >= layers)
        return false;
    const int at = 2 * (int)n;
    *s = strcmp(end, ".attention") == 0 ? (stage){at, at + 1, false, false}
         : strcmp(end, ".ffn") == 0     ? (stage){at + 1, at + 2, false, false}
                                        : (stage){at, at + 2, false, false};
    return !*end || *end == '.' ? strcmp(end, "") == 0 || strcmp(end, ".attention") == 0 || strcmp(end, ".ffn") == 0 : false;
}

static bool wrong_range(const char *text, const char *what, const ts_encoder *enc, ts_err *err)
{
    const int last = enc->layers - 1;
    char layers[64] = "layers.0";
    if (last > 0)
        snprintf(layers, sizeof layers, "layers.0 ... layers.%d", last);
    return ts_fail_as(
        err, TS_USAGE,
        "%s %s: %s; this model has embed, %s, head, and each layer N its layers.N.attention and layers.N.ffn. Give one of them, or "
        "FIRST-LAST in this order, with half a layer at least: such as layers.0, embed-layers.0.attention or layers.%d.ffn-head",
        ts_option("hardware"), text, what, layers, last);
}

static bool parse_range(const char *text, const ts_encoder *enc, ts_slice *slice, ts_err *err)
{
    const char *dash = strchr(text, '-');
    stage first, last;
    if (!parse_stage(text, dash ? (size_t)(dash - text) : strlen(text), false, enc->layers, &first))
        return wrong_range(text, "its first stage is not one of this model", enc, err);
    last = first;
    if (dash && !parse_stage(dash + 1, strlen(dash + 1), true, enc->layers, &last))
        return wrong_range(text, "its last stage is not one of this model", enc, err);
    *slice = (ts_slice){first.first, last.end, first.embed, last.head};
    return (slice->first < slice->end && !first.head && !last.embed) || wrong_range(text, "nothing of a layer is in it", enc, err);
}

/* The value of the graph at a cut of the recognised encoder. */
static const ts_value *value_at(const ts_recognition *found, int cut, const ts_value *end, bool at_end, ts_err *err)
{
    const ts_value *v = at_end ? end : found->cut[cut];
    if (!v)
        ts_fail(err, "%s: no value of the graph holds the tokens %s alone, so that the host cannot take over there; cut elsewhere",
                found->encoder->name, cut % 2 ? "between a layer's attention and its FFN" : "between two layers");
    return v;
}

/* "layers.2-4", in the names that are parsed. */
static const char *slice_text(ts_arena *arena, ts_slice s)
{
    const int first = s.first / 2, last = (s.end - 1) / 2;
    const char *from = s.embed ? "embed"
                               : ts_printf(arena, "layers.%d%s", first,
                                           s.first % 2            ? ".ffn"
                                           : s.end == s.first + 1 ? ".attention"
                                                                  : "");
    if (s.head)
        return ts_printf(arena, "%s-head", from);
    if (s.end - s.first <= 2 - s.first % 2 && !s.embed)
        return from;
    return ts_printf(arena, "%s-%s%d%s", from, s.embed ? "layers." : "", last, s.end % 2 ? ".attention" : "");
}

/* Multiply-accumulates of a part of a graph for an event of n hits, and how many of its operators are attention. */
static double work_of(const ts_graph *g, double n, int *attentions)
{
    double macs = 0;
    for (int i = 0; g && i < g->nodes; i++) {
        const ts_node *node = g->node[i];
        const ts_value *x = ts_in(node, 0), *w = ts_in(node, 1);
        const ts_shape *s = x ? &x->shape : NULL;
        double out = 1, keys = 0;
        for (int k = 0; k < node->out[0]->shape.rank; k++)
            out *= (double)ts_dim_at(node->out[0]->shape.dim[k], (int64_t)n);
        switch ((int)ts_kind(node)) {
        case TS_OP_MatMul:
        case TS_OP_Gemm:
        case TS_OP_Einsum:
        case TS_OP_ms_FusedMatMul:
            macs += s->rank ? out * (double)ts_dim_at(s->dim[s->rank - 1], (int64_t)n) : 0;
            break;
        case TS_OP_Conv:
            macs += w->constant && w->shape.rank ? out * (double)ts_count(w->constant) / (double)w->constant->dim[0] : 0;
            break;
        case TS_OP_Attention:
            keys = s->rank > 1 ? (double)ts_dim_at(s->dim[s->rank == 4 ? 2 : 1], (int64_t)n) : 0;
            macs += 2 * out * keys;
            ++*attentions;
            break;
        case TS_OP_ms_Attention:
        case TS_OP_ms_MultiHeadAttention:
            ++*attentions;
            break;
        case TS_OP_Softmax:
            *attentions += s->rank > 2 && !node->out[0]->is_output && ts_dim_equal(s->dim[s->rank - 1], s->dim[s->rank - 2]);
            break;
        default:
            break;
        }
    }
    return macs;
}

/* What somebody who wants hardware should know of the host's share, or NULL. */
static const char *warn_of_host(ts_arena *arena, const ts_assist *a)
{
    enum { USUAL = 100, MOST = 50 }; /* hits of an event; per cent */
    const double n = a->tokens ? (double)a->tokens : USUAL;
    int attentions = 0;
    const double host = work_of(a->host.front, n, &attentions) + work_of(a->host.back, n, &attentions);
    const double share = 100 * host / (host + ts_encoder_macs(a->encoder, n) + 1);
    const char *why = a->why ? ts_printf(arena, ": %s", a->why) : "";
    if (attentions > 0)
        return ts_printf(arena,
                         "the host, one thread in floating point, computes %d of the model's %d attention blocks and %.0f %% of its "
                         "multiply-accumulates%s",
                         attentions, attentions + a->encoder->layers, share, why);
    if (share > MOST)
        return ts_printf(arena, "the host, one thread in floating point, computes %.0f %% of the model's multiply-accumulates%s", share,
                         why);
    return NULL;
}

bool ts_assist_choose(ts_arena *arena, const ts_graph *g, const ts_recognition *found, const char *hardware, ts_assist *assist, ts_err *err)
{
    const ts_encoder *enc = found->encoder;
    ts_slice slice = {0, 2 * enc->layers, found->has_embed, found->has_head};
    if (hardware && !parse_range(hardware, enc, &slice, err))
        return false;
    slice.embed = slice.embed && found->has_embed;
    slice.head = slice.head && found->has_head;
    const int first = slice.first / 2, end = (slice.end + 1) / 2;
    const ts_value *from = value_at(found, slice.first, found->from, slice.embed, err),
                   *to = value_at(found, slice.end, found->to, slice.head, err);
    const ts_value *start = from ? value_at(found, 2 * first, found->from, slice.embed, err) : NULL;
    if (!from || !to || !start)
        return false;
    *assist = (ts_assist){.encoder = ts_encoder_part(arena, enc, first, end, slice.embed, slice.head),
                          .slice = {slice.first - 2 * first, slice.end - 2 * first, slice.embed, slice.head},
                          .hardware = slice_text(arena, slice),
                          .why = found->why,
                          .tokens = found->tokens};
    const bool keep = enc->mask == TS_MASK_INPUT && enc->mask_keeps;
    if (!ts_host_open(arena, g, from, to, keep, &assist->host, err) || !ts_host_open(arena, g, start, to, keep, &assist->calibrate, err))
        return false;
    assist->front = assist->host.front ? ts_graph_operators(arena, assist->host.front) : "";
    assist->back = assist->host.back ? ts_graph_operators(arena, assist->host.back) : "";
    assist->warning = warn_of_host(arena, assist);
    return true;
}

bool ts_assist_tokens(ts_arena *arena, const ts_assist *assist, const ts_events *events, ts_assist_events *made, ts_err *err)
{
    made->tokens = ts_host_events(arena, &assist->host, events, NULL, err);
    made->floating = made->tokens && assist->calibrate.from != assist->host.from
                         ? ts_host_events(arena, &assist->calibrate, events, NULL, err)
                         : made->tokens;
    return made->floating != NULL;
}
