#define TS_FAIL_CODE TS_DOES_NOT_FIT
#include "plan/list_parts.h"

#include <math.h>
#include <string.h>

#include "ring/cost.h"

static const double CROWDED = 0.5; /* of what memories may be filled: with less, pages change nothing */

/* What decides a rough plan beside the device: slices of the same shape and formats, wherever they lie in the model, are planned once. */
typedef struct shape {
    double clock_mhz;
    ts_link link; /* of its ends */
    bool linked;
    int paging; /* ts_paging_wish */
    int layers;
    bool embed, head, starts_in_ffn, ends_in_attention;
    ts_ring_widths w; /* without the widths of accumulators and offsets, which differ by a bit or two from layer to layer */
} shape;

typedef struct known {
    struct known *next;
    ts_device device; /* or a share of one */
    shape shape;
    ts_part_cost cost;
    bool crowded; /* its memories may be what keeps it from being faster */
} known;

/* A part planned in full, or why it does not fit. */
typedef struct full_plan {
    struct full_plan *next;
    const ts_device *device;
    double clock_mhz;
    ts_link link;
    bool linked;
    ts_paging_wish paging;
    int first, end;
    bool fits;
    ts_part part;
    const char *short_of;
} full_plan;

/* A slice of the model: checking one takes as long as reading its weights. */
typedef struct kept_slice {
    struct kept_slice *next;
    ts_slice slice;
    const ts_imodel *im; /* NULL: there is none */
} kept_slice;

/* Rough costs of all runs of blocks on a device, as far as they were asked for. */
struct ts_list_costs {
    ts_list_costs *next;
    const ts_device *device;
    double clock_mhz;
    ts_link link;
    ts_paging_wish paging;
    ts_part_cost *cost; /* [blocks + 1][blocks + 1]; an interval of 0: not yet known */
};

struct ts_list_cache {
    kept_slice *slices;
    known *list; /* the last one first */
    full_plan *parts;
    ts_list_costs *tables;
};

