#define TS_FAIL_CODE TS_NO_TOOL
#include "sim/trace.h"

#include <string.h>

#include "base/file.h"

enum { PARTS = 8 };

/* What one stream carried for one event in one layer. */
typedef struct slot {
    int rows, allocated;
    int32_t *data; /* [rows][stream's count] */
    bool done;     /* the token tagged last has come */
} slot;

typedef struct tensor {
    int rows, cols;
    const int32_t *data;
} tensor;

typedef struct trace {
    ts_arena *arena;
    const ts_imodel *im;
    int events;
    const ts_ring *ring;
    slot *slots;     /* [events][layers][TS_RING_TAPS] */
    tensor *tensors; /* of the event at hand: [layers][TS_ROLE_COUNT][PARTS] */
} trace;

static slot *slot_at(const trace *t, int event, int layer, int stream)
{
    return &t->slots[((size_t)event * t->im->layers + layer) * TS_RING_TAPS + stream];
}

static tensor *tensor_at(const trace *t, int layer, ts_role role, int part)
{
    return &t->tensors[((size_t)layer * TS_ROLE_COUNT + role) * PARTS + part];
}

static void add_row(const trace *t, slot *s, const int32_t *values, int count)
{
    if (s->rows == s->allocated) {
        const int more = s->allocated ? 2 * s->allocated : 16;
        int32_t *data = TS_NEW_N(t->arena, int32_t, (size_t)more * count);
        if (s->rows)
            memcpy(data, s->data, sizeof *data * (size_t)s->rows * count);
        s->data = data;
        s->allocated = more;
    }
    memcpy(s->data + (size_t)s->rows++ * count, values, sizeof *values * (size_t)count);
}

/* Records carry stream, tag, values. A stream's events come in order, layer by layer, each ended by the token tagged last. */
static bool read_trace(const trace *t, const char *path, ts_err *err)
{
    size_t size;
    const char *text = ts_file_read(t->arena, path, &size, err);
    if (!text)
        return false;
    const ts_ring_widths w = ts_ring_widths_of(t->im);
    const int32_t *word = (const int32_t *)text; /* the arena aligns to 64 bytes */
    for (size_t at = 0, words = size / sizeof *word; at < words;) {
        if (words - at < 2 || word[at] < 0 || word[at] >= t->ring->taps || words - at - 2 < (size_t)t->ring->tap[word[at]].count)
            return ts_fail(err, "%s: not a trace of this design", path);
        const int stream = word[at], tag = word[at + 1], layer = tag & ((1 << w.lw) - 1), count = t->ring->tap[stream].count;
        int event = 0;
        while (layer < t->im->layers && event < t->events && slot_at(t, event, layer, stream)->done)
            event++;
        if (layer >= t->im->layers || event == t->events)
            return ts_fail_as(err, TS_DIFFERS, "the RTL sends a token of layer %d too much through \"%s\"", layer,
                              t->ring->tap[stream].wire);
        slot *s = slot_at(t, event, layer, stream);
        add_row(t, s, word + at + 2, count);
        s->done = tag >> w.lw & 1;
        at += 2 + (size_t)count;
    }
    return true;
}

static void keep(void *user, int layer, ts_role role, int part, int rows, int cols, const int32_t *data, const double *scale,
                 const double *offset)
{
    const trace *t = user;
    if (role == TS_ROLE_SCORE || role == TS_ROLE_P)
        return; /* never leave the attention engine */
    CHECK(layer >= 0 && layer < t->im->layers && part >= 0 && part < PARTS);
    int32_t *copy = TS_NEW_N(t->arena, int32_t, (size_t)rows * cols);
    memcpy(copy, data, sizeof *copy * (size_t)rows * cols);
    *tensor_at(t, layer, role, part) = (tensor){rows, cols, copy};
}

/* In words, the first value that differs; NULL where none does. */
static const char *compare(const trace *t, int event, int layer, const ts_stream *stream, const slot *rtl, const tensor *model)
{
    const char *where = ts_printf(t->arena, "event %d, layer %d, %s (stream \"%s\")", event, layer, stream->label, stream->wire);
    if (rtl->rows != model->rows)
        return ts_printf(t->arena, "%s: the RTL makes %d tokens, the model %d", where, rtl->rows, model->rows);
    CHECK(model->cols == stream->count);
    for (int r = 0; r < model->rows; r++)
        for (int c = 0; c < model->cols; c++) {
            const int32_t a = rtl->data[(size_t)r * model->cols + c], b = model->data[(size_t)r * model->cols + c];
            if (a != b)
                return ts_printf(t->arena, "%s: token %d, channel %d: RTL %d, model %d", where, r, c, a, b);
        }
    return NULL;
}

const char *ts_trace_compare(ts_arena *arena, const ts_design *design, const ts_sim_options *opt, const ts_emu *emu, const int *list,
                             int count, const char *path, ts_err *err)
{
    const ts_imodel *im = design->im;
    trace t = {.arena = arena, .im = im, .events = count, .ring = design->part[0].built};
    t.slots = TS_NEW_N(arena, slot, (size_t)count * im->layers * TS_RING_TAPS);
    if (!read_trace(&t, path, err))
        return NULL;
    const char *first = NULL;
    for (int e = 0; e < count; e++) {
        t.tensors = TS_NEW_N(arena, tensor, (size_t)im->layers * TS_ROLE_COUNT * PARTS);
        const int n = opt->n[list[e]];
        int32_t *y = TS_NEW_N(arena, int32_t, (size_t)n * im->outputs);
        ts_emu_run(emu, n, opt->x[list[e]], y, keep, &t);
        for (int layer = 0; layer < im->layers; layer++)
            for (int s = 0; s < t.ring->taps; s++) {
                const ts_stream *stream = &t.ring->tap[s];
                const slot *rtl = slot_at(&t, e, layer, s);
                const tensor *model = tensor_at(&t, layer, stream->role, stream->part);
                if (rtl->rows)
                    opt->tap(opt->tap_user, list[e], layer, stream->role, stream->part, stream->label, rtl->rows, stream->count, rtl->data,
                             model->rows == rtl->rows ? model->data : NULL);
                if (!first && model->data)
                    first = compare(&t, list[e], layer, stream, rtl, model);
            }
    }
    return first;
}
