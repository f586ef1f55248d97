#include "search/split.h"

#include <stdlib.h>
#include <string.h>

#include "physics/rng.h"

/* What tells particles apart between events. */
typedef struct particle {
    int64_t id;
    double p[3]; /* momentum */
} particle;

/* Particles seen so far, sorted. */
typedef struct particles {
    int count;
    particle *list;
} particles;

static int by_particle(const void *left, const void *right)
{
    const particle *a = left, *b = right;
    if (a->id != b->id)
        return a->id < b->id ? -1 : 1;
    for (int c = 0; c < 3; c++)
        if (a->p[c] != b->p[c])
            return a->p[c] < b->p[c] ? -1 : 1;
    return 0;
}

static particle particle_of(const ts_truth_event *event, int hit)
{
    const double *p = event->momentum + 3 * hit;
    return (particle){event->particle_id[hit], {p[0], p[1], p[2]}};
}

static bool seen(const particles *before, const ts_truth_event *event, int hit)
{
    if (event->particle_id[hit] == 0 || !event->momentum || before->count == 0)
        return false;
    const particle own = particle_of(event, hit);
    return bsearch(&own, before->list, (size_t)before->count, sizeof own, by_particle) != NULL;
}

static void remember(ts_arena *arena, particles *before, const ts_sample *sample)
{
    size_t more = 0;
    for (int e = 0; e < sample->events; e++)
        more += sample->truth[e].momentum ? (size_t)sample->n[e] : 0;
    particle *list = TS_NEW_N(arena, particle, (size_t)before->count + more);
    if (before->count)
        memcpy(list, before->list, (size_t)before->count * sizeof *list);
    before->list = list;
    for (int e = 0; e < sample->events; e++)
        for (int h = 0; sample->truth[e].momentum && h < sample->n[e]; h++)
            list[before->count++] = particle_of(&sample->truth[e], h);
    qsort(list, (size_t)before->count, sizeof *list, by_particle);
}

/* The hits of one event that `keep` lists; count of them. */
static ts_truth_event truth_of(ts_arena *arena, const ts_truth_event *from, const int *keep, int count)
{
    int64_t *hit_id = TS_NEW_N(arena, int64_t, count), *particle_id = TS_NEW_N(arena, int64_t, count);
    double *weight = TS_NEW_N(arena, double, count), *charge = from->charge ? TS_NEW_N(arena, double, count) : NULL;
    double *position = from->position ? TS_NEW_N(arena, double, 3 * (size_t)count) : NULL;
    double *momentum = from->momentum ? TS_NEW_N(arena, double, 3 * (size_t)count) : NULL;
    for (int i = 0; i < count; i++) {
        hit_id[i] = from->hit_id[keep[i]];
        particle_id[i] = from->particle_id[keep[i]];
        weight[i] = from->weight[keep[i]];
        if (charge)
            charge[i] = from->charge[keep[i]];
        for (int c = 0; c < 3; c++) {
            if (position)
                position[3 * i + c] = from->position[3 * keep[i] + c];
            if (momentum)
                momentum[3 * i + c] = from->momentum[3 * keep[i] + c];
        }
    }
    return (ts_truth_event){.id = from->id,
                            .n = count,
                            .hit_id = hit_id,
                            .particle_id = particle_id,
                            .weight = weight,
                            .position = position,
                            .momentum = momentum,
                            .charge = charge};
}

