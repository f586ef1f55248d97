/* The search over one list of devices, all of which are used: one device, several rings on one, or a chain over all. */
#define TS_FAIL_CODE TS_DOES_NOT_FIT
#include "plan/list_search.h"

#include <math.h>
#include <string.h>

#include "plan/cut.h"
#include "plan/list_parts.h"

static const double WORTH_A_LOOK = 1.35; /* a rough plan may be so much worse than the full one, */
static const double FAR = 2.8;           /* and of a few devices, which are looked at more closely, so much */
enum {
    MAX_RINGS = 16,
    BALANCE_ROUNDS = 3,
    CLIMB_ROUNDS = 12, /* of moving cuts, and the full plans that they may cost */
    CLIMB_PLANS = 24,
    FEW_CUTS = 12, /* are tried one and all */
    FEW_DEVICES = 3,
};

/* ---- Results */

static void finish(const ts_list *s, ts_mode mode, ts_part *part, int parts)
{
    ts_partition *r = s->result;
    r->mode = mode;
    r->part = part;
    r->parts = parts;
    r->link = s->link;
    r->ring = TS_NEW_N(s->arena, ts_chain_ring, parts);
    for (int i = 0; i < parts; i++) {
        const bool apart = i > 0 && part[i].device != part[i - 1].device;
        r->ring[i] = (ts_chain_ring){part[i].planned.plan, part[i].im, apart ? ts_link_hop(&s->link, ts_list_token_bits(s)) : (ts_hop){0}};
    }
    r->prediction = ts_chain_predict(r->ring, parts, part[0].planned.plan->plan_tokens);
}

static void weigh(const ts_list *s, ts_mode mode, int parts, const ts_chain_prediction *p, const char *why)
{
    ts_partition *r = s->result;
    if (r->alternatives == TS_ALTERNATIVE_MAX)
        return;
    r->alternative[r->alternatives++] = (ts_alternative){.mode = mode,
                                                         .parts = parts,
                                                         .fits = p != NULL,
                                                         .clock_mhz = s->ring.clock_mhz,
                                                         .latency_cycles = p ? p->latency_cycles : 0,
                                                         .interval_cycles = p ? p->interval_cycles : 0,
                                                         .why = why};
}

static ts_mode mode_of(const ts_part *part)
{
    return ts_plan_is_paged(part->planned.plan) ? TS_MODE_PAGED : TS_MODE_MONOLITHIC;
}

static const char *part_lines(const ts_list *s, const ts_part *part, int parts)
{
    const char *text = "";
    for (int i = 0; i < parts; i++) {
        const char *scarce;
        const ts_device *device = s->opt->device[part[i].device];
        const double load = ts_device_load(device, &part[i].planned.cost.device, &scarce);
        text = ts_printf(s->arena, "%spart %d: cuts %d to %d on %s%s, interval %lld cycles, %.1f %% of its %s\n", text, i,
                         part[i].slice.first, part[i].slice.end, device->name, mode_of(&part[i]) == TS_MODE_PAGED ? ", paged" : "",
                         part[i].planned.prediction.interval_cycles, 100 * load, scarce);
    }
    return text;
}

/* ---- Modes. Each leaves its result in s->result and true, or a message and false. */

/* A ring on one device; s->paging says whether its weights may be paged. *shortage: as of ts_planned, may be NULL. */
static bool alone(ts_list *s, int device, const char **shortage, ts_err *err)
{
    ts_part *part = TS_NEW(s->arena, ts_part);
    const ts_mode wish = s->paging == TS_PAGING_NONE ? TS_MODE_MONOLITHIC : TS_MODE_PAGED;
    const ts_device *on = s->opt->device[device];
    if (!ts_list_pins_allow(s, device, 0, s->blocks))
        return ts_fail(err, "the pins keep the model from being on %s alone", on->name);
    const bool fits = ts_list_plan_part(s, on, device, false, 0, s->blocks, part, err);
    if (shortage)
        *shortage = part->planned.shortage;
    if (!fits) {
        weigh(s, wish, 1, NULL, ts_strdup(s->arena, err->msg));
        return false;
    }
    finish(s, mode_of(part), part, 1);
    const char *scarce;
    const double load = ts_device_load(on, &part->planned.cost.device, &scarce);
    weigh(s, s->result->mode, 1, &s->result->prediction, ts_printf(s->arena, "on %s, %.1f %% of its %s", on->name, 100 * load, scarce));
    s->result->why = part->planned.why;
    return true;
}

