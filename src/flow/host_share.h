/* The host's share of an assisted design as it is written down and read back: manifest, report, the copy of the model. */
#ifndef TS_HOST_SHARE_H
#define TS_HOST_SHARE_H
#include <jansson.h>

#include "design/design.h"
#include "host/assist.h"
#include "plan/host_bus.h"

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
