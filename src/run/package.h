/* What the library knows of a package: the member "run" of its manifest.json, as src/board/run_json.c writes it. */
#ifndef TS_RUN_PACKAGE_H
#define TS_RUN_PACKAGE_H
#include "run/json.h"

enum { TS_RUN_VERSION = 1, TS_RUN_DEVICES = 16, TS_RUN_LOADERS = 8 };

/* An image of external memory, which a page loader reads. */
typedef struct ts_run_image {
    const char *file; /* below the whole package */
    long long bytes, alignment;
} ts_run_image;

/* What numbers mean; files of weights bring others. Events keep those that they came with: all are kept until the package is closed. */
typedef struct ts_run_numbers {
    double *in, *out;   /* real value of one unit: [values] of hits and of rows of results */
    double *mean, *std; /* [features] of detector columns */
    struct ts_run_numbers *before;
} ts_run_numbers;

/* A device of the design, first device first. */
typedef struct ts_run_part {
    const char *device;    /* "zcu102" */
    const char *top;       /* module */
    const char *directory; /* of its package, below that of the whole; "." */
    uint64_t build;
    bool loads;
    int rings, loaders;
    ts_run_image image[TS_RUN_LOADERS]; /* [loaders] */
} ts_run_part;

/* A stream of integers: `transfers` transfers of `lanes` values for each hit or row, each in a slot of bytes (rtl/ts_axis_in.v). */
typedef struct ts_run_stream {
    int values;      /* of a hit or a row that count */
    int lanes, bits; /* values of a transfer, bits of one */
    int bus_bits;    /* of the stream */
    int transfers;   /* of a hit or a row */
    size_t slot;     /* bytes of a transfer on the bus */
    int value_bits;  /* that count, of what goes in */
} ts_run_stream;

typedef struct ts_run_package {
    const char *dir;
    ts_run_json *json;
    const char *model;
    int devices;
    ts_run_part part[TS_RUN_DEVICES];
    int max_tokens;
    ts_run_stream in, out;
    bool pooled, argmax; /* of the hardware's results */
    bool status_word;    /* behind each event's results: rtl/ts_axis_out.v */
    /* Of the model, as a caller sees it: */
    bool assisted, rows_pooled;
    int features, outputs;
    int64_t sample, tokens;        /* of a fixed shape: values; tokens of every event */
    const char **column, **output; /* [features], [outputs], or NULL */
    ts_run_numbers *numbers;       /* of now */
} ts_run_package;

/* False with a message that names file and member; then nothing is left to close. */
bool ts_run_package_open(const char *dir, ts_run_package *package, tessera_error *error);
void ts_run_package_close(ts_run_package *package);

/* Numbers of a file of weights, in place of those of now: scales of hits and of the model's outputs, lists; the inputs file that belongs to
   them, with the package's columns, or NULL: the package's. path: for messages. */
bool ts_run_package_renumber(ts_run_package *package, const ts_run_json *hits, const ts_run_json *results, const ts_run_json *inputs,
                             const char *path, tessera_error *error);

/* Rows of results that an event of so many hits has, as the hardware gives them and as the caller gets them. */
int64_t ts_run_word_rows(const ts_run_package *package, int64_t tokens);

#endif
