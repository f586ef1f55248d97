/* What cycles.c (a ring whose weights are there) and cycles_paged.c (the wait for pages) share. */
#ifndef TS_CYCLES_H
#define TS_CYCLES_H
#include "plan/predict.h"

/* An event's way through the ring, in cycles, where nobody waits for a page. */
typedef struct ts_passage {
    double enter, fill; /* of a hit to attention; of all hits at the port */
    double layer, last; /* from a layer's keys and values being complete at attention to the next layer's; to the last result */
    double first;       /* from there to the first context */
    double drain;       /* of an entry of the queues in the last layer */
    double taken, slack; /* the same where the taker at the port is slower: of all entries but so many */
    double reading;     /* of all queries by attention in the last layer */
    double late;        /* new events enter in front of the FFN block: from the last layer's keys and values being complete to that block
                           having taken the last token; otherwise 0 */
    double span;        /* from the first result out to the last */
    int hops;           /* attention blocks but one */
} ts_passage;

/* `pace`: of the neighbours; `slack`: tokens that the next one takes without delay. */
ts_passage ts_passage_between(const ts_plan *plan, const ts_imodel *im, const ts_ring_widths *w, int n, ts_pace pace, double slack);

/* Cycles from an event being admitted, at the moment the one before it is complete in its last layer, to its last hit being in:
   as fast as the entry takes hits and as far as the queues, which still hold the other's tokens, have room. */
double ts_entering_behind(const ts_plan *plan, const ts_passage *before, int n_before, const ts_passage *self, int n);

/* What tokens pass between two gates of paged stages, or between a gate and an end of their way. */
typedef struct ts_way_piece {
    ts_lin_id stage; /* behind whose gate it begins; TS_LIN_COUNT: no gate is there, but the beginning of the way, or of the way to the port */
    int latency, ii; /* of all in it; cycles a token of the slowest */
    int room;        /* tokens that it holds at most */
    int stage_latency, stage_room; /* of the paged stage alone */
    int stage_hold;  /* cycles for which what stands behind the stage works on a token before it takes it */
} ts_way_piece;

enum { TS_WAY_PIECES = 2 + TS_PAGED_STAGES };
typedef struct ts_way {
    int count;
    ts_way_piece piece[TS_WAY_PIECES];
} ts_way;

/* The ways of tokens through the gates of a ring with attention. */
typedef struct ts_ways {
    ts_way enter; /* from the port to attention */
    ts_way loop;  /* from a context to attention */
    ts_way leave; /* from a context to the port */
    double block; /* cycles of a block of queries in attention */
    int row;      /* between contexts of a block */
    int through, places; /* from a block being begun to its first context; blocks under way or waiting at most */
} ts_ways;
ts_ways ts_ways_of(const ts_plan *plan, const ts_imodel *im, const ts_ring_widths *w, int n);

/* ---- cycles_paged.c */

/* Times of events that enter a paged ring as soon as it takes them, and what they waited for pages. */
typedef struct ts_paged_event {
    double in, out; /* last hit in, last result out */
    double complete; /* the last layer's keys and values are complete at attention */
    double wait[TS_PAGED_STAGES]; /* of its first tokens in front of each stage: what the gate counts as `stalls` */
} ts_paged_event;

typedef enum {
    TS_PAGED_RESET,  /* the loader begins with the first hit, as after a reset */
    TS_PAGED_LOADED, /* the page buffers are full when the first event comes */
    TS_PAGED_LONE,   /* and an event is offered when the one before is through, not as soon as the ring takes it */
} ts_paged_start;

/* Events longer than n_max are refused: in = out = 0. result: [events]. */
void ts_paged_run(const ts_plan *plan, const ts_imodel *im, const ts_ring_widths *w, int events, const int *n, ts_paged_start start, ts_pace pace,
                  double slack, ts_paged_event *result);

#endif
