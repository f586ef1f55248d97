/* Events with more hits than the design takes: counted while they come, told together at the end. */
#ifndef TS_REFUSED_H
#define TS_REFUSED_H
#include <stdint.h>

#include "base/err.h"
#include "flow/notices.h"

enum { TS_REFUSED_NAMED = 5 };
typedef struct ts_refused {
    long long count;
    int least, most;              /* hits that they have */
    int64_t id[TS_REFUSED_NAMED]; /* of the first ones */
} ts_refused;

void ts_refuse(ts_refused *refused, int64_t id, int hits);

/* One warning; false with a message where all of `events` were refused. most: hits that the design takes. */
bool ts_refused_tell(const ts_refused *refused, const ts_notices *notices, long long events, int most, ts_err *err);

#endif