static bool has_memory(const ts_list *s, int device)
{
    return s->ring.memory.gbytes_per_s > 0 || s->opt->device[device]->memory_gbytes_per_s > 0;
}

/* A ring on one device, some of its weights in external memory because that was asked for. */
static bool paged(ts_list *s, int device, ts_err *err)
{
    if (s->im->layers < 2)
        return ts_fail_as(err, TS_USAGE, "%s paged: %s has one layer: its weights are on chip in any case", ts_option("mode"), s->im->name);
    if (!has_memory(s, device))
        return ts_fail_as(err, TS_USAGE, "%s paged: %s has no external memory (%s says that there is one)", ts_option("mode"),
                          s->opt->device[device]->name, ts_option("memory"));
    s->paging = TS_PAGING_ASKED;
    return alone(s, device, NULL, err);
}

/* A ring on one device, all weights on chip if they fit, otherwise paged. */
static bool alone_somehow(ts_list *s, int device, ts_err *err)
{
    const char *name = s->opt->device[device]->name, *resident = NULL, *pages = NULL;
    ts_err first = {""}, second = {""};
    if (alone(s, device, &resident, &first))
        return true;
    if (!resident || s->im->layers < 2)
        return ts_fail_with(err, &first);
    if (!has_memory(s, device))
        return ts_fail(err, "%s; %s has no external memory for paged weights", first.msg, name);
    s->paging = TS_PAGING_ALLOWED;
    if (alone(s, device, &pages, &second)) {
        s->result->why = ts_printf(s->arena, "Paged, because with all weights on chip %s.\n%s", resident, s->result->why);
        return true;
    }
    if (pages && strcmp(pages, resident) == 0) /* it is not the weights */
        return ts_fail_with(err, &first);
    return pages ? ts_fail(err, "%s does not fit %s with events of up to %d hits: %s. With weights in external memory %s. Or %s",
                           s->im->name, name, s->ring.max_tokens, resident, pages, ts_plan_relief(s->arena, &s->ring))
                 : ts_fail_with(err, &second);
}

/* A device with a share of everything. */
static const ts_device *share_of(ts_arena *arena, const ts_device *device, double share)
{
    ts_device *part = TS_NEW(arena, ts_device);
    *part = *device;
#define X(field, label) part->has.field = floor(part->has.field * share);
    TS_LIMITS(X)
#undef X
    return part;
}

/* Layers of ring i of `rings`: as even as they go, the smaller ones at both ends, where embedding and head are. */
static int layers_of(int layers, int rings, int i)
{
    const int spare = layers % rings, from = (rings - spare) / 2;
    return layers / rings + (i >= from && i < from + spare);
}

typedef struct rings {
    int count;
    int end[MAX_RINGS];
    double share[MAX_RINGS], interval[MAX_RINGS];
    double slowest, latency;
} rings;

/* Rough plans of all rings in their shares; false where one does not fit. */
static bool try_rings(ts_list *s, rings *r)
{
    r->slowest = r->latency = 0;
    for (int i = 0, first = 0; i < r->count; first = r->end[i++]) {
        ts_arena *scratch = ts_arena_new();
        const ts_part_cost cost = ts_list_rough_cost(s, share_of(scratch, s->opt->device[0], r->share[i]), false, first, r->end[i]);
        ts_arena_free(scratch);
        if (isinf(cost.interval))
            return false;
        r->interval[i] = cost.interval;
        r->slowest = fmax(r->slowest, cost.interval);
        r->latency += cost.latency;
    }
    return true;
}

