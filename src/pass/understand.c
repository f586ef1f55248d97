#define TS_FAIL_CODE TS_UNSUPPORTED
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

/* Folds and recognises one reading in `arena`: the whole, or a part. */
static const ts_recognition *try_reading(ts_arena *arena, const ts_graph *imported, const ts_value *input, reading *r, bool part)
{
    r->err = (ts_err){""};
    r->reached = -1;
    r->graph = folded(arena, imported, input, r->axes, &r->err);
    if (!r->graph)
        return NULL;
    return part ? ts_recognise_part(arena, r->graph, &r->err) : ts_recognise_reached(arena, r->graph, &r->err, &r->reached);
}

/* The same in memory of its own, unless it is found: how many layers. */
static int count_layers(const ts_graph *imported, const ts_value *input, reading *r, bool part)
{
    ts_arena *scratch = ts_arena_new();
    const ts_recognition *found = try_reading(scratch, imported, input, r, part);
    const int layers = found ? found->encoder->layers : 0;
    r->graph = NULL;
    ts_arena_free(scratch);
    return layers;
}

static void fail_best(ts_arena *arena, const ts_graph *imported, const ts_axes_list *list, const reading *r, int count, ts_err *err)
{
    const reading *best = &r[0];
    for (int i = 1; i < count; i++)
        if (r[i].reached > best->reached)
            best = &r[i];
    *err = list->fixed_batch > 1 ? (ts_err){""} : best->err;
    if (list->fixed_batch > 1)
        ts_fail(err,
                "%s: the batch is fixed at %lld (input '%s' is %s); export with a batch of 1 or a dynamic batch: one event is computed at "
                "a time",
                imported->name, (long long)list->fixed_batch, list->input->name, ts_axes_text(arena, list->input));
}

const ts_recognition *ts_understand(ts_arena *arena, const ts_graph *imported, const ts_graph **graph, ts_err *err)
{
    enum { MANY_NODES = 20000 }; /* of larger graphs only the most usual reading is tried */
    const ts_axes_list list = ts_axes_of(imported);
    const int count = list.count == 0 || imported->nodes > MANY_NODES ? 1 : list.count;
    const ts_value *input = list.count ? list.input : NULL; /* NULL: as it was imported */
    reading r[TS_AXES_MAX] = {{.reached = 0}};
    for (int i = 0; i < count; i++)
        r[i].axes = list.axes[i];
    const ts_recognition *found = try_reading(arena, imported, input, &r[0], false);
    *graph = r[0].graph;
    if (found)
        return found;
    if (*graph && !ts_has_attention(*graph)) {
        *err = r[0].err;
        return NULL;
    }
    int best = -1, most = 0;
    for (int i = 1; i < count && best < 0; i++)
        if ((most = count_layers(imported, input, &r[i], false)) > 0)
            best = i;
    if (best < 0 && *graph) {
        ts_err none = {""};
        found = ts_recognise_part(arena, *graph, &none);
        most = found ? found->encoder->layers : 0;
    }
    const bool part = best < 0;
    for (int i = 1; i < count && part; i++) {
        reading tried = r[i];
        const int layers = count_layers(imported, input, &tried, true);
        if (layers > most) {
            most = layers;
            best = i;
        }
    }
    if (best >= 0) {
        found = try_reading(arena, imported, input, &r[best], part);
        *graph = r[best].graph;
    }
    if (!found)
        fail_best(arena, imported, &list, r, count, err);
    return found;
}
