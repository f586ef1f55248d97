/* Cycles of rings in a chain: each takes the residual tokens of the one before it, over a link or directly. One ring is a chain too. */
#ifndef TS_CHAIN_H
#define TS_CHAIN_H
#include "ring/plan.h"

/* What tokens pass on their way from one ring to the next; zeros where they are on one device. */
typedef struct ts_hop {
    double token_cycles;        /* between tokens, at best */
    double latency;             /* cycles of a token's way */
    double words, frame, state; /* cycles of a token's words on the wire, of what a packet has beside them, of a state frame */
    double start;               /* cycles after a reset until both ends know each other and tokens may leave */
    double sends, room;         /* tokens that wait at the sending end, and in all, where they are not taken */
    double news; /* cycles until the sender knows that a token was taken, but for what the state frames wait for each other */
    double frame_tokens, frame_cycles; /* a state frame goes out when so many tokens were taken, as many as a packet has at most, or after
                                          so many cycles */
} ts_hop;

typedef struct ts_chain_ring {
    const ts_plan *plan;
    const ts_imodel *im;
    ts_hop before; /* of the way to this ring; unused for the first */
} ts_chain_ring;

typedef struct ts_chain_prediction {
    int tokens;
    long long latency_cycles;  /* of a lone event, from its last hit in to its last result out */
    long long total_cycles;    /* of a lone event, from its first hit in to its last result out */
    long long interval_cycles; /* of equal events back to back */
    int slowest;               /* the ring whose own interval is the longest */
    int mac_units;
    double mac_utilisation; /* MACs at `tokens` / (mac_units * interval_cycles) */
} ts_chain_prediction;

/* n >= 1, count >= 1, legal plans. */
ts_chain_prediction ts_chain_predict(const ts_chain_ring *ring, int count, int n);

/* ---- Any events, token by token */

typedef struct ts_chain_queue {
    const ts_chain_ring *ring; /* [count] */
    int count;
    int events;
    const int *n;                    /* [events], >= 1; longer than n_max: refused */
    bool lone;                       /* each event is offered when the one before has left; otherwise as soon as it is taken */
    bool after_reset;                /* the loaders of pages begin with the first hit; otherwise all page buffers are full by then */
    double token_cycles, row_cycles; /* between hits that come and results that are taken, at best: of a host's bus; otherwise 0 */
} ts_chain_queue;

/* Cycles from the first hit of all. */
typedef struct ts_event_times {
    bool refused;               /* then only its hits have times */
    double first_in, last_in;   /* its hits are taken */
    double first_out, last_out; /* its results are */
} ts_event_times;

/* event: [events]. wait: [events * count], cycles for which each event's tokens wait for pages in front of each ring's stages, in the order
   of ts_paged_stage; may be NULL. */
void ts_chain_run(const ts_chain_queue *queue, ts_event_times *event, double (*wait)[TS_PAGED_STAGES]);

/* Mean distance of the last results of events that are not refused; 0 with fewer than two. */
double ts_chain_interval(const ts_event_times *event, int events);

/* Events of n hits, back to back: the first one's times, and the mean interval of some when the chain runs as it goes on. queue: what is
   not said here of the chain (ring, count, a bus's cycles). */
double ts_chain_equal_events(ts_chain_queue queue, int n, ts_event_times *first);

#endif
