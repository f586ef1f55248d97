/* Any bytes as a file of hits; the first byte says which: c CSV events, n .npy events, m the same with a mask that is this file, t truth,
   r results (scored against a fixed truth), s the two of an event file (what a model reads and what a score reads have the same hits). */
#include "data/events.h"
#include "fuzz.h"
#include "physics/score.h"

static const char truth_text[] =
    "event_id,hit_id,x,y,z,particle_id,weight,px,py,pz,q\n1,1,1,2,3,7,1,1,0,1,1\n1,2,2,2,3,7,1,1,0,1,1\n1,3,3,2,3,7,1,1,0,1,1\n"
    "1,4,1,2,9,8,.5,0,1,1,-1\n1,5,1,3,9,8,.5,0,1,1,-1\n2,1,1,2,3,0,1,0,0,0,0\n2,9,5,5,5,4,1,1,1,1,1\n";

static const ts_inputs *three_columns(ts_arena *arena, bool mask)
{
    static const char *const column[] = {"x", "eta", "z"}, *const output[] = {"theta", "phi"};
    static const double mean[] = {0, 0.5, -1}, std[] = {1, 2, 140};
    ts_inputs *in = TS_NEW(arena, ts_inputs);
    *in = (ts_inputs){.features = 3,
                      .column = column,
                      .mean = mean,
                      .std = std,
                      .outputs = 2,
                      .output = output,
                      .mask = mask ? "mask" : NULL,
                      .cluster = ts_inputs_default_clustering(arena, 2)};
    return in;
}

static const ts_events *events(ts_arena *arena, const char *path, const ts_events_options *o, ts_err *err)
{
    const ts_events *ev = ts_events_load(arena, path, three_columns(arena, false), o, err);
    FUZZ_CHECK(ev || err->msg[0]);
    for (int e = 0; ev && e < ev->count; e++)
        for (int i = 0; i < ev->event[e].n * ev->features; i++)
            FUZZ_CHECK(ev->event[e].x[i] - ev->event[e].x[i] == 0); /* finite */
    return ev;
}

static void score(const ts_truth *truth, const ts_results *results, const ts_inputs *inputs)
{
    for (int e = 0; e < truth->count; e++) {
        if (!results->y[e] || results->kind == TS_RESULT_CLASS)
            continue;
        const ts_score s = ts_score_outputs(&truth->event[e], inputs, NULL, results->y[e]);
        for (int m = 0; m < TS_METRICS; m++)
            FUZZ_CHECK(s.value[m] >= 0 && s.value[m] <= 1);
    }
}

static void results(ts_arena *arena, const char *path, ts_err *err)
{
    char truth_path[512];
    const ts_truth *truth =
        ts_truth_load(arena, fuzz_file(truth_path, "truth.csv", (const uint8_t *)truth_text, sizeof truth_text - 1), NULL, err);
    FUZZ_CHECK(truth);
    const ts_inputs *inputs = ts_results_inputs(arena, path, err);
    const ts_results *r = inputs ? ts_results_read(arena, path, inputs, truth, err) : NULL;
    FUZZ_CHECK(r || err->msg[0]);
    if (r)
        score(truth, r, inputs);
}

static void both(ts_arena *arena, const char *path, ts_err *err)
{
    ts_err other = {{0}};
    const ts_events *ev = events(arena, path, &(ts_events_options){0}, err);
    const ts_truth *truth = ts_truth_load(arena, path, NULL, &other);
    FUZZ_CHECK(truth || other.msg[0]);
    FUZZ_CHECK(!ev || !truth ||
               (ev->count == truth->count && ev->event[0].id == truth->event[0].id && ev->event[0].n == truth->event[0].n));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    char path[512], npy[512];
    fuzz_file(path, "fuzz.csv", data + 1, size - 1);
    fuzz_file(npy, "fuzz.npy", data + 1, size - 1);
    ts_arena *arena = ts_arena_new();
    ts_err err = {{0}};
    switch (data[0]) {
    case 'c':
        events(arena, path, &(ts_events_options){.limit = 3}, &err);
        break;
    case 'n':
        events(arena, npy, &(ts_events_options){0}, &err);
        break;
    case 'm':
        events(arena, npy, &(ts_events_options){.mask_path = npy}, &err);
        break;
    case 't':
        FUZZ_CHECK(ts_truth_load(arena, path, "mask", &err) || err.msg[0]);
        break;
    case 'r':
        results(arena, path, &err);
        break;
    case 's':
        both(arena, path, &err);
        break;
    default:
        break;
    }
    ts_arena_free(arena);
    return 0;
}
