#define TS_FAIL_CODE TS_BAD_FILE
#include "ref/graph_eval.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "op/op.h"

/* One evaluation. */
typedef struct run {
    const ts_graph *g;
    const ts_tensor **tensor; /* [values]: what is known so far */
    ts_tensor *own;           /* [values]: those whose storage is from malloc and released by us */
    int *left;                /* [values]: uses that are still to come */
    size_t bytes, most;       /* of results that are there; and may be, so that the machine does not come to a standstill */
} run;

static bool check_input(const ts_value *v, const ts_tensor *t, int64_t *hits, ts_err *err)
{
    CHECK(v->has_shape && t->data.any);
    if (t->dtype != v->dtype)
        return ts_fail(err, "input '%s' is %s, but the model expects %s", v->name, ts_dtype_name(t->dtype), ts_dtype_name(v->dtype));
    if (t->rank != v->shape.rank)
        return ts_fail(err, "input '%s' has %d dimensions, but the model expects %d", v->name, t->rank, v->shape.rank);
    for (int i = 0; i < t->rank; i++) {
        ts_dim want = v->shape.dim[i];
        if (ts_dim_is_hits(want) && *hits < 0)
            *hits = t->dim[i];
        if (t->dim[i] != (ts_dim_is_const(want) ? want.c[0] : *hits))
            return ts_fail(err, "input '%s' has size %lld in dimension %d, but the model and its other inputs need %lld", v->name,
                           (long long)t->dim[i], i, (long long)(ts_dim_is_const(want) ? want.c[0] : *hits));
    }
    return true;
}

static size_t bytes_of(const ts_tensor *t)
{
    return ((size_t)ts_count(t) + 1) * ts_store_bytes(t->dtype);
}

/* Storage for a result. */
static bool store(run *r, const ts_node *node, ts_tensor *t, ts_err *err)
{
    const size_t bytes = bytes_of(t), room = r->most > r->bytes ? r->most - r->bytes : 0;
    if (bytes <= room && (t->data.any = ts_try_calloc(bytes, 1))) {
        r->bytes += bytes;
        return true;
    }
    return ts_fail_as(err, TS_OUT_OF_MEMORY,
                      "node '%s' (%s): not enough memory for a result of %lld elements, %zu bytes; use smaller events", node->name,
                      node->type, (long long)ts_count(t), bytes);
}

static void release(run *r, const ts_value *v)
{
    if (--r->left[v->id] == 0 && !v->is_output) {
        if (r->own[v->id].data.any)
            r->bytes -= bytes_of(&r->own[v->id]);
        ts_free(r->own[v->id].data.any);
        r->own[v->id].data.any = NULL;
    }
}

static bool eval_node(run *r, const ts_node *node, ts_value_tap tap, void *user, ts_err *err)
{
    bool ok = false;
    const ts_tensor **in = ts_calloc((size_t)node->ins + 1, sizeof *in, "a node");
    ts_tensor **out = ts_calloc((size_t)node->outs + 1, sizeof *out, "a node");
    for (int k = 0; k < node->ins; k++)
        in[k] = node->in[k] ? r->tensor[node->in[k]->id] : NULL;
    for (int k = 0; k < node->outs; k++)
        out[k] = &r->own[node->out[k]->id];
    if (!ts_op_infer(node, in, out, err))
        goto done;
    for (int k = 0; k < node->outs; k++)
        if (!store(r, node, out[k], err))
            goto done;
    if (!ts_op_eval(node, in, out, err))
        goto done;
    for (int k = 0; k < node->outs; k++) {
        const ts_value *v = node->out[k];
        r->tensor[v->id] = out[k];
        if (tap)
            tap(user, v, out[k]);
        r->left[v->id]++; /* as if the node itself used it: released right away where nobody else does */
        release(r, v);
    }
    for (int k = 0; k < node->ins; k++)
        if (node->in[k])
            release(r, node->in[k]);
    ok = true;
done:
    ts_free(in);
    ts_free(out);
    return ok;
}

