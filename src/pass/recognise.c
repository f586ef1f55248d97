/* Runs the graph on meanings (recognise_value.h) and reads the encoder off what the output means. */
#define TS_FAIL_CODE TS_UNSUPPORTED
#include "pass/recognise.h"

#include <stdarg.h>

#include "op/op.h"
#include "pass/recognise_value.h"

bool ts_rec_fail(rec *r, const ts_node *node, const char *fmt, ...)
{
    char what[sizeof r->err->msg];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    if (!node)
        return ts_fail(r->err, "%s: %s", r->graph->name, what);
    return ts_fail(r->err, "%s: node '%s' (%s%s%s): %s", r->graph->name, node->name, node->domain, node->domain[0] ? "." : "", node->type,
                   what);
}

bool ts_rec_channels(rec *r, int64_t channels)
{
    return channels <= REC_MAX_CHANNELS ||
           ts_rec_fail(r, r->node, "%lld values a hit are more than the %d that are supported", (long long)channels, REC_MAX_CHANNELS);
}

const char *ts_rec_name(const ts_node *node)
{
    return node ? node->name : "the model's input";
}

const char *ts_rec_kind_text(const rec_val *v)
{
    switch (v->kind) {
    case VAL_LINEAR:
        return "values of the hits";
    case VAL_POLY:
        return "part of a normalisation or an activation";
    case VAL_SCORE:
        return "attention scores";
    case VAL_EXP:
        return "exponentials of attention scores";
    case VAL_ROW:
        return "a number for each row of attention scores";
    case VAL_PROB:
        return "attention probabilities";
    case VAL_SIZE:
        return "sizes of the hits";
    case VAL_MASK:
        return "a mask";
    case VAL_SUM:
        return "a sum over the hits";
    case VAL_COUNT:
        return "the number of hits";
    case VAL_POSITION:
        return "something that depends on positions only";
    }
    BUG("unknown kind of value");
}

typedef struct handler {
    bool (*run)(rec *r, const ts_node *node);
    bool any_input; /* the value of the event may be any of its inputs; otherwise it is the first one */
} handler;

