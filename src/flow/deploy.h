/* From an integer model to a plan, a directory and a report, whatever the mode: one ring or a chain of them. */
#ifndef TS_DEPLOY_H
#define TS_DEPLOY_H
#include "design/design.h"
#include "plan/partition.h"

enum { TS_DEVICES_MAX = 16 };

/* A way for data; ns below 0: not said. */
typedef struct ts_way {
    double bandwidth, ns;
} ts_way;

/* What a way may have, and the two kinds: Mbit/s of links and host's buses, GB/s of external memories. */
typedef struct ts_way_limits {
    double least, most, ns;
} ts_way_limits;
#define TS_LINK_WAY ((ts_way_limits){1, 1e7, 1e9})
#define TS_MEMORY_WAY ((ts_way_limits){0.001, 1e4, 1e5})
bool ts_way_check(const char *member, const ts_way *way, ts_way_limits most, ts_err *err);

typedef struct ts_deploy_options {
    const char *const *device; /* [devices]: names or files */
    int devices;
    bool any_mode; /* the planner chooses; otherwise: */
    ts_mode mode;  /* ASSISTED says nothing of the rings: any again */
    ts_objective objective;
    const ts_way *link;   /* between devices; NULL: their own */
    const ts_way *memory; /* external memory of every device; NULL: its own */
    const char *pin;      /* "STAGE=DEVICE[,...]", or NULL */
} ts_deploy_options;

typedef struct ts_deployment {
    int devices;
    const ts_device **device; /* [devices] */
    double utilisation;       /* that the partition keeps to */
    ts_partition partition;
    ts_system system; /* of it */
} ts_deployment;

/* The devices of the options; their names, "A,B". */
bool ts_deploy_devices(ts_arena *arena, const ts_deploy_options *options, ts_deployment *deployment, ts_err *err);
const char *ts_deploy_names(ts_arena *arena, const ts_deployment *deployment);

/* ring: what every ring's planner is told. */
bool ts_deploy_plan(ts_arena *arena, const ts_deploy_options *options, const ts_plan_options *ring, const ts_imodel *im,
                    ts_deployment *deployment, ts_err *err);

/* Events for the test benches, and extra, as in ts_design_options; users' own devices go with the design. dir: ours, not yet in its place;
   what is there already belongs to the design. */
bool ts_deploy_emit(const ts_deployment *deployment, int events, const int *n, const int32_t *const *x, json_t *extra, const char *dir,
                    ts_err *err);

/* Members of the report: device, clock_mhz, mode, max_tokens, plan_tokens, predicted, why, and device_has or, of a partition, parts;
   alternatives where several were weighed. New reference. */
json_t *ts_deploy_json(ts_arena *arena, const ts_deployment *deployment);

/* The same of one part, as the report of a design of its own. New reference. */
json_t *ts_deploy_part_json(const ts_deployment *deployment, int part);

/* Of a compiled design, for n hits: "predicted", and "parts" where it has several. New reference. */
json_t *ts_design_json(ts_arena *arena, const ts_design *design, int n, ts_err *err);

#endif