bool ts_graph_eval(const ts_graph *g, ts_arena *arena, const ts_tensor *const *input, ts_tensor *output, ts_value_tap tap, void *user,
                   ts_err *err)
{
    int64_t hits = -1;
    for (int i = 0; i < g->inputs; i++)
        if (ts_graph_reads(g->input[i]) && !check_input(g->input[i], input[i], &hits, err))
            return false;

    run r = {.g = g, .most = ts_memory_limit() / 4 * 3};
    r.tensor = ts_calloc((size_t)g->values + 1, sizeof *r.tensor, "values");
    r.own = ts_calloc((size_t)g->values + 1, sizeof *r.own, "values");
    r.left = ts_calloc((size_t)g->values + 1, sizeof *r.left, "values");
    for (int i = 0; i < g->values; i++) {
        r.tensor[i] = g->value[i]->constant;
        r.left[i] = g->value[i]->uses;
    }
    for (int i = 0; i < g->inputs; i++)
        r.tensor[g->input[i]->id] = input[i];

    bool ok = true;
    for (int i = 0; ok && i < g->nodes; i++)
        ok = eval_node(&r, g->node[i], tap, user, err);
    for (int i = 0; ok && i < g->outputs; i++) {
        const ts_tensor *t = r.tensor[g->output[i]->id];
        output[i] = *t;
        ts_tensor_alloc(arena, &output[i]);
        ts_copy(&output[i], 0, t, 0, ts_count(t));
        ts_tensor_narrow(&output[i]);
    }
    for (int i = 0; i < g->values; i++)
        ts_free(r.own[i].data.any);
    ts_free(r.tensor);
    ts_free(r.own);
    ts_free(r.left);
    return ok;
}

static bool has_hits(const ts_value *v)
{
    for (int i = 0; i < v->shape.rank; i++)
        if (!ts_dim_is_const(v->shape.dim[i]))
            return true;
    return false;
}

/* Which inputs are the hits and the mask; fails where the graph has others. */
static bool find_event_inputs(const ts_graph *g, int *hits_at, int *mask_at, ts_err *err)
{
    *hits_at = *mask_at = -1;
    for (int i = 0; i < g->inputs; i++) {
        const ts_value *v = g->input[i];
        if (!ts_graph_reads(v))
            continue;
        if (ts_is_float(v->dtype) && v->shape.rank >= 2 && ts_dim_is_const(v->shape.dim[v->shape.rank - 1]) && *hits_at < 0)
            *hits_at = i;
        else if (has_hits(v) && *mask_at < 0)
            *mask_at = i;
        else
            return ts_fail_as(err, TS_UNSUPPORTED,
                              "input '%s' of the model is neither hits [1, hits, features] in floating point nor a padding mask [1, hits]",
                              v->name);
    }
    if (*hits_at < 0)
        return ts_fail_as(err, TS_UNSUPPORTED, "the model has no input [1, hits, features] in floating point");
    return true;
}

static void set_dims(const ts_value *v, int64_t hits, ts_tensor *t)
{
    *t = (ts_tensor){.dtype = v->dtype, .rank = v->shape.rank};
    for (int i = 0; i < t->rank; i++)
        t->dim[i] = ts_dim_at(v->shape.dim[i], hits);
}

bool ts_graph_eval_event(const ts_graph *g, ts_arena *arena, int64_t hits, const float *x, const bool *padding, ts_tensor *y,
                         ts_value_tap tap, void *user, ts_err *err)
{
    int hits_at, mask_at;
    int64_t count;
    CHECK(g->outputs > 0 && g->output[0]->has_shape);
    if (!find_event_inputs(g, &hits_at, &mask_at, err))
        return false;
    if (padding && mask_at < 0)
        return ts_fail(err, "the model has no padding mask, so padded hits cannot be told from real ones; leave them out of the event");
    if (hits == 0) {
        set_dims(g->output[0], 0, y);
        ts_tensor_alloc(arena, y);
        return true;
    }
    ts_tensor event, mask;
    const ts_tensor **given = TS_NEW_N(arena, const ts_tensor *, g->inputs); /* NULL for those that nothing reads */
    given[hits_at] = &event;
    set_dims(g->input[hits_at], hits, &event);
    if (!ts_count_dims(event.rank, event.dim, &count))
        return ts_fail(err, "an event of %lld hits is too large", (long long)hits);
    ts_tensor_alloc(arena, &event);
    ts_tensor_set_floats(&event, x);
    if (mask_at >= 0) {
        given[mask_at] = &mask;
        set_dims(g->input[mask_at], hits, &mask);
        ts_tensor_alloc(arena, &mask);
        for (int64_t i = 0; padding && i < ts_count(&mask); i++)
            ts_set_real(&mask, i, padding[i % hits]);
    }
    ts_tensor *all = TS_NEW_N(arena, ts_tensor, g->outputs);
    if (!ts_graph_eval(g, arena, given, all, tap, user, err))
        return false;
    *y = all[0];
    return true;
}
