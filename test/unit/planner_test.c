/* The planner against brute force, on random small models, devices, links, lengths and objectives: every cut over every device, each part
   planned in full. Seeds 1, 2, ... until the time is up; `planner_test FIRST COUNT` runs others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "plan/cost_modules.h"
#include "plan/partition.h"
#include "plan/verify.h"
#include "small_model.h"

enum { DEVICES_MAX = 3, BLOCKS_MAX = 6, LEAST_SEEDS = 12 };
static const double SECONDS = 6;
static uint64_t first_seed = 1;
static int seed_count = 0; /* 0: until the time is up */

typedef struct problem {
    uint64_t seed;
    small_model m;
    ts_device own[DEVICES_MAX + 1];
    const ts_device *device[DEVICES_MAX + 1];
    int devices, blocks;
    ts_partition_options options;
    ts_pin pin;
} problem;

static int range(uint64_t *s, int lo, int hi)
{
    return lo + (int)(ts_random(s) % (uint64_t)(hi - lo + 1));
}

/* A known device, or a part of one that is short of something. */
static void random_device(uint64_t *s, ts_arena *arena, ts_device *d)
{
    static const char *const names[] = {"pynq-z2", "ultra96", "arty-a7-100t", "kv260", "zcu102", "kc705"};
    ts_err err = {""};
    *d = *ts_device_find(arena, names[range(s, 0, 5)], &err);
    const double share[] = {1, 0.5, 0.3};
    d->has.bram36 = floor(d->has.bram36 * share[range(s, 0, 2)]);
    d->has.dsp = floor(d->has.dsp * share[range(s, 0, 2)]);
    d->has.lut = floor(d->has.lut * share[range(s, 0, 1)]);
    d->has.lutram = floor(fmin(d->has.lut, d->has.lutram * share[range(s, 0, 2)]));
}

static bool random_problem(uint64_t seed, problem *p)
{
    uint64_t s = seed * 0x9e3779b97f4a7c15u + 7;
    *p = (problem){.seed = seed};
    const ts_encoder_shape shape = {.features = range(&s, 2, 4), .d = range(&s, 4, 24), .heads = range(&s, 1, 3), .d_head = range(&s, 2, 8),
                                    .ff = range(&s, 4, 64), .outputs = range(&s, 1, 5), .layers = range(&s, 1, 3), .embed_count = 1, .head_count = 1,
                                    .norms = (ts_norms)range(&s, 0, 1), .act = TS_ACT_RELU};
    ts_err err = {""};
    p->m = small_model_make(&shape, seed, range(&s, 0, 1) ? "" : "w=8,qkv_in=8", &err);
    if (!p->m.im)
        fail_msg("seed %llu: %s", (unsigned long long)seed, err.msg);
    p->blocks = ts_block_count(p->m.im);
    p->devices = range(&s, 1, DEVICES_MAX);
    for (int d = 0; d <= DEVICES_MAX; d++) {
        if (d > 0 && range(&s, 0, 1))
            p->own[d] = p->own[d - 1];
        else
            random_device(&s, p->m.arena, &p->own[d]);
        p->device[d] = &p->own[d];
    }
    const int tokens = range(&s, 4, 96);
    const double clock = 100, mbits[] = {100, 2000, 10000, 100000};
    p->options = (ts_partition_options){.plan = {.max_tokens = tokens + range(&s, 0, 400), .plan_tokens = tokens, .clock_mhz = clock,
                                                 .utilisation = range(&s, 0, 3) ? 0.8 : 0.4},
                                        .devices = p->devices, .device = p->device, .any_mode = true,
                                        .objective = (ts_objective)range(&s, TS_OBJECTIVE_LATENCY, TS_OBJECTIVE_AREA)};
    p->options.link = ts_link_of(p->m.im->d * p->m.im->res.bits, mbits[range(&s, 0, 3)], range(&s, 0, 2000), clock);
    if (range(&s, 0, 3) == 0) {
        p->pin = (ts_pin){range(&s, 0, p->blocks - 1), range(&s, 0, p->devices - 1)};
        p->options.pin = &p->pin;
        p->options.pins = 1;
    }
    return true;
}

/* ---- Brute force */

typedef struct whole {
    ts_arena *arena;
    const problem *p;
    ts_planned planned[DEVICES_MAX][BLOCKS_MAX + 1][BLOCKS_MAX + 1];
    const ts_imodel *im[BLOCKS_MAX + 1][BLOCKS_MAX + 1];
    bool tried[DEVICES_MAX][BLOCKS_MAX + 1][BLOCKS_MAX + 1];
    double best; /* latency or interval; for area: parts */
    int cuts;    /* that fit */
} whole;

static double value(ts_objective o, const ts_chain_prediction *p, int parts)
{
    return o == TS_OBJECTIVE_THROUGHPUT ? (double)p->interval_cycles : o == TS_OBJECTIVE_LATENCY ? (double)p->latency_cycles : parts;
}

static const ts_planned *plan_of(whole *w, int d, int a, int b)
{
    const problem *p = w->p;
    ts_planned *planned = &w->planned[d][a][b];
    if (!w->tried[d][a][b]) {
        ts_err err = {""};
        w->tried[d][a][b] = true;
        if (!w->im[a][b])
            w->im[a][b] = b - a == p->blocks ? p->m.im : ts_imodel_slice(w->arena, p->m.im, ts_slice_between(p->m.im, a, b), &err);
        ts_plan_options o = p->options.plan;
        o.small = p->options.objective == TS_OBJECTIVE_AREA;
        const int bits = p->m.im->d * p->m.im->res.bits;
        if (a > 0)
            ts_cost_add(&o.reserve, 1, ts_link_cost(&p->options.link, bits, false, p->device[d]));
        if (b < p->blocks)
            ts_cost_add(&o.reserve, 1, ts_link_cost(&p->options.link, bits, true, p->device[d]));
        if (!ts_plan_search(w->arena, w->im[a][b], p->device[d], &o, planned, &err))
            planned->plan = NULL;
    }
    return planned->plan ? planned : NULL;
}