/* Events index[0 ... count-1], without the hits of particles that were seen. An event of which nothing is left is left out. */
static ts_sample take(ts_arena *arena, const ts_events *events, const ts_truth *truth, const int *index, int count, const particles *before)
{
    int64_t *id = TS_NEW_N(arena, int64_t, count);
    int *n = TS_NEW_N(arena, int, count), taken = 0;
    const float **x = TS_NEW_N(arena, const float *, count);
    ts_truth_event *true_event = truth ? TS_NEW_N(arena, ts_truth_event, count) : NULL;
    ts_sample sample = {.id = id, .n = n, .x = x, .truth = true_event};
    const int features = events->features;
    for (int i = 0; i < count; i++) {
        const ts_event *from = &events->event[index[i]];
        int *keep = TS_NEW_N(arena, int, from->n), kept = 0;
        for (int h = 0; h < from->n; h++)
            if (!truth || !seen(before, &truth->event[index[i]], h))
                keep[kept++] = h;
        sample.dropped += from->n - kept;
        if (kept == 0)
            continue;
        float *rows = TS_NEW_N(arena, float, (size_t)kept *(size_t)features);
        for (int h = 0; h < kept; h++)
            memcpy(rows + (size_t)h * (size_t)features, from->x + (size_t)keep[h] * (size_t)features, (size_t)features * sizeof *rows);
        id[taken] = from->id;
        n[taken] = kept;
        x[taken] = rows;
        if (truth)
            true_event[taken] = truth_of(arena, &truth->event[index[i]], keep, kept);
        taken++;
    }
    sample.events = taken;
    return sample;
}

/* Fewer events than this say too little of ranges, or of a model's errors. */
enum { FEWEST = 8 };

/* How many of `count` events go where. Too few to be shared out all calibrate. */
static void share_out(int count, const ts_split_options *wish, int *calibrate, int *select)
{
    *calibrate = wish->calibrate;
    *select = wish->select;
    if (count >= wish->calibrate + wish->select)
        return;
    *select = count / 3 >= FEWEST ? count / 3 : 0;
    *calibrate = *select ? count - 2 * *select : count;
}

bool ts_split_events(ts_arena *arena, const ts_events *events, const ts_truth *truth, const ts_split_options *options, ts_split *split,
                     ts_err *err)
{
    int *index = TS_NEW_N(arena, int, events->count), count = 0, calibrate, select;
    CHECK(!truth || truth->count == events->count);
    for (int e = 0; e < events->count; e++) {
        CHECK(!truth || (truth->event[e].id == events->event[e].id && truth->event[e].n == events->event[e].n));
        if (events->event[e].n > 0)
            index[count++] = e;
    }
    if (count == 0)
        return ts_fail_as(err, TS_BAD_FILE, "%s: no event has a hit; there is nothing to choose formats by", events->path);
    share_out(count, options, &calibrate, &select);
    ts_rng rng = ts_rng_make(options->seed, 0, 0);
    for (int i = count - 1; i > calibrate; i--) { /* shuffles what calibration leaves */
        const int j = calibrate + (int)ts_rng_below(&rng, (uint32_t)(i - calibrate + 1)), other = index[j];
        index[j] = index[i];
        index[i] = other;
    }
    particles before = {0};
    *split = (ts_split){.seed = options->seed};
    split->calibration = take(arena, events, truth, index, calibrate, &before);
    if (truth)
        remember(arena, &before, &split->calibration);
    split->selection = take(arena, events, truth, index + calibrate, select, &before);
    if (truth)
        remember(arena, &before, &split->selection);
    split->test = take(arena, events, truth, index + calibrate + select, count - calibrate - select, &before);
    if (split->selection.events == 0) {
        split->selection = split->calibration;
        split->reused = true;
    }
    return true;
}

static json_t *ids(const ts_sample *sample)
{
    json_t *list = json_array();
    for (int e = 0; e < sample->events; e++)
        json_array_append_new(list, json_integer((json_int_t)sample->id[e]));
    return list;
}

json_t *ts_split_json(const ts_split *split)
{
    json_t *json = json_pack("{s:I, s:o, s:o, s:o, s:b, s:{s:i, s:i}}", "seed", (json_int_t)split->seed, "calibration",
                             ids(&split->calibration), "selection", ids(&split->selection), "test", ids(&split->test),
                             "selection_is_calibration", split->reused, "hits_dropped_as_their_particles_are_in_an_earlier_sample",
                             "selection", split->selection.dropped, "test", split->test.dropped);
    CHECK(json);
    return json;
}
