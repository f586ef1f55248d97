/* Shapes in terms of the number of hits, without symbolic rules: the operators' concrete shape rules (and, for small integer
   values such as Shape -> Gather -> Concat chains, their evaluation) run for several numbers of hits, and every size is
   fitted by a polynomial in n. Three lengths determine it; the others, up to thousands of hits, must agree. Something that
   is not such a polynomial (a clamp, a rounded division) does not fit and is never taken for one. */
#define TS_FAIL_CODE TS_UNSUPPORTED
#include "pass/fold.h"

#include <string.h>

#include "op/op.h"
#include "pass/finite.h"

/* The first four must work; longer ones end the series where a model has a limit of its own. */
static const int64_t lengths[] = {2, 3, 5, 29, 128, 1009, 5003};
enum {
    LENGTHS = sizeof lengths / sizeof lengths[0],
    LENGTHS_NEEDED = 4,
    MAX_ROUNDS = 8, /* exporters' chains need two or three; what is not constant by then is evaluated with the event */
    KNOWN_MAX = 64, /* elements of a value that is evaluated although it depends on the number of hits */
};

typedef struct sample {
    const ts_tensor **tensor; /* [values], data NULL where only the shape is known */
} sample;

typedef struct folder {
    const ts_graph *g;
    ts_arena *arena, *scratch;
    ts_arena *samples_arena; /* of the samples, which every round takes anew */
    const ts_tensor **in;    /* [most inputs of a node], [most outputs]: arguments of the node at hand */
    ts_tensor **out;
    const ts_tensor **constant; /* [values]: data that does not depend on the inputs */
    const ts_grid **grid;       /* [values]: of constants that were integers in the file */
    bool *is_done;              /* [nodes]: evaluated for good */
    double work;                /* products that folding may still take */
    int64_t budget;             /* elements that folding may still make: a small file cannot ask for gigabytes */
    sample sample[LENGTHS];
    int samples;
    ts_err *err;
} folder;

/* Shape rule of a node on f->in; f->out are new tensors in `arena`, without data. */
static bool infer_node(folder *f, ts_arena *arena, const ts_node *node, ts_err *err)
{
    for (int k = 0; k < node->outs; k++)
        f->out[k] = TS_NEW(arena, ts_tensor);
    return ts_op_infer(node, f->in, f->out, err);
}

static int64_t total_elements(const ts_node *node, ts_tensor *const *out)
{
    int64_t sum = 0;
    for (int k = 0; k < node->outs; k++)
        sum += ts_count(out[k]);
    return sum;
}

static bool eval_node(ts_arena *arena, const ts_node *node, const ts_tensor *const *in, ts_tensor *const *out, ts_err *err)
{
    for (int k = 0; k < node->outs; k++)
        ts_tensor_alloc(arena, out[k]);
    if (!ts_op_eval(node, in, out, err))
        return false;
    for (int k = 0; k < node->outs; k++)
        ts_tensor_narrow(out[k]);
    return true;
}

/* Whether input k of a node has elements that its outputs have. */
static bool is_moved(const ts_node *node, int k)
{
    return node->op->hooks->moves && node->in[k] && (k == 0 || ts_kind(node) == TS_OP_Concat);
}

/* The steps of the outputs are made of those of the inputs by the same node, if all it does is to move elements. */
static bool move_steps(folder *f, const ts_node *node, const ts_tensor *const *in, ts_tensor *const *step)
{
    const ts_tensor **from = TS_NEW_N(f->scratch, const ts_tensor *, node->ins);
    for (int k = 0; k < node->ins; k++) {
        const ts_grid *grid = is_moved(node, k) ? f->grid[node->in[k]->id] : NULL;
        if (is_moved(node, k) && !(grid && grid->step))
            return false;
        from[k] = grid ? grid->step : in[k];
    }
    return node->op->hooks->moves && ts_op_eval(node, from, step, f->err);
}

