#include "plan/partition.h"

#include <math.h>
#include <string.h>

#include "plan/cost_modules.h"
#include "plan/cut.h"
#include "plan/verify.h"

static const double ANOTHER_PART = 1e15; /* where devices are to be few: more cycles than any plan has */
enum { MAX_RINGS = 16, BALANCE_ROUNDS = 3 };

/* What decides a rough plan: slices of the same shape and formats, wherever they lie in the model, are planned once. */
typedef struct shape {
    ts_resources has;
    int paging; /* ts_paging_wish */
    int layers;
    bool embed, head, starts_in_ffn, ends_in_attention;
    ts_ring_widths w; /* without the widths of accumulators and offsets, which differ by a bit or two from layer to layer */
} shape;

typedef struct known {
    struct known *next;
    shape shape;
    ts_part_cost cost;
} known;

typedef struct search {
    ts_arena *arena;
    const ts_imodel *im;
    const ts_partition_options *opt;
    ts_plan_options ring; /* opt->plan with the common clock */
    ts_link link;
    int blocks;
    ts_paging_wish paging; /* of parts */
    known *list; /* what was roughly planned, the last one first */
    ts_partition *result;
} search;

const char *ts_objective_name(ts_objective objective)
{
    static const char *const names[] = {"latency", "throughput", "area"};
    return names[objective];
}

/* ---- Stages by name */

static const char *after(const char *text, const char *prefix)
{
    const size_t n = strlen(prefix);
    return strncmp(text, prefix, n) == 0 ? text + n : NULL;
}

/* The blocks of a stage: [*first, *end). */
static bool find_stage(const char *name, const ts_imodel *im, int *first, int *end, ts_err *err)
{
    const int blocks = ts_block_count(im);
    const char *rest = after(name, "layers.");
    char *behind = NULL;
    const long layer = rest ? strtol(rest, &behind, 10) : -1;
    *first = *end = -1;
    if (strcmp(name, "embed") == 0)
        *first = 0;
    else if (strcmp(name, "head") == 0)
        *first = blocks - 1;
    else if (rest && behind != rest && layer >= 0 && layer < im->layers) {
        if (strcmp(behind, "") == 0) {
            *first = 2 * (int)layer;
            *end = *first + 2;
        } else if (strcmp(behind, ".attention") == 0) {
            *first = 2 * (int)layer;
        } else if (strcmp(behind, ".ffn") == 0) {
            *first = 2 * (int)layer + 1;
        }
    }
    if (*first < 0)
        return ts_fail(err, "--pin: no stage \"%s\"; stages are embed, layers.0 to layers.%d, layers.N.attention, layers.N.ffn and head",
                       name, im->layers - 1);
    if (*end < 0)
        *end = *first + 1;
    return true;
}

static int find_device(const char *name, const ts_device *const *device, int devices, ts_err *err)
{
    char *behind;
    const long number = strtol(name, &behind, 10);
    if (behind != name && *behind == '\0') {
        if (number >= 0 && number < devices)
            return (int)number;
        ts_fail(err, "--pin: there is no device %ld; the list has 0 to %d", number, devices - 1);
        return -1;
    }
    int found = -1;
    for (int d = 0; d < devices; d++)
        if (strcmp(device[d]->name, name) == 0) {
            if (found >= 0) {
                ts_fail(err, "--pin: %s is more than once in the list of devices: say which by its number, from 0", name);
                return -1;
            }
            found = d;
        }
    if (found < 0)
        ts_fail(err, "--pin: \"%s\" is not in the list of devices", name);
    return found;
}

bool ts_pin_parse(const char *text, const ts_imodel *im, const ts_device *const *device, int devices, ts_pin pin[TS_PIN_MAX], int *count,
                  ts_err *err)
{
    const char *equals = strchr(text, '=');
    char stage[64];
    if (!equals || equals == text || equals - text >= (ptrdiff_t)sizeof stage)
        return ts_fail(err, "--pin %s: write STAGE=DEVICE, such as layers.2=0", text);
    memcpy(stage, text, (size_t)(equals - text));
    stage[equals - text] = '\0';
    int first, end;
    const int d = find_stage(stage, im, &first, &end, err) ? find_device(equals + 1, device, devices, err) : -1;
    if (d < 0)
        return false;
    for (int b = first; b < end; b++) {
        if (*count == TS_PIN_MAX)
            return ts_fail(err, "--pin: more than %d blocks are pinned", TS_PIN_MAX);
        pin[(*count)++] = (ts_pin){b, d};
    }
    return true;
}

