/* The encoder that a part of the graph computes, where something in front of it or behind it has no hardware.

   A part begins and ends at a cut: a value that everything of the event passes through. Starts are tried from the front, each with one run
   on meanings, which goes on until a node fails; ends are then tried from there back. A start leads to the next one: the end of what was
   found, where matching got stuck, or the first cut behind the node that failed. Segments without attention are passed over, so that all
   this is linear in the graph but for what it finds. */
#define TS_FAIL_CODE TS_UNSUPPORTED
#include <limits.h>

#include "op/op.h"
#include "pass/recognise.h"
#include "pass/recognise_value.h"

typedef struct place {
    const ts_value *value;
    int64_t tokens; /* as in rec */
    int at;         /* the node that makes it, -1 for an input */
} place;

typedef struct search {
    const ts_graph *g;
    ts_arena *scratch;
    rec_area area;
    int places;
    place *place;
    int *bad;            /* [nodes + 1]: first node from here on that no encoder has, or the number of nodes */
    int *attention;      /* [nodes + 1]: nodes before this one that attention must have one of */
    const rec_val **val; /* [values], zeros between two runs */
    ts_arena *run;       /* of the runs since `fresh` */
    int64_t fresh, work, work_limit, float_limit;
} search;

static bool is_attention(const ts_node *node)
{
    const ts_op_kind kind = ts_kind(node);
    return kind == TS_OP_Attention || kind == TS_OP_ms_Attention || kind == TS_OP_ms_MultiHeadAttention;
}

/* Whether a node of this kind can turn scores into probabilities: what has none of them has no attention. */
static bool is_attention_like(const ts_node *node)
{
    const ts_op_kind kind = ts_kind(node);
    return kind == TS_OP_Softmax || kind == TS_OP_LogSoftmax || kind == TS_OP_Exp || is_attention(node);
}

/* Two computed values multiplied: queries with keys. */
static bool is_product(const ts_node *node)
{
    const ts_op_kind kind = ts_kind(node);
    int computed = 0;
    for (int i = 0; i < node->ins; i++)
        computed += node->in[i] && !node->in[i]->constant;
    return (kind == TS_OP_MatMul || kind == TS_OP_Gemm || kind == TS_OP_Einsum || kind == TS_OP_ms_FusedMatMul) && computed > 1;
}

bool ts_has_attention(const ts_graph *g)
{
    for (int i = 0; i < g->nodes; i++)
        if (is_product(g->node[i]) || is_attention(g->node[i]))
            return true;
    return false;
}

static double elements(const ts_value *v)
{
    double size = 1;
    for (int i = 0; i < v->shape.rank; i++)
        size *= (double)ts_dim_at(v->shape.dim[i], 1);
    return size;
}

/* Inputs that are no masks. */
static void mark_event_inputs(const ts_graph *g, bool *of_event)
{
    const ts_value *largest = NULL;
    for (int i = 0; i < g->inputs; i++) {
        const ts_value *in = g->input[i];
        if (in->constant || !ts_is_float(in->dtype))
            continue;
        if (!largest || elements(in) > elements(largest))
            largest = in;
        of_event[in->id] = in->shape.rank > 2 && elements(in) > 1;
    }
    if (largest)
        of_event[largest->id] = true;
}

static bool reads_event(const search *s, const ts_node *node)
{
    for (int k = 0; k < node->ins; k++)
        if (node->in[k] && s->area.of_event[node->in[k]->id])
            return true;
    return false;
}

/* What follows from the number of hits alone does not depend on the event, although it is read off a value that does. */
static bool mark_outputs(search *s, const ts_node *node)
{
    bool any = false;
    if (!reads_event(s, node))
        return false;
    for (int k = 0; k < node->outs; k++)
        if (node->out[k] && !node->out[k]->known && !node->out[k]->constant)
            any = s->area.of_event[node->out[k]->id] = true;
    return any;
}

static void add_place(search *s, const ts_value *v, int at)
{
    int64_t tokens;
    if (ts_rec_is_tokens(v, &tokens))
        s->place[s->places++] = (place){v, tokens, at};
}

