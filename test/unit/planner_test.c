/* The planner on random small models, lists of devices, links, lengths and objectives: against brute force where there are few devices
   (every cut, each part planned in full), against itself with a device more, wherever in the list, and in another order where order is
   free. Seeds 1, 2, ... until the time is up, then a fresh one; `planner_test FIRST COUNT` runs others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "plan/partition.h"
#include "plan/verify.h"
#include "ring/cost.h"
#include "small_model.h"

enum { FEW = 3, DEVICES_MAX = 16, KINDS_MAX = 4, BLOCKS_MAX = 6, LEAST_SEEDS = 12 };
static const double SECONDS = 6;
static uint64_t first_seed = 1;
static int seed_count = 0; /* 0: until the time is up */

typedef struct problem {
    uint64_t seed;
    small_model m;
    ts_device kind[KINDS_MAX];
    const ts_device *device[DEVICES_MAX];
    int devices, blocks; /* devices: without the one that is added */
    ts_partition_options options;
    ts_pin pin;
} problem;

static int range(uint64_t *s, int lo, int hi)
{
    return lo + (int)(ts_random(s) % (uint64_t)(hi - lo + 1));
}

/* A known device, or a part of one that is short of something: with another memory, link, clock or DSP. */
static void random_device(uint64_t *s, ts_arena *arena, ts_device *d)
{
    static const char *const names[] = {"pynq-z2", "ultra96", "arty-a7-100t", "kv260", "zcu102", "kc705"};
    ts_err err = {""};
    *d = *ts_device_find(arena, names[range(s, 0, 5)], &err);
    const double share[] = {1, 0.5, 0.3, 0.1};
    d->has.bram36 = floor(d->has.bram36 * share[range(s, 0, 3)]);
    d->has.dsp = floor(d->has.dsp * share[range(s, 0, 2)]);
    d->has.lut = floor(d->has.lut * share[range(s, 0, 1)]);
    d->has.lutram = floor(fmin(d->has.lut, d->has.lutram * share[range(s, 0, 2)]));
    const double gbytes[] = {0, 0.05, 1, 20}, mbits[] = {0, 100, 2000, 25000};
    d->memory_gbytes_per_s = gbytes[range(s, 0, 3)];
    d->memory_ns = d->memory_gbytes_per_s > 0 ? range(s, 50, 800) : 0;
    d->link_mbits = mbits[range(s, 0, 3)];
    d->link_ns = d->link_mbits > 0 ? range(s, 50, 3000) : 0;
    if (range(s, 0, 3) == 0)
        d->dsp_b -= range(s, 1, 6);
    if (range(s, 0, 3) == 0)
        d->clock_mhz = range(s, 80, 200);
}

/* Of the devices that it has, a copy that differs in one figure, which the planner must tell from it. */
static void almost_the_same(uint64_t *s, const ts_device *from, ts_device *d)
{
    *d = *from;
    switch (range(s, 0, 4)) {
    case 0:
        d->memory_gbytes_per_s = range(s, 0, 1) ? 0 : 10;
        break;
    case 1:
        d->memory_ns = range(s, 50, 2000);
        break;
    case 2:
        d->link_mbits = range(s, 50, 20000);
        break;
    case 3:
        d->dsp_a -= range(s, 1, 4);
        break;
    default:
        d->clock_mhz = range(s, 60, 300);
        break;
    }
}

