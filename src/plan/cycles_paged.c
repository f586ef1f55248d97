/* The wait for pages: the loader's transfers (plan/pages.h) against the turns of the ring. A turn is simulated token by token at the gates
   alone, twice: with its pages, and as if they were there. The difference is what a turn takes longer; all else is as in cycles.c. */
#include <math.h>

#include "plan/cycles.h"
#include "plan/page_format.h"
#include "plan/pages.h"

enum {
    REQUEST = 5,     /* cycles from a page's last token leaving its stage to the next page's first address (docs/paging.md) */
    ANNOUNCE = 5,    /* from a page's last beat to the first token that may pass */
    BURST = 2,       /* from an address to the next one */
    FIRST_REQUEST = 8, /* from the end of a reset to the first address: drain, settle, look up, cut */
};
static const double LONG_AGO = -1e12;

/* ---- The loader. Times are cycles; transfers are counted through all events. */

typedef struct loader {
    ts_page_order order;
    const ts_paging *p;
    long long next;           /* the transfer to be requested */
    double request, bus;      /* when the last one's addresses were out; when its last beat came */
    long long fetched[TS_PAGED_STAGES], used[TS_PAGED_STAGES]; /* pages of each stage */
    double there[TS_PAGED_STAGES][2]; /* when the last two fetched ones let tokens pass */
    double freed[TS_PAGED_STAGES][2]; /* when the last two used ones had left */
} loader;

static void fetch(loader *l)
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

/* When the stage's next page lets tokens pass. */
static double page_there(loader *l, int s)
{
    while (l->fetched[s] <= l->used[s])
        fetch(l);
    return l->there[s][l->used[s] & 1];
}

static void use_up(loader *l, int s, double left)
{
    l->freed[s][l->used[s]++ & 1] = left;
}

/* ---- A turn */

/* Where its tokens come from: blocks of contexts, or hits at a pace (places = 0). */
typedef struct source {
    double start; /* of the first token */
    double block, row, through;
    int in_block, places;
} source;

typedef struct turn_end {
    double in;        /* the last token has entered the way */
    double block;     /* the last block was begun, but for a constant */
    double last;      /* the last token is at the end of the way */
    double gate[TS_WAY_PIECES]; /* the last token has passed the gate (of piece 0: `in`) */
    double left[TS_WAY_PIECES]; /* and left its stage */
    double wait[TS_WAY_PIECES]; /* of the first token in front of the gate */
} turn_end;

/* at: [count][n], scratch. open: of the gates, free: when the stages are done with the turn before, [count]; those of piece 0 are not
   looked at. */
static turn_end pass_tokens(const ts_way *way, const source *from, const double *open, const double *free, int n, double *at)
{
    turn_end end = {0};
    const int last = way->count - 1;
    double base = from->start;
    for (int i = 0; i < n; i++) {
        const int block = i / from->in_block, row = i % from->in_block;
        if (i > 0 && row == 0) {
            base += from->block;
            if (from->places > 0 && block >= from->places)
                base = fmax(base, at[(block - from->places + 1) * from->in_block - 1] + from->through);
        }
        for (int k = 0; k <= last; k++) {
            const ts_way_piece *piece = &way->piece[k];
            double *here = &at[(size_t)k * (size_t)n], when = k ? at[(size_t)(k - 1) * (size_t)n + (size_t)i] + way->piece[k - 1].latency
                                                                  : base + row * from->row;
            if (i > 0)
                when = fmax(when, here[i - 1] + piece->ii);
            if (k < last && piece->room > 0 && i >= piece->room)
                when = fmax(when, here[n + i - piece->room]);
            if (k > 0 && i == 0) {
                when = fmax(when, free[k]);
                end.wait[k] = fmax(0, open[k] - when);
                when += end.wait[k];
            }
            here[i] = when;
            if (k > 0 && way->piece[k - 1].room == 0) /* it waits where it comes from */
                here[i - n] = when;
        }
    }
    for (int k = 0; k <= last; k++) {
        const double *here = &at[(size_t)k * (size_t)n];
        const ts_way_piece *piece = &way->piece[k];
        end.gate[k] = here[n - 1];
        end.left[k] = here[n - 1] + piece->stage_latency;
        const int behind = piece->room - piece->stage_room; /* tokens that fit between the stage and the next gate */
        if (k < last && n - 1 - behind >= 0)
            end.left[k] = fmax(end.left[k], here[n + n - 1 - behind]);
        end.left[k] += piece->stage_hold;
    }
    end.in = end.gate[0];
    end.block = base;
    end.last = end.gate[last] + way->piece[last].latency;
    return end;
}

typedef struct run {
    const ts_plan *plan;
    loader loader;
    ts_ways ways;
    double *at;
    int n;
    double block, last;            /* of the last turn, as in turn_end, but times */
    double free[TS_PAGED_STAGES];  /* when its last token left room for the next one in each stage, in the order of ts_paged_stage */
} run;

static int index_of(const loader *l, ts_lin_id stage)
{
    for (int s = 0; s < l->order.stages; s++)
        if (l->order.stage[s].lin == stage)
            return s;
    BUG("a gate in front of a stage that has no pages");
}

static int place_of(ts_lin_id stage)
{
    int i = 0;
    while (ts_paged_stage[i] != stage)
        i++;
    return i;
}

