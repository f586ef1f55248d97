/* Assisted designs: how the host's share is written down and read back, and what it means for plans and reports. */
#ifndef TS_ASSISTED_H
#define TS_ASSISTED_H
#include <jansson.h>

#include "flow/deploy.h"
#include "flow/host_share.h"
#include "flow/session.h"

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

#endif
