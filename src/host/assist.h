/* Assistance: which slice of a model is the hardware's and which parts of its graph are the host's. */
#ifndef TS_ASSIST_H
#define TS_ASSIST_H
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
    const char *why;           /* the host has a part to do */
    const char *warning;       /* where that part is attention, or most of the arithmetic; NULL: it is small */
    int64_t tokens;            /* of every event, where the model fixes them; otherwise 0 */
} ts_assist;

/* hardware: FIRST[-LAST], each "embed", "head", "layers.N", "layers.N.attention" or "layers.N.ffn" (the LAST also without "layers."),
   counted from 0; NULL: all layers, with embedding and head where the recognised part has them. */
bool ts_assist_choose(ts_arena *arena, const ts_graph *g, const ts_recognition *found, const char *hardware, ts_assist *assist,
                      ts_err *err);

/* Events of the model as the slice's float model reads them and as its hardware does. Both are the same where the slice begins with a
 * layer. */
typedef struct ts_assist_events {
    const ts_events *floating, *tokens;
} ts_assist_events;
bool ts_assist_tokens(ts_arena *arena, const ts_assist *assist, const ts_events *events, ts_assist_events *made, ts_err *err);

#endif
