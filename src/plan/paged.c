/* Which weights wait in external memory, and in how many page buffers. */
#include <math.h>
#include <stdlib.h>

#include "plan/cycles.h"
#include "plan/place.h"
#include "ring/cost.h"
#include "ring/page_format.h"
#include "ring/plan_cost.h"

enum { CHOICES = 81 /* resident, one or two buffers for each of four stages */, PORTS = 2 /* looked at together */ };

/* ---- Ports */

/* Of a memory's peak bandwidth a reader of long bursts keeps about so much: refresh takes 4 to 5 % (350 ns every 7.8 us), changes of rows
   and other masters the rest. */
static const double SUSTAINED = 0.8;
/* Where the device's file says nothing: an idle read through a controller and its interconnect takes 150 to 250 ns, and now and then it
   waits for another master's burst. */
enum { MEMORY_NS = 300 };

ts_ext_memory ts_ext_memory_of(const ts_device *device)
{
    return (ts_ext_memory){SUSTAINED * device->memory_gbytes_per_s, device->memory_ns > 0 ? device->memory_ns : MEMORY_NS};
}

ts_paging ts_paging_of(const ts_ext_memory *memory, double clock_mhz, int lanes)
{
    const double bytes = memory->gbytes_per_s * 1000 / clock_mhz; /* a cycle */
    const double rate = fmin(1, bytes / (8 * lanes));
    const int latency = (int)ceil(memory->ns * clock_mhz / 1000), burst = ts_page_burst_beats(lanes);
    /* As many as keep the bus busy during the latency, and one for those at the ends of pages, which are short. */
    const int bursts = (int)ceil(latency * rate / burst) + 2;
    return (ts_paging){.lanes = lanes, .bursts = bursts < 64 ? bursts : 64, .latency = latency, .rate = rate};
}

void ts_find_ports(ts_ring_search *s)
{
    const ts_ext_memory memory = s->opt->memory.gbytes_per_s > 0 ? s->opt->memory : ts_ext_memory_of(s->device);
    s->ports = 0;
    if (s->opt->paging == TS_PAGING_NONE || memory.gbytes_per_s <= 0)
        return;
    for (int lanes = 1; lanes <= 8; lanes *= 2) {
        s->port[s->ports] = ts_paging_of(&memory, s->clock, lanes);
        s->port[s->ports++].stated = s->opt->memory.gbytes_per_s > 0;
        if (s->port[s->ports - 1].rate < 1) /* the memory gives no more */
            return;
    }
}

/* ---- An estimate of the wait, by first and last tokens of a turn in the middle of an event */

typedef struct turn_shape {
    double length, busy;                              /* of a turn without pages; between its first token and its last */
    double at[TS_PAGED_STAGES], own[TS_PAGED_STAGES]; /* from a context to the stage; in it */
    int turns;
} turn_shape;

static turn_shape turn_of(const ts_ring_search *s, const ts_plan *plan)
{
    ts_plan gated = *plan;
    for (int i = 0; i < TS_PAGED_STAGES; i++)
        gated.lin[ts_paged_stage[i]].buffers = 1;
    ts_ring ring;
    ts_ring_times stages;
    ts_ring_build(s->im, &gated, &s->w, &ring);
    ts_ring_times_of(&ring, &stages);
    static const int around[] = {TS_SEGMENT_CONTEXT, TS_SEGMENT_FFN, TS_SEGMENT_LAYER};
    const ts_passage p = ts_passage_of(plan, s->im, &s->w, s->typical);
    const ts_layer_time t = ts_layer_time_at(plan, s->im, &s->w, s->typical);
    turn_shape turn = {.length = p.layer, .busy = p.layer - p.first - t.chain, .turns = p.hops};
    double at = 0;
    for (size_t a = 0; a < sizeof around / sizeof *around; a++)
        for (int k = 0; k < stages.segment[around[a]].count; k++) {
            const ts_stage_time *stage = &stages.segment[around[a]].stage[k];
            for (int i = 0; i < TS_PAGED_STAGES; i++)
                if (ts_paged_stage[i] == stage->pages) {
                    turn.at[i] = at;
                    turn.own[i] = stage->latency;
                }
            at += stage->latency;
        }
    return turn;
}

typedef struct choice {
    int buffers[TS_PAGED_STAGES];
    int paged;
    int port;    /* index in the list that the choices are for */
    double wait; /* cycles of an event */
} choice;

