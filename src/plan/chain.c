/* A chain of rings, token by token. Every stage (plan/cycles.h) takes a token when the one before it offers it, when it is done with the
   token before, and when it has room: when the token so many before has left it. So the times of a token follow from those of the tokens
   before it, ring after ring, event after event; an event that waits for another, a ring that is held up by the next one's entry, a link
   that is full are nothing special. The order in which stages see tokens is what the hardware keeps: events in theirs, in each ring layer
   by layer. */
#include "plan/chain.h"

#include <math.h>

#include "plan/cycles.h"

/* What goes over a link. Tokens that have come when a packet begins are in it, as far as it holds them and they are of its event. */
typedef struct wire {
    const ts_hop *hop;
    double begun, state; /* when the last packet began; when the next state frame is due */
    int tokens;          /* in that packet */
} wire;

/* A stage and the tokens in it. */
typedef struct place {
    wire *wire; /* NULL: it is none */
    double latency, ii, takes;
    double news; /* from a token leaving it to its place being known to be free */
    int room;
    ts_lin_id pages;
    bool waits, joins;
    double last;  /* when it took the last token */
    int next;     /* where in `left` the next token's time is */
    double *left; /* [room]: when the last tokens left their places */
} place;

typedef struct segment {
    int count;
    place *place;
} segment;

/* Places of a kind of which tokens take one after the other, in a queue. */
typedef struct slots {
    int count, in, out; /* in, out: the next token's */
    double *left;       /* [count] */
} slots;

typedef struct engine {
    const ts_chain_ring *of;
    ts_ring_widths w;
    ts_ring_ways ways;
    segment way_in, segment[TS_SEGMENTS]; /* way_in: the link to it, or the host's bus */
    segment way_out;                      /* the host's bus */
    slots queue;                          /* of residuals: from before attention to its sum */
    slots queries;                        /* that wait to be worked on */
    slots blocks;                         /* of queries, under way or waiting to be taken */
    ts_page_clock *pages;
    ts_attention_time attention; /* of the event that it works on */
    double begun, next_block;    /* attention begins with the last block; with the next one at the earliest */
    double block;                /* the last block's first context */
    double read;                 /* the keys and values but one turn old are read */
    double complete;             /* the event's tokens are all in attention */
    double ffn_taken;            /* the FFN block took the last token */
    double admits;               /* when the next event may enter */
    double *wait;                /* of the event, in the order of ts_paged_stage; may be NULL */
} engine;

enum { WAY_SEGMENTS = 9 };
typedef struct way {
    int count;
    struct {
        engine *ring;
        segment *segment;
        int first; /* place */
    } part[WAY_SEGMENTS];
} way;

static const double LONG_AGO = -1e12;

static double *long_ago(ts_arena *arena, int count)
{
    double *t = TS_NEW_N(arena, double, count);
    for (int i = 0; i < count; i++)
        t[i] = LONG_AGO;
    return t;
}

static void add_place(ts_arena *arena, segment *s, place p)
{
    p.last = LONG_AGO;
    p.left = long_ago(arena, p.room);
    s->place[s->count++] = p;
}

static segment segment_of(ts_arena *arena, const ts_segment *from)
{
    segment s = {.place = TS_NEW_N(arena, place, TS_SEGMENT_STAGES)};
    for (int i = 0; i < from->count; i++) {
        const ts_stage_time *t = &from->stage[i];
        add_place(arena, &s,
                  (place){.latency = t->latency,
                          .ii = t->ii,
                          .takes = t->takes,
                          .room = t->room,
                          .pages = t->pages,
                          .waits = t->waits,
                          .joins = t->joins});
    }
    return s;
}

/* The sending end, and the wire with the receiver's buffer. */
static segment link_of(ts_arena *arena, const ts_hop *hop)
{
    enum { ENDS = 2 };
    segment s = {.place = TS_NEW_N(arena, place, ENDS)};
    if (hop->token_cycles > 0) {
        const double news = hop->news / 2 + fmin(hop->frame_cycles, hop->frame_tokens * hop->token_cycles) / 2;
        const int sends = (int)fmax(1, hop->sends), moving = (int)ceil((hop->latency + news) / hop->token_cycles);
        const int rest = (int)fmax(moving, ceil(hop->room - hop->sends));
        wire *w = TS_NEW(arena, wire);
        *w = (wire){.hop = hop, .begun = hop->start, .state = hop->start + hop->frame_cycles};
        add_place(arena, &s, (place){.room = sends, .pages = TS_LIN_COUNT});
        add_place(arena, &s,
                  (place){.wire = w, .latency = hop->latency - hop->words - hop->frame, .news = news, .room = rest, .pages = TS_LIN_COUNT});
    }
    return s;
}

