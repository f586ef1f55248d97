/* The planner of one ring on one device: folds of every stage, all weights on chip. The model may be a slice (quant/slice.h). */
#ifndef TS_MAKE_H
#define TS_MAKE_H
#include "plan/cost.h"
#include "plan/device.h"
#include "plan/plan.h"
#include "plan/predict.h"

typedef struct ts_plan_options {
    double clock_mhz;    /* 0: the device's default */
    int max_tokens;      /* longest event; sizes memories */
    int plan_tokens;     /* > 0: plan for events of this length alone */
    const int *lengths;  /* otherwise for the mean over these, [lengths_count]; longer than max_tokens: ignored, as the hardware does */
    int lengths_count;   /* 0 and no plan_tokens: for max_tokens */
    double utilisation;  /* share of every resource that may be used; 0: 0.8 */
    int target_ii;       /* > 0: cycles a token and layer, the planner does not search */
    int reg;             /* adder levels between registers, 1 or 2; 0: chosen by the clock */
    bool argmax;         /* a classifier's result is {class, value} */
    bool small;          /* the least share of the scarcest resource for at most twice the best latency, instead of that latency */
    ts_cost reserve;     /* what else the device must hold, such as the ends of links */
    bool quick;          /* a rough plan in milliseconds, for those who weigh many: the least II that fits, found by bisection, unpolished */
} ts_plan_options;

/* What was chosen and against what. */
typedef struct ts_planned {
    const ts_plan *plan;
    ts_prediction prediction; /* at plan->plan_tokens */
    double mean_latency;      /* cycles, over the planned lengths */
    ts_cost cost;
    const char *why; /* lines of text: the resource that decided, the alternatives weighed */
} ts_planned;

/* False with a message that says which resource is short, by how much, and which known device would do. */
bool ts_plan_search(ts_arena *arena, const ts_imodel *im, const ts_device *device, const ts_plan_options *options, ts_planned *planned,
                    ts_err *err);

#endif