/* Cycles that an event waits with these buffers. */
static double estimate(const ts_ring_search *s, const ts_plan *plan, const turn_shape *t, const ts_paging *port, const int *buffers)
{
    double bus = 0, all = 0, late = 0;
    for (int i = 0; i < TS_PAGED_STAGES; i++) {
        if (!buffers[i])
            continue;
        const ts_lin_id id = ts_paged_stage[i];
        const ts_lin_fold *f = &plan->lin[id];
        const int parity = ts_plan_parity_bits(plan, true);
        const double cycles =
            (double)ts_page_beats(ts_lin_ii(&s->w.lin[id], f), (int64_t)f->pk * f->pm * s->w.lin[id].ww + parity, port->lanes) / port->rate;
        all += cycles;
        if (buffers[i] == 2)
            continue;
        /* Asked for when the turn's last token has left, needed by the next one's first. */
        bus = fmax(bus, t->busy + t->at[i] + t->own[i] + port->latency + 5) + cycles;
        late = fmax(late, bus + 5 - t->length - t->at[i]);
    }
    return t->turns * (fmax(t->length + late, all) - t->length);
}

static int by_wait(const void *a, const void *b)
{
    const choice *x = a, *y = b;
    if (x->wait < y->wait || x->wait > y->wait)
        return x->wait < y->wait ? -1 : 1;
    return x->paged != y->paged ? x->paged - y->paged : x->port - y->port;
}

/* Whether the stage can have so many buffers: fewer than it has pages, and small enough for the loader. */
static bool possible(const ts_ring_search *s, const ts_plan *plan, int i, int buffers, const ts_paging *port)
{
    const ts_lin_id id = ts_paged_stage[i];
    const ts_lin_widths *w = &s->w.lin[id];
    if (buffers == 0)
        return !w->k || (long long)w->pages * ts_lin_ii(w, &plan->lin[id]) <= TS_WEIGHT_WORDS_MAX;
    if (!w->k || buffers >= w->pages || (s->opt->page_buffers && buffers != s->opt->page_buffers))
        return false;
    ts_plan one = *plan;
    for (int j = 0; j < TS_PAGED_STAGES; j++)
        one.lin[ts_paged_stage[j]].buffers = j == i ? buffers : 0;
    one.paging = *port;
    return ts_plan_pages_fit(&one, w, id);
}

/* All choices for these ports, narrow ones first; the least wait first; of equal ones the fewest stages, then the narrower port. */
static int choices_of(const ts_ring_search *s, const ts_plan *plan, const ts_paging *const *port, int ports, choice list[PORTS * CHOICES])
{
    const turn_shape t = turn_of(s, plan);
    int count = 0;
    for (int p = 0; p < ports; p++)
        for (int code = 0; code < CHOICES; code++) {
            choice c = {.port = p};
            bool can = true;
            for (int i = 0, rest = code; i < TS_PAGED_STAGES; i++, rest /= 3) {
                c.buffers[i] = rest % 3;
                c.paged += c.buffers[i] > 0;
                can = can && possible(s, plan, i, c.buffers[i], port[p]);
            }
            if (!can || (p > 0 && c.paged == 0))
                continue;
            c.wait = estimate(s, plan, &t, port[p], c.buffers);
            list[count++] = c;
        }
    qsort(list, (size_t)count, sizeof *list, by_wait);
    return count;
}

/* ---- Costs: of every memory in every style, of weights with every number of buffers, of the port for every number of stages */

typedef struct parts {
    ts_placeable m;
    ts_mem_style first[TS_PLACE_MAX]; /* styles to begin with */
    ts_style_costs resident;
    ts_style_costs paged[2]; /* by buffers - 1; of the memories that can be */
    ts_resources base;       /* of the ring without pages, in the first styles */
    ts_paging port;
} parts;

static void set_buffers(ts_plan *plan, const int *buffers, const ts_paging *port)
{
    bool any = false;
    for (int i = 0; i < TS_PAGED_STAGES; i++) {
        plan->lin[ts_paged_stage[i]].buffers = buffers[i];
        any = any || buffers[i];
    }
    plan->paging = any && port ? *port : (ts_paging){0};
}

/* What does not depend on the port. */
static void cost_resident(const ts_ring_search *s, ts_plan *plan, parts *p)
{
    static const int none[TS_PAGED_STAGES] = {0};
    set_buffers(plan, none, NULL);
    ts_ring ring;
    ts_ring_build(s->im, plan, &s->w, &ring);
    p->m = ts_placeable_of(&ring, plan);
    ts_cost base = ts_plan_cost_at(plan, s->im, &s->w, s->device);
    ts_cost_add(&base, 1, s->opt->reserve);
    p->base = base.device;
    ts_cost_styles(s, &ring, &p->m, p->resident);
    for (int i = 0; i < p->m.count; i++)
        p->first[i] = *p->m.style[i];
}