/* A device has one run: it holds the blocks pinned there and no others' pinned blocks. */
static bool pins_allow(const search *s, int device, int first, int end)
{
    for (int p = 0; p < s->opt->pins; p++) {
        const ts_pin *pin = &s->opt->pin[p];
        if ((pin->block >= first && pin->block < end) != (pin->device == device))
            return false;
    }
    return true;
}

/* ---- Parts */

static const ts_imodel *model_of(ts_arena *arena, const search *s, ts_slice slice, ts_err *err)
{
    return slice.first == 0 && slice.end == s->blocks ? s->im : ts_imodel_slice(arena, s->im, slice, err);
}

static int token_bits(const search *s)
{
    return s->im->d * s->im->res.bits;
}

/* The options of a ring, with the ends of links that a part of a split design has beside it. */
static ts_plan_options ring_options(const search *s, const ts_device *device, bool linked, int first, int end)
{
    ts_plan_options o = s->ring;
    o.paging = s->paging;
    if (linked && first > 0)
        ts_cost_add(&o.reserve, 1, ts_link_cost(&s->link, token_bits(s), false, device));
    if (linked && end < s->blocks)
        ts_cost_add(&o.reserve, 1, ts_link_cost(&s->link, token_bits(s), true, device));
    return o;
}

static bool plan_part(const search *s, const ts_device *device, int device_index, bool linked, int first, int end, ts_part *part,
                      ts_err *err)
{
    const ts_plan_options ring = ring_options(s, device, linked, first, end);
    *part = (ts_part){.slice = ts_slice_between(s->im, first, end), .device = device_index};
    part->im = model_of(s->arena, s, part->slice, err);
    return part->im && ts_plan_search(s->arena, part->im, device, &ring, &part->planned, err);
}

static void shape_of(const ts_imodel *im, const ts_device *device, ts_paging_wish paging, shape *s)
{
    memset(s, 0, sizeof *s); /* the padding too: shapes are compared as bytes */
    s->paging = paging;
    s->has = device->has;
    s->layers = im->layers;
    s->embed = im->embed_count > 0;
    s->head = im->head_count > 0;
    s->starts_in_ffn = im->starts_in_ffn;
    s->ends_in_attention = im->ends_in_attention;
    const ts_ring_widths w = ts_ring_widths_of(im);
    memcpy(&s->w, &w, sizeof w);
    for (int id = 0; id < TS_LIN_COUNT; id++)
        s->w.lin[id].accw = 0;
    for (int id = 0; id < TS_RQV_COUNT; id++)
        s->w.rqv[id].biasw = 0;
    for (int id = 0; id < TS_NRM_COUNT; id++)
        s->w.nrm[id].biasw = s->w.nrm[id].epsw = 0;
}

/* Interval and latency of a rough plan. */
static ts_part_cost rough_cost(search *s, const ts_device *device, bool linked, int first, int end)
{
    ts_arena *scratch = ts_arena_new();
    ts_err ignored = {""};
    known *k = TS_NEW(s->arena, known);
    k->cost = (ts_part_cost){INFINITY, INFINITY};
    const ts_imodel *im = model_of(scratch, s, ts_slice_between(s->im, first, end), &ignored);
    if (im) {
        shape_of(im, device, s->paging, &k->shape);
        const known *same = s->list;
        while (same && memcmp(&same->shape, &k->shape, sizeof k->shape) != 0)
            same = same->next;
        ts_plan_options quick = ring_options(s, device, linked, first, end);
        quick.quick = true;
        quick.small = false;
        ts_planned planned;
        if (same)
            k->cost = same->cost;
        else if (ts_plan_search(scratch, im, device, &quick, &planned, &ignored))
            k->cost = (ts_part_cost){(double)planned.prediction.interval_cycles, planned.mean_latency};
        if (!same) {
            k->next = s->list;
            s->list = k;
        }
    }
    ts_arena_free(scratch);
    return k->cost;
}

