/* Which devices of a list are used, and how: every selection of them is searched by list_search.c, each at its own clock and links, and the
   best in time wins. So a device more in the list never makes the plan worse. */
#define TS_FAIL_CODE TS_DOES_NOT_FIT
#include "plan/partition.h"

#include <math.h>
#include <string.h>

#include "plan/list_search.h"
#include "plan/verify.h"

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
        return ts_fail_as(err, TS_USAGE,
                          "%s: no stage \"%s\"; stages are embed, layers.0 to layers.%d, layers.N.attention, layers.N.ffn and head",
                          ts_option("pin"), name, im->layers - 1);
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
        ts_fail_as(err, TS_USAGE, "%s: there is no device %ld; the list has 0 to %d", ts_option("pin"), number, devices - 1);
        return -1;
    }
    int found = -1;
    for (int d = 0; d < devices; d++)
        if (strcmp(device[d]->name, name) == 0) {
            if (found >= 0) {
                ts_fail_as(err, TS_USAGE, "%s: %s is more than once in the list of devices: say which by its number, from 0",
                           ts_option("pin"), name);
                return -1;
            }
            found = d;
        }
    if (found < 0)
        ts_fail_as(err, TS_USAGE, "%s: \"%s\" is not in the list of devices", ts_option("pin"), name);
    return found;
}

bool ts_pin_parse(const char *text, const ts_imodel *im, const ts_device *const *device, int devices, ts_pin pin[TS_PIN_MAX], int *count,
                  ts_err *err)
{
    const char *equals = strchr(text, '=');
    char stage[64];
    if (!equals || equals == text || equals - text >= (ptrdiff_t)sizeof stage)
        return ts_fail_as(err, TS_USAGE, "%s %s: write STAGE=DEVICE, such as layers.2=0", ts_option("pin"), text);
    memcpy(stage, text, (size_t)(equals - text));
    stage[equals - text] = '\0';
    int first, end;
    const int d = find_stage(stage, im, &first, &end, err) ? find_device(equals + 1, device, devices, err) : -1;
    if (d < 0)
        return false;
    for (int b = first; b < end; b++) {
        if (*count == TS_PIN_MAX)
            return ts_fail_as(err, TS_USAGE, "%s: more than %d blocks are pinned", ts_option("pin"), TS_PIN_MAX);
        pin[(*count)++] = (ts_pin){b, d};
    }
    return true;
}

/* ---- Selections of devices */

static const double IDLE = 1.2; /* a device without which a rough plan is better by so much: it is not worth a full one */
enum {
    LIST_MAX = 16,
    ALWAYS = 3,      /* devices of which no selection is left out for that */
    LOOKED_AT = 256, /* chains that are planned in full at most: those whose rough plans are best */
};

typedef struct selection {
    int count;
    int pick[LIST_MAX];
    int less[LIST_MAX]; /* the selection without the device, or -1 */
    double value;       /* the best of it and of all selections of some of its devices; INFINITY: none fits */
    double rough;       /* as it seems */
} selection;

typedef struct search {
    ts_arena *arena;
    const ts_imodel *im;
    const ts_partition_options *opt;
    ts_list_cache *cache;
    int kind[LIST_MAX]; /* of the devices: the number of the first one like it */
    selection *list;    /* [count], few devices first */
    int count;
    int *find, slots; /* by their kinds: indices in the list and 1; 0: none */
    ts_partition best;
    double value; /* of the best; INFINITY: none yet */
    int weighed;  /* selections that fit */
} search;

static bool is_pinned(const ts_partition_options *o, int device)
{
    for (int p = 0; p < o->pins; p++)
        if (o->pin[p].device == device)
            return true;
    return false;
}

/* The selection's slot by the kinds of its devices, but for the one at `without`: that of the same devices in the same order, or where it
   would be. */