/* What each operator does to meanings; those without an entry have no hardware. */
static const handler handlers[TS_OP_COUNT] = {
    [TS_OP_Identity] = {ts_rec_move, false},
    [TS_OP_Dropout] = {ts_rec_move, false},
    [TS_OP_Reshape] = {ts_rec_move, false},
    [TS_OP_Flatten] = {ts_rec_move, false},
    [TS_OP_Squeeze] = {ts_rec_move, false},
    [TS_OP_Unsqueeze] = {ts_rec_move, false},
    [TS_OP_Transpose] = {ts_rec_move, false},
    [TS_OP_Slice] = {ts_rec_move, false},
    [TS_OP_Gather] = {ts_rec_move, false},
    [TS_OP_Split] = {ts_rec_move, false},
    [TS_OP_Concat] = {ts_rec_move, true},
    [TS_OP_Expand] = {ts_rec_move, false},
    [TS_OP_Tile] = {ts_rec_move, false},
    [TS_OP_Cast] = {ts_rec_cast, false},
    [TS_OP_CastLike] = {ts_rec_cast, false},
    [TS_OP_Add] = {ts_rec_binary, true},
    [TS_OP_Sub] = {ts_rec_binary, true},
    [TS_OP_Mul] = {ts_rec_binary, true},
    [TS_OP_Div] = {ts_rec_binary, true},
    [TS_OP_Pow] = {ts_rec_binary, true},
    [TS_OP_Sum] = {ts_rec_binary, true},
    [TS_OP_Max] = {ts_rec_binary, true},
    [TS_OP_Min] = {ts_rec_binary, true},
    [TS_OP_And] = {ts_rec_binary, true},
    [TS_OP_Or] = {ts_rec_binary, true},
    [TS_OP_Xor] = {ts_rec_binary, true},
    [TS_OP_Equal] = {ts_rec_binary, true},
    [TS_OP_Less] = {ts_rec_binary, true},
    [TS_OP_LessOrEqual] = {ts_rec_binary, true},
    [TS_OP_Greater] = {ts_rec_binary, true},
    [TS_OP_GreaterOrEqual] = {ts_rec_binary, true},
    [TS_OP_Not] = {ts_rec_unary, false},
    [TS_OP_Neg] = {ts_rec_unary, false},
    [TS_OP_Abs] = {ts_rec_unary, false},
    [TS_OP_Exp] = {ts_rec_unary, false},
    [TS_OP_Log] = {ts_rec_unary, false},
    [TS_OP_Sqrt] = {ts_rec_unary, false},
    [TS_OP_Reciprocal] = {ts_rec_unary, false},
    [TS_OP_Erf] = {ts_rec_unary, false},
    [TS_OP_Tanh] = {ts_rec_unary, false},
    [TS_OP_Sigmoid] = {ts_rec_unary, false},
    [TS_OP_Sign] = {ts_rec_unary, false},
    [TS_OP_Softplus] = {ts_rec_unary, false},
    [TS_OP_HardSigmoid] = {ts_rec_unary, false},
    [TS_OP_IsNaN] = {ts_rec_unary, false},
    [TS_OP_IsInf] = {ts_rec_unary, false},
    [TS_OP_Clip] = {ts_rec_unary, false},
    [TS_OP_QuantizeLinear] = {ts_rec_quantise, false},
    [TS_OP_DequantizeLinear] = {ts_rec_quantise, false},
    [TS_OP_ms_QuantizeLinear] = {ts_rec_quantise, false},
    [TS_OP_ms_DequantizeLinear] = {ts_rec_quantise, false},
    [TS_OP_qonnx_Quant] = {ts_rec_quant, false},
    [TS_OP_qonnx_IntQuant] = {ts_rec_quant, false},
    [TS_OP_Where] = {ts_rec_where, true},
    [TS_OP_ReduceMean] = {ts_rec_reduce, false},
    [TS_OP_ReduceSum] = {ts_rec_reduce, false},
    [TS_OP_ReduceMax] = {ts_rec_reduce, false},
    [TS_OP_ReduceMin] = {ts_rec_reduce, false},
    [TS_OP_ReduceProd] = {ts_rec_reduce, false},
    [TS_OP_ReduceSumSquare] = {ts_rec_reduce, false},
    [TS_OP_MatMul] = {ts_rec_matmul, true},
    [TS_OP_Gemm] = {ts_rec_gemm, true},
    [TS_OP_Einsum] = {ts_rec_einsum, true},
    [TS_OP_Softmax] = {ts_rec_softmax, false},
    [TS_OP_LogSoftmax] = {ts_rec_softmax, false},
    [TS_OP_LayerNormalization] = {ts_rec_norm_node, false},
    [TS_OP_BatchNormalization] = {ts_rec_channel_norm, false},
    [TS_OP_InstanceNormalization] = {ts_rec_channel_norm, false},
    [TS_OP_GroupNormalization] = {ts_rec_channel_norm, false},
    [TS_OP_RMSNormalization] = {ts_rec_norm_node, false},
    [TS_OP_SimplifiedLayerNormalization] = {ts_rec_norm_node, false},
    [TS_OP_Conv] = {ts_rec_conv, false},
    [TS_OP_ReduceL1] = {ts_rec_reduce, false},
    [TS_OP_ReduceL2] = {ts_rec_reduce, false},
    [TS_OP_ReduceLogSumExp] = {ts_rec_reduce, false},
    [TS_OP_GlobalAveragePool] = {ts_rec_reduce, false},
    [TS_OP_GlobalMaxPool] = {ts_rec_reduce, false},
    [TS_OP_ms_FusedMatMul] = {ts_rec_matmul, true},
    [TS_OP_ms_BiasGelu] = {ts_rec_bias_gelu, false},
    [TS_OP_ms_FastGelu] = {ts_rec_bias_gelu, false},
    [TS_OP_ms_SkipLayerNormalization] = {ts_rec_skip_norm, false},
    [TS_OP_ms_SkipSimplifiedLayerNormalization] = {ts_rec_skip_norm, false},
    [TS_OP_Attention] = {ts_rec_attention, true},
    [TS_OP_ms_Attention] = {ts_rec_fused_attention, false},
    [TS_OP_ms_MultiHeadAttention] = {ts_rec_multi_head_attention, false},
};

