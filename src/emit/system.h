/* A design as a value, one level above a ring: rings in a chain, what is between them (the two ends of a link, or wires on one device), the
   streams that they pass, and which of them have a port to external memory. A ring alone is a system of one. The top level's Verilog, test
   benches, simulation wrappers and manifests are made from it; a partition of the planner becomes one, and so does a directory that is
   read back. */
#ifndef TS_SYSTEM_H
#define TS_SYSTEM_H
#include "plan/partition.h"
#include "ring/ports.h"
#include "ring/ring.h"

typedef struct ts_system_ring {
    const ts_imodel *im;
    const ts_plan *plan;
    const char *device; /* name */
    int device_number;  /* in the list that was planned for */
    ts_slice slice;     /* of the whole model */
    ts_hop before;      /* the way from the ring before it: zeros on one device */
    const char *dir;    /* of a design that was read back: its directory */
    /* Set by ts_system_make. */
    const char *top;    /* module */
    const char *inside; /* where its files are in the design's directory: "", or "part1/" of several */
    const ts_ring *built;
    ts_page_order pages; /* stages > 0: it has a port to external memory */
} ts_system_ring;

typedef enum { TS_SYSTEM_RING, TS_SYSTEM_LINK, TS_SYSTEM_WIRES } ts_system_kind;

/* Takes one stream and gives another. */
typedef struct ts_system_node {
    ts_system_kind kind;
    int ring;         /* the ring that it is, or that is in front of it */
    int from, to;     /* streams */
    int takes, gives; /* bits of a transfer's data */
} ts_system_node;

typedef struct ts_system_stream {
    const char *name; /* of its signals */
    int width;        /* bits of a transfer's data */
} ts_system_stream;

typedef struct ts_system {
    const ts_imodel *im; /* the whole model */
    ts_mode mode;
    int rings;
    ts_system_ring *ring; /* [rings] */
    ts_link link;         /* between devices; zeros where there is one */
    /* Set by ts_system_make. */
    const char *top; /* module */
    ts_ports ports;  /* hits as the first ring takes them, results as the last one gives them */
    int nodes, streams;
    ts_system_node *node;     /* [nodes], in the order of the chain */
    ts_system_stream *stream; /* [streams]: the first comes from outside, the last goes there */
} ts_system;

/* Makes the rest of what the members above say, and verifies it; false with a message where a plan is not legal or the rings are no chain.
 */
bool ts_system_make(ts_arena *arena, ts_system *system, ts_err *err);

/* Where part i of several is in the design's directory; no other is looked into. */
const char *ts_part_directory(ts_arena *arena, int i);

/* One ring. */
bool ts_system_of_ring(ts_arena *arena, const ts_imodel *im, const ts_plan *plan, ts_system *system, ts_err *err);

/* What the planner found for the devices of the list. */
bool ts_system_of_partition(ts_arena *arena, const ts_imodel *im, const ts_partition *partition, const ts_device *const *device,
                            ts_system *system, ts_err *err);

/* Every stream, and every one of a ring, has one writer and one reader, who agree about its width; neighbours take events of the same
   lengths; ends are the model's. */
bool ts_system_verify(const ts_system *system, ts_err *err);

/* A line a node. */
void ts_system_dump(FILE *f, const ts_system *system);

/* Its rings for predictions, [rings]. */
const ts_chain_ring *ts_system_chain(ts_arena *arena, const ts_system *system);

/* What part i needs on the device, with the ends of links beside its ring. */
ts_cost ts_system_cost(const ts_system *system, int i, const ts_device *device);

/* Some ring has a port to external memory: benches of a design then stand around tb/ts_sim_top.v. */
bool ts_system_is_paged(const ts_system *system);

/* Some ring checks its words' parity. */
bool ts_system_has_parity(const ts_system *system);

/* The module that connects several rings. */
const char *ts_system_text(ts_arena *arena, const ts_system *system);

#endif
