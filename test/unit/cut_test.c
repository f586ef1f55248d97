/* Cutting a chain over devices, against every possible cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>

#include "graph/random_encoder.h"
#include "plan/cut.h"

enum { BLOCKS_MAX = 9, DEVICES_MAX = 4 };

/* Parts cost their blocks' work over the device's speed and fit where their size does. */
typedef struct problem {
    int blocks, devices;
    double work[BLOCKS_MAX], size[BLOCKS_MAX], speed[DEVICES_MAX], room[DEVICES_MAX];
    bool whole_numbers; /* many ties */
    int asked;
} problem;

static ts_part_cost cost(void *user, int device, int first, int end)
{
    problem *p = user;
    p->asked++;
    double work = 0, size = 0;
    for (int b = first; b < end; b++) {
        work += p->work[b];
        size += p->size[b];
    }
    if (size > p->room[device])
        return (ts_part_cost){INFINITY, INFINITY};
    const double interval = work / p->speed[device];
    return (ts_part_cost){p->whole_numbers ? ceil(interval) : interval, interval + 3};
}

typedef struct figures {
    double interval, latency;
    int parts;
} figures;

static figures figures_of(problem *p, const int *end)
{
    figures f = {0, 0, 0};
    for (int d = 0, first = 0; d < p->devices; first = end[d++]) {
        if (end[d] == first)
            continue;
        const ts_part_cost c = cost(p, d, first, end[d]);
        f.interval = fmax(f.interval, c.interval);
        f.latency += c.latency;
        f.parts++;
    }
    return f;
}

static int compare(double a, double b)
{
    return a < b * (1 - 1e-12) ? -1 : a > b * (1 + 1e-12);
}

static bool better(figures a, figures b, bool by_latency)
{
    const int interval = compare(a.interval, b.interval), latency = compare(a.latency, b.latency), parts = a.parts - b.parts;
    if (by_latency)
        return latency ? latency < 0 : parts ? parts < 0 : interval < 0;
    return interval ? interval < 0 : parts ? parts < 0 : latency < 0;
}

/* Every way to give devices d ... their runs. */
static void try_all(problem *p, int d, int first, int *end, bool by_latency, bool all_used, figures *best, bool *found)
{
    if (d == p->devices) {
        if (first != p->blocks)
            return;
        const figures f = figures_of(p, end);
        if (!isinf(f.interval) && (!*found || better(f, *best, by_latency))) {
            *best = f;
            *found = true;
        }
        return;
    }
    for (int b = first + all_used; b <= p->blocks; b++) {
        end[d] = b;
        try_all(p, d + 1, b, end, by_latency, all_used, best, found);
    }
}

static problem random_problem(uint64_t *seed)
{
    problem p = {.blocks = 1 + (int)(ts_random(seed) % BLOCKS_MAX), .devices = 1 + (int)(ts_random(seed) % DEVICES_MAX)};
    p.whole_numbers = ts_random(seed) & 1;
    double size = 0;
    for (int b = 0; b < p.blocks; b++) {
        p.work[b] = p.whole_numbers ? (double)(1 + ts_random(seed) % 3) : 1 + (double)ts_random_unit(seed) / 2;
        p.size[b] = (double)(1 + ts_random(seed) % 4);
        size += p.size[b];
    }
    for (int d = 0; d < p.devices; d++) {
        p.speed[d] = (double)(1 + ts_random(seed) % 2);
        p.room[d] = size * (0.5 + 0.5 * (double)ts_random_unit(seed)); /* none to all of it */
    }
    return p;
}

static void test_brute_force(void **state)
{
    (void)state;
    uint64_t seed = 5;
    int fits = 0, empty = 0;
    for (int i = 0; i < 6000; i++) {
        problem p = random_problem(&seed);
        const bool by_latency = i % 2, all_used = i % 4 > 1;
        figures best = {0, 0, 0};
        int end[DEVICES_MAX], trial[DEVICES_MAX];
        bool found = false;
        try_all(&p, 0, 0, trial, by_latency, all_used, &best, &found);
        ts_arena *arena = ts_arena_new();
        p.asked = 0;
        assert_int_equal(ts_cut_chain(arena, p.blocks, p.devices, by_latency, all_used, cost, &p, end), found);
        assert_int_equal(p.asked, p.devices * p.blocks * (p.blocks + 1) / 2);
        if (found) {
            const figures f = figures_of(&p, end);
            assert_int_equal(end[p.devices - 1], p.blocks);
            if (better(best, f, by_latency) || better(f, best, by_latency))
                fail_msg("problem %d: %g, %g, %d parts; the best is %g, %g, %d", i, f.interval, f.latency, f.parts, best.interval,
                         best.latency, best.parts);
            fits++;
            assert_true(!all_used || f.parts == p.devices);
            empty += f.parts < p.devices;
        }
        ts_arena_free(arena);
    }
    assert_true(fits > 1000 && empty > 300 && fits < 6000);
}

/* A device more never makes it worse, wherever in the list it stands. */
static void test_more_devices(void **state)
{
    (void)state;
    uint64_t seed = 6;
    int checked = 0;
    for (int i = 0; i < 2000; i++) {
        problem p = random_problem(&seed), more;
        if (p.devices == DEVICES_MAX)
            continue;
        more = p;
        const int at = (int)(ts_random(&seed) % (uint64_t)(p.devices + 1));
        for (int d = p.devices; d > at; d--) {
            more.speed[d] = more.speed[d - 1];
            more.room[d] = more.room[d - 1];
        }
        more.speed[at] = 1;
        more.room[at] = 3;
        more.devices++;
        int end[DEVICES_MAX], more_end[DEVICES_MAX];
        ts_arena *arena = ts_arena_new();
        if (ts_cut_chain(arena, p.blocks, p.devices, i % 2, false, cost, &p, end)) {
            assert_true(ts_cut_chain(arena, more.blocks, more.devices, i % 2, false, cost, &more, more_end));
            assert_false(better(figures_of(&p, end), figures_of(&more, more_end), i % 2));
            checked++;
        }
        ts_arena_free(arena);
    }
    assert_true(checked > 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_brute_force), cmocka_unit_test(test_more_devices)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