static void cost_paged(const ts_ring_search *s, ts_plan *plan, const ts_paging *port, parts *p)
{
    static const int none[TS_PAGED_STAGES] = {0};
    ts_ring ring;
    ts_ring_build(s->im, plan, &s->w, &ring);
    p->port = *port;
    for (int i = 0; i < p->m.count; i++)
        for (int b = 1; p->m.paged[i] >= 0 && b <= 2; b++) {
            int buffers[TS_PAGED_STAGES] = {0};
            if (!possible(s, plan, p->m.paged[i], b, port))
                continue;
            buffers[p->m.paged[i]] = b;
            set_buffers(plan, buffers, port);
            ts_cost_memory(s, &ring, &p->m, i, p->paged[b - 1][i]);
            set_buffers(plan, none, port);
        }
}

/* False where some resource is short wherever memories go and whatever is paged. */
static bool can_fit(const ts_ring_search *s, const ts_plan *plan, const parts *p)
{
    ts_resources least = p->base;
    for (int i = 0; i < p->m.count; i++) {
        const ts_resources *now = &p->resident[i][p->first[i]];
        ts_resources best = *now;
        for (int b = 0; b <= 2; b++) {
            if (b > 0 && (p->m.paged[i] < 0 || !possible(s, plan, p->m.paged[i], b, &p->port)))
                continue;
            const ts_resources *cost = b ? p->paged[b - 1][i] : p->resident[i];
            for (int style = 0; style < TS_PLACE_STYLES; style++) {
                if (style == TS_MEM_ULTRA && (!p->m.ultra[i] || s->device->has.uram <= 0))
                    continue;
#define X(field, label) best.field = fmin(best.field, cost[style].field);
                TS_LIMITS(X)
#undef X
            }
        }
        least = ts_resources_plus(ts_resources_plus(least, now, -1), &best, 1);
    }
    return ts_excess(s, &least) <= 0;
}

/* The plan with these buffers, its memories placed; false where it does not fit. *need: what it needs. */
static bool place_choice(const ts_ring_search *s, ts_plan *plan, parts *p, const int *buffers, ts_resources *need)
{
    ts_style_costs costs;
    *need = p->base;
    for (int i = 0; i < p->m.count; i++) {
        const int b = p->m.paged[i] >= 0 ? buffers[p->m.paged[i]] : 0;
        const ts_resources *from = b ? p->paged[b - 1][i] : p->resident[i];
        for (int style = 0; style < TS_PLACE_STYLES; style++)
            costs[i][style] = from[style];
        *p->m.style[i] = p->first[i];
        *need = ts_resources_plus(ts_resources_plus(*need, &p->resident[i][p->first[i]], -1), &costs[i][p->first[i]], 1);
    }
    set_buffers(plan, buffers, &p->port);
    const ts_cost pager = ts_plan_pager_cost(plan, s->im);
    *need = ts_resources_plus(*need, &pager.device, 1);
    return ts_place_greedily(s, &p->m, costs, need);
}

/* ---- The choice */

/* The narrowest port that brings all pages within a turn, or the widest. */
static const ts_paging *wide_enough(const ts_ring_search *s, const ts_plan *plan)
{
    const turn_shape t = turn_of(s, plan);
    int buffers[TS_PAGED_STAGES];
    for (int i = 0; i < TS_PAGED_STAGES; i++)
        buffers[i] = s->w.lin[ts_paged_stage[i]].k ? 2 : 0;
    for (int p = 0; p < s->ports; p++)
        if (estimate(s, plan, &t, &s->port[p], buffers) <= 0)
            return &s->port[p];
    return &s->port[s->ports - 1];
}

static int stages_of(const choice *list, int count)
{
    int most = 0;
    for (int i = 0; i < count; i++)
        most = list[i].paged > most ? list[i].paged : most;
    return most;
}

/* Fewest stages that have to be paged: where that is asked for although all weights fit, all that can be. */
static int least_stages(const ts_ring_search *s, ts_plan *plan, parts *p, const choice *list, int count)
{
    static const int none[TS_PAGED_STAGES] = {0};
    ts_resources need;
    if (s->opt->paging != TS_PAGING_ASKED)
        return 0;
    return place_choice(s, plan, p, none, &need) ? stages_of(list, count) : 1;
}