/* A node on constants, done: what is known of the integers that they came from. */
static bool follow_grids(folder *f, const ts_node *node, const ts_tensor *const *in, ts_tensor *const *out)
{
    const bool starts = node->op->hooks->step != NULL;
    const ts_grid *from = NULL;
    for (int k = 0; k < node->ins && !from; k++)
        from = node->in[k] ? f->grid[node->in[k]->id] : NULL;
    if (!starts && !from)
        return true;
    ts_tensor **step = TS_NEW_N(f->scratch, ts_tensor *, node->outs);
    for (int k = 0; k < node->outs; k++)
        step[k] = ts_tensor_new(f->arena, out[k]->dtype, out[k]->rank, out[k]->dim);
    if (starts && !node->op->hooks->step(&(ts_op_args){node, node->ins, node->outs, in, step, f->err}))
        return false;
    const bool known = starts || move_steps(f, node, in, step);
    for (int k = 0; k < node->outs; k++)
        if (ts_is_float(out[k]->dtype)) {
            ts_grid *grid = TS_NEW(f->arena, ts_grid);
            *grid = (ts_grid){known ? step[k] : NULL, starts ? node->name : from->node};
            f->grid[node->out[k]->id] = grid;
        }
    return true;
}

/* The tensor that a node passes on as it is, without a copy: Identity (how exporters write weights that layers share), Constant. */
static const ts_tensor *passed_on(const folder *f, const ts_node *node)
{
    if (ts_kind(node) == TS_OP_Constant)
        return node->attr[0].t;
    return ts_kind(node) == TS_OP_Identity ? f->in[0] : NULL;
}

/* Evaluates every node whose inputs are all constant. */
static bool fold_constants(folder *f)
{
    const ts_tensor **in = f->in;
    ts_tensor **out = f->out;
    for (int i = 0; i < f->g->nodes; i++) {
        const ts_node *node = f->g->node[i];
        bool ready = !f->is_done[i];
        for (int k = 0; ready && k < node->ins; k++) {
            in[k] = node->in[k] ? f->constant[node->in[k]->id] : NULL;
            ready = !node->in[k] || in[k];
        }
        if (!ready)
            continue;
        const ts_tensor *same = passed_on(f, node);
        if (same) {
            f->constant[node->out[0]->id] = same;
            if (node->ins > 0)
                f->grid[node->out[0]->id] = f->grid[node->in[0]->id];
            f->is_done[i] = true;
            continue;
        }
        if (!infer_node(f, f->arena, node, f->err))
            return false;
        f->budget -= total_elements(node, out);
        if (f->budget < 0)
            return ts_fail(
                f->err,
                "node '%s' (%s): the model's constants grow to many times the size of its file; simplify the model before compiling it",
                node->name, node->type);
        f->work -= ts_op_work(node, in, out);
        if (f->work < 0)
            return ts_fail(
                f->err, "node '%s' (%s): the model's constants take too many products to compute; simplify the model before compiling it",
                node->name, node->type);
        if (!eval_node(f->arena, node, in, out, f->err) || !follow_grids(f, node, in, out))
            return false;
        f->is_done[i] = true;
        for (int k = 0; k < node->outs; k++)
            f->constant[node->out[k]->id] = out[k];
    }
    return true;
}

/* Shapes of all values, and small integer values, for an event of `hits` hits. */
static bool take_sample(folder *f, int64_t hits, sample *s, ts_err *err)
{
    const ts_graph *g = f->g;
    ts_arena *arena = f->samples_arena;
    s->tensor = TS_NEW_N(arena, const ts_tensor *, g->values);
    for (int i = 0; i < g->values; i++)
        s->tensor[i] = f->constant[i];
    for (int i = 0; i < g->inputs; i++) {
        ts_tensor *t = TS_NEW(arena, ts_tensor);
        const ts_value *v = g->input[i];
        t->dtype = v->dtype;
        t->rank = v->shape.rank;
        for (int k = 0; k < t->rank; k++)
            t->dim[k] = ts_dim_at(v->shape.dim[k], hits);
        s->tensor[v->id] = t;
    }
    for (int i = 0; i < g->nodes; i++) {
        const ts_node *node = g->node[i];
        if (f->is_done[i])
            continue;
        bool has_data = true;
        for (int k = 0; k < node->ins; k++) {
            f->in[k] = node->in[k] ? s->tensor[node->in[k]->id] : NULL;
            has_data &= !f->in[k] || f->in[k]->data.any;
        }
        if (!infer_node(f, arena, node, err))
            return false;
        if ((has_data || node->op->hooks->only_shapes) && total_elements(node, f->out) <= KNOWN_MAX &&
            !eval_node(arena, node, f->in, f->out, err))
            return false;
        for (int k = 0; k < node->outs; k++)
            s->tensor[node->out[k]->id] = f->out[k];
    }
    return true;
}

