#include "pass/understand.h"

#include <string.h>

#include "pass/axes.h"
#include "pass/fold.h"

typedef struct reading {
    ts_axes axes;
    const ts_graph *graph; /* NULL: it does not fold */
    int reached;
    ts_err err;
} reading;

/* Whether the output is [1][values][hits]. */
static bool has_hits_last(const ts_graph *g)
{
    const ts_shape *s = &g->output[0]->shape;
    return g->outputs == 1 && s->rank == 3 && ts_dim_is(s->dim[0], 1) && ts_dim_is_const(s->dim[1]) && s->dim[1].c[0] > 1 &&
           ts_dim_is_hits(s->dim[2]);
}

static const ts_graph *folded(ts_arena *arena, const ts_graph *imported, const ts_value *input, ts_axes axes, ts_err *err)
{
    const ts_graph *bound = input ? ts_axes_bind(arena, imported, input, axes, err) : imported;
    const ts_graph *g = bound ? ts_fold(arena, bound, err) : NULL;
    if (!g || !input || axes.transpose_out || !has_hits_last(g))
        return g;
    axes.transpose_out = true;
    return folded(arena, imported, input, axes, err);
}

static const ts_recognition *try_whole(ts_arena *arena, const ts_graph *imported, const ts_value *input, reading *r)
{
    r->reached = -1;
    r->graph = folded(arena, imported, input, r->axes, &r->err);
    return r->graph ? ts_recognise_reached(arena, r->graph, &r->err, &r->reached) : NULL;
}

static void fail_best(ts_arena *arena, const ts_graph *imported, const ts_axes_list *list, const reading *r, int count, ts_err *err)
{
    const reading *best = &r[0];
    for (int i = 1; i < count; i++)
        if (r[i].reached > best->reached)
            best = &r[i];
    *err = list->fixed_batch > 1 ? (ts_err){""} : best->err;
    if (list->fixed_batch > 1)
        ts_fail(err, "%s: the batch is fixed at %lld (input '%s' is %s); export with a batch of 1 or a dynamic batch: one event is computed at a time",
                imported->name, (long long)list->fixed_batch, list->input->name, ts_axes_text(arena, list->input));
}

const ts_recognition *ts_understand(ts_arena *arena, const ts_graph *imported, const ts_graph **graph, ts_err *err)
{
    const ts_axes_list list = ts_axes_of(imported);
    const int count = list.count ? list.count : 1;
    const ts_value *input = list.count ? list.input : NULL; /* NULL: as it was imported */
    reading r[TS_AXES_MAX] = {{.reached = 0}};
    const ts_recognition *best = NULL;
    *graph = NULL;
    for (int i = 0; i < count; i++) {
        r[i].axes = list.axes[i];
        const ts_recognition *found = try_whole(arena, imported, input, &r[i]);
        if (!*graph || found)
            *graph = r[i].graph;
        if (found)
            return found;
    }
    for (int i = 0; i < count; i++) {
        ts_err none = {""};
        const ts_recognition *found = r[i].graph ? ts_recognise_part(arena, r[i].graph, &none) : NULL;
        if (found && (!best || found->encoder->layers > best->encoder->layers)) {
            best = found;
            *graph = r[i].graph;
        }
    }
    if (!best)
        fail_best(arena, imported, &list, r, count, err);
    return best;
}