/* NULL for an operator that has no hardware. */
static const handler *handler_of(const ts_node *node)
{
    static const handler activation = {ts_rec_activation_node, false};
    if (ts_rec_is_activation(node))
        return &activation;
    return handlers[ts_kind(node)].run ? &handlers[ts_kind(node)] : NULL;
}

static bool all_known(const ts_node *node)
{
    for (int i = 0; i < node->outs; i++)
        if (!node->out[i]->known)
            return false;
    return true;
}

/* A node none of whose inputs depends on the event's values: a constant of the event's size, or something positional. */
static bool run_on_sizes(rec *r, const ts_node *node)
{
    const ts_shape *shape = &node->out[0]->shape;
    const ts_attr *value = ts_attr_find(node, "value");
    const ts_value *in = node->ins ? ts_in(node, 0) : NULL;
    double level = 0;
    const rec_val *out = NULL;
    if (ts_kind(node) == TS_OP_ConstantOfShape && (!value || ts_rec_uniform(value->t, &level)))
        out = ts_mask_fill(r, shape, level);
    else if ((ts_kind(node) == TS_OP_Expand || ts_kind(node) == TS_OP_Tile) && in && in->constant && ts_rec_uniform(in->constant, &level))
        out = ts_mask_fill(r, shape, level);
    if (!out) {
        rec_val *v = TS_NEW(r->arena, rec_val);
        *v = (rec_val){.kind = VAL_POSITION, .shape = shape, .node = node};
        out = v;
    }
    for (int i = 0; i < node->outs; i++)
        if (!node->out[i]->known)
            r->val[node->out[i]->id] = out;
    return true;
}

/* Codes of a QuantizeLinear may be moved and clipped. */
static bool takes_codes(const handler *h, const ts_node *node)
{
    return (h && (h->run == ts_rec_move || h->run == ts_rec_quantise)) || ts_kind(node) == TS_OP_Clip;
}

static bool run_node(rec *r, const ts_node *node)
{
    bool of_event = false, of_positions = false;
    r->node = node;
    for (int i = 0; i < node->ins; i++)
        if (node->in[i] && !node->in[i]->constant && r->val[node->in[i]->id]) {
            of_event |= r->val[node->in[i]->id]->kind != VAL_POSITION;
            of_positions |= r->val[node->in[i]->id]->kind == VAL_POSITION;
        }
    if (ts_kind(node) == TS_OP_Shape || ts_kind(node) == TS_OP_Size || !of_event)
        return all_known(node) || run_on_sizes(r, node);
    const handler *h = handler_of(node);
    const ts_value *first = ts_in(node, 0);
    for (int i = 0; i < node->ins; i++)
        if (node->in[i] && r->val[node->in[i]->id] && r->val[node->in[i]->id]->codes && !takes_codes(h, node))
            return ts_rec_fail(r, node,
                               "it computes with the codes of a QuantizeLinear; only models whose operators work on real numbers (QDQ) are "
                               "supported: a DequantizeLinear must come first");
    if (!h)
        return ts_rec_fail(
            r, node,
            "this operator has no hardware inside an encoder; what has: linear layers, attention, layer normalisation, ReLU, "
            "GELU, SiLU and a few others, residual connections, padding masks and pooling");
    if (of_positions && !h->any_input)
        return ts_rec_fail(r, node, "positions of hits are mixed into their values; positional models have no hardware");
    if (!h->any_input && (!first || !r->val[first->id]))
        return ts_rec_fail(r, node, "its first input must be computed from the hits");
    return h->run(r, node);
}