static void random_problem(uint64_t seed, problem *p)
{
    uint64_t s = seed * 0x9e3779b97f4a7c15u + 7;
    *p = (problem){.seed = seed};
    const ts_encoder_shape shape = {.features = range(&s, 2, 4),
                                    .d = range(&s, 4, 24),
                                    .heads = range(&s, 1, 3),
                                    .d_head = range(&s, 2, 8),
                                    .ff = range(&s, 4, 64),
                                    .outputs = range(&s, 1, 5),
                                    .layers = range(&s, 1, 3),
                                    .embed_count = 1,
                                    .head_count = 1,
                                    .norms = (ts_norms)range(&s, 0, 1),
                                    .act = TS_ACT_RELU};
    ts_err err = {""};
    p->m = small_model_make(&shape, seed, range(&s, 0, 1) ? "" : "w=8,qkv_in=8", &err);
    if (!p->m.im)
        fail_msg("seed %llu: %s", (unsigned long long)seed, err.msg);
    p->blocks = ts_block_count(p->m.im);
    const int length = range(&s, 0, 9), kinds = range(&s, 1, KINDS_MAX);
    p->devices = length < 7 ? range(&s, 1, FEW) : length < 9 ? range(&s, FEW + 1, 7) : range(&s, 8, DEVICES_MAX - 1);
    for (int k = 0; k < kinds; k++)
        if (k > 0 && range(&s, 0, 1))
            almost_the_same(&s, &p->kind[range(&s, 0, k - 1)], &p->kind[k]);
        else
            random_device(&s, p->m.arena, &p->kind[k]);
    for (int d = 0; d <= p->devices; d++)
        p->device[d] = &p->kind[range(&s, 0, kinds - 1)];
    const int tokens = range(&s, 4, 96);
    const bool one_clock = range(&s, 0, 9) < 6, one_link = one_clock && range(&s, 0, 9) < (p->devices <= FEW ? 7 : 4);
    const double mbits[] = {100, 2000, 10000, 100000};
    p->options = (ts_partition_options){.plan = {.max_tokens = tokens + range(&s, 0, 400),
                                                 .plan_tokens = tokens,
                                                 .clock_mhz = one_clock ? 100 : 0,
                                                 .utilisation = range(&s, 0, 3) ? 0.8 : 0.4},
                                        .devices = p->devices,
                                        .device = p->device,
                                        .any_mode = true,
                                        .objective = (ts_objective)range(&s, TS_OBJECTIVE_LATENCY, TS_OBJECTIVE_AREA)};
    if (one_link)
        p->options.link = ts_link_of(p->m.im->d * p->m.im->res.bits, mbits[range(&s, 0, 3)], range(&s, 0, 2000), p->options.plan.clock_mhz);
    if (p->devices <= FEW && range(&s, 0, 3) == 0) {
        p->pin = (ts_pin){range(&s, 0, p->blocks - 1), range(&s, 0, p->devices - 1)};
        p->options.pin = &p->pin;
        p->options.pins = 1;
    }
}

/* ---- Brute force */

typedef struct whole {
    ts_arena *arena;
    const problem *p;
    bool paged; /* parts may be */
    ts_planned planned[FEW][BLOCKS_MAX + 1][BLOCKS_MAX + 1];
    const ts_imodel *im[BLOCKS_MAX + 1][BLOCKS_MAX + 1];
    bool tried[FEW][BLOCKS_MAX + 1][BLOCKS_MAX + 1];
    double best; /* latency or interval; for area: parts */
    int cuts;    /* that fit */
} whole;

/* Nanoseconds, or for area devices. */
static double value(ts_objective o, const ts_chain_prediction *p, double clock, int parts)
{
    return o == TS_OBJECTIVE_AREA ? parts : (double)(o == TS_OBJECTIVE_THROUGHPUT ? p->interval_cycles : p->latency_cycles) * 1000 / clock;
}

static double value_of(ts_objective o, const ts_partition *p)
{
    return value(o, &p->prediction, p->part[0].planned.plan->clock_mhz, p->part[0].device == p->part[p->parts - 1].device ? 1 : p->parts);
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
        /* One device alone has pages only where all weights do not fit. */
        bool fits = (!w->paged || b - a == p->blocks) && ts_plan_search(w->arena, w->im[a][b], p->device[d], &o, planned, &err);
        o.paging = TS_PAGING_ALLOWED;
        fits = fits || (w->paged && ts_plan_search(w->arena, w->im[a][b], p->device[d], &o, planned, &err));
        if (!fits)
            planned->plan = NULL;
    }
    return planned->plan ? planned : NULL;
}

