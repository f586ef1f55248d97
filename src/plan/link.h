/* A link between two devices and its two ends (rtl/ts_link.v, docs/links.md). */
#ifndef TS_LINK_H
#define TS_LINK_H
#include "plan/chain.h"
#include "ring/cost.h"

/* What is between two ends. */
typedef struct ts_link {
    int word_bits; /* 32, or a multiple of 32 from 64 on */
    double rate;   /* words a cycle of the engine's clock, at most 1 */
    int flight;    /* cycles of a word's way */
} ts_link;

/* Where nothing is said: ten-gigabit Ethernet between neighbouring cards. */
enum { TS_LINK_MBITS = 10000, TS_LINK_NS = 500 };

/* What every two neighbours of a list can do: of the devices' own figures the least bandwidth and the longest way. A device that says
   nothing counts as the default; `unsaid` gets the first such, or NULL. */
void ts_link_between(const ts_device *const *device, int devices, double *mbits, double *ns, const ts_device **unsaid);

/* For tokens of `token_bits`, with words wide enough for the bandwidth, and 32 bits wider where tokens then take a tenth less of it. */
ts_link ts_link_of(int token_bits, double mbits, double ns, double clock_mhz);

/* Parameters of its ends for tokens of `token_bits`: those of ts_link. */
typedef struct ts_link_ends {
    int token_words, packet, depth, credit, beat;
    int timeout; /* cycles of silence after which an event that has begun is given up */
} ts_link_ends;
ts_link_ends ts_link_ends_of(const ts_link *link, int token_bits);

/* What a token loses on such a link, and how many wait on it. */
ts_hop ts_link_hop(const ts_link *link, int token_bits);

/* Of one end: the sending one, or the receiving one. */
ts_cost ts_link_cost(const ts_link *link, int token_bits, bool sends, const ts_device *device);

#endif