/* `count` rings whose shares of the device make them about equally fast: what a ring needs is about inverse to its interval. */
static bool balance(ts_list *s, int count, rings *best)
{
    rings r = {.count = count};
    for (int i = 0; i < count; i++) {
        r.end[i] = (i ? r.end[i - 1] : 0) + 2 * layers_of(s->im->layers, count, i);
        r.share[i] = 1.0 / count;
    }
    bool fits = false;
    for (int round = 0; round < BALANCE_ROUNDS && try_rings(s, &r); round++) {
        if (!fits || r.slowest < best->slowest)
            *best = r;
        fits = true;
        double sum = 0;
        for (int i = 0; i < count; i++)
            sum += r.share[i] * r.interval[i];
        for (int i = 0; i < count; i++)
            r.share[i] *= r.interval[i] / sum;
    }
    return fits;
}

static double goal(const ts_list *s, double interval, double latency)
{
    return s->opt->objective == TS_OBJECTIVE_THROUGHPUT ? interval : latency;
}

/* The rings in full: neighbours may hold each other up, which rough plans do not know. */
static ts_part *plan_rings(ts_list *s, const rings *r, ts_err *err)
{
    ts_part *part = TS_NEW_N(s->arena, ts_part, r->count);
    for (int i = 0, first = 0; i < r->count; first = r->end[i++])
        if (!ts_list_plan_part(s, share_of(s->arena, s->opt->device[0], r->share[i]), 0, false, first, r->end[i], &part[i], err))
            return NULL;
    return part;
}

static bool replicated(ts_list *s, ts_err *err)
{
    const ts_device *device = s->opt->device[0];
    ts_part *best = NULL;
    int parts = 0, unfit_from = 0, unfit_to = 0;
    double best_goal = INFINITY;
    for (int count = 2; count <= s->im->layers && count <= MAX_RINGS; count++) {
        rings r;
        ts_err none = {""};
        ts_part *part = balance(s, count, &r) ? plan_rings(s, &r, &none) : NULL;
        if (!part) {
            unfit_from = unfit_from ? unfit_from : count;
            unfit_to = count;
            continue;
        }
        finish(s, TS_MODE_REPLICATED, part, count);
        const ts_chain_prediction *p = &s->result->prediction;
        weigh(s, TS_MODE_REPLICATED, count, p, ts_printf(s->arena, "ring %d decides", p->slowest));
        const double g = goal(s, (double)p->interval_cycles, (double)p->latency_cycles);
        if (g < best_goal) {
            best = part;
            parts = count;
            best_goal = g;
        }
    }
    if (unfit_from)
        weigh(s, TS_MODE_REPLICATED, unfit_from, NULL,
              unfit_from == unfit_to
                  ? ts_printf(s->arena, "%d rings do not fit %s together", unfit_from, device->name)
                  : ts_printf(s->arena, "%d, or up to %d, rings do not fit %s together", unfit_from, unfit_to, device->name));
    if (!best)
        return s->im->layers < 2
                   ? ts_fail(err, "%s has one layer: there is nothing for a second ring", s->im->name)
                   : ts_fail(err,
                             "no two rings of %s fit %s together with events of up to %d hits: choose another mode or device, "
                             "lower %s or narrow the formats",
                             s->im->name, device->name, s->ring.max_tokens, ts_option("max_tokens"));
    finish(s, TS_MODE_REPLICATED, best, parts);
    s->result->why = ts_printf(s->arena, "%d rings on one %s: an event in each, %s decides.\n%s", parts, device->name,
                               ts_objective_name(s->opt->objective), part_lines(s, best, parts));
    return true;
}

/* How many devices would do if more of the last one followed; 0: not even one a block. */
static int enough_devices(const ts_list *s)
{
    const ts_partition_options *o = s->opt;
    const ts_device **device = TS_NEW_N(s->arena, const ts_device *, s->blocks + o->devices);
    int *end = TS_NEW_N(s->arena, int, s->blocks + o->devices);
    for (int d = 0; d < s->blocks + o->devices; d++)
        device[d] = o->device[d < o->devices ? d : o->devices - 1];
    ts_partition_options longer = *o;
    longer.device = device;
    ts_list more = *s;
    more.opt = &longer;
    longer.devices = s->blocks + o->devices;
    ts_list_set_tables(&more);
    more.full = TS_NEW_N(s->arena, ts_part_cost, ts_list_index(s, longer.devices, 0, 0));
    for (longer.devices = o->devices + 1; longer.devices <= s->blocks; longer.devices++)
        if (ts_cut_chain(s->arena, s->blocks, longer.devices, false, false, ts_list_run_cost, &more, end))
            return longer.devices;
    return 0;
}

