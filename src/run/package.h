/* What the library knows of a package: the member "run" of its manifest.json, as src/board/run_json.c writes it. */
#ifndef TS_RUN_PACKAGE_H
#define TS_RUN_PACKAGE_H
#include "run/json.h"

enum { TS_RUN_VERSION = 1, TS_RUN_DEVICES = 16 };

/* A device of the design, first device first. */
typedef struct ts_run_part {
    const char *device;    /* "zcu102" */
    const char *top;       /* module */
    const char *directory; /* of its package, below that of the whole; "." */
    uint64_t build;
    bool paged, loads;
    const char *image; /* of external memory: a file below the whole package; NULL: none */
    long long image_bytes, alignment;
} ts_run_part;

/* A stream of integers: `transfers` transfers of `lanes` values for each hit or row, each in a slot of bytes (rtl/ts_axis_in.v). */
typedef struct ts_run_stream {
    int values;      /* of a hit or a row that count */
    int lanes, bits; /* values of a transfer, bits of one */
    int transfers;   /* of a hit or a row */
    size_t slot;     /* bytes of a transfer on the bus */
    int value_bits;  /* that count, of what goes in */
    double *scale;   /* [values]: real value of one unit */
} ts_run_stream;

typedef struct ts_run_package {
    const char *dir;
    ts_run_json *json;
    const char *model;
    int devices;
    ts_run_part part[TS_RUN_DEVICES];
    int bus_bits, max_tokens;
    ts_run_stream in, out;
    bool pooled, argmax; /* of the hardware's results */
    bool status_word;    /* behind each event's results: rtl/ts_axis_out.v */
    /* Of the model, as a caller sees it: */
    bool assisted, rows_pooled;
    int features, outputs;
    int64_t sample, tokens;        /* of a fixed shape: values; tokens of every event */
    const char **column, **output; /* [features], [outputs], or NULL */
    double *mean, *std;            /* [features] */
} ts_run_package;

/* False with a message that names file and member; then nothing is left to close. */
bool ts_run_package_open(const char *dir, ts_run_package *package, tessera_error *error);
void ts_run_package_close(ts_run_package *package);

/* Rows of results that an event of so many hits has, as the hardware gives them and as the caller gets them. */
int64_t ts_run_word_rows(const ts_run_package *package, int64_t tokens);

#endif
