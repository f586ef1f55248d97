/* Runs the graph on meanings (recognise_value.h) and reads the encoder off what the output means. */
#include "pass/recognise.h"

#include <stdarg.h>

#include "op/op.h"
#include "pass/recognise_value.h"
#include "pass/subgraph.h"

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
    case VAL_LINEAR: return "values of the hits";
    case VAL_POLY: return "part of a normalisation or an activation";
    case VAL_SCORE: return "attention scores";
    case VAL_PROB: return "attention probabilities";
    case VAL_MASK: return "a mask";
    case VAL_SUM: return "a sum over the hits";
    case VAL_COUNT: return "the number of hits";
    case VAL_POSITION: return "something that depends on positions only";
    }
    BUG("unknown kind of value");
}

typedef struct handler {
    bool (*run)(rec *r, const ts_node *node);
    bool any_input; /* the value of the event may be any of its inputs; otherwise it is the first one */
} handler;

static bool layer_norm(rec *r, const ts_node *node)
{
    const rec_val *v = r->val[ts_in(node, 0)->id];
    const ts_value *gain = ts_in(node, 1), *bias = ts_in(node, 2);
    rec_split split;
    if (!ts_rec_split(r, v, &split))
        return false;
    int64_t axis = ts_attr_int(node, "axis", -1), rows = 1;
    axis += axis < 0 ? split.rank : 0;
    for (int i = split.start[axis]; i < split.axes.count; i++)
        rows = split.axes.axis[i].kind == REC_CONST ? rows * split.axes.axis[i].size : -1;
    if (rows != ts_layout_rows(&v->layout))
        return ts_rec_fail(r, node, "the normalisation must run over all channels of a hit and nothing else");
    if ((gain && !gain->constant) || (bias && !bias->constant))
        return ts_rec_fail(r, node, "gain and bias must be constant");
    if ((node->outs > 1 && node->out[1]) || (node->outs > 2 && node->out[2]))
        return ts_rec_fail(r, node, "its mean or deviation is used on its own, which no encoder does");
    const rec_val *out =
        ts_rec_layer_norm(r, v, gain ? gain->constant : NULL, bias ? bias->constant : NULL, ts_attr_float(node, "epsilon", 1e-5));
    r->val[node->out[0]->id] = out;
    return out != NULL;
}

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
    [TS_OP_Relu] = {ts_rec_unary, false},
    [TS_OP_Gelu] = {ts_rec_unary, false},
    [TS_OP_ms_Gelu] = {ts_rec_unary, false},
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
    [TS_OP_LayerNormalization] = {layer_norm, false},
    [TS_OP_ms_FusedMatMul] = {ts_rec_matmul, true},
    [TS_OP_ms_BiasGelu] = {ts_rec_bias_gelu, false},
    [TS_OP_ms_FastGelu] = {ts_rec_bias_gelu, false},
    [TS_OP_ms_SkipLayerNormalization] = {ts_rec_skip_layer_norm, false},
    [TS_OP_ms_Attention] = {ts_rec_fused_attention, false},
    [TS_OP_ms_MultiHeadAttention] = {ts_rec_multi_head_attention, false},
};

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
        if (node->out[i] && !node->out[i]->constant)
            r->val[node->out[i]->id] = out;
    return true;
}

/* Codes of a QuantizeLinear may be moved and clipped. */
static bool takes_codes(const handler *h, const ts_node *node)
{
    return h->run == ts_rec_move || h->run == ts_rec_quantise || ts_kind(node) == TS_OP_Clip;
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
        return node->out[0]->known || run_on_sizes(r, node);
    const handler *h = &handlers[ts_kind(node)];
    const ts_value *first = ts_in(node, 0);
    for (int i = 0; i < node->ins; i++)
        if (node->in[i] && r->val[node->in[i]->id] && r->val[node->in[i]->id]->codes && !takes_codes(h, node))
            return ts_rec_fail(r, node,
                               "it computes with the codes of a QuantizeLinear; only models whose operators work on real numbers (QDQ) are "
                               "supported: a DequantizeLinear must come first");
    if (!h->run)
        return ts_rec_fail(
            r, node,
            "this operator has no hardware inside an encoder; what has: linear layers, attention, layer normalisation, ReLU, "
            "GELU, SiLU, residual connections, padding masks and pooling");
    if (of_positions && !h->any_input)
        return ts_rec_fail(r, node, "positions of hits are mixed into their values; positional models have no hardware");
    if (!h->any_input && (!first || !r->val[first->id]))
        return ts_rec_fail(r, node, "its first input must be computed from the hits");
    return h->run(r, node);
}

