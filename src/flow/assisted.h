/* Assisted designs: how the host's share is written down and read back, and what it means for plans and reports. */
#ifndef TS_ASSISTED_H
#define TS_ASSISTED_H
#include <jansson.h>

#include "flow/deploy.h"
#include "flow/session.h"
#include "host/assist.h"
#include "plan/host_bus.h"

/* The float model of what a compiled design has in hardware, and events (of the model) as both read them. */
bool ts_assist_beside(ts_arena *arena, const ts_compiled *compiled, const ts_float_model *model, const ts_events *events,
                      const ts_encoder **encoder, ts_assist_events *made, ts_err *err);

/* *bus becomes what the way says; NULL: *bus stays. */
bool ts_assist_bus_by(const ts_way *way, ts_host_bus *bus, ts_err *err);

/* What the options mean for the rings of the slice `im`. False with a message where it cannot be so. */
bool ts_assist_rings(const ts_assist *assist, const ts_imodel *im, int devices, ts_deploy_options *options, ts_err *err);

/* The longest slice of the whole model `im`, from its embedding on, that the devices hold with all weights on chip: planned, as *assist and
   as a model of its own. NULL with a message where no half layer fits, or where everything does. */
const ts_imodel *ts_assist_longest(ts_arena *arena, const ts_float_model *model, const ts_imodel *im, const ts_deploy_options *options,
                                   const ts_plan_options *ring, ts_deployment *deployment, ts_assist *assist, const ts_notices *notices,
                                   ts_err *err);

/* Member "host" of the manifest (docs/design-directory.md), the report and `inspect`. im: the slice's, or NULL where there is none yet;
 * bus, too. New reference. */
json_t *ts_assist_json(const ts_assist *assist, const ts_imodel *im, const ts_host_bus *bus);

/* What an assisted design's manifest has beside that of any other. New reference. */
json_t *ts_assist_manifest(const ts_assist *assist, const ts_imodel *im, const ts_host_bus *bus, const ts_partition *partition);

/* Adds to a report what an assisted design's has beside that of any other. */
void ts_assist_report(const ts_assist *assist, const ts_imodel *im, const ts_host_bus *bus, const ts_partition *partition, json_t *report);

/* Times with the bus, for events of n tokens of the hardware; the same as member "predicted" of it, a new reference. */
ts_host_prediction ts_assist_predict(const ts_host_bus *bus, const ts_chain_ring *ring, int count, int n);
json_t *ts_assist_predicted_json(const ts_host_bus *bus, const ts_chain_ring *ring, int count, int n);

/* Its member "measured": times of this run on this machine, so never part of what `compile` writes. New reference. */
json_t *ts_assist_measured_json(const ts_host_time *time);

bool ts_assist_is(const ts_design *design); /* whether a design has a host's parts */

/* Of a design that has: its host's parts, from its manifest and its copy of the model, and the bus between. */
bool ts_assist_host(ts_arena *arena, const ts_design *design, const ts_graph *g, ts_host *host, ts_err *err);
ts_host_bus ts_assist_bus(const ts_design *design);

#endif
