/* How events pass a ring, from the times of its stages (ring/times.h).
   In a circle with plan/chain.h: paged rings are predicted by following events. */
#ifndef TS_CYCLES_H
#define TS_CYCLES_H
#include "plan/predict.h"
#include "ring/times.h"

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

/* ---- cycles_paged.c: when the pages of a ring are there */

typedef struct ts_page_clock ts_page_clock;

/* after_reset: the loader begins at 0; otherwise it began long ago and all buffers are full. */
ts_page_clock *ts_page_clock_new(ts_arena *arena, const ts_plan *plan, const ts_imodel *im, bool after_reset);

/* When the stage's next page lets tokens pass; and that the last token with it has left at `left`. */
double ts_page_there(ts_page_clock *clock, ts_lin_id stage);
void ts_page_used(ts_page_clock *clock, ts_lin_id stage, double left);

#endif