/* The cuts: where no value of the event from before is used later. */
static void find_places(search *s)
{
    const ts_graph *g = s->g;
    int *last_use = TS_NEW_N(s->scratch, int, g->values), open = -1, sources = 0;
    s->area.of_event = TS_NEW_N(s->scratch, bool, g->values);
    s->area.side = TS_NEW_N(s->scratch, int, g->nodes);
    s->place = TS_NEW_N(s->scratch, place, g->values);
    mark_event_inputs(g, s->area.of_event);
    for (int i = 0; i < g->nodes; i++) {
        if (!mark_outputs(s, g->node[i])) {
            s->area.side[s->area.sides++] = i;
            continue;
        }
        for (int k = 0; k < g->node[i]->ins; k++)
            if (g->node[i]->in[k])
                last_use[g->node[i]->in[k]->id] = i + 1;
    }
    for (int i = 0; i < g->outputs; i++)
        last_use[g->output[i]->id] = INT_MAX;
    for (int i = 0; i < g->inputs; i++)
        sources += s->area.of_event[g->input[i]->id] && last_use[g->input[i]->id] > 0;
    for (int i = 0; i < g->inputs; i++) {
        if (!s->area.of_event[g->input[i]->id])
            continue;
        if (sources == 1 && last_use[g->input[i]->id] > 0)
            add_place(s, g->input[i], -1);
        open = last_use[g->input[i]->id] > open ? last_use[g->input[i]->id] : open;
    }
    for (int i = 0; i < g->nodes; i++) {
        const ts_node *n = g->node[i];
        const ts_value *left = NULL; /* the one output that is used later, if it is one */
        int lefts = 0, until = open;
        for (int k = 0; k < n->outs; k++) {
            const ts_value *v = n->out[k];
            if (!v || !s->area.of_event[v->id] || last_use[v->id] <= i + 1)
                continue;
            left = v;
            lefts++;
            until = last_use[v->id] > until ? last_use[v->id] : until;
        }
        if (open <= i + 1 && lefts == 1)
            add_place(s, left, i);
        open = until;
    }
}

static void find_segments(search *s)
{
    const ts_graph *g = s->g;
    s->bad = TS_NEW_N(s->scratch, int, g->nodes + 1);
    s->attention = TS_NEW_N(s->scratch, int, g->nodes + 1);
    for (int i = 0; i < g->nodes; i++)
        s->attention[i + 1] = s->attention[i] + is_attention_like(g->node[i]);
    s->bad[g->nodes] = g->nodes;
    for (int i = g->nodes; i-- > 0;)
        s->bad[i] = reads_event(s, g->node[i]) && !ts_rec_is_known(g->node[i]) && ts_kind(g->node[i]) != TS_OP_Shape &&
                            ts_kind(g->node[i]) != TS_OP_Size
                        ? i
                        : s->bad[i + 1];
}

/* The first place from `from` on whose node is not before `node`. */
static int place_behind(const search *s, int from, int node)
{
    while (from < s->places && s->place[from].at < node)
        from++;
    return from;
}

static int place_holding(search *s, rec *r, const rec_base *base, int from)
{
    for (; from < s->places; from++) {
        const rec_val *v = r->val[s->place[from].value->id];
        if (!v)
            return s->places;
        if (ts_rec_held(r, v) == base)
            return from;
    }
    return from;
}

static void forget(search *s, const ts_node *node)
{
    for (int k = 0; k < node->outs; k++)
        if (node->out[k])
            s->val[node->out[k]->id] = NULL;
}

/* Values of a run from `p` on that failed at node `failed`. */
static void forget_run(search *s, const place *p, int failed)
{
    const ts_graph *g = s->g;
    for (int i = 0; i < g->inputs; i++)
        s->val[g->input[i]->id] = NULL;
    s->val[p->value->id] = NULL;
    for (int i = 0; i < s->area.sides && s->area.side[i] <= p->at; i++)
        forget(s, g->node[s->area.side[i]]);
    for (int i = p->at + 1; i < g->nodes && i <= failed; i++)
        forget(s, g->node[i]);
}