ts_list_cache *ts_list_cache_new(ts_arena *arena)
{
    return TS_NEW(arena, ts_list_cache);
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

bool ts_same_device(const ts_device *a, const ts_device *b)
{
    if (a == b)
        return true;
    if (!same_text(a->name, b->name) || !same_text(a->yosys_family, b->yosys_family) || !same_text(a->dsp_kind, b->dsp_kind) ||
        !same_text(a->bram_kind, b->bram_kind))
        return false;
    /* All figures, whatever they are: what is not known to be the same only costs time. */
    ts_device x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    x.name = x.title = x.part = x.source = x.yosys_family = x.shell = x.dsp_kind = x.bram_kind = x.text = x.host = NULL;
    y.name = y.title = y.part = y.source = y.yosys_family = y.shell = y.dsp_kind = y.bram_kind = y.text = y.host = NULL;
    x.die = y.die = NULL;
    return memcmp(&x, &y, sizeof x) == 0 &&
           (a->die == b->die || (a->die && b->die && memcmp(a->die, b->die, (size_t)a->slr * sizeof *a->die) == 0));
}

/* A device has one run: it holds the blocks pinned there and no others' pinned blocks. */
bool ts_list_pins_allow(const ts_list *s, int device, int first, int end)
{
    for (int p = 0; p < s->opt->pins; p++) {
        const ts_pin *pin = &s->opt->pin[p];
        if ((pin->block >= first && pin->block < end) != (pin->device == device))
            return false;
    }
    return true;
}

/* ---- Parts */

static const ts_imodel *model_of(const ts_list *s, ts_slice slice, ts_err *err)
{
    if (slice.first == 0 && slice.end == s->blocks)
        return s->im;
    kept_slice *k = s->cache->slices;
    while (k && !(k->slice.first == slice.first && k->slice.end == slice.end && k->im))
        k = k->next;
    if (k)
        return k->im;
    k = TS_NEW(s->arena, kept_slice);
    *k = (kept_slice){s->cache->slices, slice, ts_imodel_slice(s->arena, s->im, slice, err)};
    s->cache->slices = k;
    return k->im;
}

int ts_list_token_bits(const ts_list *s)
{
    return s->im->d * s->im->res.bits;
}

/* The options of a ring, with the ends of links that a part of a split design has beside it. */
static ts_plan_options ring_options(const ts_list *s, const ts_device *device, bool linked, int first, int end)
{
    ts_plan_options o = s->ring;
    o.paging = s->paging;
    if (linked && first > 0)
        ts_cost_add(&o.reserve, 1, ts_link_cost(&s->link, ts_list_token_bits(s), false, device));
    if (linked && end < s->blocks)
        ts_cost_add(&o.reserve, 1, ts_link_cost(&s->link, ts_list_token_bits(s), true, device));
    return o;
}

static bool same_link(const ts_link *a, const ts_link *b)
{
    return a->word_bits == b->word_bits && a->flight == b->flight && a->rate >= b->rate && a->rate <= b->rate;
}

static full_plan *find_planned(const ts_list *s, const ts_device *device, bool linked, int first, int end)
{
    full_plan *k = s->cache->parts;
    while (k &&
           !(k->first == first && k->end == end && k->linked == linked && k->paging == s->paging && ts_same_device(k->device, device) &&
             k->clock_mhz >= s->ring.clock_mhz && k->clock_mhz <= s->ring.clock_mhz && (!linked || same_link(&k->link, &s->link))))
        k = k->next;
    return k;
}

static void shape_of(const ts_list *of, const ts_imodel *im, bool linked, shape *s)
{
    memset(s, 0, sizeof *s); /* the padding too: shapes are compared as bytes */
    s->clock_mhz = of->ring.clock_mhz;
    s->linked = linked;
    if (linked) {
        s->link.word_bits = of->link.word_bits;
        s->link.rate = of->link.rate;
        s->link.flight = of->link.flight;
    }
    s->paging = of->paging;
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
        s->w.nrm[id].biasw = s->w.nrm[id].k_biasw = s->w.nrm[id].epsw = 0;
}

/* A rough plan, with s->paging. */
static const known *rough_plan(ts_list *s, const ts_device *device, bool linked, int first, int end)
{
    ts_arena *scratch = ts_arena_new();
    ts_err ignored = {""};
    known *k = TS_NEW(s->arena, known);
    k->cost = (ts_part_cost){INFINITY, INFINITY};
    const ts_imodel *im = model_of(s, ts_slice_between(s->im, first, end), &ignored);
    if (im) {
        shape_of(s, im, linked, &k->shape);
        memcpy(&k->device, device, sizeof *device);
        const known *same = s->cache->list;
        while (same && !(memcmp(&same->shape, &k->shape, sizeof k->shape) == 0 && ts_same_device(&same->device, device)))
            same = same->next;
        ts_plan_options quick = ring_options(s, device, linked, first, end);
        quick.quick = true;
        quick.small = false;
        ts_planned planned;
        if (same) {
            ts_arena_free(scratch);
            return same;
        }
        k->crowded = true;
        if (ts_plan_search(scratch, im, device, &quick, &planned, &ignored)) {
            const ts_resources *need = &planned.cost.device, *has = &device->has;
            const double cap = CROWDED * (s->ring.utilisation > 0 ? s->ring.utilisation : 0.8);
            k->cost = (ts_part_cost){(double)planned.prediction.interval_cycles, planned.mean_latency};
            k->crowded = need->bram36 > cap * has->bram36 || need->uram > cap * has->uram;
        }
        k->next = s->cache->list;
        s->cache->list = k;
    }
    ts_arena_free(scratch);
    return k;
}

/* Whether a part may gain by pages: what was wished for, or none. */
static ts_paging_wish paging_of(const ts_list *s, const ts_device *device, bool linked, int first, int end)
{
    if (s->paging != TS_PAGING_ALLOWED || !linked)
        return s->paging;
    ts_list resident = *s;
    resident.paging = TS_PAGING_NONE;
    const bool memory = s->ring.memory.gbytes_per_s > 0 || device->memory_gbytes_per_s > 0;
    return memory && rough_plan(&resident, device, linked, first, end)->crowded ? TS_PAGING_ALLOWED : TS_PAGING_NONE;
}

/* Interval and latency of a rough plan. */
ts_part_cost ts_list_rough_cost(ts_list *s, const ts_device *device, bool linked, int first, int end)
{
    ts_list wish = *s;
    wish.paging = paging_of(s, device, linked, first, end);
    return rough_plan(&wish, device, linked, first, end)->cost;
}

size_t ts_list_index(const ts_list *s, int device, int first, int end)
{
    const size_t row = (size_t)s->blocks + 1;
    return ((size_t)device * row + (size_t)first) * row + (size_t)end;
}

bool ts_list_plan_part(ts_list *whole, const ts_device *device, int device_index, bool linked, int first, int end, ts_part *part,
                       ts_err *err)
{
    const size_t at = ts_list_index(whole, device_index, first, end);
    whole->plans += whole->full[at].interval <= 0;
    ts_list wish = *whole, *s = &wish;
    s->paging = paging_of(whole, device, linked, first, end);
    full_plan *k = find_planned(s, device, linked, first, end);
    if (!k) {
        const ts_plan_options ring = ring_options(s, device, linked, first, end);
        ts_err short_of = {""};
        k = TS_NEW(s->arena, full_plan);
        *k = (full_plan){.next = s->cache->parts,
                         .device = device,
                         .clock_mhz = s->ring.clock_mhz,
                         .link = s->link,
                         .linked = linked,
                         .paging = s->paging,
                         .first = first,
                         .end = end};
        k->part.slice = ts_slice_between(s->im, first, end);
        k->part.im = model_of(s, k->part.slice, &short_of);
        k->fits = k->part.im && ts_plan_search(s->arena, k->part.im, device, &ring, &k->part.planned, &short_of);
        k->short_of = ts_strdup(s->arena, short_of.msg);
        s->cache->parts = k;
    }
    whole->full[at] = k->fits ? (ts_part_cost){(double)k->part.planned.prediction.interval_cycles, k->part.planned.mean_latency}
                              : (ts_part_cost){INFINITY, INFINITY};
    *part = k->part;
    part->device = device_index;
    return k->fits || ts_fail(err, "%s", k->short_of);
}

static ts_list_costs *table_of(const ts_list *s, const ts_device *device)
{
    ts_list_costs *t = s->cache->tables;
    while (t && !(t->paging == s->paging && t->clock_mhz >= s->ring.clock_mhz && t->clock_mhz <= s->ring.clock_mhz &&
                  same_link(&t->link, &s->link) && ts_same_device(t->device, device)))
        t = t->next;
    if (t)
        return t;
    t = TS_NEW(s->arena, ts_list_costs);
    *t = (ts_list_costs){.next = s->cache->tables, .device = device, .clock_mhz = s->ring.clock_mhz, .link = s->link, .paging = s->paging};
    t->cost = TS_NEW_N(s->arena, ts_part_cost, (size_t)(s->blocks + 1) * (size_t)(s->blocks + 1));
    return s->cache->tables = t;
}

void ts_list_set_tables(ts_list *s)
{
    s->table = TS_NEW_N(s->arena, ts_list_costs *, s->opt->devices);
    for (int d = 0; d < s->opt->devices; d++)
        s->table[d] = table_of(s, s->opt->device[d]);
}

ts_part_cost ts_list_run_cost(void *user, int device, int first, int end)
{
    ts_list *s = user;
    const ts_partition_options *o = s->opt;
    if (!ts_list_pins_allow(s, device, first, end))
        return (ts_part_cost){INFINITY, INFINITY};
    const ts_hop hop = ts_link_hop(&s->link, ts_list_token_bits(s));
    ts_part_cost *kept = &s->table[device]->cost[first * (s->blocks + 1) + end];
    if (kept->interval <= 0)
        *kept = ts_list_rough_cost(s, o->device[device], true, first, end);
    const ts_part_cost *full = &s->full[ts_list_index(s, device, first, end)];
    ts_part_cost cost = full->interval > 0 ? *full : *kept;
    if (o->objective == TS_OBJECTIVE_AREA)
        cost.latency += TS_LIST_ANOTHER_PART;
    if (end < s->blocks) { /* with the way to the next one */
        cost.latency += hop.latency;
        cost.interval = fmax(cost.interval, hop.token_cycles * s->typical);
    }
    return cost;
}