/* An axis of an input as the recogniser sees it. at: the axis of the tokens where their number is fixed. */
static rec_val *input_value(rec *r, const ts_value *in, int at)
{
    rec_val *v = TS_NEW(r->arena, rec_val);
    *v = (rec_val){.shape = &in->shape, .scale = 1.0};
    for (int i = 0; i < in->shape.rank; i++) {
        const ts_dim dim = in->shape.dim[i];
        if (ts_dim_is_hits(dim) || (r->tokens > 0 && i == at))
            ts_layout_add(&v->layout, REC_TOKEN, 0);
        else if (ts_dim_is_const(dim))
            ts_layout_add(&v->layout, REC_CONST, dim.c[0]);
        else
            return NULL;
    }
    return v;
}

/* The axis of the tokens in [1 ...][tokens][1 ...][channels], or -1. */
static int token_axis(const ts_value *v)
{
    const ts_shape *s = &v->shape;
    int at = -1, wide = 0;
    if (v->constant || v->dtype != TS_F32 || s->rank < 2 || !ts_dim_is_const(s->dim[s->rank - 1]) || s->dim[s->rank - 1].c[0] < 1)
        return -1;
    for (int i = 0; i < s->rank - 1; i++)
        if (!ts_dim_is(s->dim[i], 1)) {
            at = i;
            wide++;
        }
    const bool fits = wide == 1 && (ts_dim_is_hits(s->dim[at]) || (ts_dim_is_const(s->dim[at]) && s->dim[at].c[0] > 1));
    return fits ? at : -1;
}

bool ts_rec_is_tokens(const ts_value *v, int64_t *tokens)
{
    const int at = token_axis(v);
    if (at >= 0)
        *tokens = ts_dim_is_const(v->shape.dim[at]) ? v->shape.dim[at].c[0] : 0;
    return at >= 0;
}

/* The hits, in a graph that begins with its inputs: the floating-point one with the most values a hit. *most: how many. */
static const ts_value *find_hits(rec *r, int64_t *most)
{
    const ts_graph *g = r->graph;
    const ts_value *hits = NULL;
    for (int i = 0; i < g->inputs; i++) {
        const ts_value *in = g->input[i];
        if (in->constant || in->uses == 0)
            continue;
        const rec_val *v = input_value(r, in, token_axis(in));
        if (v && ts_is_float(in->dtype) && ts_layout_tokens(&v->layout) == 1 && ts_layout_rows(&v->layout) > *most) {
            *most = ts_layout_rows(&v->layout);
            hits = in;
        }
    }
    return hits;
}

/* Any other input is a mask, one value a hit. */
static bool take_mask(rec *r, const ts_value *in, const ts_value *hits)
{
    int at = in->shape.rank - 1;
    while (at > 0 && !ts_dim_is(in->shape.dim[at], r->tokens))
        at--;
    rec_val *v = input_value(r, in, at);
    if (!v || ts_layout_tokens(&v->layout) != 1 || ts_layout_rows(&v->layout) != 1)
        return ts_fail(r->err,
                       "%s: input '%s' is neither the hits [batch, hits, features] ('%s' is) nor a key-padding mask [batch, hits], one "
                       "value a hit",
                       r->graph->name, in->name, hits->name);
    v->kind = VAL_MASK;
    v->mask = ts_mask_input(r, in);
    v->level[1] = 1.0;
    r->val[in->id] = v;
    return true;
}

