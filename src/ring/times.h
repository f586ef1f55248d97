/* The times of a ring's nodes, and of the ways that tokens take through them: src/plan/cycles.c predicts events from them, src/plan/chain.c
   follows events through them. Latencies are those that the modules of rtl/ state in their first lines: from the cycle in which a token is
   taken to the first cycle in which its result is offered, so that they add up along a way. */
#ifndef TS_RING_TIMES_H
#define TS_RING_TIMES_H
#include "ring/ring.h"

/* A stage that tokens pass one by one. */
typedef struct ts_stage_time {
    int latency, ii; /* of a token; between two */
    int room;        /* tokens that it holds when nobody takes its results */
    int takes;       /* cycles for which a token that it works on stays where it comes from */
    ts_lin_id pages; /* a linear stage whose weights are paged; TS_LIN_COUNT: none */
    bool waits;      /* a copy of the token goes to the queue of residuals, */
    bool joins;      /* and comes back here */
} ts_stage_time;

/* What a module's row says of a node. forming: the stage is a norm: cycles in which its result is put together; the next one begins when it
   is taken. */
typedef struct ts_node_time {
    ts_stage_time stage; /* room: of what is under way at full rate, what it holds beside */
    int forming;
} ts_node_time;

enum { TS_SEGMENT_STAGES = 12 };
typedef struct ts_segment {
    int latency, ii; /* a token's way through all stages; the slowest stage */
    int forming;     /* of the last one */
    int count;
    ts_stage_time stage[TS_SEGMENT_STAGES];
} ts_segment;

typedef struct ts_ring_times {
    int beside; /* tokens that fit between the fork in front of qkv0 and the queue of residuals */
    ts_segment segment[TS_SEGMENTS];
} ts_ring_times;
void ts_ring_times_of(const ts_ring *ring, ts_ring_times *times);

/* How contexts come, or, of a ring without attention, tokens out of its store. */
typedef struct ts_attention_time {
    int in_block; /* queries of a block */
    int load;     /* cycles in which one leaves the queue of queries */
    double block; /* cycles of one */
    int first;    /* from the last token accepted to the first context offered */
    int row;      /* from a context to the next one of its block */
    int through;  /* from a block being begun to its first context */
    int places;   /* blocks that are under way or wait to be taken, at most; 0: any number */
} ts_attention_time;
ts_attention_time ts_attention_time_at(const ts_plan *plan, const ts_imodel *im, int n);

/* ts_queue_narrow: cycles from a token being offered to its being taken, from there to its being offered, and of each token. */
typedef struct ts_queue_time {
    int in, ahead, each;
} ts_queue_time;
ts_queue_time ts_queue_time_of(const ts_plan *plan);

/* Cycles of an adder tree over x values, in a ring with `reg` levels between registers. */
int ts_tree_cycles(int x, int reg);

#endif