static int *slot_of(const search *s, const selection *sel, int without)
{
    const int count = sel->count - (without >= 0);
    uint64_t hash = 0;
    for (int i = 0; i < sel->count; i++)
        hash = i == without ? hash : (hash + (uint64_t)s->kind[sel->pick[i]] + 1) * 0x9e3779b97f4a7c15u;
    for (int at = (int)(hash >> 32) & (s->slots - 1);; at = (at + 1) & (s->slots - 1)) {
        const selection *there = s->find[at] ? &s->list[s->find[at] - 1] : NULL;
        bool same = there && there->count == count;
        for (int i = 0, j = 0; same && i < sel->count; i++)
            same = i == without || s->kind[sel->pick[i]] == s->kind[there->pick[j++]];
        if (!there || same)
            return &s->find[at];
    }
}

static bool has_pins(const search *s, const selection *sel)
{
    for (int p = 0; p < s->opt->pins; p++) {
        bool there = false;
        for (int i = 0; i < sel->count; i++)
            there = there || sel->pick[i] == s->opt->pin[p].device;
        if (!there)
            return false;
    }
    return true;
}

/* All selections of `least` to `most` devices with what is pinned; the same devices in the same order once. */
static void select_devices(search *s, int least, int most)
{
    const int devices = s->opt->devices;
    const unsigned sets = 1U << devices;
    for (int d = 0; d < devices; d++) {
        int like = 0;
        while (like < d && !(ts_same_device(s->opt->device[like], s->opt->device[d]) && !is_pinned(s->opt, like) && !is_pinned(s->opt, d)))
            like++;
        s->kind[d] = like;
    }
    s->slots = (int)(4 * sets);
    s->find = TS_NEW_N(s->arena, int, s->slots);
    s->list = TS_NEW_N(s->arena, selection, sets);
    for (int count = least; count <= most; count++)
        for (unsigned set = 1; set < sets; set++) {
            selection some = {.value = INFINITY};
            for (int d = 0; d < devices; d++)
                if (set >> d & 1)
                    some.pick[some.count++] = d;
            if (some.count != count || !has_pins(s, &some))
                continue;
            int *slot = slot_of(s, &some, -1);
            if (*slot)
                continue;
            for (int i = 0; i < count; i++)
                some.less[i] = count > least ? *slot_of(s, &some, i) - 1 : -1;
            s->list[s->count++] = some;
            *slot = s->count;
        }
}

/* ---- One selection */

static double clock_of(const ts_partition_options *o)
{
    double clock = o->plan.clock_mhz;
    for (int d = 0; o->plan.clock_mhz <= 0 && d < o->devices; d++)
        clock = d ? fmin(clock, o->device[d]->clock_mhz) : o->device[d]->clock_mhz;
    return clock;
}

/* The options of the selection alone: its devices, pins, clock, links. `unsaid`: a device whose file names no link, where that matters. */
static ts_partition_options options_of(const search *s, const selection *sel, const ts_device **unsaid)
{
    ts_partition_options o = *s->opt;
    const ts_device **device = TS_NEW_N(s->arena, const ts_device *, sel->count);
    ts_pin *pin = TS_NEW_N(s->arena, ts_pin, o.pins + 1);
    for (int i = 0; i < sel->count; i++) {
        device[i] = o.device[sel->pick[i]];
        for (int p = 0; p < o.pins; p++)
            if (o.pin[p].device == sel->pick[i])
                pin[p] = (ts_pin){o.pin[p].block, i};
    }
    o.device = device;
    o.devices = sel->count;
    o.pin = pin;
    o.plan.clock_mhz = clock_of(&o);
    *unsaid = NULL;
    if (!o.link.word_bits) {
        double mbits = o.link_mbits, ns = o.link_ns;
        if (mbits <= 0)
            ts_link_between(device, sel->count, &mbits, &ns, unsaid);
        o.link = ts_link_of(s->im->d * s->im->res.bits, mbits, ns, o.plan.clock_mhz);
    }
    return o;
}

/* What the links were taken to do, for who reads why. */
static const char *link_line(const search *s, const ts_partition_options *o, const ts_device *unsaid)
{
    const int bits = s->im->d * s->im->res.bits;
    const char *from = s->opt->link.word_bits || s->opt->link_mbits > 0 ? "as stated"
                       : unsaid ? ts_printf(s->arena, "an assumption, since the file of %s names no link", unsaid->name)
                                : "the devices' own";
    const char *t = ts_printf(s->arena, "Links: %.0f Mbit/s, %.0f ns (%s): a token of %d bits every %.1f cycles.\n",
                              o->link.rate * o->link.word_bits * o->plan.clock_mhz, o->link.flight * 1000 / o->plan.clock_mhz, from, bits,
                              ts_link_hop(&o->link, bits).token_cycles);
    for (int i = 1; i + 1 < o->devices; i++)
        if (o->device[i]->links == 1)
            t = ts_printf(s->arena,
                          "%s%s has one port for links and needs two, to both neighbours: a card for its extension slot, or another order, "
                          "is up to you.\n",
                          t, o->device[i]->name);
    return t;
}

