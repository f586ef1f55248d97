/* A model that is ready to compute events: the float model as its file writes it, the integer model, or the simulated hardware. What the
   host computes of an assisted design belongs to it. Once opened it does not change: any number of threads may use one. */
#ifndef TS_ENGINE_H
#define TS_ENGINE_H
#include "emu/emu.h"
#include "flow/refused.h"
#include "flow/session.h"
#include "flow/weights.h"

typedef enum { TS_ENGINE_FLOAT, TS_ENGINE_INTEGER, TS_ENGINE_RTL } ts_engine_kind;
const char *ts_engine_name(ts_engine_kind kind); /* "float" ... */

typedef struct ts_engine {
    ts_engine_kind kind;
    bool compiled;             /* a directory: `c` is loaded */
    ts_compiled c;             /* otherwise a model file */
    ts_float_model floating;   /* of the float engine, or where it was asked for */
    const ts_host *host;       /* NULL: all of the model is hardware */
    const ts_inputs *inputs;   /* of the whole model */
    const ts_emu *emu;         /* of the integer engine */
    const ts_weights *weights; /* that came later: c.design.im is theirs; NULL: the design's own */
    int outputs;               /* values of a result */
    bool pooled;               /* a result an event instead of one a hit */
} ts_engine;

/* path: a directory that was compiled, or, of the float engine, a model's file. source: says which inputs file counts, if not the
   directory's own. weights: a file of weights for the directory, or NULL. beside: the float model is needed beside another engine. Closed
   by ts_engine_close, also after errors. */
bool ts_engine_open(ts_arena *arena, ts_engine_kind kind, const char *path, const char *weights, const ts_event_source *source, bool beside,
                    ts_engine *engine, ts_err *err);
void ts_engine_close(ts_engine *engine);

/* Hits that are in memory at one time: so many that all processors are busy, as far as their values allow. */
int ts_engine_batch_hits(const ts_engine *engine);

/* Where a mask computed from the data fires on real hits: the hardware, which does without it, computes something else there. */
enum { TS_FIRED_EVENTS = 5, TS_FIRED_HITS = 5 }; /* spelled out; the rest is counted */
typedef struct ts_fired {
    int events;
    long long hits;
    char line[TS_FIRED_EVENTS][200];
} ts_fired;

/* Where results go, and what is counted meanwhile. */
typedef struct ts_engine_out {
    void *user;
    /* y [n (1 if pooled)][outputs]; of the model's event, masked hits not counted. In the order of the events. */
    void (*put)(void *user, const ts_event *event, const double *y);
    ts_refused refused; /* these are not put */
    ts_fired fired;     /* of the float engine */
    ts_host_time time;  /* of the host's parts */
} ts_engine_out;

/* Events of the model through the float engine. A result that is no number is an error: nothing behind it could tell it from a good one.
   done, where not NULL, is called in front of each event. */
bool ts_engine_float(const ts_engine *engine, const ts_events *events, ts_engine_out *out, void (*done)(void *user, int events), void *user,
                     ts_err *err);

/* Events through the integer model, on all processors; longer ones than the design takes are refused. */
bool ts_engine_integer(const ts_engine *engine, ts_arena *arena, const ts_events *events, ts_engine_out *out, ts_err *err);

/* Events of the model as the hardware takes them: the same, unless the host makes its tokens. */
const ts_events *ts_engine_tokens(const ts_engine *engine, ts_arena *arena, const ts_events *events, ts_engine_out *out, ts_err *err);

/* What the hardware, or its model, made of an event; the host computes the rest. made: [rows of the hardware][outputs of it]. */
bool ts_engine_finish(const ts_engine *engine, const ts_events *events, int event, const double *made, ts_engine_out *out, ts_err *err);

/* Warns where masks fired; taken: events in all. */
void ts_engine_warn_fired(const ts_engine *engine, const ts_fired *fired, long long taken, const ts_notices *notices);

#endif