static void try_all(whole *w, int d, int first, ts_chain_ring *ring, int parts)
{
    const problem *p = w->p;
    if (first == p->blocks) {
        const ts_chain_prediction c = ts_chain_predict(ring, parts, p->options.plan.plan_tokens, NULL);
        w->best = fmin(w->best, value(p->options.objective, &c, parts));
        w->cuts++;
        return;
    }
    if (d == p->devices)
        return;
    for (int end = first; end <= p->blocks; end++) {
        bool pinned = true;
        for (int i = 0; i < p->options.pins; i++)
            pinned = pinned && (p->pin.block >= first && p->pin.block < end) == (p->pin.device == d);
        if (end > first && !pinned)
            continue;
        const ts_planned *planned = end > first ? plan_of(w, d, first, end) : NULL;
        if (end > first && !planned)
            continue;
        if (planned)
            ring[parts] = (ts_chain_ring){planned->plan, w->im[first][end],
                                          first > 0 ? ts_link_hop(&p->options.link, p->m.im->d * p->m.im->res.bits) : (ts_hop){0}};
        try_all(w, d + 1, end, ring, parts + (planned != NULL));
    }
}

/* ---- What must hold */

static bool search(const problem *p, const ts_partition_options *o, ts_partition *found)
{
    ts_err err = {""};
    const bool ok = ts_partition_search(p->m.arena, p->m.im, o, found, &err);
    if (!ok && strstr(err.msg, "internal error"))
        fail_msg("seed %llu: %s", (unsigned long long)p->seed, err.msg);
    return ok;
}

static int against_brute_force(const problem *p)
{
    ts_partition found;
    whole *w = calloc(1, sizeof *w);
    CHECK(w);
    w->arena = ts_arena_new();
    w->p = p;
    w->best = INFINITY;
    ts_chain_ring ring[DEVICES_MAX];
    try_all(w, 0, 0, ring, 0);
    const bool ok = search(p, &p->options, &found);
    if (ok != (w->cuts > 0) && !(ok && found.mode == TS_MODE_REPLICATED))
        fail_msg("seed %llu: the planner finds %s, brute force %d cuts that fit", (unsigned long long)p->seed, ok ? "a plan" : "none", w->cuts);
    const double got = ok ? value(p->options.objective, &found.prediction, found.parts) : 0, best = w->best;
    const int cuts = w->cuts;
    ts_arena_free(w->arena);
    free(w);
    if (ok && got > best * (p->options.objective == TS_OBJECTIVE_AREA ? 1 : 1.1))
        fail_msg("seed %llu: for %s %g; the best of %d cuts has %g", (unsigned long long)p->seed, ts_objective_name(p->options.objective), got, cuts, best);
    return ok && cuts > 1;
}

/* The same with one device more, wherever in the list. */
static bool another_device_is_never_worse(const problem *p)
{
    if (p->options.pins)
        return false;
    ts_partition few, more;
    if (!search(p, &p->options, &few))
        return false;
    const ts_device *list[DEVICES_MAX + 1];
    const int at = (int)(p->seed % (uint64_t)(p->devices + 1));
    for (int d = 0; d <= p->devices; d++)
        list[d] = d == at ? p->device[p->devices] : p->device[d - (d > at)];
    ts_partition_options o = p->options;
    o.devices = p->devices + 1;
    o.device = list;
    if (!search(p, &o, &more))
        fail_msg("seed %llu: nothing fits when a device is added at %d", (unsigned long long)p->seed, at);
    const double before = value(o.objective, &few.prediction, few.parts), after = value(o.objective, &more.prediction, more.parts);
    if (after > before)
        fail_msg("seed %llu: for %s %g, and %g with another device at %d of %d (%s, %d parts; %s, %d parts)", (unsigned long long)p->seed,
                 ts_objective_name(o.objective), before, after, at, o.devices, ts_mode_name(few.mode), few.parts, ts_mode_name(more.mode), more.parts);
    return true;
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void random_problems(void **state)
{
    (void)state;
    const double start = seconds();
    int seeds = 0, compared = 0, grown = 0;
    for (; seed_count ? seeds < seed_count : seeds < LEAST_SEEDS || seconds() - start < SECONDS; seeds++) {
        problem p;
        random_problem(first_seed + (uint64_t)seeds, &p);
        compared += against_brute_force(&p);
        grown += another_device_is_never_worse(&p);
        ts_arena_free(p.m.arena);
    }
    printf("seeds %llu to %llu: %d with several cuts compared, %d with a device more\n", (unsigned long long)first_seed,
           (unsigned long long)first_seed + (unsigned long long)seeds - 1, compared, grown);
    assert_true(seed_count || (compared >= LEAST_SEEDS / 4 && grown >= LEAST_SEEDS / 4));
}

int main(int argc, char **argv)
{
    if (argc > 2) {
        first_seed = strtoull(argv[1], NULL, 10);
        seed_count = atoi(argv[2]);
    }
    const struct CMUnitTest tests[] = {cmocka_unit_test(random_problems)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
