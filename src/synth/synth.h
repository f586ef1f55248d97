/* Synthesises an emitted design with Yosys, hierarchy kept (each module is mapped once), and counts what came out. */
#ifndef TS_SYNTH_H
#define TS_SYNTH_H
#include "design/design.h"
#include "ring/device.h"

typedef struct ts_synth_path {
    int found, limit;
    char module[96]; /* where the longest path ends */
} ts_synth_path;

typedef struct ts_synth_result {
    char tool[64];              /* "Yosys 0.23 ..." */
    ts_resources found;         /* of the whole design: module counts times instances; the counting rule is in docs/devices.md */
    long long latches;          /* 0 in a design of ours */
    long long soft_multipliers; /* $mul cells that are wider than a sign bit and did not become a DSP */
    ts_synth_path adders;       /* adder levels between registers; the plan promises `reg` */
    ts_synth_path depth;        /* levels of two-way multiplexers between registers, an adder counted as two (src/synth/paths.h) */
    double seconds;
} ts_synth_result;

typedef struct ts_synth_options {
    void (*progress)(void *user, const char *step); /* may be NULL */
    void *progress_user;
} ts_synth_options;

/* False with a message where Yosys is missing or fails (with the end of its log) or the device has no family that it maps to.
   What was found wrong (latches, soft multipliers, long paths) is in the result, not an error. Works in DIR/synth. */
bool ts_synth(ts_arena *arena, const ts_design *design, const ts_device *device, const ts_synth_options *opt, ts_synth_result *result,
              ts_err *err);

#endif