static void try_all(whole *w, int d, int first, ts_chain_ring *ring, int parts)
{
    const problem *p = w->p;
    if (first == p->blocks) {
        const ts_chain_prediction c = ts_chain_predict(ring, parts, p->options.plan.plan_tokens);
        w->best = fmin(w->best, value(p->options.objective, &c, p->options.plan.clock_mhz, parts));
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

/* Where the clock and the links are the same for every selection. */
static bool brute_force_is_feasible(const problem *p)
{
    return p->devices <= FEW && p->options.plan.clock_mhz > 0 && p->options.link.word_bits > 0;
}

static bool against_brute_force(const problem *p, const ts_partition *found)
{
    double best = INFINITY;
    int cuts = 0;
    for (int paged = 0; paged < 2; paged++) {
        whole *w = calloc(1, sizeof *w);
        CHECK(w);
        w->arena = ts_arena_new();
        w->p = p;
        w->paged = paged;
        w->best = INFINITY;
        ts_chain_ring ring[FEW];
        try_all(w, 0, 0, ring, 0);
        best = fmin(best, w->best);
        cuts += w->cuts;
        ts_arena_free(w->arena);
        free(w);
    }
    if ((found != NULL) != (cuts > 0) && !(found && found->mode == TS_MODE_REPLICATED))
        fail_msg("seed %llu: the planner finds %s, brute force %d cuts that fit", (unsigned long long)p->seed, found ? "a plan" : "none",
                 cuts);
    const double got = found ? value_of(p->options.objective, found) : 0;
    if (found && got > best * (p->options.objective == TS_OBJECTIVE_AREA ? 1 : 1.1))
        fail_msg("seed %llu: for %s %g; the best of %d cuts has %g", (unsigned long long)p->seed, ts_objective_name(p->options.objective),
                 got, cuts, best);
    return found && cuts > 1;
}

/* The same with one device more, wherever in the list. */
static bool another_device_is_never_worse(const problem *p, const ts_partition *few)
{
    if (p->options.pins || !few)
        return false;
    ts_partition more;
    const ts_device *list[DEVICES_MAX];
    const int at = (int)(p->seed % (uint64_t)(p->devices + 1));
    for (int d = 0; d <= p->devices; d++)
        list[d] = d == at ? p->device[p->devices] : p->device[d - (d > at)];
    ts_partition_options o = p->options;
    o.devices = p->devices + 1;
    o.device = list;
    if (!search(p, &o, &more))
        fail_msg("seed %llu: nothing fits when a device is added at %d", (unsigned long long)p->seed, at);
    const double before = value_of(o.objective, few), after = value_of(o.objective, &more);
    if (after > before * (1 + 1e-12))
        fail_msg("seed %llu: for %s %g, and %g with another device at %d of %d (%s, %d parts; %s, %d parts)", (unsigned long long)p->seed,
                 ts_objective_name(o.objective), before, after, at, o.devices, ts_mode_name(few->mode), few->parts, ts_mode_name(more.mode),
                 more.parts);
    return true;
}

/* Where one device is used, it does not matter where in the list it is. */
static bool order_is_free(const problem *p)
{
    ts_partition forth, back;
    const ts_device *list[DEVICES_MAX];
    ts_partition_options o = p->options;
    o.any_mode = false;
    o.mode = p->seed % 2 ? TS_MODE_PAGED : TS_MODE_MONOLITHIC;
    o.pins = 0;
    const bool fits = search(p, &o, &forth);
    for (int d = 0; d < p->devices; d++)
        list[d] = p->device[p->devices - 1 - d];
    o.device = list;
    if (search(p, &o, &back) != fits || (fits && fabs(value_of(o.objective, &forth) - value_of(o.objective, &back)) > 0))
        fail_msg("seed %llu: another plan when the list is turned round", (unsigned long long)p->seed);
    return fits;
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

typedef struct tally {
    int compared, grown, long_lists, turned;
} tally;

static void try_seed(uint64_t seed, tally *t)
{
    problem p;
    random_problem(seed, &p);
    ts_partition found;
    const bool ok = search(&p, &p.options, &found);
    t->compared += brute_force_is_feasible(&p) && against_brute_force(&p, ok ? &found : NULL);
    const bool grown = another_device_is_never_worse(&p, ok ? &found : NULL);
    t->grown += grown;
    t->long_lists += grown && p.devices >= 8;
    t->turned += order_is_free(&p);
    ts_arena_free(p.m.arena);
}

static void random_problems(void **state)
{
    (void)state;
    const double start = seconds();
    tally t = {0};
    int seeds = 0;
    for (; seed_count ? seeds < seed_count : seeds < LEAST_SEEDS || seconds() - start < SECONDS; seeds++)
        try_seed(first_seed + (uint64_t)seeds, &t);
    printf(
        "seeds %llu to %llu: %d compared with brute force, %d with a device more (%d of them to lists of eight or more), %d turned round\n",
        (unsigned long long)first_seed, (unsigned long long)first_seed + (unsigned long long)seeds - 1, t.compared, t.grown, t.long_lists,
        t.turned);
    if (seed_count)
        return;
    assert_true(t.compared >= LEAST_SEEDS / 8 && t.grown >= LEAST_SEEDS / 4);
    const uint64_t fresh = (uint64_t)time(NULL);
    printf("a fresh one: %llu\n", (unsigned long long)fresh);
    fflush(stdout);
    try_seed(fresh, &t);
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
