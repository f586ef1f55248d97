/* The plan verifier: rechecks a finished plan from what it says alone. It shares formulas with the planner (cost, cycles, legal folds), but
   none of its choices: whatever found the plan, by whatever search, it must pass here.
   In a circle with plan/partition.h: a search checks what it has found before it gives it away. */
#ifndef TS_VERIFY_H
#define TS_VERIFY_H
#include "plan/partition.h"
#include "ring/pages.h"

/* A ring of the plan; what is NULL is not claimed. */
typedef struct ts_claim_part {
    ts_slice slice;
    const ts_imodel *im;
    const ts_plan *plan;
    int device; /* index in the list */
    ts_hop before;
    const ts_prediction *prediction; /* at plan->plan_tokens */
    const ts_cost *cost;             /* with the ends of links beside the ring; column `yosys` and `device` */
} ts_claim_part;

/* What a plan says. */
typedef struct ts_claim {
    const ts_imodel *im; /* the whole model */
    ts_mode mode;
    int devices;
    const ts_device *const *device;
    double utilisation; /* share of every resource that may be used; 0: all of it */
    double clock_mhz;   /* of all rings; 0: whatever they say, but the same */
    int max_tokens;     /* longest event; 0: ditto */
    int pins;
    const ts_pin *pin;
    ts_link link; /* between devices; of one device: unused */
    int parts;
    const ts_claim_part *part;
    const ts_chain_prediction *prediction; /* at the first ring's plan_tokens; NULL: not claimed */
} ts_claim;

/* True where
   - the parts have every block of the model once, in order, with the model's own weights; cuts are between blocks, and none is between the
     embedding and the first layer;
   - parts lie on the devices in the order of the list, one run a device, as the mode has it, and pinned blocks where they are pinned;
   - every ring is legal (ts_plan_check), for its device (what its DSPs pack, what memories it has), and all take the same events at the
   same clock;
   - no device needs more of any resource than it may, everything on it added up: rings and ends of links;
   - queues and FIFOs hold what is in flight; pages come in an order in which no stage waits for another, from a memory that is fast enough;
   - links have legal words, rates and credits, and buffers for their round trip;
   - the claimed predictions are what the plan gives, and not better than its slowest stage allows.
   Otherwise false with a message that says what is wrong with which part. */
bool ts_verify_claim(const ts_claim *claim, ts_err *err);

/* Of a search's result. */
bool ts_verify_partition(const ts_imodel *im, const ts_partition_options *options, const ts_partition *partition, ts_err *err);

/* What ts_verify_claim says of links alone: for those who plan with one. */
bool ts_verify_link(const ts_link *link, int token_bits, ts_err *err);

/* Of an order of pages alone: no page takes the place of one that may still be needed while a page that is needed earlier has not come.
   layers: of the ring. */
bool ts_verify_page_order(const ts_page_order *order, int layers, ts_err *err);

#endif
