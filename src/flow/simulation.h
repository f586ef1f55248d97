/* Events through the simulated hardware, as a whole: read, sent, compared, timed against the prediction, and reported. */
#ifndef TS_SIMULATION_H
#define TS_SIMULATION_H
#include <jansson.h>

#include "flow/refused.h"
#include "flow/session.h"
#include "plan/host_bus.h"
#include "sim/simulate.h"

/* As in ts_sim_options. */
typedef struct ts_simulation_options {
    const char *dir;
    ts_event_source source;
    int stalls, link_stalls, memory_stalls, seed;
    ts_link_fault link;
    ts_page_fault page;
    ts_part_stall part;
    bool lone, load, bus;
    const char *weights; /* a file of weights, loaded once the first `after` events have left; NULL: none */
    int after;
} ts_simulation_options;

typedef struct ts_simulation {
    int events; /* of the source */
    ts_refused refused;
    ts_sim_result result;
    const char *text; /* the report as a table; NULL where it did not come to a result */
    const char *json; /* what the report has of it: member "simulated" */
} ts_simulation;

/* Figures go to the design's report. False, too, with TS_DIFFERS, where some word differs, and where all events were refused: then text is
   there all the same. All is in the arena. */
bool ts_simulation_run(ts_arena *arena, const ts_simulation_options *options, ts_simulation *made, ts_err *err);

/* For the report. pace: of the host's bus; zeros where it is not simulated. New reference. */
json_t *ts_simulation_json(ts_arena *arena, const ts_sim_result *result, const ts_design *design, const ts_host_prediction *pace,
                           const ts_simulation_options *options);

#endif