/* Which block alone is too much for every device it may be on. */
static bool no_cut_fits(ts_list *s, ts_err *err)
{
    for (int b = 0; b < s->blocks; b++) {
        bool fits = false;
        ts_err short_of = {""};
        for (int d = 0; d < s->opt->devices && !fits; d++) {
            ts_part part;
            short_of.msg[0] = '\0';
            fits = ts_list_pins_allow(s, d, b, b + 1) && ts_list_plan_part(s, s->opt->device[d], d, true, b, b + 1, &part, &short_of);
        }
        if (!fits && short_of.msg[0])
            return ts_fail(err, "no cut over the %d devices fits: %s alone: %s", s->opt->devices,
                           ts_printf(s->arena, "layers.%d.%s", b / 2, b % 2 ? "ffn" : "attention"), short_of.msg);
    }
    const int enough = enough_devices(s);
    const char *last = s->opt->device[s->opt->devices - 1]->name;
    return ts_fail(err, "no cut of %s over the %d devices fits%s: %s, a lower %s or narrower formats would do", s->im->name,
                   s->opt->devices, s->opt->pins ? " with these pins" : "",
                   enough ? ts_printf(s->arena, "%d devices with %s for the others, larger ones", enough, last) : "larger devices",
                   ts_option("max_tokens"));
}

/* The chain with these cuts, planned in full; its parts go to part[]. */
static bool plan_chain(ts_list *s, int devices, const int *end, ts_part *part, int *parts, ts_err *err)
{
    *parts = 0;
    for (int d = 0, first = 0; d < devices; first = end[d++])
        if (end[d] > first &&
            !ts_list_plan_part(s, s->opt->device[d], d, end[d] - first < s->blocks, first, end[d], &part[(*parts)++], err))
            return false;
    return true;
}

double ts_list_value(ts_objective objective, const ts_chain_prediction *p, int parts)
{
    if (objective == TS_OBJECTIVE_THROUGHPUT)
        return (double)p->interval_cycles;
    return (double)p->latency_cycles + (objective == TS_OBJECTIVE_AREA ? parts * TS_LIST_ANOTHER_PART : 0);
}

/* ---- A chain over all devices of the list: cut by rough plans, then planned in full; then cuts move while that makes it better, because
   rough plans may be wrong by more than that, and do not know how neighbours slow each other down */

typedef struct chain {
    int *end;
    ts_part *part;
    double value; /* what is to be least */
} chain;

static double rough_value(ts_list *s, const int *end)
{
    double slowest = 0, sum = 0;
    for (int d = 0, first = 0; d < s->opt->devices; first = end[d++]) {
        const ts_part_cost cost = ts_list_run_cost(s, d, first, end[d]);
        slowest = fmax(slowest, cost.interval);
        sum += cost.latency;
    }
    return goal(s, slowest, sum);
}

static bool take_if_better(ts_list *s, const int *end, chain *best, ts_err *err)
{
    const int devices = s->opt->devices;
    ts_part *part = TS_NEW_N(s->arena, ts_part, devices);
    int parts;
    if (!plan_chain(s, devices, end, part, &parts, err))
        return false;
    finish(s, TS_MODE_SPLIT, part, parts);
    const double value = ts_list_value(s->opt->objective, &s->result->prediction, parts);
    if (value >= best->value)
        return false;
    memcpy(best->end, end, (size_t)devices * sizeof *end);
    best->part = part;
    best->value = value;
    return true;
}

