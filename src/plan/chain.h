/* Cycles of rings in a chain: each takes the residual tokens of the one before it, over a link or directly. */
#ifndef TS_CHAIN_H
#define TS_CHAIN_H
#include "plan/predict.h"

/* What tokens pass on their way from one ring to the next; zeros where they are on one device. */
typedef struct ts_hop {
    double token_cycles; /* between tokens, at best */
    double latency;      /* cycles of a token's way */
    double sends, room;  /* tokens that wait at the sending end, and in all, where they are not taken */
    double news;         /* cycles until the sender knows that a token was taken, but for what the state frames wait for each other */
    double frame_tokens, frame_cycles; /* a state frame goes out when so many tokens were taken, or after so many cycles */
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
    long long interval_cycles; /* of equal events back to back: the slowest ring's, at its neighbours' pace */
    int slowest;               /* that ring */
    int mac_units;
    double mac_utilisation;    /* MACs at `tokens` / (mac_units * interval_cycles) */
} ts_chain_prediction;

/* n >= 1, count >= 1, legal plans. part: [count], each ring's own figures at its neighbours' pace; may be NULL. */
ts_chain_prediction ts_chain_predict(const ts_chain_ring *ring, int count, int n, ts_prediction *part);

#endif