static ts_part_cost run_cost(void *user, int device, int first, int end)
{
    search *s = user;
    const ts_partition_options *o = s->opt;
    if (!pins_allow(s, device, first, end) || (!o->any_mode && o->mode == TS_MODE_SPLIT && end - first == s->blocks))
        return (ts_part_cost){INFINITY, INFINITY};
    const ts_hop hop = ts_link_hop(&s->link, token_bits(s));
    ts_part_cost cost = rough_cost(s, o->device[device], true, first, end);
    if (o->objective == TS_OBJECTIVE_AREA)
        cost.latency += ANOTHER_PART;
    if (end < s->blocks) { /* with the way to the next one */
        cost.latency += hop.latency;
        cost.interval = fmax(cost.interval, hop.token_cycles * s->ring.plan_tokens);
    }
    return cost;
}

static ts_link link_of_devices(const search *s)
{
    double mbits, ns;
    const ts_device *unsaid;
    ts_link_between(s->opt->device, s->opt->devices, &mbits, &ns, &unsaid);
    return ts_link_of(token_bits(s), mbits, ns, s->ring.clock_mhz);
}

/* What the links were taken to do, for who reads why. */
static const char *link_line(const search *s)
{
    double mbits, ns;
    const ts_device *unsaid;
    ts_link_between(s->opt->device, s->opt->devices, &mbits, &ns, &unsaid);
    const ts_hop hop = ts_link_hop(&s->link, token_bits(s));
    const char *from = s->opt->link.word_bits ? "as --link says"
                       : unsaid               ? ts_printf(s->arena, "taken for granted: the file of %s names none; --link says better", unsaid->name)
                                              : "the devices' own; --link says otherwise";
    return ts_printf(s->arena, "Links: %.0f Mbit/s, %.0f ns (%s): a token of %d bits every %.1f cycles.\n",
                     s->link.rate * s->link.word_bits * s->ring.clock_mhz, s->link.flight * 1000 / s->ring.clock_mhz, from, token_bits(s), hop.token_cycles);
}

/* ---- Results */

static void finish(const search *s, ts_mode mode, ts_part *part, int parts)
{
    ts_partition *r = s->result;
    r->mode = mode;
    r->part = part;
    r->parts = parts;
    r->link = s->link;
    r->ring = TS_NEW_N(s->arena, ts_chain_ring, parts);
    for (int i = 0; i < parts; i++) {
        const bool apart = i > 0 && part[i].device != part[i - 1].device;
        r->ring[i] = (ts_chain_ring){part[i].planned.plan, part[i].im, apart ? ts_link_hop(&s->link, token_bits(s)) : (ts_hop){0, 0}};
    }
    r->prediction = ts_chain_predict(r->ring, parts, part[0].planned.plan->plan_tokens, NULL);
}

static void weigh(const search *s, ts_mode mode, int parts, const ts_chain_prediction *p, const char *why)
{
    ts_partition *r = s->result;
    if (r->alternatives == TS_ALTERNATIVE_MAX)
        return;
    r->alternative[r->alternatives++] = (ts_alternative){.mode = mode,
                                                         .parts = parts,
                                                         .fits = p != NULL,
                                                         .latency_cycles = p ? p->latency_cycles : 0,
                                                         .interval_cycles = p ? p->interval_cycles : 0,
                                                         .why = why};
}

static ts_mode mode_of(const ts_part *part)
{
    return ts_plan_is_paged(part->planned.plan) ? TS_MODE_PAGED : TS_MODE_MONOLITHIC;
}