/* What begins at place[start]: sets *end to the place where it ends, 0 for none, and *layers. Returns the start to try next. */
static int try_start(search *s, int start, int *end, int *layers)
{
    enum {
        BEFORE_STUCK = 16, /* places in front of where matching stopped, in case a part of what is there can be built */
        RUN_WORK = 4096,   /* until memory is released */
        FLOATS_WORK = 1000 /* numbers made cost as much as a node */
    };
    const place *p = &s->place[start];
    ts_err none = {""};
    const int bad = s->bad[p->at + 1];
    *end = *layers = 0;
    if (s->attention[bad] == s->attention[p->at + 1])
        return place_behind(s, start + 1, bad);
    if (!s->run || s->work - s->fresh > RUN_WORK) {
        ts_arena_free(s->run);
        s->run = ts_arena_new();
        s->fresh = s->work;
    }
    rec r = {.arena = s->run, .graph = s->g, .err = &none, .tokens = p->tokens, .val = s->val, .limit = s->float_limit};
    const int failed = ts_rec_run(&r, &s->area, p->value, bad - 1);
    for (int i = 0; i < s->area.sides && s->area.side[i] <= p->at; i++)
        s->work++;
    s->work += failed - p->at + r.floats / FLOATS_WORK;
    int to = place_behind(s, start, failed), next = place_behind(s, start + 1, failed), stuck = s->places;
    while (!*end && --to > start && r.attentions > 0) {
        none = (ts_err){""};
        const rec_form *form = ts_rec_output(&r, s->place[to].value);
        s->work++;
        if (form && ts_rec_match(&r, form))
            *end = to;
        else if (form && r.stuck && stuck == s->places)
            stuck = place_holding(s, &r, r.stuck, start + 1);
    }
    *layers = *end ? r.layers : 0;
    if (*end)
        next = *end;
    else if (stuck < s->places)
        next = stuck - BEFORE_STUCK > start ? stuck - BEFORE_STUCK : start + 1;
    forget_run(s, p, failed);
    return next;
}

static ts_recognition *search_part(ts_arena *arena, search *s, bool *gave_up)
{
    enum { VISITS = 32, FREE_VISITS = 100000 }; /* times that each node may be looked at, on average */
    ts_recognition *best = NULL;
    s->work_limit = FREE_VISITS + (int64_t)VISITS * s->g->nodes;
    find_places(s);
    find_segments(s);
    s->val = TS_NEW_N(s->scratch, const rec_val *, s->g->values);
    s->float_limit = ts_rec_work_limit(s->g);
    for (int start = 0, end, layers; start < s->places;) {
        const place *p = &s->place[start];
        start = try_start(s, start, &end, &layers);
        if (layers > (best ? best->encoder->layers : 0)) {
            ts_err none = {""};
            ts_recognition *found = ts_rec_recognise(arena, s->g, &s->area, p->value, s->place[end].value, p->tokens, &none, NULL);
            best = found ? found : best;
        }
        *gave_up = s->work > s->work_limit;
        if (*gave_up)
            break;
    }
    ts_arena_free(s->run);
    return best;
}

/* Whether the file prescribes integers: such a model is built as it says, or refused with the reason. */
static bool is_quantised(const ts_graph *g)
{
    for (int i = 0; i < g->values; i++)
        if (g->value[i]->grid)
            return true;
    for (int i = 0; i < g->nodes; i++)
        if (ts_rec_is_quantiser(g->node[i]))
            return true;
    return false;
}

/* Why a host is needed: what stopped the recogniser first, at node `reached`, or the first operator without hardware in front of that. */
static const char *reason(ts_arena *arena, const ts_graph *g, const ts_err *whole, int reached)
{
    for (int i = 0; i < g->nodes && (i <= reached || reached == 0); i++) {
        const ts_node *n = g->node[i];
        if (!ts_rec_is_known(n) && ts_kind(n) != TS_OP_Shape && ts_kind(n) != TS_OP_Size && !n->out[0]->known)
            return ts_printf(arena, "node '%s' (%s%s%s) has no hardware", n->name, n->domain, n->domain[0] ? "." : "", n->type);
    }
    return ts_strdup(arena, whole->msg);
}

const ts_recognition *ts_recognise_part(ts_arena *arena, const ts_graph *g, ts_err *err)
{
    int reached;
    const ts_recognition *whole = ts_recognise_reached(arena, g, err, &reached);
    if (whole || g->outputs != 1 || is_quantised(g))
        return whole;
    search s = {.g = g, .scratch = ts_arena_new()};
    bool gave_up = false;
    ts_recognition *best = search_part(arena, &s, &gave_up);
    ts_arena_free(s.scratch);
    if (best) {
        best->why = reason(arena, g, err, reached);
        *err = (ts_err){""};
    } else if (gave_up) {
        ts_fail(err, "%s; and the search for a part that has hardware was given up: the graph of %d nodes is too tangled",
                ts_strdup(arena, err->msg), g->nodes);
    }
    return best;
}