/* By one block or two: a layer has two, of different work; or one part, with both of its cuts. */
static bool move_a_cut(ts_list *s, chain *best)
{
    static const int steps[] = {-1, 1, -2, 2};
    const int devices = s->opt->devices;
    int *end = TS_NEW_N(s->arena, int, devices);
    bool better = false;
    for (int move = 0; move < 2 * (devices - 1) - 1; move++)
        for (size_t i = 0; i < sizeof steps / sizeof *steps && s->plans < CLIMB_PLANS; i++) {
            const int d = move % (devices - 1), last = d + move / (devices - 1); /* cuts */
            memcpy(end, best->end, (size_t)devices * sizeof *end);
            for (int c = d; c <= last; c++)
                end[c] += steps[i];
            ts_err none = {""};
            if (end[d] > (d ? end[d - 1] : 0) && end[last] < end[last + 1] && rough_value(s, end) <= WORTH_A_LOOK * best->value)
                better = take_if_better(s, end, best, &none) || better;
        }
    return better;
}

/* Ways to cut so many blocks for so many devices; more than FEW_CUTS are not counted on. */
static int cuts_of(int blocks, int devices)
{
    int cuts = 1;
    for (int d = 1; d < devices && cuts <= FEW_CUTS; d++)
        cuts = cuts * (blocks - d) / d;
    return cuts;
}

/* All that are worth it; those of the first devices are in end[]. */
static void try_every_cut(ts_list *s, int devices, int *end, chain *best)
{
    const int all = s->opt->devices;
    ts_err none = {""};
    if (devices == all - 1) {
        end[devices] = s->blocks;
        if (rough_value(s, end) <= WORTH_A_LOOK * best->value)
            take_if_better(s, end, best, &none);
        return;
    }
    for (end[devices] = devices ? end[devices - 1] + 1 : 1; end[devices] <= s->blocks - (all - 1 - devices); end[devices]++)
        try_every_cut(s, devices + 1, end, best);
}

/* By rough plans; false where none fits. */
static bool cut_roughly(ts_list *s, int *end)
{
    const bool by_latency = s->opt->objective != TS_OBJECTIVE_THROUGHPUT;
    return s->opt->devices <= s->blocks && ts_cut_chain(s->arena, s->blocks, s->opt->devices, by_latency, true, ts_list_run_cost, s, end);
}

static bool chain_over_all(ts_list *s, double least, ts_err *err)
{
    const ts_partition_options *o = s->opt;
    chain best = {.end = TS_NEW_N(s->arena, int, o->devices), .value = INFINITY};
    int *end = TS_NEW_N(s->arena, int, o->devices);
    const char *names = "";
    for (int d = 0; d < o->devices; d++)
        names = ts_printf(s->arena, "%s%s%s", names, d ? "," : "", o->device[d]->name);
    const char *over = ts_printf(s->arena, "%s%s", names, s->paging == TS_PAGING_NONE ? "" : ", with pages");
    if (!cut_roughly(s, end)) {
        weigh(s, TS_MODE_SPLIT, o->devices, NULL, ts_printf(s->arena, "over %s: no cut fits", over));
        return ts_fail(err, "no cut over %s fits", over);
    }
    const double about = rough_value(s, end);
    if (about > (o->devices <= FEW_DEVICES ? FAR : WORTH_A_LOOK * WORTH_A_LOOK) * least) {
        weigh(s, TS_MODE_SPLIT, o->devices, NULL,
              ts_printf(s->arena, "over %s: about %.0f cycles, not worth planning in full", over, fmod(about, TS_LIST_ANOTHER_PART)));
        return ts_fail(err, "not as good as others");
    }
    while (!take_if_better(s, end, &best, err)) /* a part that does not fit is known by now */
        if (!cut_roughly(s, end))
            return false;
    s->plans = 0;
    if (cuts_of(s->blocks, o->devices) <= FEW_CUTS)
        try_every_cut(s, 0, end, &best);
    for (int round = 0; best.value <= WORTH_A_LOOK * least && round < CLIMB_ROUNDS && move_a_cut(s, &best); round++)
        ;
    finish(s, TS_MODE_SPLIT, best.part, o->devices);
    const ts_chain_prediction *p = &s->result->prediction;
    weigh(s, TS_MODE_SPLIT, o->devices, p, ts_printf(s->arena, "over %s: part %d has the longest interval", over, p->slowest));
    s->result->why = part_lines(s, best.part, o->devices);
    return true;
}