/* Nanoseconds, and for area devices before them. */
static double value_of(const search *s, const ts_partition *p, double clock)
{
    ts_chain_prediction ns = p->prediction;
    ns.latency_cycles = llround((double)ns.latency_cycles * 1000 / clock);
    ns.interval_cycles = llround((double)ns.interval_cycles * 1000 / clock);
    const int devices = p->part[0].device == p->part[p->parts - 1].device ? 1 : p->parts;
    return ts_list_value(s->opt->objective, &ns, devices);
}

/* Alternatives of a selection join those of the others; the chosen one is marked. */
static void join(search *s, const ts_partition *found, bool fits)
{
    int chosen = -1; /* of two ways with the same mode and number of parts, the one that was planned in full comes last */
    for (int i = 0; fits && i < found->alternatives; i++)
        if (found->alternative[i].mode == found->mode && found->alternative[i].parts == found->parts)
            chosen = i;
    for (int i = 0; i < found->alternatives; i++) {
        if (s->best.alternatives == TS_ALTERNATIVE_MAX) {
            if (i != chosen)
                continue;
            s->best.alternatives--; /* the last one makes room */
        }
        ts_alternative *a = &s->best.alternative[s->best.alternatives++];
        *a = found->alternative[i];
        a->chosen = i == chosen;
        for (int j = 0; a->chosen && j < s->best.alternatives - 1; j++)
            s->best.alternative[j].chosen = false;
    }
}

/* True where the selection has a plan. What is looked at depends on its own devices alone: what others find, which may be in one list and
   not in another, changes nothing. */
static bool try_selection(search *s, selection *sel, ts_list_way way, ts_err *err)
{
    const ts_device *unsaid;
    const ts_partition_options o = options_of(s, sel, &unsaid);
    const double clock = o.plan.clock_mhz;
    const double least = s->opt->objective == TS_OBJECTIVE_AREA ? INFINITY : sel->value * clock / 1000;
    ts_partition found;
    const bool fits = ts_list_search(s->arena, s->im, &o, way, least, s->cache, &found, err);
    for (int i = 0; fits && i < found.parts; i++)
        found.part[i].device = sel->pick[found.part[i].device];
    const double value = fits ? value_of(s, &found, clock) : INFINITY;
    sel->value = fmin(sel->value, value);
    s->weighed += fits;
    join(s, &found, fits && value < s->value);
    if (!fits || value >= s->value)
        return fits;
    if (sel->count > 1) {
        found.why = ts_printf(s->arena, "%s%s", found.why, link_line(s, &o, unsaid));
        found.link = o.link;
    }
    found.alternatives = s->best.alternatives;
    memcpy(found.alternative, s->best.alternative, sizeof found.alternative);
    s->best = found;
    s->value = value;
    return true;
}

/* ---- The choice */

typedef struct ways {
    int least, most; /* devices */
    ts_list_way alone;
} ways;

static bool ways_of(const ts_partition_options *o, ways *w, ts_err *err)
{
    *w = (ways){1, o->devices, TS_LIST_AUTO_RING};
    if (o->any_mode)
        return true;
    switch (o->mode) {
    case TS_MODE_MONOLITHIC:
        *w = (ways){1, 1, TS_LIST_RING};
        return true;
    case TS_MODE_PAGED:
        *w = (ways){1, 1, TS_LIST_PAGED_RING};
        return true;
    case TS_MODE_REPLICATED:
        *w = (ways){1, 1, TS_LIST_RINGS};
        return o->devices == 1 ||
               ts_fail_as(err, TS_USAGE, "%s replicated: the rings share one device; the list has %d", ts_option("mode"), o->devices);
    case TS_MODE_SPLIT:
        *w = (ways){2, o->devices, TS_LIST_RING};
        return o->devices > 1 || ts_fail_as(err, TS_USAGE, "%s split: give a list of at least two devices", ts_option("mode"));
    case TS_MODE_ASSISTED:
    case TS_MODE_COUNT:
        break;
    }
    BUG("a mode that is not planned as a chain of rings");
}

