/* From a model and devices to a plan: which mode, which blocks on which device, how every ring is folded. A chain is cut where one stream
   of residual tokens carries the whole state (quant/slice.h). docs/partitioning.md says how the choice is made. */
#ifndef TS_PARTITION_H
#define TS_PARTITION_H
#include "plan/link.h"
#include "plan/make.h"
#include "quant/slice.h"

typedef enum {
    TS_OBJECTIVE_LATENCY,    /* of a lone event */
    TS_OBJECTIVE_THROUGHPUT, /* the interval of events back to back, then the latency */
    TS_OBJECTIVE_AREA,       /* fewest devices; of each the least share of its scarcest resource for at most twice the best latency */
} ts_objective;
const char *ts_objective_name(ts_objective objective); /* "latency", "throughput", "area" */

/* A block that must be on a device. */
typedef struct ts_pin {
    int block;  /* 0 ... 2 * layers - 1 */
    int device; /* index in the list of devices */
} ts_pin;

/* "STAGE=DEVICE": STAGE is "embed", "head", "layers.N", "layers.N.attention" or "layers.N.ffn"; DEVICE is the number in the list, counted
   from 0, or a name that is there once. Appends one pin, or two for a layer. */
enum { TS_PIN_MAX = 64 };
bool ts_pin_parse(const char *text, const ts_imodel *im, const ts_device *const *device, int devices, ts_pin pin[TS_PIN_MAX], int *count,
                  ts_err *err);

typedef struct ts_partition_options {
    ts_plan_options plan; /* of every ring; clock 0: the slowest default of the devices that are used */
    int devices;          /* >= 1, in the order of the chain */
    const ts_device *const *device;
    bool any_mode; /* the planner chooses; otherwise: */
    ts_mode mode;
    ts_objective objective;
    double link_mbits, link_ns; /* between devices; 0: the slower of two neighbours' own (plan/link.h) */
    ts_link link;               /* instead, in cycles of the engine's clock; zeros: from those */
    int pins;
    const ts_pin *pin; /* [pins] */
} ts_partition_options;

typedef struct ts_part {
    ts_slice slice;
    int device;          /* index in the list */
    const ts_imodel *im; /* the whole model where there is one part */
    ts_planned planned;
} ts_part;

/* A way that was weighed. */
typedef struct ts_alternative {
    ts_mode mode;
    int parts;
    bool fits, chosen;
    double clock_mhz;
    long long latency_cycles, interval_cycles; /* where it fits */
    const char *why;                           /* the resource that decided, or that is short and by how much */
} ts_alternative;

enum { TS_ALTERNATIVE_MAX = 32 };
typedef struct ts_partition {
    ts_mode mode;
    int parts;
    ts_part *part;                  /* [parts], in the order of the chain */
    ts_chain_ring *ring;            /* [parts]: what ts_chain_predict takes */
    ts_link link;                   /* between parts on different devices */
    ts_chain_prediction prediction; /* at the plans' plan_tokens */
    int alternatives;
    ts_alternative alternative[TS_ALTERNATIVE_MAX];
    const char *why; /* lines of text: what decided */
} ts_partition;

/* False with a message that says which resource is short, by how much, and what would do. */
bool ts_partition_search(ts_arena *arena, const ts_imodel *im, const ts_partition_options *options, ts_partition *result, ts_err *err);

#endif
