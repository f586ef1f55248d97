/* The planner of one ring on one device: folds of every stage, which weights are on chip. The model may be a slice (quant/slice.h). */
#ifndef TS_MAKE_H
#define TS_MAKE_H
#include "plan/predict.h"
#include "ring/cost.h"
#include "ring/device.h"
#include "ring/plan.h"

/* External memory, as the ring's port sees it. */
typedef struct ts_ext_memory {
    double gbytes_per_s; /* that it keeps up; 0: there is none */
    double ns;           /* from an address to its first beat */
} ts_ext_memory;
ts_ext_memory ts_ext_memory_of(const ts_device *device);

/* The port of so many lanes at this clock. */
ts_paging ts_paging_of(const ts_ext_memory *memory, double clock_mhz, int lanes);

typedef enum {
    TS_PAGING_NONE,    /* all weights on chip */
    TS_PAGING_ALLOWED, /* weights that find no room are paged */
    TS_PAGING_ASKED,   /* some are in any case; all that can be where all would fit */
} ts_paging_wish;

typedef struct ts_plan_options {
    double clock_mhz;   /* 0: the device's default */
    int max_tokens;     /* longest event; sizes memories */
    int plan_tokens;    /* > 0: plan for events of this length alone */
    const int *lengths; /* otherwise for the mean over these, [lengths_count]; longer than max_tokens: ignored, as the hardware does */
    int lengths_count;  /* 0 and no plan_tokens: for max_tokens */
    double utilisation; /* share of every resource that may be used; 0: 0.8 */
    int target_ii;      /* > 0: cycles a token and layer, the planner does not search */
    int reg;            /* adder levels between registers, 1 or 2; 0: chosen by the clock */
    bool argmax;        /* a classifier's result is {class, value} */
    bool small;         /* the least share of the scarcest resource for at most twice the best latency, instead of that latency */
    ts_cost reserve;    /* what else the device must hold, such as the ends of links */
    ts_paging_wish paging;
    int page_buffers;     /* of every paged stage, 1 or 2; 0: chosen for each */
    ts_parity parity;     /* which memories have it */
    ts_ext_memory memory; /* instead of the device's; zeros: that */
    bool quick; /* a rough plan in milliseconds, for those who weigh many: the least II that fits, found by bisection, unpolished */
} ts_plan_options;

/* What would do, other than another device: for messages. */
const char *ts_plan_relief(ts_arena *arena, const ts_plan_options *options);

/* What was chosen and against what. */
typedef struct ts_planned {
    const ts_plan *plan;
    ts_prediction prediction; /* at plan->plan_tokens */
    double mean_latency;      /* cycles, over the planned lengths */
    ts_cost cost;
    const char *why; /* lines of text: the resource that decided, the alternatives weighed */
    const char
        *shortage; /* of what does not fit: "it needs 390 BRAM36, ... more than the ... allowed (...); zcu102 would do"; otherwise NULL */
} ts_planned;

/* False with a message, and for what does not fit planned->shortage, that say which resource is short, by how much, and which known device
   would do. */
bool ts_plan_search(ts_arena *arena, const ts_imodel *im, const ts_device *device, const ts_plan_options *options, ts_planned *planned,
                    ts_err *err);

#endif
