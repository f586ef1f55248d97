#include "ring/times.h"

#include "ring/module.h"

int ts_tree_cycles(int x, int reg)
{
    int levels = 0;
    while ((1 << levels) < x)
        levels++;
    return ts_ceil_div(levels, reg);
}

int ts_vector_room(int latency, int ii)
{
    return ts_ceil_div(latency + 2, ii) + 2;
}

static void append(ts_segment *s, ts_stage_time stage, int forming)
{
    CHECK(s->count < TS_SEGMENT_STAGES);
    const int moving = ts_ceil_div(stage.latency, stage.ii);
    stage.room = stage.room > moving ? stage.room : moving;
    s->latency += stage.latency;
    s->ii = stage.ii > s->ii ? stage.ii : s->ii;
    s->forming = forming;
    s->stage[s->count++] = stage;
}

static int reader(const ts_ring *r, int stream)
{
    return stream == TS_NO_STREAM ? -1 : r->stream[stream].to;
}

/* Where a token goes from a node: to the one that reads its last output, as the copy that a fork lets wait is the first; -1: none. */
static int next(const ts_ring *r, int node)
{
    const ts_ring_node *n = &r->node[node];
    return reader(r, n->out[1] != TS_NO_STREAM ? n->out[1] : n->out[0]);
}

/* The copy of a token that a fork lets wait, up to where it does. */
typedef struct copy {
    int ii, room;  /* of the slowest stage on its way; tokens that fit there */
    bool residual; /* it waits in the queue of residuals */
} copy;

static copy copy_of(const ts_ring *r, const ts_ring_node *fork)
{
    copy c = {.ii = 1};
    int at = reader(r, fork->out[0]);
    for (; r->node[at].module != TS_MODULE_QUEUE && r->node[at].module != TS_MODULE_FIFO; at = reader(r, r->node[at].out[0])) {
        const ts_ring_node *n = &r->node[at];
        ts_node_time t = {0};
        ts_module_of(n->module)->time(r, n, 0, &t);
        const int moving = ts_ceil_div(t.stage.latency, t.stage.ii);
        c.ii = t.stage.ii > c.ii ? t.stage.ii : c.ii;
        c.room += n->module == TS_MODULE_MERGE ? 1 : t.stage.room > moving ? t.stage.room : moving;
    }
    c.residual = r->node[at].module == TS_MODULE_QUEUE;
    return c;
}

/* The branch that comes back to a residual that waited in the queue. */
static bool joins(const ts_ring *r, const ts_ring_node *n)
{
    return n->module == TS_MODULE_RADD && r->node[r->stream[n->in[1]].from].module == TS_MODULE_QUEUE;
}

/* From the segment's first node along the streams to where the next one begins. *beside: room of the copies of its forks. */
static void follow(const ts_ring *r, int at, ts_segment *s, int *beside)
{
    int slowest_copy = 1; /* of those that have no stage yet */
    for (bool first = true; at >= 0 && (first || r->node[at].segment == TS_SEGMENTS); at = next(r, at), first = false) {
        const ts_ring_node *n = &r->node[at];
        const ts_module *m = ts_module_of(n->module);
        ts_node_time t = {0};
        if (!m->time)
            continue;
        if (n->module == TS_MODULE_MERGE && slowest_copy > s->ii)
            append(s, (ts_stage_time){.ii = slowest_copy, .room = 1, .pages = TS_LIN_COUNT}, 0);
        m->time(r, n, s->forming, &t);
        t.stage.joins = joins(r, n);
        if (n->module == TS_MODULE_FORK) {
            const copy c = copy_of(r, n);
            t.stage.waits = c.residual;
            slowest_copy = c.ii;
            *beside += c.room;
        }
        append(s, t.stage, t.forming);
    }
    if (slowest_copy > s->ii)
        append(s, (ts_stage_time){.ii = slowest_copy, .room = 1, .pages = TS_LIN_COUNT}, 0);
}

void ts_ring_times_of(const ts_ring *r, ts_ring_times *times)
{
    int other = 0;
    times->beside = 0;
    for (int id = 0; id < TS_SEGMENTS; id++) {
        ts_segment *s = &times->segment[id];
        s->latency = s->count = s->forming = 0;
        s->ii = 1;
        if (id == TS_SEGMENT_OUT) /* behind a norm that ends the layer */
            s->forming = times->segment[r->im->ends_in_attention ? TS_SEGMENT_CONTEXT : TS_SEGMENT_FFN].forming;
        if (r->begin[id] >= 0)
            follow(r, r->begin[id], s, id == TS_SEGMENT_ENTRY ? &times->beside : &other);
    }
}
