/* A compiled design: a self-contained directory, written and read back.

       manifest.json        ports, folds, memories, files: what a host, a simulator or a vendor project needs to know
       model.tsm            the integer model
       rtl/                 <model>_top.v and every module it uses
       mem/                 images of the page memories; pages.bin of external memory; hits.hex, expect.hex, load.hex of the test bench
       tb/tb.v, ring.vh     self-checking test bench for any Verilog simulator, run from the directory itself:
                              iverilog -g2005 -y rtl -y tb -I tb -o tb.vvp tb/tb.v && vvp -n tb.vvp
       tb/sim.cpp, ring.h   harness for Verilator (ts_simulate builds it)

   Of several rings each is such a directory (part0/, part1/ ...), complete in itself, and around them is what belongs to the whole:
   rtl/<model>_system.v connects them, for simulation and, where they share a device, for synthesis; manifest.json lists the parts and the
   ways between them; mem/, tb/ are of the whole chain.

   The same system and events give the same bytes. */
#ifndef TS_DESIGN_H
#define TS_DESIGN_H
#include <jansson.h>
#include <sys/types.h>

#include "design/files.h"
#include "emit/bench.h"
#include "emit/system.h"

/* ---- Written */

typedef struct ts_design_options {
    const ts_system *system;        /* whole: ts_system_make */
    const ts_device *const *device; /* the list that it was planned for: those that the program does not know go with it; or NULL */
    ts_bench_events events;         /* for the test benches */
    json_t *extra;                  /* further members of the manifest (inputs, formats, ...), or NULL; not changed */
} ts_design_options;

/* False with a message where the directory is somebody else's, or writing fails; nothing is left behind. */
bool ts_design_write(const ts_design_options *opt, const char *dir, ts_err *err);

/* The same into a directory that is ours and not yet in its place (design/outdir.h). The manifest comes last and lists every file that is
   there. */
bool ts_design_write_into(const ts_design_options *opt, const char *dir, ts_err *err);

/* ---- Read back */

typedef struct ts_design {
    const char *dir;
    json_t *manifest;
    ts_system system;
    const ts_imodel *im; /* the whole model */
    ts_mode mode;
    const char *top;            /* module */
    ts_plan plan;               /* of the only ring; in a partitioned design of the last one, whose results are the design's */
    int parts;                  /* 1: one ring */
    const ts_system_ring *part; /* [parts], those of the system */
    dev_t device;               /* of its manifest, and */
    ino_t inode;                /* which file that is */
} ts_design;

/* A file of the design that is missing, or has another size than it was written with, is an error that names it. */
bool ts_design_load(ts_arena *arena, const char *dir, ts_design *design, ts_err *err);

/* Whether its directory still holds this design, and not one that was compiled there since. */
bool ts_design_is_there(const ts_design *design);

/* For n hits, whatever the mode. */
ts_chain_prediction ts_design_predict(ts_arena *arena, const ts_design *design, int n);

/* A device of a design, or of a part, in `dir`: the one that was written with it, or a built-in one. */
const ts_device *ts_design_device(ts_arena *arena, const char *dir, const char *name, ts_err *err);

/* The plan verifier on a design as it was read back, with what its manifest and its report claim. */
bool ts_design_verify(ts_arena *arena, const ts_design *design, ts_err *err);

void ts_design_free(ts_design *design); /* the manifest; the rest is the arena's */

#endif
