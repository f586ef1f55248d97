/* When pages are there: the loader's transfers (ring/pages.h) in their order, at the plan's beats a cycle and latency. */
#include <math.h>

#include "plan/cycles.h"
#include "ring/page_format.h"
#include "ring/pages.h"

enum {
    REQUEST = 5,       /* cycles from a page's last token leaving its stage to the next page's first address (docs/paging.md) */
    ANNOUNCE = 5,      /* from a page's last beat to the first token that may pass */
    BURST = 2,         /* from an address to the next one */
    FIRST_REQUEST = 8, /* from the end of a reset to the first address: drain, settle, look up, cut */
};
static const double LONG_AGO = -1e12;

/* Times are cycles; transfers are counted through all events. */
struct ts_page_clock {
    ts_page_order order;
    const ts_paging *p;
    long long next;                                            /* the transfer to be requested */
    double request, bus;                                       /* when the last one's addresses were out; when its last beat came */
    long long fetched[TS_PAGED_STAGES], used[TS_PAGED_STAGES]; /* pages of each stage */
    double there[TS_PAGED_STAGES][2];                          /* when the last two fetched ones let tokens pass */
    double freed[TS_PAGED_STAGES][2];                          /* when the last two used ones had left */
};

static void fetch(ts_page_clock *l)
{
    const ts_page_transfer *transfer = &l->order.transfer[l->next++ % l->order.count];
    const int s = transfer->stage, buffers = l->order.stage[s].buffers;
    const long long page = l->fetched[s]++;
    const int burst = ts_page_burst_beats(l->p->lanes);
    double asked = l->request;
    if (page >= buffers) {
        CHECK(page - buffers < l->used[s]); /* the order: docs/paging.md */
        asked = fmax(asked, l->freed[s][(page - buffers) & 1] + REQUEST);
    }
    /* No more than `bursts` are on their way: where latency is long, they and not the bus say how fast beats come. */
    const double each = fmax(1 / l->p->rate, (l->p->latency + burst / l->p->rate) / ((double)l->p->bursts * burst));
    const double begin = fmax(asked + l->p->latency, l->bus);
    l->bus = begin + (double)transfer->beats * each;
    l->request = asked + BURST * ceil((double)transfer->beats / burst);
    l->there[s][page & 1] = l->bus - 1 + ANNOUNCE;
}

static int index_of(const ts_page_clock *l, ts_lin_id stage)
{
    for (int s = 0; s < l->order.stages; s++)
        if (l->order.stage[s].lin == stage)
            return s;
    BUG("a gate in front of a stage that has no pages");
}

ts_page_clock *ts_page_clock_new(ts_arena *arena, const ts_plan *plan, const ts_imodel *im, bool after_reset)
{
    ts_page_clock *l = TS_NEW(arena, ts_page_clock);
    *l = (ts_page_clock){
        .order = ts_page_order_of(arena, plan, im), .p = &plan->paging, .request = after_reset ? FIRST_REQUEST : LONG_AGO, .bus = LONG_AGO};
    return l;
}

double ts_page_there(ts_page_clock *l, ts_lin_id stage)
{
    const int s = index_of(l, stage);
    while (l->fetched[s] <= l->used[s])
        fetch(l);
    return l->there[s][l->used[s] & 1];
}

void ts_page_used(ts_page_clock *l, ts_lin_id stage, double left)
{
    const int s = index_of(l, stage);
    l->freed[s][l->used[s]++ & 1] = left;
}