static bool depends_on_hits(const ts_graph *g)
{
    for (int i = 0; i < g->inputs; i++)
        for (int k = 0; k < g->input[i]->shape.rank; k++)
            if (!ts_dim_is_const(g->input[i]->shape.dim[k]))
                return true;
    return false;
}

static bool take_samples(folder *f)
{
    int wanted = depends_on_hits(f->g) ? LENGTHS : 1;
    ts_arena_free(f->samples_arena);
    f->samples_arena = ts_arena_new();
    for (f->samples = 0; f->samples < wanted; f->samples++) {
        ts_err err = {{0}};
        if (take_sample(f, lengths[f->samples], &f->sample[f->samples], &err))
            continue;
        if (f->samples >= LENGTHS_NEEDED)
            break;
        ts_fail_with(f->err, &err);
        return wanted == 1 ? false : ts_fail_in(f->err, "with an event of %lld hits", (long long)lengths[f->samples]);
    }
    return true;
}

/* The polynomial through y[samples], if there is one with integer coefficients. */
static bool fit(const int64_t *y, int samples, ts_dim *p)
{
    const int64_t exact = (int64_t)1 << 52; /* leaves room for the arithmetic below */
    bool same = true, small = true;
    for (int i = 0; i < samples; i++) {
        same &= y[i] == y[0];
        small &= y[i] < exact && y[i] > -exact;
    }
    *p = ts_dim_of(y[0]);
    if (same || !small)
        return same;
    /* Newton's divided differences over the first three lengths. */
    int64_t a = lengths[0], b = lengths[1], c = lengths[2];
    if ((y[1] - y[0]) % (b - a) || (y[2] - y[1]) % (c - b))
        return false;
    int64_t d1 = (y[1] - y[0]) / (b - a), d2 = (y[2] - y[1]) / (c - b);
    if ((d2 - d1) % (c - a))
        return false;
    int64_t c2 = (d2 - d1) / (c - a), c1 = d1 - c2 * (a + b);
    *p = (ts_dim){{y[0] - c1 * a - c2 * a * a, c1, c2}};
    if (p->c[2] > 1 << 20 || p->c[2] < -(1 << 20)) /* its value at thousands of hits would overflow */
        return false;
    for (int i = 3; i < samples; i++)
        if (ts_dim_at(*p, lengths[i]) != y[i])
            return false;
    return true;
}

static bool fit_shape(const folder *f, const ts_value *v, ts_shape *shape)
{
    const ts_tensor *first = f->sample[0].tensor[v->id];
    int64_t y[LENGTHS];
    shape->rank = first->rank;
    for (int k = 0; k < first->rank; k++) {
        for (int s = 0; s < f->samples; s++) {
            const ts_tensor *t = f->sample[s].tensor[v->id];
            if (t->rank != first->rank)
                return ts_fail(f->err, "value '%s' has %d dimensions with %lld hits and %d with %lld; this is not supported", v->name,
                               first->rank, (long long)lengths[0], t->rank, (long long)lengths[s]);
            y[s] = t->dim[k];
        }
        if (!fit(y, f->samples, &shape->dim[k]))
            return ts_fail(
                f->err,
                "value '%s': its size %lld, %lld, %lld for events of %lld, %lld, %lld hits does not follow a rule that is supported",
                v->name, (long long)y[0], (long long)y[1], (long long)y[2], (long long)lengths[0], (long long)lengths[1],
                (long long)lengths[2]);
    }
    return true;
}

