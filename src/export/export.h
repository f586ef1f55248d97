/* An integer model as C: NAME.c and NAME.h, which need nothing else and compute what the hardware computes, bit for bit; beside them, on
   demand, a class as the emulators of trigger software are. docs/exported-c.md. */
#ifndef TS_EXPORT_H
#define TS_EXPORT_H
#include "data/inputs.h"
#include "quant/imodel.h"

/* What is exported, and what its documentation says. */
typedef struct ts_export_model {
    const ts_imodel *im;
    int max_hits;            /* more are refused, as the hardware does */
    bool argmax;             /* the hardware gives a class and its value */
    const ts_inputs *inputs; /* of real values; NULL where the host has a part of the model: they are tokens then, as they are */
    const char *host;        /* "layers.2-4": which slice this is of a model whose host has a part to do; NULL: all of it */
    uint64_t design;         /* hash of its manifest, as a package's registers have it */
} ts_export_model;

typedef struct ts_export_options {
    const char *name; /* of files, functions and types: an identifier; NULL: made of the model's name */
    bool cms;         /* NAME_emulator.cpp too */
} ts_export_options;

typedef struct ts_exported {
    const char *name;
    int files;
    const char *file[3];
    size_t size[3];
    int64_t workspace; /* bytes that a caller gives to a run */
    uint64_t build;
} ts_exported;

/* Writes into the directory `out`, which is made where it is not there. A file of these names that tessera has not exported is refused, and
   nothing is written. */
bool ts_export(ts_arena *arena, const ts_export_model *model, const ts_export_options *options, const char *out, ts_exported *made,
               ts_err *err);

#endif
