/* Assisted designs: which slice of a model is the hardware's, what the host does, and how both are written down. */
#ifndef TS_ASSIST_H
#define TS_ASSIST_H
#include <jansson.h>

#include "cli/deploy.h"
#include "cli/session.h"
#include "plan/host_bus.h"
#include "quant/slice.h"

/* A slice of a recognised encoder in hardware. */
typedef struct ts_assist {
    ts_host host;
    ts_host calibrate;         /* the same up to the beginning of the slice's first layer: what the encoder's float model reads */
    const ts_encoder *encoder; /* the slice's layers, whole */
    ts_slice slice;            /* of `encoder` */
    const char *hardware;      /* "layers.2-4" */
    const char *front, *back;  /* operators of the host's parts, or "" */
    const char *why;           /* the host has a part to do */
    int64_t tokens;            /* of every event, where the model fixes them; otherwise 0 */
} ts_assist;

/* hardware: FIRST[-LAST], each "embed", "head", "layers.N", "layers.N.attention" or "layers.N.ffn" (the LAST also without "layers."), counted
   from 0; NULL: all layers, with embedding and head where the recognised part has them. */
bool ts_assist_choose(ts_arena *arena, const ts_graph *g, const ts_recognition *found, const char *hardware, ts_assist *assist, ts_err *err);

/* Events of the model as the slice's float model reads them and as its hardware does. Both are the same where the slice begins with a layer. */
typedef struct ts_assist_events {
    const ts_events *floating, *tokens;
} ts_assist_events;
bool ts_assist_tokens(ts_arena *arena, const ts_assist *assist, const ts_events *events, ts_assist_events *made, ts_err *err);

/* The float model of what a compiled design has in hardware, and events (of the model) as both read them. */
bool ts_assist_beside(ts_arena *arena, const ts_compiled *compiled, const ts_float_model *model, const ts_events *events,
                      const ts_encoder **encoder, ts_assist_events *made, ts_err *err);

/* What the options mean for the rings of the slice `im`. False with a message where it cannot be so. */
bool ts_assist_rings(const ts_assist *assist, const ts_imodel *im, int devices, ts_deploy_options *options, ts_err *err);

/* Member "host" of the manifest (docs/design-directory.md), the report and `inspect`. im: the slice's, or NULL where there is none yet; bus, too. New reference. */
json_t *ts_assist_json(const ts_assist *assist, const ts_imodel *im, const ts_host_bus *bus);

/* What an assisted design's manifest has beside that of any other. New reference. */
json_t *ts_assist_manifest(const ts_assist *assist, const ts_imodel *im, const ts_host_bus *bus);

/* Adds to a report what an assisted design's has beside that of any other. */
void ts_assist_report(const ts_assist *assist, const ts_imodel *im, const ts_host_bus *bus, const ts_partition *partition, json_t *report);

/* Member "predicted" of it: times with the bus, for events of n tokens of the hardware. New reference. */
json_t *ts_assist_predicted_json(const ts_host_bus *bus, const ts_chain_ring *ring, int count, int n);

/* Its member "measured": times of this run on this machine, so never part of what `compile` writes. New reference. */
json_t *ts_assist_measured_json(const ts_host_time *time);

bool ts_assist_is(const ts_design *design); /* whether a design has a host's parts */

/* Of a design that has: its host's parts, from its manifest and its copy of the model, and the bus between. */
bool ts_assist_host(ts_arena *arena, const ts_design *design, const ts_graph *g, ts_host *host, ts_err *err);
ts_host_bus ts_assist_bus(const ts_design *design);

#endif