static rec_val *input_value(rec *r, const ts_value *in)
{
    rec_val *v = TS_NEW(r->arena, rec_val);
    *v = (rec_val){.shape = &in->shape, .scale = 1.0};
    for (int i = 0; i < in->shape.rank; i++) {
        const ts_dim dim = in->shape.dim[i];
        if (ts_dim_is_hits(dim) || (r->tokens > 0 && i == in->shape.rank - 2))
            ts_layout_add(&v->layout, REC_TOKEN, 0);
        else if (ts_dim_is_const(dim))
            ts_layout_add(&v->layout, REC_CONST, dim.c[0]);
        else
            return NULL;
    }
    return v;
}

/* The hits: the floating-point input with the most values a hit. Any other input that is used is a mask, one value a hit. */
static bool take_inputs(rec *r)
{
    const ts_graph *g = r->graph;
    int64_t most = 0;
    const ts_value *hits = NULL;
    for (int i = 0; i < g->inputs; i++) {
        const ts_value *in = g->input[i];
        if (in->constant || in->uses == 0)
            continue;
        const rec_val *v = input_value(r, in);
        if (!v || ts_layout_tokens(&v->layout) == 0)
            return ts_fail(r->err,
                           "%s: input '%s' has no axis of hits of its own; export the model with a dynamic axis for the hits "
                           "(dynamic_axes={'%s': {0: 'batch', 1: 'hits'}})",
                           g->name, in->name, in->name);
        if (ts_is_float(in->dtype) && ts_layout_tokens(&v->layout) == 1 && ts_layout_rows(&v->layout) > most) {
            most = ts_layout_rows(&v->layout);
            hits = in;
        }
    }
    if (!ts_rec_channels(r, most))
        return false;
    if (!hits)
        return ts_fail(r->err, "%s: no input has the form [batch, hits, features] in floating point", g->name);
    for (int i = 0; i < g->inputs; i++) {
        const ts_value *in = g->input[i];
        if (in->constant || in->uses == 0)
            continue;
        rec_val *v = input_value(r, in);
        r->val[in->id] = v;
        if (in == hits) {
            v->kind = VAL_LINEAR;
            v->form = ts_form_identity(r, ts_base_share(r, ts_base_new(r, BASE_INPUT, (int)most)));
            continue;
        }
        if (ts_layout_tokens(&v->layout) != 1 || ts_layout_rows(&v->layout) != 1)
            return ts_fail(r->err,
                           "%s: input '%s' is neither the hits [batch, hits, features] ('%s' is) nor a key-padding mask [batch, hits], one "
                           "value a hit",
                           g->name, in->name, hits->name);
        v->kind = VAL_MASK;
        v->mask = ts_mask_input(r, in);
        v->level[1] = 1.0;
    }
    return true;
}