/* hits: a value inside the graph; NULL: one of its inputs. */
static bool take_inputs(rec *r, const rec_area *area, const ts_value *hits)
{
    const ts_graph *g = r->graph;
    int64_t most = 0;
    if (!hits)
        hits = find_hits(r, &most);
    if (!hits)
        return ts_fail(r->err, "%s: no input has the form [batch, hits, features] in floating point", g->name);
    rec_val *v = input_value(r, hits, token_axis(hits));
    CHECK(v);
    most = ts_layout_rows(&v->layout);
    if (!ts_rec_channels(r, most))
        return false;
    v->kind = VAL_LINEAR;
    v->form = ts_form_identity(r, ts_base_share(r, ts_base_new(r, BASE_INPUT, (int)most)));
    r->val[hits->id] = v;
    for (int i = 0; i < g->inputs; i++) {
        const ts_value *in = g->input[i];
        if (in != hits && !in->constant && in->uses > 0 && !(area && area->of_event[in->id]) && !take_mask(r, in, hits))
            return false;
    }
    r->hits = hits;
    return true;
}

int64_t ts_rec_work_limit(const ts_graph *g)
{
    enum { SMALL = 1 << 23, TIMES = 32 }; /* numbers that recognising any model may make; times those it has */
    int64_t constants = 0;
    for (int i = 0; i < g->values; i++)
        constants += g->value[i]->constant ? ts_count(g->value[i]->constant) : 0;
    return SMALL + TIMES * constants;
}

bool ts_rec_affordable(rec *r)
{
    return r->floats <= r->limit ||
           ts_rec_fail(
               r, r->node,
               "up to here the graph's linear parts multiply out to more than %lld numbers, many times what the file holds; simplify "
               "the model (merge its chains of linear operators) before compiling it",
               (long long)r->limit);
}

int ts_rec_run(rec *r, const rec_area *area, const ts_value *from, int last)
{
    const ts_graph *g = r->graph;
    const int first = from && from->producer ? from->producer->id + 1 : 0;
    if (!r->limit)
        r->limit = ts_rec_work_limit(g);
    if (!take_inputs(r, area, from))
        return first;
    for (int i = 0; area && i < area->sides && area->side[i] < first; i++)
        if (!run_node(r, g->node[area->side[i]]))
            return area->side[i];
    for (int i = first; i <= last; i++) {
        if (!run_node(r, g->node[i]))
            return i;
        if (!ts_rec_affordable(r))
            return i;
    }
    return last + 1;
}

const rec_form *ts_rec_output(rec *r, const ts_value *output)
{
    const rec_val *v = output->constant ? NULL : r->val[output->id];
    r->node = output->producer;
    if (!v) {
        ts_fail(r->err, "%s: output '%s' does not depend on the hits", r->graph->name, output->name);
        return NULL;
    }
    const rec_form *form = ts_rec_form(r, v);
    if (!form)
        return NULL;
    if (v->layout.count > 1 && v->layout.axis[0].kind == REC_CONST) {
        ts_rec_fail(r, r->node, "the output has its values before the hits; transpose it to [batch, hits, outputs]");
        return NULL;
    }
    return form;
}

const rec_base *ts_rec_held(rec *r, const rec_val *v)
{
    if (v && v->kind == VAL_POLY &&
        ts_layout_rows(&v->layout) == v->poly->x->width) { /* a norm whose operators have just been put together, perhaps */
        ts_err none = {""}, *err = r->err;
        r->err = &none;
        v = ts_rec_linear(r, v);
        r->err = err;
    }
    if (!v || v->kind != VAL_LINEAR || v->mask || v->codes || v->scale != 1.0 || ts_layout_tokens(&v->layout) != 1 ||
        v->layout.axis[0].kind != REC_TOKEN)
        return NULL;
    return ts_form_is_identity(v->form) ? v->form->term[0].base : ts_form_find(r, v->form);
}

static void find_cut(rec *r, const ts_value *v, const int *cut_of, int bases, const ts_value **cut)
{
    const rec_base *base = v && r->val[v->id] ? ts_rec_held(r, r->val[v->id]) : NULL;
    if (base && base->id < bases && cut_of[base->id] > 0 && !cut[cut_of[base->id] - 1])
        cut[cut_of[base->id] - 1] = v;
}

