/* Where events come from, as the library's caller has it. */
#ifndef TS_API_SOURCE_H
#define TS_API_SOURCE_H
#include <tessera/tessera.h>

#include "flow/feed.h"

typedef struct ts_taken_source {
    ts_event_source own;
    ts_event_arrays arrays; /* own.arrays points here, so that this must not move */
} ts_taken_source;

/* False with a message where it is NULL or has no size; what it names is checked by ts_check_source. */
bool ts_take_source(const tessera_source *given, const ts_notices *notices, ts_taken_source *taken, ts_err *err);

/* The same of arrays: counts and pointers, but not the values, which only matter where they are said to. */
bool ts_take_arrays(const tessera_arrays *given, bool values, ts_event_arrays *taken, ts_err *err);

#endif