static segment bus_of(ts_arena *arena, double cycles)
{
    segment s = {.place = TS_NEW_N(arena, place, 1)};
    if (cycles > 0)
        add_place(arena, &s, (place){.ii = cycles, .room = 1, .pages = TS_LIN_COUNT});
    return s;
}

static engine engine_of(ts_arena *arena, const ts_chain_queue *q, int i)
{
    const ts_chain_ring *of = &q->ring[i];
    engine r = {.of = of,
                .w = ts_ring_widths_of(of->im),
                .ways = ts_ring_ways_of(of->im),
                .block = LONG_AGO,
                .begun = LONG_AGO,
                .next_block = LONG_AGO,
                .read = LONG_AGO,
                .admits = i ? LONG_AGO : 0};
    ts_ring ring;
    ts_ring_times stages;
    ts_ring_build(of->im, of->plan, &r.w, &ring);
    ts_ring_times_of(&ring, &stages);
    for (int s = 0; s < TS_SEGMENTS; s++)
        r.segment[s] = segment_of(arena, &stages.segment[s]);
    r.way_in = i ? link_of(arena, &of->before) : bus_of(arena, q->token_cycles);
    r.way_out = bus_of(arena, i == q->count - 1 && of->im->pool == TS_POOL_NONE ? q->row_cycles : 0);
    r.queue.count = of->plan->n_max + (r.ways.has_attention ? of->plan->attn.pq : 1);
    r.queries.count = ++r.queue.count;  /* and one word at its output */
    r.queue.count += 1 + stages.beside; /* in the fork */
    r.queue.left = long_ago(arena, r.queue.count);
    r.queries.left = long_ago(arena, r.queries.count);
    r.blocks.count = ts_attention_time_at(of->plan, of->im, 1).places - 1;
    if (r.blocks.count > 0)
        r.blocks.left = long_ago(arena, r.blocks.count);
    if (ts_plan_is_paged(of->plan))
        r.pages = ts_page_clock_new(arena, of->plan, of->im, q->after_reset);
    return r;
}

static int paged_index(ts_lin_id stage)
{
    int i = 0;
    while (ts_paged_stage[i] != stage)
        i++;
    return i;
}

static void add(way *w, engine *r, segment *s)
{
    CHECK(w->count < WAY_SEGMENTS);
    w->part[w->count].ring = r;
    w->part[w->count++].segment = s;
}

/* Into a ring, up to its attention or its store. */
static void add_entry(way *w, engine *r)
{
    add(w, r, &r->way_in);
    add(w, r, &r->segment[TS_SEGMENT_ENTRY]);
    if (r->ways.has_attention && !r->of->im->fused_qkv0) {
        if (r->of->im->starts_in_ffn)
            add(w, r, &r->segment[TS_SEGMENT_FFN]);
        add(w, r, &r->segment[TS_SEGMENT_LAYER]);
    }
    add(w, r, &r->segment[TS_SEGMENT_INTO]);
}

static void leave(place *p, double when)
{
    p->left[p->next] = when + p->news;
    p->next = p->next + 1 < p->room ? p->next + 1 : 0;
}

/* A token or block takes a place, which has been free since the time returned; one has left its place. */
static double pop(slots *s)
{
    const double free = s->left[s->in];
    s->in = s->in + 1 < s->count ? s->in + 1 : 0;
    return free;
}

static void push(slots *s, double left)
{
    s->left[s->out] = left;
    s->out = s->out + 1 < s->count ? s->out + 1 : 0;
}

/* Which token of its event in this layer. */
typedef struct mark {
    bool first, last;
} mark;

/* When a token that is ready at `when` has gone onto the wire. */
static double sent(wire *w, mark k, double when)
{
    const ts_hop *hop = w->hop;
    if (k.first || w->tokens == 0 || w->tokens >= (int)hop->frame_tokens || when > w->begun) {
        double free = w->begun + (w->tokens > 0 ? hop->frame + w->tokens * hop->words : 0);
        if (free >= w->state) {
            free += hop->state;
            w->state = free + hop->frame_cycles;
        }
        w->begun = fmax(when, free);
        w->tokens = 0;
    }
    return w->begun + hop->frame + ++w->tokens * hop->words;
}