/* Runs the graph on meanings; the form of its output. */
static const rec_form *run_graph(rec *r)
{
    const ts_graph *g = r->graph;
    r->val = TS_NEW_N(r->arena, const rec_val *, g->values);
    if (g->outputs != 1) {
        ts_fail(r->err, "%s: the model has %d outputs; one is supported: join them with a Concat along the channels, or export one", g->name,
                g->outputs);
        return NULL;
    }
    if (!take_inputs(r))
        return NULL;
    for (int i = 0; i < g->nodes; i++)
        if (!run_node(r, g->node[i]))
            return NULL;
    const ts_value *output = g->output[0];
    const rec_val *v = output->constant ? NULL : r->val[output->id];
    r->node = output->producer;
    if (!v) {
        ts_fail(r->err, "%s: output '%s' does not depend on the hits", g->name, output->name);
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

const ts_encoder *ts_recognise(ts_arena *arena, const ts_graph *g, ts_err *err)
{
    rec r = {.arena = arena, .graph = g, .err = err};
    const rec_form *form = run_graph(&r);
    return form ? ts_rec_match(&r, form) : NULL;
}

/* Whether a value of the graph holds the channels of `base`, token by token and nothing else. */
static bool holds(rec *r, const rec_val *v, const rec_base *base)
{
    if (v->kind == VAL_POLY && ts_layout_rows(&v->layout) == base->width) { /* a norm whose operators have just been put together, perhaps */
        ts_err none = {""}, *err = r->err;
        r->err = &none;
        v = ts_rec_linear(r, v);
        r->err = err;
    }
    if (!v || v->kind != VAL_LINEAR || v->mask || v->codes || v->scale != 1.0 || v->form->rows != base->width ||
        ts_layout_tokens(&v->layout) != 1 || v->layout.axis[0].kind != REC_TOKEN)
        return false;
    return (ts_form_is_identity(v->form) && v->form->term[0].base == base) || ts_form_find(r, v->form) == base;
}

/* The first value of the graph that holds what flows at a cut, by its name in the graph that this one is part of. */
static const ts_value *value_of(rec *r, const ts_graph *whole, const rec_base *base)
{
    for (int i = 0; i < r->graph->inputs; i++)
        if (r->val[r->graph->input[i]->id] && holds(r, r->val[r->graph->input[i]->id], base))
            return ts_graph_find(whole, r->graph->input[i]->name);
    for (int i = 0; i < r->graph->nodes; i++)
        for (int k = 0; k < r->graph->node[i]->outs; k++) {
            const ts_value *v = r->graph->node[i]->out[k];
            if (v && r->val[v->id] && holds(r, r->val[v->id], base))
                return ts_graph_find(whole, v->name);
        }
    return NULL;
}

/* The encoder that `part` computes, which is `whole` or a subgraph of it. tokens as in rec. */
static ts_recognition *recognise(ts_arena *arena, const ts_graph *whole, const ts_graph *part, int64_t tokens, ts_err *err)
{
    rec r = {.arena = arena, .graph = part, .err = err, .tokens = tokens};
    const rec_form *form = run_graph(&r);
    const ts_encoder *enc = form ? ts_rec_match(&r, form) : NULL;
    if (!enc)
        return NULL;
    const ts_value **cut = TS_NEW_N(arena, const ts_value *, 2 * r.layers + 1);
    for (int i = 0; i <= 2 * r.layers; i++)
        cut[i] = value_of(&r, whole, r.cut[i]);
    ts_recognition *found = TS_NEW(arena, ts_recognition);
    *found = (ts_recognition){.encoder = enc,
                              .to = ts_graph_find(whole, part->output[0]->name),
                              .has_embed = !r.bare_embed,
                              .has_head = !r.bare_head || enc->pool != TS_POOL_NONE,
                              .tokens = tokens,
                              .cut = cut};
    for (int i = 0; i < part->inputs; i++)
        if (r.val[part->input[i]->id] && r.val[part->input[i]->id]->kind == VAL_LINEAR)
            found->from = ts_graph_find(whole, part->input[i]->name);
    return found;
}

const ts_recognition *ts_recognise_whole(ts_arena *arena, const ts_graph *g, ts_err *err)
{
    return recognise(arena, g, g, 0, err);
}

/* Whether a value can be the tokens of an encoder: [1 ...][tokens][channels]. *tokens: 0 where they are the hits. */
static bool is_token_shaped(const ts_value *v, int64_t *tokens)
{
    const ts_shape *s = &v->shape;
    if (v->constant || v->dtype != TS_F32 || s->rank < 2 || !ts_dim_is_const(s->dim[s->rank - 1]) || s->dim[s->rank - 1].c[0] < 1)
        return false;
    for (int i = 0; i < s->rank - 2; i++)
        if (!ts_dim_is(s->dim[i], 1))
            return false;
    const ts_dim n = s->dim[s->rank - 2];
    *tokens = ts_dim_is_const(n) ? n.c[0] : 0;
    return ts_dim_is_hits(n) || *tokens > 1;
}

/* Whether the output can be computed from v alone, or with inputs that are no hits (masks). */
static bool carries_everything(ts_arena *scratch, const ts_graph *g, const ts_value *v)
{
    ts_err none = {""};
    const ts_graph *rest = v->is_output ? NULL : ts_subgraph(scratch, g, v, g->output[0], &none);
    if (!rest)
        return v->is_output;
    for (int i = 1; i < rest->inputs; i++)
        if (ts_is_float(rest->input[i]->dtype) && rest->input[i]->shape.rank > 2)
            return false;
    return true;
}

/* Whether the file prescribes integers: such a model is built as it says, or refused with the reason. */
static bool is_quantised(const ts_graph *g)
{
    for (int i = 0; i < g->values; i++)
        if (g->value[i]->grid)
            return true;
    for (int i = 0; i < g->nodes; i++)
        if (handlers[ts_kind(g->node[i])].run == ts_rec_quantise || handlers[ts_kind(g->node[i])].run == ts_rec_quant)
            return true;
    return false;
}

/* Why a host is needed: the first operator that has no hardware, or what else the recogniser stopped at. */
static const char *reason(ts_arena *arena, const ts_graph *g, const ts_err *whole)
{
    for (int i = 0; i < g->nodes; i++) {
        const ts_node *n = g->node[i];
        if (!handlers[ts_kind(n)].run && ts_kind(n) != TS_OP_Shape && ts_kind(n) != TS_OP_Size && !n->out[0]->known)
            return ts_printf(arena, "node '%s' (%s%s%s) has no hardware", n->name, n->domain, n->domain[0] ? "." : "", n->type);
    }
    return ts_strdup(arena, whole->msg);
}

const ts_recognition *ts_recognise_part(ts_arena *arena, const ts_graph *g, ts_err *err)
{
    const ts_recognition *whole = ts_recognise_whole(arena, g, err);
    if (whole || g->outputs != 1 || is_quantised(g))
        return whole;
    ts_recognition *best = NULL;
    ts_arena *scratch = ts_arena_new();
    const ts_value **place = TS_NEW_N(scratch, const ts_value *, g->values);
    int places = 0;
    int64_t tokens;
    for (int i = 0; i < g->inputs; i++)
        if (is_token_shaped(g->input[i], &tokens) && carries_everything(scratch, g, g->input[i]))
            place[places++] = g->input[i];
    for (int i = 0; i < g->nodes; i++)
        for (int k = 0; k < g->node[i]->outs; k++) {
            const ts_value *v = g->node[i]->out[k];
            if (v && is_token_shaped(v, &tokens) && carries_everything(scratch, g, v))
                place[places++] = v;
        }
    /* From the earliest beginning to the latest end first: of equally many layers these have the most of embedding and head. */
    for (int from = 0; from < places; from++)
        for (int to = places; to-- > from + 1;) {
            ts_err why = {""};
            is_token_shaped(place[from], &tokens);
            const ts_graph *part = ts_subgraph(scratch, g, place[from], place[to], &why);
            ts_recognition *found = part ? recognise(arena, g, part, tokens, &why) : NULL;
            if (found && found->encoder->layers > (best ? best->encoder->layers : 0))
                best = found;
        }
    ts_arena_free(scratch);
    /* What is whole but for a fixed number of tokens is better exported with a free one: the message says so. */
    if (best && best->from->is_input && best->to->is_output)
        best = NULL;
    if (best) {
        best->why = reason(arena, g, err);
        *err = (ts_err){""};
    }
    return best;
}
