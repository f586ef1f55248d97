/* Events from a .npy array, with lengths and masks beside it. */
#define TS_FAIL_CODE TS_BAD_FILE
#include <math.h>
#include <string.h>

#include "data/event_rows.h"

/* Opens a file beside the events and checks that its first `rank` axes are theirs. */
static bool open_side(ts_arena *arena, const char *path, const ts_npy *events, int rank, ts_npy *side, ts_err *err)
{
    if (!ts_npy_open(arena, path, side, err))
        return false;
    bool fits = side->rank == rank;
    for (int i = 0; fits && i < rank; i++)
        fits = side->dim[i] == events->dim[i];
    return fits || ts_fail(err, "%s: expected %s to match the events", path, rank == 1 ? "[events]" : "[events][tokens]");
}

static bool read_lengths(ts_arena *arena, const char *path, ts_npy_events *n, ts_err *err)
{
    ts_npy side = {.rank = 0};
    double *lengths = NULL;
    bool ok = open_side(arena, path, &n->npy, 1, &side, err);
    if (ok) {
        lengths = TS_NEW_N(arena, double, (size_t)side.dim[0]);
        ok = ts_npy_read(&side, side.dim[0], lengths, err);
    }
    ts_npy_close(&side);
    n->lengths = lengths;
    n->lengths_path = path;
    return ok;
}

bool ts_npy_events_open(ts_arena *arena, const char *path, const ts_inputs *in, const ts_events_options *o, ts_npy_events *n, ts_err *err)
{
    *n = (ts_npy_events){.in = in};
    if (!ts_npy_open(arena, path, &n->npy, err))
        return false;
    const ts_npy *npy = &n->npy;
    if (npy->rank != 3 || npy->dim[2] != in->features || npy->dim[1] > TS_EVENT_ROWS_MOST)
        return ts_fail(err, "%s: expected [events][tokens][%d features], found rank %d with a last dimension of %lld", path, in->features,
                       npy->rank, npy->rank ? npy->dim[npy->rank - 1] : 0);
    if (npy->dim[0] > INT32_MAX)
        return ts_fail(err, "%s: more than %d events", path, INT32_MAX);
    if (npy->dim[0] == 0 || npy->dim[1] == 0)
        return ts_fail(err, "%s: the array holds no tokens", path);
    if (o->lengths_path && !read_lengths(arena, o->lengths_path, n, err))
        return false;
    n->has_mask = o->mask_path != NULL;
    if (n->has_mask && !open_side(arena, o->mask_path, npy, 2, &n->mask, err))
        return false;
    n->value = TS_NEW_N(arena, double, (size_t)npy->dim[1] * (size_t)npy->dim[2]);
    n->masked = TS_NEW_N(arena, double, (size_t)npy->dim[1]);
    return true;
}

void ts_npy_events_close(ts_npy_events *n)
{
    ts_npy_close(&n->npy);
    ts_npy_close(&n->mask);
}

ts_event_status ts_npy_events_next(ts_npy_events *n, ts_event_rows *rows, int64_t *id, ts_err *err)
{
    const int features = n->in->features;
    const long long tokens = n->npy.dim[1], e = n->next;
    if (e == n->npy.dim[0])
        return TS_EVENT_END;
    n->next++;
    *id = e;
    const double length = n->lengths ? n->lengths[e] : (double)tokens;
    if (!(length >= 0 && length <= (double)tokens && length == floor(length))) {
        ts_fail(err, "%s: length %g of event %lld is not an integer of 0 ... %lld", n->lengths_path, length, e, tokens);
        return TS_EVENT_BAD;
    }
    if (!ts_npy_read(&n->npy, tokens * features, n->value, err) || (n->has_mask && !ts_npy_read(&n->mask, tokens, n->masked, err)))
        return TS_EVENT_BAD;
    for (long long t = 0; t < tokens; t++) {
        float *x = ts_event_row_add(rows, t);
        bool *masked = &rows->masked[rows->count - 1];
        *masked = (double)t >= length || (n->has_mask && n->masked[t] != 0);
        for (int f = 0; f < features; f++) {
            const double value = n->value[t * features + f];
            x[f] = 0;
            if (*masked || ts_event_value(n->in, f, value, &x[f]))
                continue;
            ts_fail(err, "%s: [%lld][%lld][%d] is %g, which is not a finite %snumber", n->npy.path, e, t, f, value,
                    isfinite(value) ? "single-precision " : "");
            return TS_EVENT_BAD;
        }
    }
    return TS_EVENT_READ;
}