/* When the stage takes a token that is offered at `when`. */
static double take(engine *r, const segment *s, place *p, mark k, double when)
{
    when = fmax(fmax(when, p->last + p->ii), p->left[p->next]);
    if (k.first && p == r->segment[TS_SEGMENT_ENTRY].place)
        when = fmax(when, r->admits);
    if (p->waits)
        when = fmax(when, pop(&r->queue));
    if (s == &r->segment[TS_SEGMENT_INTO] && p == s->place + s->count - 1) /* attention, or the store: the queue of queries has room */
        when = fmax(fmax(when, r->read), pop(&r->queries));
    if (k.first && p->pages != TS_LIN_COUNT) {
        const double wait = fmax(0, ts_page_there(r->pages, p->pages) - when);
        if (r->wait)
            r->wait[paged_index(p->pages)] += wait;
        when += wait;
    }
    if (p->joins)
        push(&r->queue, when + p->takes);
    if (k.last && s == &r->segment[TS_SEGMENT_FFN] && p == s->place)
        r->ffn_taken = when;
    return p->wire ? sent(p->wire, k, when) : (p->last = when);
}

/* A token that is offered to the way at `when` passes it; *taken: when its first stage took it. The time at its end. */
static double pass(const way *w, mark k, double when, double *taken)
{
    place *before = NULL;
    engine *from = NULL;
    for (int i = 0; i < w->count; i++) {
        const segment *s = w->part[i].segment;
        for (int j = 0; j < s->count; j++) {
            place *p = &s->place[j];
            when = take(w->part[i].ring, s, p, k, when);
            if (before) {
                leave(before, when + p->takes);
                if (k.last && before->pages != TS_LIN_COUNT)
                    ts_page_used(from->pages, before->pages, when + p->takes);
            } else {
                *taken = when;
            }
            before = p;
            from = w->part[i].ring;
            when += p->latency;
        }
    }
    leave(before, when);
    if (k.last && before->pages != TS_LIN_COUNT)
        ts_page_used(from->pages, before->pages, when);
    return when;
}

/* Contexts of a turn, or stored tokens, come out of attention and pass the way. `next`: the ring at whose attention it ends, or NULL where
   it ends at the port; `times` gets the times there. */
static void turn(engine *r, const way *w, int n, engine *next, ts_event_times *times)
{
    const ts_attention_time *a = &r->attention;
    double base = fmax(r->complete + a->first, r->next_block + a->through), taken = 0, end = 0, load = fmax(r->complete, r->begun);
    r->read = r->ways.has_attention ? r->block : LONG_AGO;
    for (int k = 0; k < n; k++) {
        const int row = k % a->in_block;
        if (row == 0) {
            base += k ? a->block : 0;
            if (r->blocks.count > 0)
                base = fmax(base, pop(&r->blocks) + a->through);
        }
        push(&r->queries, load + (row + 1) * a->load);
        const mark at = {k == 0, k == n - 1};
        end = pass(w, at, base + row * a->row, &taken);
        if (times && k == 0)
            times->first_out = end;
        if (row == a->in_block - 1 || at.last) {
            load = base - a->through; /* of the next block, when this one is begun */
            if (r->blocks.count > 0)
                push(&r->blocks, taken);
        }
        if (!r->ways.has_attention)
            push(&r->queue, taken);
    }
    r->block = base;
    r->begun = base - a->through;
    r->next_block = r->begun + a->block;
    if (next)
        next->complete = end;
    else
        times->last_out = end;
}

/* The event that has entered ring r goes through all its layers, and into the next ring or out. */
static void through_ring(engine *r, engine *next, int n, ts_event_times *times)
{
    const ts_imodel *im = r->of->im;
    r->attention = ts_attention_time_at(r->of->plan, im, n);
    way around = {0}, out = {0};
    if (r->ways.has_attention) {
        add(&around, r, &r->segment[TS_SEGMENT_CONTEXT]);
        add(&out, r, &r->segment[TS_SEGMENT_CONTEXT]);
    }
    if (r->ways.has_ffn)
        add(&around, r, &r->segment[TS_SEGMENT_FFN]);
    add(&around, r, &r->segment[TS_SEGMENT_LAYER]);
    add(&around, r, &r->segment[TS_SEGMENT_INTO]);
    for (int hop = 1; hop < im->layers - im->starts_in_ffn; hop++)
        turn(r, &around, n, r, NULL);
    r->admits = r->complete;
    if (!im->ends_in_attention)
        add(&out, r, &r->segment[TS_SEGMENT_FFN]);
    add(&out, r, &r->segment[TS_SEGMENT_OUT]);
    add(&out, r, &r->way_out);
    if (next)
        add_entry(&out, next);
    turn(r, &out, n, next, times);
    if (r->ways.ffn_merge && !im->ends_in_attention)
        r->admits = r->ffn_taken;
    if (!r->ways.has_attention)
        r->admits = LONG_AGO;
    if (im->pool != TS_POOL_NONE) {
        double taken;
        way pooled = {0};
        add(&pooled, r, &r->segment[TS_SEGMENT_POOLED]);
        times->first_out = times->last_out = pass(&pooled, (mark){true, true}, times->last_out, &taken);
    }
}

