/* From an integer model to a plan, a directory and a report, whatever the mode: one ring or a chain of them. */
#ifndef TS_DEPLOY_H
#define TS_DEPLOY_H
#include "emit/emit.h"
#include "plan/partition.h"

/* As the command line has them; NULL or 0: not given. */
typedef struct ts_deploy_options {
    const char *device;    /* "A[,B,...]" */
    const char *mode;      /* a mode's name or "auto" */
    const char *objective; /* "latency", "throughput", "area" */
    const char *link;      /* "MBITS[:NANOSECONDS]": between devices */
    const char *memory;    /* "GBYTES[:NANOSECONDS]": external memory of every device */
    const char *pin;       /* "STAGE=DEVICE[,...]" */
} ts_deploy_options;

typedef struct ts_deployment {
    int devices;
    const ts_device **device; /* [devices] */
    double utilisation;       /* that the partition keeps to */
    ts_partition partition;
} ts_deployment;

/* Whether the mode asked for is TS_MODE_ASSISTED, which says nothing of the rings. */
bool ts_deploy_is_assisted(const ts_deploy_options *options);

/* "BANDWIDTH[:NANOSECONDS]", as --link, --memory and --host take it; without a latency *ns stays as it is. False: it is something else. */
bool ts_deploy_way(const char *text, double *bandwidth, double *ns);

/* The devices of the list. */
bool ts_deploy_devices(ts_arena *arena, const char *list, ts_deployment *deployment, ts_err *err);

/* ring: what every ring's planner is told. */
bool ts_deploy_plan(ts_arena *arena, const ts_deploy_options *options, const ts_plan_options *ring, const ts_imodel *im,
                    ts_deployment *deployment, ts_err *err);

/* A device of a compiled design: the one that was written beside it, or a built-in one. */
const ts_device *ts_design_device(ts_arena *arena, const char *dir, const char *name, ts_err *err);

/* The plan verifier on a design as it was read back, with what its manifest and its report claim. */
bool ts_design_verify(ts_arena *arena, const ts_design *design, ts_err *err);

/* Events for the test benches, and extra, as in ts_emit_options; users' own devices go with the design. dir: ours, not yet in its place;
   what is there already belongs to the design. */
bool ts_deploy_emit(const ts_deployment *deployment, const ts_imodel *im, int events, const int *n, const int32_t *const *x, json_t *extra,
                    const char *dir, ts_err *err);

/* Members of the report: device, clock_mhz, mode, max_tokens, plan_tokens, predicted, why, and device_has or, of a partition, parts;
   alternatives where several were weighed. New reference. */
json_t *ts_deploy_json(const ts_deployment *deployment);

/* The same of one part, as the report of a design of its own. New reference. */
json_t *ts_deploy_part_json(const ts_deployment *deployment, int part);

/* Of a compiled design, for n hits: "predicted", and "parts" where it has several. New reference. */
json_t *ts_design_json(ts_arena *arena, const ts_design *design, int n, ts_err *err);

#endif