/* The first value of the graph that holds what flows at each cut. */
static const ts_value *const *find_cuts(rec *r)
{
    const ts_graph *g = r->graph;
    const int bases = r->bases;
    const ts_value **cut = TS_NEW_N(r->arena, const ts_value *, 2 * r->layers + 1);
    int *cut_of = TS_NEW_N(r->arena, int, bases);
    for (int i = 0; i <= 2 * r->layers; i++)
        cut_of[r->cut[i]->id] = i + 1;
    find_cut(r, r->hits, cut_of, bases, cut);
    for (int i = 0; i < g->nodes; i++)
        for (int k = 0; k < g->node[i]->outs; k++)
            find_cut(r, g->node[i]->out[k], cut_of, bases, cut);
    return cut;
}

ts_recognition *ts_rec_recognise(ts_arena *arena, const ts_graph *g, const rec_area *area, const ts_value *from, const ts_value *to,
                                 int64_t tokens, ts_err *err, int *reached)
{
    rec r = {.arena = arena, .graph = g, .err = err, .tokens = tokens, .val = TS_NEW_N(arena, const rec_val *, g->values)};
    const int last = to->producer ? to->producer->id : -1, run = ts_rec_run(&r, area, from, last);
    if (reached)
        *reached = run;
    const rec_form *form = run > last ? ts_rec_output(&r, to) : NULL;
    const ts_encoder *enc = form ? ts_rec_match(&r, form) : NULL;
    if (!enc)
        return NULL;
    ts_recognition *found = TS_NEW(arena, ts_recognition);
    *found = (ts_recognition){.encoder = enc,
                              .from = r.hits,
                              .to = to,
                              .has_embed = !r.bare_embed,
                              .has_head = !r.bare_head || enc->pool != TS_POOL_NONE,
                              .tokens = tokens,
                              .cut = find_cuts(&r)};
    return found;
}

/* Where no input has an axis of hits of its own: the tokens that the largest one fixes, or 0. */
static int64_t fixed_tokens(const ts_graph *g)
{
    int64_t tokens = 0, n;
    double most = 0;
    for (int i = 0; i < g->inputs; i++) {
        const ts_value *in = g->input[i];
        double size = 1;
        for (int k = 0; k < in->shape.rank; k++) {
            if (!ts_dim_is_const(in->shape.dim[k]))
                return 0;
            size *= (double)in->shape.dim[k].c[0];
        }
        if (in->uses > 0 && size > most && ts_rec_is_tokens(in, &n)) {
            most = size;
            tokens = n;
        }
    }
    return tokens;
}

const ts_recognition *ts_recognise_reached(ts_arena *arena, const ts_graph *g, ts_err *err, int *reached)
{
    *reached = 0;
    if (g->outputs != 1) {
        ts_fail(err, "%s: the model has %d outputs; one is supported: join them with a Concat along the channels, or export one", g->name,
                g->outputs);
        return NULL;
    }
    const ts_recognition *found = ts_rec_recognise(arena, g, NULL, NULL, g->output[0], fixed_tokens(g), err, reached);
    if (!found && !ts_has_attention(g)) {
        *err = (ts_err){""};
        ts_fail(
            err,
            "%s: there is no encoder in this model: none of its %d nodes is attention, a product of queries with keys through a softmax",
            g->name, g->nodes);
    }
    return found;
}

const ts_recognition *ts_recognise_whole(ts_arena *arena, const ts_graph *g, ts_err *err)
{
    int reached;
    return ts_recognise_reached(arena, g, err, &reached);
}

const ts_encoder *ts_recognise(ts_arena *arena, const ts_graph *g, ts_err *err)
{
    const ts_recognition *whole = ts_recognise_whole(arena, g, err);
    return whole ? whole->encoder : NULL;
}

bool ts_rec_is_known(const ts_node *node)
{
    return handler_of(node) && (ts_kind(node) != TS_OP_Conv || ts_rec_conv_is_linear(node));
}

bool ts_rec_is_quantiser(const ts_node *node)
{
    return handlers[ts_kind(node)].run == ts_rec_quantise || handlers[ts_kind(node)].run == ts_rec_quant;
}