/* Elements of a small value in terms of n, or NULL. */
static const ts_dim *fit_known(const folder *f, const ts_value *v)
{
    const ts_tensor *first = f->sample[0].tensor[v->id];
    int64_t count = ts_count(first), y[LENGTHS];
    if (ts_dtype_store(first->dtype) != TS_STORE_I || count > KNOWN_MAX)
        return NULL;
    for (int s = 0; s < f->samples; s++) {
        const ts_tensor *t = f->sample[s].tensor[v->id];
        if (!t->data.any || ts_count(t) != count)
            return NULL;
    }
    ts_dim *known = TS_NEW_N(f->arena, ts_dim, count);
    for (int64_t i = 0; i < count; i++) {
        for (int s = 0; s < f->samples; s++)
            y[s] = f->sample[s].tensor[v->id]->data.i[i];
        if (!fit(y, f->samples, &known[i]))
            return NULL;
    }
    return known;
}

/* Values that are the same for every number of hits become constants. Returns whether there were any. */
static bool promote_constants(folder *f)
{
    bool any = false;
    for (int i = 0; i < f->g->values; i++) {
        const ts_tensor *first = f->sample[0].tensor[i];
        bool same = !f->constant[i] && first->data.any;
        for (int s = 1; same && s < f->samples; s++) {
            const ts_tensor *t = f->sample[s].tensor[i];
            same = t->data.any && t->rank == first->rank && memcmp(t->dim, first->dim, sizeof t->dim) == 0 &&
                   memcmp(t->data.any, first->data.any, (size_t)ts_count(t) * ts_store_bytes(t->dtype)) == 0;
        }
        if (!same)
            continue;
        ts_tensor *copy = ts_tensor_new(f->arena, first->dtype, first->rank, first->dim);
        ts_copy(copy, 0, first, 0, ts_count(first));
        f->constant[i] = copy;
        any = true;
    }
    return any;
}

/* Marks what the outputs need: nodes, and values that are used. */
static void mark_needed(const folder *f, bool *node_needed, bool *value_needed)
{
    const ts_graph *g = f->g;
    for (int i = 0; i < g->outputs; i++)
        value_needed[g->output[i]->id] = true;
    for (int i = g->nodes - 1; i >= 0; i--) {
        const ts_node *node = g->node[i];
        for (int k = 0; k < node->outs; k++)
            if (value_needed[node->out[k]->id] && !f->constant[node->out[k]->id])
                node_needed[i] = true;
        for (int k = 0; node_needed[i] && k < node->ins; k++)
            if (node->in[k])
                value_needed[node->in[k]->id] = true;
    }
}

/* What a use of v becomes a use of, past nodes that only pass it on. */
static const ts_value *source_of(const ts_value *v)
{
    while (v->producer && v->output == 0 && v->producer->op->hooks->passes_on)
        v = v->producer->in[0];
    return v;
}

static bool is_bypassed(const ts_node *node, const bool *value_needed)
{
    for (int k = 0; k < node->outs; k++)
        if (node->out[k]->is_output || (k > 0 && value_needed[node->out[k]->id]))
            return false;
    return node->op->hooks->passes_on;
}

/* v without its uses, in the new graph: fails where its shape follows no rule, as it does for every other value. */
static ts_value *copy_value(const folder *f, ts_graph *out, const ts_value *v, const char *name)
{
    ts_value *c = ts_graph_add_value(f->arena, out, name);
    c->dtype = f->sample[0].tensor[v->id]->dtype;
    c->has_shape = true;
    if (!fit_shape(f, v, &c->shape))
        return NULL;
    c->known = fit_known(f, v);
    return c;
}

