/* Cycles of a ring alone with equal events, from its folds: no simulation (plan/chain.h: any events). docs/hardware.md names the stages;
 * src/plan/cycles.c has each module's latency. */
#ifndef TS_PREDICT_H
#define TS_PREDICT_H
#include "ring/plan.h"

typedef struct ts_prediction {
    int tokens;
    long long latency_cycles;  /* of a lone event, from its last hit in to its last result out */
    long long total_cycles;    /* of a lone event, from its first hit in to its last result out */
    long long interval_cycles; /* of equal events back to back */
    long long span_cycles;     /* of a lone event, from its first result out to its last */
    int mac_units;             /* multipliers of linears and attention */
    double mac_utilisation;    /* MACs at `tokens` / (mac_units * interval_cycles) */
    /* Of a ring with pages (docs/paging.md). The others' latency is that of an event that finds its buffers full. */
    bool paged[TS_PAGED_STAGES];             /* in the order of ts_paged_stage */
    long long first_latency_cycles;          /* of the first event after a reset, where the loader begins with its first hit */
    long long stall_cycles[TS_PAGED_STAGES]; /* an event, back to back: waits for pages in front of each stage */
} ts_prediction;

/* n >= 1, a legal plan (ts_plan_check). */
ts_prediction ts_predict(const ts_plan *plan, const ts_imodel *im, int n);

/* The latency of a lone event, for those who ask it of many plans of one model: *w is ts_ring_widths_of(im). That of a ring whose pages
   are always there, and what it takes longer to wait for them. */
double ts_predict_latency(const ts_plan *plan, const ts_imodel *im, const ts_ring_widths *w, int n);
double ts_predict_page_delay(const ts_plan *plan, const ts_imodel *im, const ts_ring_widths *w, int n);

/* Multiply-accumulates of an event of n tokens as the model states them: the work, whatever the hardware leaves out. */
double ts_model_macs(const ts_imodel *im, int n);

int ts_plan_mac_units(const ts_plan *plan, const ts_imodel *im);

/* Where the time of a layer goes, in cycles. Without attention an event is stored whole in front of the FFN block: `enter` is from its last
   hit to its first token there, `leave` from there to the result. */
typedef struct ts_layer_time {
    double ii;                                   /* a token, of attention or of the slowest stage */
    double block;                                /* a block of pq queries in attention */
    int row;                                     /* between contexts of a block */
    int attention;                               /* from the last token accepted by attention to the first context offered */
    int chain;                                   /* from a context to the same token accepted by attention for the next layer */
    int enter;                                   /* from a hit to its token accepted by attention for the first time */
    int middle;                                  /* from a context to the same token accepted by the FFN block */
    int leave;                                   /* from a context of the last layer to the token's last result */
    int enter_ii, chain_ii, middle_ii, leave_ii; /* of the slowest stage on each of these ways */
} ts_layer_time;
ts_layer_time ts_layer_time_of(const ts_plan *plan, const ts_imodel *im, int n);
ts_layer_time ts_layer_time_at(const ts_plan *plan, const ts_imodel *im, const ts_ring_widths *w, int n);

#endif
