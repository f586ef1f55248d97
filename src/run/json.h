/* JSON of a package's manifest, read without a library: values in a tree that is freed as one. */
#ifndef TS_RUN_JSON_H
#define TS_RUN_JSON_H
#include "run/fail.h"

typedef enum { TS_RUN_NULL, TS_RUN_FALSE, TS_RUN_TRUE, TS_RUN_NUMBER, TS_RUN_TEXT, TS_RUN_LIST, TS_RUN_OBJECT } ts_run_json_kind;

typedef struct ts_run_json {
    ts_run_json_kind kind;
    const char *name; /* of a member of an object */
    double number;
    const char *text;
    int count;                  /* members of a list or an object */
    struct ts_run_json *first;  /* of them */
    struct ts_run_json *next;   /* beside this one */
    struct ts_run_json *parent; /* for the reader */
} ts_run_json;

/* The values of the text, an object; path: for messages. They keep a copy of it. NULL with a message PATH:LINE. */
ts_run_json *ts_run_json_parse(const char *path, const char *text, size_t size, tessera_error *error);
void ts_run_json_free(ts_run_json *root);

/* A file of at most 64 MB. */
ts_run_json *ts_run_json_load(const char *path, tessera_error *error);

/* NULL where there is none; of NULL, too. */
const ts_run_json *ts_run_json_get(const ts_run_json *object, const char *name);
const char *ts_run_json_text(const ts_run_json *object, const char *name);
bool ts_run_json_true(const ts_run_json *object, const char *name);

/* A whole number of [least, most]; false where the member is none. */
bool ts_run_json_int(const ts_run_json *object, const char *name, long long least, long long most, long long *value);

#endif