/* The first choice that fits; false: none, and *near is the nearest to it that was seen so far. */
static bool first_that_fits(const ts_ring_search *s, ts_candidate *c, const ts_paging *const *port, int ports, const parts *resident,
                            double *short_by, ts_candidate *near)
{
    choice list[PORTS * CHOICES];
    const int count = choices_of(s, &c->plan, port, ports, list);
    parts p[PORTS];
    for (int i = 0; i < ports; i++) {
        p[i] = *resident;
        cost_paged(s, &c->plan, port[i], &p[i]);
    }
    int least = least_stages(s, &c->plan, &p[0], list, count);
    const bool hopeless = !can_fit(s, &c->plan, &p[0]);
    for (; least >= 0; least = least > 1 ? 1 : -1)
        for (int i = 0; i < count; i++) {
            ts_resources need;
            if (list[i].paged < least || (hopeless && list[i].paged < stages_of(list, count)))
                continue;
            if (place_choice(s, &c->plan, &p[list[i].port], list[i].buffers, &need))
                return true;
            if (ts_excess(s, &need) < *short_by) {
                *short_by = ts_excess(s, &need);
                *near = *c;
            }
        }
    return false;
}

bool ts_place_pages(const ts_ring_search *s, ts_candidate *c)
{
    CHECK(s->ports > 0);
    const ts_paging *const enough = wide_enough(s, &c->plan), *const widest = &s->port[s->ports - 1], *const narrowest = &s->port[0];
    const ts_paging *const two[] = {enough, widest};
    parts resident;
    cost_resident(s, &c->plan, &resident);
    ts_candidate near = *c;
    double short_by = INFINITY;
    const bool fits = first_that_fits(s, c, two, enough == widest ? 1 : 2, &resident, &short_by, &near) ||
                      (enough != narrowest && first_that_fits(s, c, &narrowest, 1, &resident, &short_by, &near));
    if (!fits)
        *c = near;
    ts_measure(s, c);
    return fits;
}

void ts_polish_pages(const ts_ring_search *s, ts_candidate *c)
{
    ts_candidate best = *c;
    choice list[PORTS * CHOICES];
    const bool asked = s->opt->paging == TS_PAGING_ASKED;
    int least = 0; /* as many stages as were to be paged */
    for (int i = 0; i < TS_PAGED_STAGES; i++)
        least += c->plan.lin[ts_paged_stage[i]].buffers > 0;
    for (int p = 0; p < s->ports; p++) {
        parts costs;
        ts_candidate next = *c;
        const ts_paging *const port = &s->port[p];
        for (int i = 0; i < TS_PAGED_STAGES; i++)
            next.plan.lin[ts_paged_stage[i]].wstyle = TS_MEM_BLOCK;
        const int count = choices_of(s, &next.plan, &port, 1, list);
        cost_resident(s, &next.plan, &costs);
        cost_paged(s, &next.plan, port, &costs);
        for (int i = 0; i < count; i++) {
            ts_resources need;
            if ((asked && list[i].paged < least) || !place_choice(s, &next.plan, &costs, list[i].buffers, &need))
                continue;
            ts_measure(s, &next);
            if (next.load <= s->cap && next.price < best.price)
                best = next;
        }
    }
    *c = best;
}

const char *ts_paged_words(const ts_ring_search *s, const ts_candidate *c)
{
    const ts_paging *port = &c->plan.paging;
    if (!ts_plan_is_paged(&c->plan))
        return "";
    const ts_prediction p = ts_predict(&c->plan, s->im, s->typical);
    const char *t = "Paged:";
    for (int i = 0; i < TS_PAGED_STAGES; i++) {
        const ts_lin_id id = ts_paged_stage[i];
        const int buffers = c->plan.lin[id].buffers;
        if (!s->w.lin[id].k)
            continue;
        t = ts_printf(s->arena, "%s%s %s %s", t, i ? "," : "", ts_lin_name(id),
                      buffers == 0   ? "resident"
                      : buffers == 1 ? "one buffer"
                                     : "two buffers");
        if (buffers)
            t = ts_printf(s->arena, "%s (waits %lld cycles an event)", t, p.stall_cycles[i]);
    }
    return ts_printf(s->arena, "%s.\nPort to external memory: %d bits at %.2f beats a cycle (%.2f GB/s), %d cycles of latency.\n", t,
                     64 * port->lanes, port->rate, 8 * port->lanes * port->rate * c->plan.clock_mhz / 1000, port->latency);
}