static const char *part_lines(const search *s, const ts_part *part, int parts)
{
    const char *text = "";
    for (int i = 0; i < parts; i++) {
        const char *scarce;
        const ts_device *device = s->opt->device[part[i].device];
        const double load = ts_device_load(device, &part[i].planned.cost.device, &scarce);
        text =
            ts_printf(s->arena, "%spart %d: cuts %d to %d on %s%s, interval %lld cycles, %.1f %% of its %s\n", text, i, part[i].slice.first,
                      part[i].slice.end, device->name, mode_of(&part[i]) == TS_MODE_PAGED ? ", paged" : "", part[i].planned.prediction.interval_cycles, 100 * load, scarce);
    }
    return text;
}

/* ---- Modes. Each leaves its result in s->result and true, or a message and false. */

/* A ring on one device; s->paging says whether its weights may be paged. *shortage: as of ts_planned, may be NULL. */
static bool alone(const search *s, int device, const char **shortage, ts_err *err)
{
    ts_part *part = TS_NEW(s->arena, ts_part);
    const ts_mode wish = s->paging == TS_PAGING_NONE ? TS_MODE_MONOLITHIC : TS_MODE_PAGED;
    const ts_device *on = s->opt->device[device];
    if (!pins_allow(s, device, 0, s->blocks))
        return ts_fail(err, "the pins keep the model from being on %s alone", on->name);
    const bool fits = plan_part(s, on, device, false, 0, s->blocks, part, err);
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

static bool has_memory(const search *s, int device)
{
    return s->ring.memory.gbytes_per_s > 0 || s->opt->device[device]->memory_gbytes_per_s > 0;
}

/* A ring on one device, some of its weights in external memory because that was asked for. */
static bool paged(search *s, int device, ts_err *err)
{
    if (s->im->layers < 2)
        return ts_fail(err, "--mode paged: %s has one layer: its weights are on chip in any case", s->im->name);
    if (!has_memory(s, device))
        return ts_fail(err, "--mode paged: %s has no external memory (--memory GBYTES[:NANOSECONDS] says that there is one)",
                       s->opt->device[device]->name);
    s->paging = TS_PAGING_ASKED;
    return alone(s, device, NULL, err);
}

/* A ring on one device, all weights on chip if they fit, otherwise paged. */
static bool alone_somehow(search *s, int device, ts_err *err)
{
    const char *name = s->opt->device[device]->name, *resident = NULL, *pages = NULL;
    ts_err first = {""}, second = {""};
    if (alone(s, device, &resident, &first))
        return true;
    if (!resident || s->im->layers < 2)
        return ts_fail(err, "%s", first.msg);
    if (!has_memory(s, device))
        return ts_fail(err, "%s; %s has no external memory for paged weights", first.msg, name);
    s->paging = TS_PAGING_ALLOWED;
    if (alone(s, device, &pages, &second)) {
        s->result->why = ts_printf(s->arena, "Paged, because with all weights on chip %s.\n%s", resident, s->result->why);
        return true;
    }
    return pages ? ts_fail(err, "%s does not fit %s with events of up to %d hits: %s. With weights in external memory %s. Or lower --max-tokens or narrow "
                                "the formats", s->im->name, name, s->ring.max_tokens, resident, pages)
                 : ts_fail(err, "%s", second.msg);
}

/* A device with a share of everything. */
static const ts_device *share_of(ts_arena *arena, const ts_device *device, double share)
{
    ts_device *part = TS_NEW(arena, ts_device);
    *part = *device;
#define X(field, label) part->has.field = floor(part->has.field * share);
    TS_RESOURCES(X)
#undef X
    part->lutram *= share;
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
static bool try_rings(search *s, rings *r)
{
    r->slowest = r->latency = 0;
    for (int i = 0, first = 0; i < r->count; first = r->end[i++]) {
        ts_arena *scratch = ts_arena_new();
        const ts_part_cost cost = rough_cost(s, share_of(scratch, s->opt->device[0], r->share[i]), false, first, r->end[i]);
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
static bool balance(search *s, int count, rings *best)
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

static double goal(const search *s, double interval, double latency)
{
    return s->opt->objective == TS_OBJECTIVE_THROUGHPUT ? interval : latency;
}

/* The rings in full: neighbours may hold each other up, which rough plans do not know. */
static ts_part *plan_rings(search *s, const rings *r, ts_err *err)
{
    ts_part *part = TS_NEW_N(s->arena, ts_part, r->count);
    for (int i = 0, first = 0; i < r->count; first = r->end[i++])
        if (!plan_part(s, share_of(s->arena, s->opt->device[0], r->share[i]), 0, false, first, r->end[i], &part[i], err))
            return NULL;
    return part;
}

static bool replicated(search *s, ts_err *err)
{
    const ts_device *device = s->opt->device[0];
    ts_part *best = NULL;
    int parts = 0;
    double best_goal = INFINITY;
    for (int count = 2; count <= s->im->layers && count <= MAX_RINGS; count++) {
        rings r;
        ts_err none = {""};
        ts_part *part = balance(s, count, &r) ? plan_rings(s, &r, &none) : NULL;
        if (!part) {
            weigh(s, TS_MODE_REPLICATED, count, NULL, ts_printf(s->arena, "%d rings do not fit %s together", count, device->name));
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
    if (!best)
        return s->im->layers < 2
                   ? ts_fail(err, "%s has one layer: there is nothing for a second ring", s->im->name)
                   : ts_fail(err,
                             "no two rings of %s fit %s together with events of up to %d hits: choose another mode or device, "
                             "lower --max-tokens or narrow the formats",
                             s->im->name, device->name, s->ring.max_tokens);
    finish(s, TS_MODE_REPLICATED, best, parts);
    s->result->why = ts_printf(s->arena, "%d rings on one %s: an event in each, %s decides.\n%s", parts, device->name,
                               ts_objective_name(s->opt->objective), part_lines(s, best, parts));
    return true;
}

/* How many devices would do if more of the last one followed; 0: not even one a block. */
static int enough_devices(const search *s)
{
    const ts_partition_options *o = s->opt;
    const ts_device **device = TS_NEW_N(s->arena, const ts_device *, s->blocks + o->devices);
    int *end = TS_NEW_N(s->arena, int, s->blocks + o->devices);
    for (int d = 0; d < s->blocks + o->devices; d++)
        device[d] = o->device[d < o->devices ? d : o->devices - 1];
    ts_partition_options longer = *o;
    longer.device = device;
    search more = *s;
    more.opt = &longer;
    for (longer.devices = o->devices + 1; longer.devices <= s->blocks; longer.devices++)
        if (ts_cut_chain(s->arena, s->blocks, longer.devices, false, run_cost, &more, end))
            return longer.devices;
    return 0;
}

/* Which block alone is too much for every device it may be on. */
static bool no_cut_fits(const search *s, ts_err *err)
{
    for (int b = 0; b < s->blocks; b++) {
        bool fits = false;
        ts_err short_of = {""};
        for (int d = 0; d < s->opt->devices && !fits; d++) {
            ts_part part;
            short_of.msg[0] = '\0';
            fits = pins_allow(s, d, b, b + 1) && plan_part(s, s->opt->device[d], d, true, b, b + 1, &part, &short_of);
        }
        if (!fits && short_of.msg[0])
            return ts_fail(err, "no cut over the %d devices fits: %s alone: %s", s->opt->devices,
                           ts_printf(s->arena, "layers.%d.%s", b / 2, b % 2 ? "ffn" : "attention"), short_of.msg);
    }
    const int enough = enough_devices(s);
    const char *last = s->opt->device[s->opt->devices - 1]->name;
    return ts_fail(err, "no cut of %s over the %d devices fits%s: %s, a lower --max-tokens or narrower formats would do", s->im->name,
                   s->opt->devices, s->opt->pins ? " with these pins" : "",
                   enough ? ts_printf(s->arena, "%d devices with %s for the others, larger ones", enough, last) : "larger devices");
}

/* The chain with these cuts, planned in full; its parts go to part[]. */
static bool plan_chain(const search *s, int devices, const int *end, ts_part *part, int *parts, ts_err *err)
{
    *parts = 0;
    for (int d = 0, first = 0; d < devices; first = end[d++])
        if (end[d] > first &&
            !plan_part(s, s->opt->device[d], d, end[d] - first < s->blocks, first, end[d], &part[(*parts)++], err))
            return false;
    return true;
}

/* Why nothing fits over the first `devices` of the list. */
static void weigh_unfit(const search *s, int devices)
{
    ts_part part;
    ts_err short_of = {""};
    if (devices > 1)
        weigh(s, TS_MODE_SPLIT, devices, NULL, ts_printf(s->arena, "no cut over the first %d devices fits", devices));
    else if ((s->opt->any_mode || s->opt->mode != TS_MODE_SPLIT) && !plan_part(s, s->opt->device[0], 0, false, 0, s->blocks, &part, &short_of))
        weigh(s, TS_MODE_MONOLITHIC, 1, NULL, ts_strdup(s->arena, short_of.msg));
}

typedef struct chain {
    ts_part *part;
    int parts;
    double value; /* what is to be least */
} chain;

static double value_of(const search *s, const ts_chain_prediction *p, int parts)
{
    return goal(s, (double)p->interval_cycles,
                (double)p->latency_cycles + (s->opt->objective == TS_OBJECTIVE_AREA ? parts * ANOTHER_PART : 0));
}

/* The best chain over a beginning of the list, each cut by rough plans and then planned in full: rough plans may be wrong by more than
   another device gains. */
static void best_chain(search *s, chain *best, ts_err *err)
{
    const ts_partition_options *o = s->opt;
    int *end = TS_NEW_N(s->arena, int, o->devices);
    for (int devices = 1; devices <= o->devices; devices++) {
        if (!ts_cut_chain(s->arena, s->blocks, devices, o->objective != TS_OBJECTIVE_THROUGHPUT, run_cost, s, end)) {
            if (s->paging == TS_PAGING_NONE)
                weigh_unfit(s, devices);
            continue;
        }
        ts_part *part = TS_NEW_N(s->arena, ts_part, devices);
        int parts;
        if ((devices > 1 && end[devices - 1] == end[devices - 2]) || !plan_chain(s, devices, end, part, &parts, err))
            continue; /* the last device is of no use */
        finish(s, parts == 1 ? mode_of(part) : TS_MODE_SPLIT, part, parts);
        const ts_chain_prediction p = s->result->prediction;
        weigh(s, s->result->mode, parts, &p, ts_printf(s->arena, "part %d has the longest interval", p.slowest));
        const double value = value_of(s, &p, parts);
        if (value < best->value)
            *best = (chain){part, parts, value};
    }
}

/* Where no device holds the model alone, the one that does best with pages; it must be better than `best`, or as good with fewer parts. */
static void best_paged_alone(search *s, chain *best)
{
    const ts_paging_wish before = s->paging;
    for (int d = 0; d < s->opt->devices; d++) {
        bool seen = !has_memory(s, d);
        for (int other = 0; other < d; other++)
            seen = seen || strcmp(s->opt->device[other]->name, s->opt->device[d]->name) == 0;
        ts_err none = {""};
        s->paging = TS_PAGING_ALLOWED;
        if (seen || !alone(s, d, NULL, &none))
            continue;
        const double value = value_of(s, &s->result->prediction, 1);
        if (value <= best->value)
            *best = (chain){s->result->part, 1, value};
    }
    s->paging = before;
}

static bool split(search *s, ts_err *err)
{
    const ts_partition_options *o = s->opt;
    chain best = {.value = INFINITY};
    best_chain(s, &best, err);
    if (s->im->layers > 1 && (!best.part || best.parts > 1) && (o->any_mode || o->mode != TS_MODE_SPLIT))
        best_paged_alone(s, &best);
    if (!best.part) { /* parts that are paged are the only way */
        s->paging = TS_PAGING_ALLOWED;
        best_chain(s, &best, err);
        s->paging = TS_PAGING_NONE;
    }
    if (!best.part)
        return no_cut_fits(s, err);
    err->msg[0] = '\0';
    const int count = best.parts;
    if (count == 1 && mode_of(best.part) == TS_MODE_MONOLITHIC)
        return alone(s, best.part->device, NULL, err);
    const char *of_them = count < o->devices ? ts_printf(s->arena, " (of %d: fewer are at least as good)", o->devices) : "";
    if (count == 1) {
        s->paging = TS_PAGING_ALLOWED;
        if (!alone(s, best.part->device, NULL, err))
            return false;
        s->result->why = ts_printf(s->arena, "Paged on one device%s, for %s.\n%s", of_them, ts_objective_name(o->objective), s->result->why);
        return true;
    }
    finish(s, TS_MODE_SPLIT, best.part, count);
    s->result->why = ts_printf(s->arena, "Split over %d devices%s, for %s; part %d decides.\n%s%s", count, of_them,
                               ts_objective_name(o->objective), s->result->prediction.slowest, part_lines(s, best.part, count), link_line(s));
    return true;
}

/* ---- The choice */

/* Of several single devices the first that is as good as any. */
static bool best_alone(search *s, ts_err *err)
{
    const ts_partition_options *o = s->opt;
    int best = -1;
    double least = INFINITY;
    for (int d = 0; d < o->devices; d++) {
        const ts_part_cost cost = run_cost(s, d, 0, s->blocks);
        if (goal(s, cost.interval, cost.latency) < least) {
            least = goal(s, cost.interval, cost.latency);
            best = d;
        }
    }
    best = best < 0 ? 0 : best;
    return s->paging == TS_PAGING_NONE ? alone(s, best, NULL, err) : paged(s, best, err);
}

static bool one_device(search *s, ts_err *err)
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

static bool choose(search *s, ts_err *err)
{
    const ts_partition_options *o = s->opt;
    if (o->any_mode)
        return o->devices == 1 ? one_device(s, err) : split(s, err);
    switch (o->mode) {
    case TS_MODE_MONOLITHIC:
        return best_alone(s, err);
    case TS_MODE_REPLICATED:
        return o->devices == 1 ? replicated(s, err)
                               : ts_fail(err, "--mode replicated: the rings share one device; the list has %d", o->devices);
    case TS_MODE_SPLIT:
        return o->devices > 1 ? split(s, err) : ts_fail(err, "--mode split: give a list of at least two devices, --device A,B");
    case TS_MODE_PAGED:
        s->paging = TS_PAGING_ASKED;
        return best_alone(s, err);
    case TS_MODE_PARALLEL:
    case TS_MODE_ASSISTED:
    case TS_MODE_COUNT:
        break;
    }
    BUG("a mode that is not planned as a chain of rings");
}

double ts_partition_clock(const ts_partition_options *options)
{
    double clock = options->plan.clock_mhz;
    for (int d = 0; options->plan.clock_mhz <= 0 && d < options->devices; d++)
        clock = d ? fmin(clock, options->device[d]->clock_mhz) : options->device[d]->clock_mhz;
    return clock;
}

bool ts_partition_search(ts_arena *arena, const ts_imodel *im, const ts_partition_options *options, ts_partition *result, ts_err *err)
{
    CHECK(options->devices >= 1);
    *result = (ts_partition){.why = ""};
    search s = {.arena = arena, .im = im, .opt = options, .ring = options->plan, .blocks = ts_block_count(im), .result = result};
    s.ring.small = options->objective == TS_OBJECTIVE_AREA;
    s.ring.clock_mhz = ts_partition_clock(options);
    s.link = options->link.word_bits ? options->link : link_of_devices(&s);
    if (!choose(&s, err))
        return false;
    int chosen = -1; /* of two ways with the same mode and number of parts, the one that was planned in full comes last */
    for (int i = 0; i < result->alternatives; i++)
        if (result->alternative[i].mode == result->mode && result->alternative[i].parts == result->parts)
            chosen = i;
    for (int i = 0; i < result->alternatives; i++) {
        ts_alternative *a = &result->alternative[i];
        a->chosen = i == chosen;
    }
    return ts_verify_partition(im, options, result, err) || ts_fail_in(err, "internal error: the planner made a plan that is not sound (please report it)");
}
