/* Inside of the planner of one ring (make.c): a candidate, and where its memories go (place.c) and which weights are paged (paged.c).
   In a circle with plan/make.h: it is the inside of it. */
#ifndef TS_PLACE_H
#define TS_PLACE_H
#include "plan/fold.h"
#include "plan/make.h"
#include "ring/ring.h"

typedef struct ts_candidate {
    ts_plan plan;
    ts_cost cost;
    double unpaged;     /* mean latency over the planned lengths if pages were always there, cycles */
    double latency;     /* and with the wait for them, at the typical length */
    double price;       /* latency and how full the device is: what the search minimises */
    double load;        /* share of the scarcest resource */
    const char *scarce; /* which that is */
    int ii;
} ts_candidate;

enum { TS_LANES_MAX = 4 /* 1, 2, 4, 8 */ };

typedef struct ts_ring_search {
    ts_arena *arena;
    const ts_imodel *im;
    const ts_device *device;
    const ts_plan_options *opt;
    ts_ring_widths w;
    ts_ring_ways ways;
    bool packs[TS_LIN_COUNT]; /* the stage's formats allow two products a DSP */
    ts_attn_packing attn;
    int *length, *weight; /* distinct lengths and how many events have each */
    int count, typical;   /* typical: the length that folds are chosen for */
    double cap;
    double slowest; /* > 0: mean latency that may not be exceeded; below it the least load is best */
    int reg;
    double clock;
    ts_paging port[TS_LANES_MAX]; /* ways to external memory, narrow ones first; [ports] */
    int ports;
} ts_ring_search;

/* ---- place.c */

/* Cost, load, latency and price of c->plan as it is. */
void ts_measure(const ts_ring_search *s, ts_candidate *c);

/* Moves memories between block RAM, LUT RAM and UltraRAM, and, where paging is allowed, weights to external memory, until the design fits
   or nothing helps. c->unpaged is set. */
void ts_place_memories(const ts_ring_search *s, ts_candidate *c);

/* The memories of a plan that can be placed. */
enum { TS_PLACE_MAX = 64, TS_PLACE_STYLES = TS_MEM_ULTRA + 1 };
typedef struct ts_placeable {
    ts_mem_style *style[TS_PLACE_MAX];
    bool ultra[TS_PLACE_MAX]; /* may be UltraRAM: written before it is read in any case */
    int node[TS_PLACE_MAX];   /* of the ring that it is in */
    int paged[TS_PLACE_MAX];  /* index in ts_paged_stage of the stage whose weights it has; -1: of none */
    int count;
} ts_placeable;
/* plan: the ring's. */
ts_placeable ts_placeable_of(const ts_ring *ring, ts_plan *plan);

/* What the node needs with a memory in each style, other things being equal: only their differences matter. */
typedef ts_resources ts_style_costs[TS_PLACE_MAX][TS_PLACE_STYLES];

/* What a memory costs does not depend on the others: each is costed once in every style. ring: of the plan that m is of. */
void ts_cost_styles(const ts_ring_search *s, const ts_ring *ring, const ts_placeable *m, ts_style_costs costs);
void ts_cost_memory(const ts_ring_search *s, const ts_ring *ring, const ts_placeable *m, int which, ts_resources costs[TS_PLACE_STYLES]);

/* The greedy moves, from `need` on: the most helpful one first. True if the design fits in the end; sets the styles and *need. */
bool ts_place_greedily(const ts_ring_search *s, const ts_placeable *m, ts_style_costs costs, ts_resources *need);

/* How far a design is from fitting: 0 when it fits. */
double ts_excess(const ts_ring_search *s, const ts_resources *need);
ts_resources ts_resources_plus(ts_resources a, const ts_resources *b, double factor);

/* ---- paged.c */

/* The ports to external memory that the search may choose among. */
void ts_find_ports(ts_ring_search *s);

/* Which stages have page buffers and how many, so that the design fits and its latency is least, by an estimate; places all memories and
   measures. False: nothing fits, and c is the choice that is nearest to it. There is a port. */
bool ts_place_pages(const ts_ring_search *s, ts_candidate *c);

/* The same for one candidate, by exact prediction, with every port: the one with the least price. */
void ts_polish_pages(const ts_ring_search *s, ts_candidate *c);

/* Lines of text: which stages are paged, and what they wait; "" where none is. */
const char *ts_paged_words(const ts_ring_search *s, const ts_candidate *c);

#endif