static const char *block_name(ts_arena *arena, int block)
{
    return ts_printf(arena, "layers.%d.%s", block / 2, block % 2 ? "ffn" : "attention");
}

/* What no cut can keep. */
static bool check_pins(const search *s, ts_err *err)
{
    const ts_partition_options *o = s->opt;
    int first = -1, last = -1;
    for (int p = 0; p < o->pins; p++) {
        const ts_pin *a = &o->pin[p];
        first = a->block == 0 ? a->device : first;
        last = a->block == ts_block_count(s->im) - 1 ? a->device : last;
        for (int q = 0; q < o->pins; q++) {
            const ts_pin *b = &o->pin[q];
            if (a->block == b->block && a->device != b->device)
                return ts_fail_as(err, TS_USAGE, "%s: %s is pinned to devices %d and %d", ts_option("pin"), block_name(s->arena, a->block),
                                  a->device, b->device);
            if (a->block < b->block && a->device > b->device)
                return ts_fail_as(
                    err, TS_USAGE,
                    "%s: %s on device %d and %s, behind it, on device %d: with these pins no cut is possible, because tokens pass "
                    "the devices in the order of the list",
                    ts_option("pin"), block_name(s->arena, a->block), a->device, block_name(s->arena, b->block), b->device);
        }
    }
    if (first >= 0 && first == last && !o->any_mode && o->mode == TS_MODE_SPLIT)
        return ts_fail_as(err, TS_USAGE, "%s split: the pins put all blocks on device %d: nothing is left for others", ts_option("mode"),
                          first);
    return true;
}

static bool nothing_fits(search *s, const ts_err *alone, ts_err *err)
{
    const ts_partition_options *o = s->opt;
    selection all = {.count = o->devices};
    for (int d = 0; d < o->devices; d++)
        all.pick[d] = d;
    if (o->devices == 1 || (!o->any_mode && o->mode != TS_MODE_SPLIT))
        return alone->msg[0] ? ts_fail(err, "%s", alone->msg) : ts_fail(err, "the pins keep the model from being on one device alone");
    const ts_device *unsaid;
    const ts_partition_options options = options_of(s, &all, &unsaid);
    return ts_list_unfit(s->arena, s->im, &options, s->cache, err);
}

/* Of a chain's interval: its slowest part, or what holds that up. */
static const char *what_decides(const search *s)
{
    const ts_partition *p = &s->best;
    double own = 0;
    for (int i = 0; i < p->parts; i++)
        own = fmax(own, (double)p->part[i].planned.prediction.interval_cycles);
    const double interval = (double)p->prediction.interval_cycles;
    const double on_link = ts_link_hop(&p->link, s->im->d * s->im->res.bits).token_cycles * p->prediction.tokens;
    return interval <= 1.02 * own   ? ts_printf(s->arena, "part %d decides", p->prediction.slowest)
           : on_link > interval / 2 ? "the link decides"
                                    : ts_printf(s->arena, "part %d decides, held up by its neighbours", p->prediction.slowest);
}

/* Why this selection: what was used of the list, and for what. */
static const char *reason(const search *s)
{
    const ts_partition_options *o = s->opt;
    const ts_partition *p = &s->best;
    const bool chain = p->part[0].device != p->part[p->parts - 1].device;
    if (o->devices == 1)
        return "";
    const char *fewer = (chain ? p->parts : 1) < o->devices && s->weighed > 1 ? "; more are not better" : "";
    if (chain)
        return ts_printf(s->arena, "Split over %d of %d devices%s, for %s; %s.\n", p->parts, o->devices, fewer,
                         ts_objective_name(o->objective), what_decides(s));
    return ts_printf(s->arena, "%s alone, of %d devices%s, for %s.\n", o->device[p->part[0].device]->name, o->devices, fewer,
                     ts_objective_name(o->objective));
}

