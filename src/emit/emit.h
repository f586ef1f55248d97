/* Writes a ring as a self-contained directory:

       manifest.json        ports, folds, memories, files: what a host, a simulator or a vendor project needs to know
       model.tsm            the integer model
       rtl/                 <model>_top.v and every module it uses
       mem/                 images of the page memories; pages.bin of external memory; hits.hex, expect.hex, load.hex of the test bench
       tb/tb.v, ring.vh     self-checking test bench for any Verilog simulator, run from the directory itself:
                              iverilog -g2005 -y rtl -y tb -I tb -o tb.vvp tb/tb.v && vvp -n tb.vvp
       tb/sim.cpp, ring.h   harness for Verilator (ts_simulate builds it)

   The same model and plan give the same bytes. */
#ifndef TS_EMIT_H
#define TS_EMIT_H
#include <jansson.h>
#include <sys/types.h>

#include "design/design_files.h"
#include "emit/top.h"
#include "plan/chain.h"
#include "ring/plan.h"

typedef struct ts_emit_options {
    const ts_imodel *im;
    const ts_plan *plan;
    /* Hits for the test bench: the beginnings of the first few events; with none, random ones. [events], [n][features]. */
    int events;
    const int *n;
    const int32_t *const *x;
    json_t *extra; /* further members of the manifest (inputs, formats, ...), or NULL; not changed */
} ts_emit_options;

/* False with a message where the plan is not legal, the directory is somebody else's, or writing fails; nothing is left behind. */
bool ts_emit(const ts_emit_options *opt, const char *dir, ts_err *err);

/* The same into a directory that is ours and not yet in its place (design/outdir.h). The manifest comes last and lists every file that is
 * there. */
bool ts_emit_into(const ts_emit_options *opt, const char *dir, ts_err *err);

enum { TS_MANIFEST_VERSION = 2 };

/* Adds the list of files to the manifest and writes it; takes the reference. */
bool ts_manifest_write(ts_arena *arena, const char *dir, json_t *manifest, ts_err *err);

/* A ring of a design. */
typedef struct ts_design_part {
    const char *dir, *device;
    const ts_imodel *im;
    const ts_plan *plan;
    ts_hop before; /* the way from the part before it */
} ts_design_part;

/* What ts_emit or ts_emit_system wrote, read back. */
typedef struct ts_design {
    const char *dir;
    json_t *manifest;
    const ts_imodel *im; /* the whole model */
    ts_mode mode;
    const char *top;      /* module */
    ts_plan plan;         /* of the only ring; in a partitioned design of the last one, whose results are the design's */
    int parts;            /* 1: one ring */
    ts_design_part *part; /* [parts] */
    dev_t device;         /* of its manifest, and */
    ino_t inode;          /* which file that is */
} ts_design;

/* A file of the design that is missing, or has another size than it was written with, is an error that names it. */
bool ts_design_load(ts_arena *arena, const char *dir, ts_design *design, ts_err *err);

/* Whether its directory still holds this design, and not one that was compiled there since. */
bool ts_design_is_there(const ts_design *design);

/* Some ring of it has pages in external memory: its benches stand around tb/ts_sim_top.v. */
bool ts_design_is_paged(const ts_design *design);

/* Of the whole design: hits as the first part takes them, results as the last one gives them. */
ts_ports ts_design_ports(const ts_design *design);

/* The rings of its parts, [parts]. */
const ts_chain_ring *ts_design_rings(ts_arena *arena, const ts_design *design);

/* For n hits, whatever the mode. */
ts_chain_prediction ts_design_predict(ts_arena *arena, const ts_design *design, int n);
void ts_design_free(ts_design *design); /* the manifest; the rest is the arena's */

/* Cycles without a transfer at either port after which the engine counts as stuck: several times the slowest layer. */
long long ts_watchdog_cycles(const ts_imodel *im, const ts_plan *plan);

#endif
