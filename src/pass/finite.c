#define TS_FAIL_CODE TS_UNSUPPORTED
#include "pass/finite.h"

#include <math.h>

#include "op/op.h"

typedef struct census {
    int64_t wrong, first; /* values that are not finite, and where the first is */
    bool nan, plus;       /* whether a NaN, or plus infinity, is among them */
    bool all;             /* whether there are no others */
} census;

static census look(const ts_tensor *t)
{
    census c = {.first = -1};
    if (!ts_is_float(t->dtype))
        return c;
    for (int64_t i = 0, n = ts_count(t); i < n; i++) {
        const double x = ts_get_real(t, i);
        if (isfinite(x))
            continue;
        c.first = c.wrong++ ? c.first : i;
        c.nan |= isnan(x);
        c.plus |= x > 0;
    }
    c.all = c.wrong == ts_count(t);
    return c;
}

/* Whether a node may have such a constant: infinities choose, limit and mask. */
static bool is_legal(const ts_node *node, int slot, census c)
{
    switch ((int)ts_kind(node)) {
    case TS_OP_Where:
    case TS_OP_IsNaN:
    case TS_OP_IsInf:
    case TS_OP_Equal:
        return true;
    case TS_OP_Max:
    case TS_OP_Min:
    case TS_OP_Clip:
    case TS_OP_Greater:
    case TS_OP_GreaterOrEqual:
    case TS_OP_Less:
    case TS_OP_LessOrEqual:
    case TS_OP_Pad:
    case TS_OP_Expand:
    case TS_OP_Tile:
    case TS_OP_Concat:
    case TS_OP_Gather:
    case TS_OP_Slice:
    case TS_OP_Reshape:
        return !c.nan;
    case TS_OP_Add:
    case TS_OP_Sub:
    case TS_OP_Sum:
        return !c.nan && (!c.plus || c.all); /* a mask of minus infinities; a level */
    case TS_OP_Attention:
    case TS_OP_ms_MultiHeadAttention:
        return slot >= 3 && !c.nan && !c.plus;
    default:
        return false;
    }
}

/* Where it came from: up to the first node all of whose inputs are finite, or to what the file holds. */
static bool fail(const ts_value *v, const ts_tensor *const *constant, ts_err *err)
{
    const ts_node *made_by = NULL;
    census c = look(constant[v->id]);
    for (bool up = true; up;) {
        up = false;
        const ts_node *node = v->producer;
        if (node && ts_kind(node) != TS_OP_Constant)
            made_by = node;
        for (int k = 0; node && k < node->ins && !up; k++) {
            const ts_value *in = node->in[k];
            const census from = in && constant[in->id] ? look(constant[in->id]) : (census){0};
            if (from.wrong) {
                v = in;
                c = from;
                up = true;
            }
        }
        made_by = up ? NULL : made_by;
    }
    const ts_tensor *t = constant[v->id];
    const double x = ts_get_real(t, c.first);
    const char *what = isnan(x) ? "nan" : x > 0 ? "inf" : "-inf";
    const long long wrong = c.wrong, all = ts_count(t), first = c.first;
    if (made_by)
        return ts_fail(err,
                       "node '%s' (%s): %lld of the %lld values that it makes of constants are not finite, the first at index %lld (%s)",
                       made_by->name, made_by->type, wrong, all, first, what);
    return ts_fail(err,
                   "%s '%s': %lld of its %lld values are not finite, the first at index %lld (%s): the training diverged, or the file is "
                   "damaged; export "
                   "a model whose weights are numbers",
                   v->producer ? "constant" : "initialiser", v->name, wrong, all, first, what);
}

bool ts_check_finite(ts_arena *scratch, const ts_graph *g, const ts_tensor *const *constant, const bool *needed, ts_err *err)
{
    census *seen = TS_NEW_N(scratch, census, g->values);
    for (int i = 0; i < g->nodes; i++)
        for (int k = 0; needed[i] && k < g->node[i]->ins; k++) {
            const ts_value *v = g->node[i]->in[k];
            if (!v || !constant[v->id] || !ts_is_float(constant[v->id]->dtype))
                continue;
            if (!seen[v->id].first && !seen[v->id].wrong) /* not looked at yet: of a finite one, first is -1 */
                seen[v->id] = look(constant[v->id]);
            if (seen[v->id].wrong && !is_legal(g->node[i], k, seen[v->id]))
                return fail(v, constant, err);
        }
    return true;
}