/* A chain to be planned, or a way in which it is: all weights on chip, or paged. */
typedef struct rough {
    int selection;
    ts_list_way way;
    double value; /* as it seems */
} rough;

static int by_value(const void *a, const void *b)
{
    const rough *x = a, *y = b;
    return x->value < y->value ? -1 : x->value > y->value ? 1 : x->selection - y->selection;
}

static int by_selection(const void *a, const void *b)
{
    const rough *x = a, *y = b;
    return x->selection != y->selection ? x->selection - y->selection : (int)x->way - (int)y->way;
}

/* Those that are worth a full plan, in the order of the selections. */
static int rough_chains(search *s, rough *chain)
{
    int chains = 0;
    for (int i = 0; i < s->count; i++) {
        const ts_device *unsaid;
        const ts_partition_options o = options_of(s, &s->list[i], &unsaid);
        bool memory = o.plan.memory.gbytes_per_s > 0;
        for (int d = 0; d < o.devices; d++)
            memory = memory || o.device[d]->memory_gbytes_per_s > 0;
        const double ns = 1000 / o.plan.clock_mhz, resident = ts_list_rough(s->arena, s->im, &o, TS_LIST_CHAIN, s->cache) * ns;
        const double paged = memory ? ts_list_rough(s->arena, s->im, &o, TS_LIST_PAGED_CHAIN, s->cache) * ns : INFINITY;
        s->list[i].rough = fmin(resident, paged);
        if (s->list[i].count < 2)
            continue;
        if (!isinf(resident) || isinf(paged)) /* where nothing fits, that is said */
            chain[chains++] = (rough){i, TS_LIST_CHAIN, resident};
        if (paged < resident)
            chain[chains++] = (rough){i, TS_LIST_PAGED_CHAIN, paged};
    }
    if (chains > LOOKED_AT) {
        qsort(chain, (size_t)chains, sizeof *chain, by_value);
        chains = LOOKED_AT;
        qsort(chain, (size_t)chains, sizeof *chain, by_selection);
    }
    return chains;
}

bool ts_partition_search(ts_arena *arena, const ts_imodel *im, const ts_partition_options *options, ts_partition *result, ts_err *err)
{
    CHECK(options->devices >= 1 && options->devices <= LIST_MAX);
    *result = (ts_partition){.why = ""};
    search s = {.arena = arena, .im = im, .opt = options, .cache = ts_list_cache_new(arena), .value = INFINITY};
    ways w;
    if (!ways_of(options, &w, err) || !check_pins(&s, err))
        return false;
    const int blocks = ts_block_count(im);
    select_devices(&s, w.least, w.most < blocks ? w.most : blocks);
    ts_err alone = {""};
    rough *chain = TS_NEW_N(arena, rough, 2 * (size_t)s.count);
    const int chains = s.count && w.most > 1 ? rough_chains(&s, chain) : 0;
    for (int i = 0, next = 0; i < s.count; i++) {
        ts_err ignored = {""};
        selection *sel = &s.list[i];
        if (options->objective == TS_OBJECTIVE_AREA && !isinf(s.value) && sel->count > s.best.parts)
            break;         /* more devices are worse */
        bool idle = false; /* a device that seems to bring nothing */
        for (int j = 0; j < sel->count; j++) {
            const selection *less = sel->less[j] >= 0 ? &s.list[sel->less[j]] : NULL;
            sel->value = less ? fmin(sel->value, less->value) : sel->value;
            idle = idle || (sel->count > ALWAYS && less && !isinf(less->value) && IDLE * less->rough <= sel->rough);
        }
        if (sel->count == 1)
            try_selection(&s, sel, w.alone, &alone);
        for (; next < chains && chain[next].selection == i; next++)
            if (!idle)
                try_selection(&s, sel, chain[next].way, &ignored);
    }
    if (isinf(s.value))
        return nothing_fits(&s, &alone, err);
    *result = s.best;
    result->why = ts_printf(arena, "%s%s", reason(&s), s.best.why);
    return ts_verify_partition(im, options, result, err) ||
           ts_fail_in(err, "internal error: the planner made a plan that is not sound (please report it)");
}
