/* Assisted designs: which slice of a model is the hardware's, what the host does, and how both are written down. */
#ifndef TS_ASSIST_H
#define TS_ASSIST_H
#include <jansson.h>

#include "emit/emit.h"
#include "host/host.h"
#include "pass/recognise.h"
#include "quant/slice.h"

/* A slice of a recognised encoder in hardware. */
typedef struct ts_assist {
    ts_host host;
    ts_host calibrate;         /* the same up to the beginning of the slice's first layer: what the encoder's float model reads */
    const ts_encoder *encoder; /* the slice's layers, whole */
    ts_slice slice;            /* of `encoder` */
    const char *hardware;      /* "layers.2-4" */
    const char *front, *back;  /* operators of the host's parts, or "" */
    int64_t tokens;            /* of every event, where the model fixes them; otherwise 0 */
} ts_assist;

/* hardware: FIRST[-LAST], each "embed", "head", "layers.N", "layers.N.attention" or "layers.N.ffn" (the LAST also without "layers."), counted
   from 0; NULL: all layers, with embedding and head where the recognised part has them. */
bool ts_assist_choose(ts_arena *arena, const ts_graph *g, const ts_recognition *found, const char *hardware, ts_assist *assist, ts_err *err);

/* Member "host" of the manifest and the report. New reference. */
json_t *ts_assist_json(const ts_assist *assist);

/* The host's parts of a compiled design, from its manifest and its copy of the model. */
bool ts_assist_host(ts_arena *arena, const ts_design *design, const ts_graph *g, ts_host *host, ts_err *err);
bool ts_assist_is(const ts_design *design); /* whether a design has such parts */

/* A line or two for people. */
void ts_assist_print(FILE *out, const ts_assist *assist);

#endif