static ts_graph *rebuild(folder *f)
{
    const ts_graph *g = f->g;
    bool *node_needed = TS_NEW_N(f->scratch, bool, g->nodes), *value_needed = TS_NEW_N(f->scratch, bool, g->values);
    ts_value **copy = TS_NEW_N(f->scratch, ts_value *, g->values);
    mark_needed(f, node_needed, value_needed);
    if (!ts_check_finite(f->scratch, g, f->constant, node_needed, f->err))
        return NULL;
    ts_graph *out = ts_graph_new(f->arena, g->name, g->directory);
    for (int i = 0; i < g->values; i++) {
        const ts_value *v = g->value[i];
        if (!value_needed[i] && !v->is_input)
            continue;
        ts_value *c = copy[i] = copy_value(f, out, v, v->name);
        if (!c)
            return NULL;
        c->is_input = v->is_input;
        c->is_output = v->is_output;
        c->constant = f->constant[i];
        c->grid = f->grid[i];
    }
    out->inputs = g->inputs;
    out->outputs = g->outputs;
    out->input = TS_NEW_N(f->arena, ts_value *, g->inputs);
    out->output = TS_NEW_N(f->arena, ts_value *, g->outputs);
    for (int i = 0; i < g->inputs; i++)
        out->input[i] = copy[g->input[i]->id];
    for (int i = 0; i < g->outputs; i++)
        out->output[i] = copy[g->output[i]->id];
    for (int i = 0; i < g->nodes; i++) {
        const ts_node *node = g->node[i];
        if (!node_needed[i] || is_bypassed(node, value_needed))
            continue;
        ts_node *c = ts_graph_add_node(f->arena, out, node->ins, node->outs);
        c->name = node->name;
        c->domain = node->domain;
        c->type = node->type;
        c->opset = node->opset;
        c->op = node->op;
        c->attrs = node->attrs;
        c->attr = node->attr;
        for (int k = 0; k < node->ins; k++) {
            const ts_value *from = node->in[k];
            /* A constant stays where it was computed: what it came from may be gone. */
            if (from)
                c->in[k] = f->constant[from->id] ? copy[from->id] : copy[source_of(from)->id];
        }
        for (int k = 0; k < node->outs; k++) {
            const ts_value *v = node->out[k];
            c->out[k] = f->constant[v->id] ? NULL : copy[v->id];
            if (!c->out[k] && !(c->out[k] = copy_value(f, out, v, copy[v->id] ? ts_printf(f->arena, "%s:unused", v->name) : v->name)))
                return NULL;
        }
    }
    return ts_graph_finish(f->arena, out, f->err) ? out : NULL;
}

static ts_graph *fold(folder *f)
{
    const ts_graph *g = f->g;
    for (int i = 0; i < g->values; i++)
        f->constant[i] = g->value[i]->constant;
    /* A value that turns out not to depend on n may make larger ones constant (ConstantOfShape, Expand). */
    for (int round = 0; round < MAX_ROUNDS; round++) {
        if (!fold_constants(f) || !take_samples(f))
            return NULL;
        if (!promote_constants(f))
            break;
    }
    return rebuild(f);
}

ts_graph *ts_fold(ts_arena *arena, const ts_graph *g, ts_err *err)
{
    enum { FREE_ELEMENTS = 1 << 20 }; /* that even the smallest model may make */
    folder f = {.g = g, .arena = arena, .scratch = ts_arena_new(), .budget = FREE_ELEMENTS + 4 * g->elements, .work = 2e9, .err = err};
    int ins = 0, outs = 0;
    for (int i = 0; i < g->nodes; i++) {
        ins = g->node[i]->ins > ins ? g->node[i]->ins : ins;
        outs = g->node[i]->outs > outs ? g->node[i]->outs : outs;
    }
    f.in = TS_NEW_N(f.scratch, const ts_tensor *, ins);
    f.out = TS_NEW_N(f.scratch, ts_tensor *, outs);
    f.constant = TS_NEW_N(f.scratch, const ts_tensor *, g->values);
    f.grid = TS_NEW_N(f.scratch, const ts_grid *, g->values);
    f.is_done = TS_NEW_N(f.scratch, bool, g->nodes);
    ts_graph *out = fold(&f);
    if (!out)
        ts_fail_in(err, "%s", g->name);
    ts_arena_free(f.samples_arena);
    ts_arena_free(f.scratch);
    return out;
}