/* One ring; paged where it does not fit; or, for throughput, several rings if their interval is shorter. */
static bool best_of_one_device(ts_list *s, ts_err *err)
{
    if (!alone_somehow(s, 0, err))
        return false;
    if (s->result->mode == TS_MODE_PAGED || s->opt->objective != TS_OBJECTIVE_THROUGHPUT || s->im->layers < 2)
        return true;
    const ts_partition one = *s->result;
    ts_err none = {""};
    if (replicated(s, &none) && s->result->prediction.interval_cycles < one.prediction.interval_cycles)
        return true;
    ts_partition *r = s->result;
    r->mode = one.mode;
    r->parts = one.parts;
    r->part = one.part;
    r->ring = one.ring;
    r->prediction = one.prediction;
    r->why = one.why;
    return true;
}

static ts_list search_of(ts_arena *arena, const ts_imodel *im, const ts_partition_options *o, ts_list_cache *cache, ts_partition *result)
{
    ts_list s = {.arena = arena,
                 .im = im,
                 .opt = o,
                 .ring = o->plan,
                 .link = o->link,
                 .blocks = ts_block_count(im),
                 .cache = cache,
                 .result = result};
    s.full = TS_NEW_N(arena, ts_part_cost, ts_list_index(&s, o->devices, 0, 0));
    s.ring.small = o->objective == TS_OBJECTIVE_AREA;
    s.typical = o->plan.plan_tokens ? o->plan.plan_tokens : o->plan.max_tokens;
    double hits = 0;
    int events = 0;
    for (int i = 0; o->plan.plan_tokens == 0 && i < o->plan.lengths_count; i++)
        if (o->plan.lengths[i] >= 1 && o->plan.lengths[i] <= o->plan.max_tokens) {
            hits += o->plan.lengths[i];
            events++;
        }
    if (events)
        s.typical = (int)lround(hits / events);
    return s;
}

bool ts_list_unfit(ts_arena *arena, const ts_imodel *im, const ts_partition_options *options, ts_list_cache *cache, ts_err *err)
{
    ts_partition none = {.why = ""};
    ts_list s = search_of(arena, im, options, cache, &none);
    return no_cut_fits(&s, err);
}

double ts_list_rough(ts_arena *arena, const ts_imodel *im, const ts_partition_options *options, ts_list_way way, ts_list_cache *cache)
{
    ts_partition none = {.why = ""};
    ts_list s = search_of(arena, im, options, cache, &none);
    s.paging = way == TS_LIST_PAGED_CHAIN ? TS_PAGING_ALLOWED : TS_PAGING_NONE;
    ts_list_set_tables(&s);
    int *end = TS_NEW_N(arena, int, options->devices);
    return cut_roughly(&s, end) ? rough_value(&s, end) : INFINITY;
}

bool ts_list_search(ts_arena *arena, const ts_imodel *im, const ts_partition_options *options, ts_list_way way, double least,
                    ts_list_cache *cache, ts_partition *result, ts_err *err)
{
    CHECK(options->plan.clock_mhz > 0 && (options->devices == 1 || options->link.word_bits > 0));
    *result = (ts_partition){.why = ""};
    ts_list s = search_of(arena, im, options, cache, result);
    switch (way) {
    case TS_LIST_RING:
        return alone(&s, 0, NULL, err);
    case TS_LIST_PAGED_RING:
        return paged(&s, 0, err);
    case TS_LIST_AUTO_RING:
        return best_of_one_device(&s, err);
    case TS_LIST_RINGS:
        return replicated(&s, err);
    case TS_LIST_PAGED_CHAIN:
    case TS_LIST_CHAIN:
        s.paging = way == TS_LIST_PAGED_CHAIN ? TS_PAGING_ALLOWED : TS_PAGING_NONE;
        ts_list_set_tables(&s);
        return chain_over_all(&s, least, err);
    }
    BUG("a way that is not searched");
}
