/* The times of a ring's stages: what cycles.c knows of them, for chain.c, which follows events through them. */
#ifndef TS_CYCLES_H
#define TS_CYCLES_H
#include "plan/predict.h"

/* An event's way through the ring alone, in cycles, where nobody waits for a page. */
typedef struct ts_passage {
    double enter, fill; /* of a hit to attention; of all hits at the port */
    double layer, last; /* from a layer's keys and values being complete at attention to the next layer's; to the last result */
    double first;       /* from there to the first context */
    double drain;       /* of an entry of the queues in the last layer */
    double reading;     /* of all queries by attention in the last layer */
    double late;        /* new events enter in front of the FFN block: from the last layer's keys and values being complete to that block
                           having taken the last token; otherwise 0 */
    double span;        /* from the first result out to the last */
    int hops;           /* attention blocks but one */
} ts_passage;
ts_passage ts_passage_of(const ts_plan *plan, const ts_imodel *im, const ts_ring_widths *w, int n);

/* ---- The stages that tokens pass one by one */

typedef struct ts_stage_time {
    int latency, ii; /* of a token; between two */
    int room;        /* tokens that it holds when nobody takes its results */
    int takes;       /* cycles for which a token that it works on stays where it comes from */
    ts_lin_id pages; /* a linear stage whose weights are paged; TS_LIN_COUNT: none */
    bool waits;      /* a copy of the token goes to the queue of residuals, */
    bool joins;      /* and comes back here */
} ts_stage_time;

/* New tokens pass ENTRY, [FFN where the ring starts there,] [LAYER but for fused qkv0,] INTO; those of attention CONTEXT, [FFN,] LAYER,
   INTO, or in the last layer CONTEXT, [FFN,] OUT. Without attention ENTRY, INTO (a store of whole events); FFN, OUT. */
enum {
    TS_SEGMENT_ENTRY,
    TS_SEGMENT_LAYER,   /* from a layer's input to its q, k, v */
    TS_SEGMENT_INTO,    /* into attention */
    TS_SEGMENT_CONTEXT, /* from contexts to the attention block's output */
    TS_SEGMENT_FFN,
    TS_SEGMENT_OUT,
    TS_SEGMENT_POOLED, /* from an event's last token through the pool to its one result */
    TS_SEGMENTS
};
enum { TS_SEGMENT_STAGES = 10 };
typedef struct ts_segment {
    int count;
    ts_stage_time stage[TS_SEGMENT_STAGES];
} ts_segment;
typedef struct ts_ring_stages {
    int beside; /* tokens that fit between the fork in front of qkv0 and the queue of residuals */
    ts_segment segment[TS_SEGMENTS];
} ts_ring_stages;
ts_ring_stages ts_ring_stages_of(const ts_plan *plan, const ts_imodel *im, const ts_ring_widths *w);

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
ts_attention_time ts_attention_time_at(const ts_plan *plan, const ts_imodel *im, const ts_ring_widths *w, int n);

/* ---- cycles_paged.c: when the pages of a ring are there */

typedef struct ts_page_clock ts_page_clock;

/* after_reset: the loader begins at 0; otherwise it began long ago and all buffers are full. */
ts_page_clock *ts_page_clock_new(ts_arena *arena, const ts_plan *plan, const ts_imodel *im, bool after_reset);

/* When the stage's next page lets tokens pass; and that the last token with it has left at `left`. */
double ts_page_there(ts_page_clock *clock, ts_lin_id stage);
void ts_page_used(ts_page_clock *clock, ts_lin_id stage, double left);

#endif