/* What a turn that begins at `from` takes longer because of its pages, at every point of its way; waits go to the event. Its first token
   may be right behind the last one of another event's turn. */
static turn_end turn_delay(run *r, const ts_way *way, const source *from, ts_paged_event *event)
{
    double open[TS_WAY_PIECES] = {0}, never[TS_WAY_PIECES] = {0}, free[TS_WAY_PIECES] = {0};
    for (int k = 1; k < way->count; k++) {
        never[k] = open[k] = free[k] = LONG_AGO;
        if (way->piece[k].stage == TS_LIN_COUNT)
            continue;
        open[k] = page_there(&r->loader, index_of(&r->loader, way->piece[k].stage));
        free[k] = r->free[place_of(way->piece[k].stage)];
    }
    const turn_end unpaged = pass_tokens(way, from, never, free, r->n, r->at);
    turn_end end = pass_tokens(way, from, open, free, r->n, r->at);
    for (int k = 1; k < way->count; k++) {
        if (way->piece[k].stage == TS_LIN_COUNT)
            continue;
        const int place = place_of(way->piece[k].stage);
        use_up(&r->loader, index_of(&r->loader, way->piece[k].stage), end.left[k]);
        event->wait[place] += end.wait[k];
        r->free[place] = end.gate[k] + way->piece[k].ii;
    }
    r->block = end.block;
    r->last = end.last;
    end.in -= unpaged.in;
    end.block -= unpaged.block;
    end.last -= unpaged.last;
    for (int k = 0; k < way->count; k++)
        end.gate[k] -= unpaged.gate[k];
    return end;
}

/* The delay of the FFN block having taken the last token: of the gate of ffn1, or the last one in front of it. */
static double ffn_delay(const ts_way *way, const turn_end *delay)
{
    double at = delay->gate[0];
    for (int k = 1; k < way->count && way->piece[k].stage != TS_LIN_FFN2 && way->piece[k].stage != TS_LIN_QKV; k++)
        at = delay->gate[k];
    return at;
}

void ts_paged_run(const ts_plan *plan, const ts_imodel *im, const ts_ring_widths *w, int events, const int *n, ts_paged_start start, ts_pace pace,
                  double slack, ts_paged_event *result)
{
    CHECK(ts_plan_is_paged(plan));
    ts_arena *arena = ts_arena_new();
    const double before_reset = start == TS_PAGED_RESET ? FIRST_REQUEST : LONG_AGO;
    run r = {.plan = plan, .loader = {.order = ts_page_order_of(arena, plan, im), .p = &plan->paging, .request = before_reset, .bus = LONG_AGO}};
    r.at = TS_NEW_N(arena, double, (size_t)TS_WAY_PIECES * (size_t)plan->n_max);
    r.block = LONG_AGO;
    for (int s = 0; s < TS_PAGED_STAGES; s++)
        r.free[s] = LONG_AGO;
    double admitted = 0, read = 0; /* as in ts_predict_queue */
    int n_before = 0;
    ts_passage before = {0};
    for (int e = 0; e < events; e++) {
        ts_paged_event *event = &result[e];
        *event = (ts_paged_event){0};
        const bool refused = n[e] > plan->n_max;
        const int taken = refused ? plan->n_max + 1 : n[e];
        r.n = refused ? plan->n_max : taken;
        const ts_passage p = ts_passage_between(plan, im, w, r.n, pace, slack);
        r.ways = ts_ways_of(plan, im, w, r.n);
        event->in = admitted + ts_entering_behind(plan, &before, n_before, &p, taken);
        if (refused) { /* its tokens pass no gate as the last of a page; it leaves no trace but time */
            admitted = event->in + (n[e] - taken);
            event->in = 0;
            continue;
        }
        double entered = event->in + p.enter;
        if (r.ways.enter.count > 1) {
            const source hits = {.start = event->in - p.fill, .block = r.n > 1 ? p.fill / (r.n - 1) : 1, .in_block = 1};
            const turn_end delay = turn_delay(&r, &r.ways.enter, &hits, event);
            event->in += delay.in;
            entered += delay.last;
        }
        double complete = fmax(entered, read);
        const source contexts = {.block = r.ways.block, .row = r.ways.row, .through = r.ways.through, .in_block = plan->attn.pq, .places = r.ways.places};
        for (int hop = 0; hop < p.hops; hop++) {
            source from = contexts;
            /* Attention may be ahead of the stages behind it: the event's first contexts follow the last ones of the event before. */
            from.start = hop > 0 ? complete + p.first : fmax(entered + p.first, r.block + r.ways.block);
            const double layer = p.layer + turn_delay(&r, &r.ways.loop, &from, event).last;
            complete = fmax(complete + layer, r.last);
        }
        source from = contexts;
        from.start = complete + p.first;
        turn_end delay = {0};
        if (r.ways.leave.count > 1)
            delay = turn_delay(&r, &r.ways.leave, &from, event);
        event->complete = complete;
        event->out = complete + p.last + delay.last;
        admitted = p.hops > 0 || p.late > 0 ? complete + (p.late > 0 ? p.late + ffn_delay(&r.ways.leave, &delay) : 0) : event->in + p.enter;
        read = complete + p.reading + delay.block;
        before = p;
        n_before = n[e];
        if (start == TS_PAGED_LONE) {
            admitted = event->out;
            n_before = 0;
        }
    }
    ts_arena_free(arena);
}