void ts_chain_run(const ts_chain_queue *q, ts_event_times *event, double (*wait)[TS_PAGED_STAGES])
{
    CHECK(q->count >= 1);
    ts_arena *arena = ts_arena_new();
    engine *r = TS_NEW_N(arena, engine, q->count);
    for (int i = 0; i < q->count; i++)
        r[i] = engine_of(arena, q, i);
    double offered = 0;
    for (int e = 0; e < q->events; e++) {
        ts_event_times *times = &event[e];
        const int n_max = r[0].of->plan->n_max;
        *times = (ts_event_times){.refused = q->n[e] > n_max};
        for (int i = 0; i < q->count; i++) {
            r[i].wait = wait ? wait[e * q->count + i] : NULL;
            for (int s = 0; wait && s < TS_PAGED_STAGES; s++)
                r[i].wait[s] = 0;
        }
        way in = {0};
        add_entry(&in, &r[0]);
        const int n = times->refused ? n_max + 1 : q->n[e];
        const slots queue = r[0].queue, queries = r[0].queries;
        for (int k = 0; k < n; k++) {
            double taken;
            r[0].complete = pass(&in, (mark){k == 0, k == n - 1 && !times->refused}, offered, &taken);
            taken = r[0].segment[TS_SEGMENT_ENTRY].place[0].last;
            times->last_in = taken;
            times->first_in = k ? times->first_in : taken;
        }
        if (times->refused) { /* taken back with the first token that is too much; the rest is swallowed */
            r[0].queue = queue;
            r[0].queries = queries;
            times->last_in += q->n[e] - n;
            r[0].admits = times->last_in;
            continue;
        }
        for (int i = 0; i < q->count; i++)
            through_ring(&r[i], i + 1 < q->count ? &r[i + 1] : NULL, n, times);
        if (q->lone)
            offered = times->last_out;
    }
    ts_arena_free(arena);
}

double ts_chain_interval(const ts_event_times *event, int events)
{
    double first = 0, last = 0;
    int count = 0;
    for (int e = 0; e < events; e++)
        if (!event[e].refused) {
            first = count ? first : event[e].last_out;
            last = event[e].last_out;
            count++;
        }
    return count > 1 ? (last - first) / (count - 1) : 0;
}

double ts_chain_equal_events(ts_chain_queue queue, int n, ts_event_times *first)
{
    enum { SETTLE = 2, MEAN = 3 }; /* events that pass before the chain runs as it goes on; events of the mean */
    ts_arena *arena = ts_arena_new();
    const int events = queue.count + SETTLE + MEAN;
    ts_event_times *event = TS_NEW_N(arena, ts_event_times, events);
    int *tokens = TS_NEW_N(arena, int, events);
    for (int e = 0; e < events; e++)
        tokens[e] = n;
    queue.events = events;
    queue.n = tokens;
    ts_chain_run(&queue, event, NULL);
    *first = event[0];
    const double interval = ts_chain_interval(&event[events - MEAN - 1], MEAN + 1);
    ts_arena_free(arena);
    return interval;
}

ts_chain_prediction ts_chain_predict(const ts_chain_ring *ring, int count, int n)
{
    CHECK(count >= 1);
    ts_chain_prediction chain = {.tokens = n};
    double macs = 0, slowest = 0;
    ts_prediction own = {0};
    for (int i = 0; i < count; i++) {
        own = ts_predict(ring[i].plan, ring[i].im, n);
        if ((double)own.interval_cycles > slowest) {
            slowest = (double)own.interval_cycles;
            chain.slowest = i;
        }
        macs += ts_model_macs(ring[i].im, n);
        chain.mac_units += own.mac_units;
    }
    if (count == 1) {
        chain.latency_cycles = own.latency_cycles;
        chain.total_cycles = own.total_cycles;
        chain.interval_cycles = own.interval_cycles;
    } else {
        ts_event_times first;
        const double interval = ts_chain_equal_events((ts_chain_queue){.ring = ring, .count = count}, n, &first);
        chain.total_cycles = llround(first.last_out);
        chain.latency_cycles = llround(first.last_out - first.last_in);
        chain.interval_cycles = llround(fmax(slowest, interval));
    }
    chain.mac_utilisation = macs / ((double)chain.mac_units * (double)chain.interval_cycles);
    return chain;
}
