/* Writes a partitioned design: a directory for each part, complete in itself (emit/emit.h), and around them what belongs to the whole:

       manifest.json        mode, parts, the ways between them
       model.tsm            the whole integer model
       part0/, part1/ ...   the designs of the parts
       rtl/<model>_system.v all parts connected, for simulation and, where they share a device, for synthesis
       mem/, tb/            test bench and harness of the whole chain, as those of a single ring; run from the directory itself */
#ifndef TS_SYSTEM_H
#define TS_SYSTEM_H
#include "emit/emit.h"
#include "plan/partition.h"

typedef struct ts_system_options {
    const ts_imodel *im;           /* the whole model */
    const ts_partition *partition; /* of two parts at least */
    const ts_device *const *device;
    /* Hits for the test benches, as in ts_emit_options. */
    int events;
    const int *n;
    const int32_t *const *x;
    json_t *extra; /* as there */
} ts_system_options;

bool ts_emit_system(const ts_system_options *opt, const char *dir, ts_err *err);

/* The same into a directory that is ours and not yet in its place. */
bool ts_emit_system_into(const ts_system_options *opt, const char *dir, ts_err *err);

/* Name of the system's module. */
const char *ts_system_name(ts_arena *arena, const ts_imodel *im);

#endif
