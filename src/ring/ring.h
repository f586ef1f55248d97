/* A ring as a value: its nodes, which are instances of modules of rtl/, and the streams between them. Built once from an integer model and
   a plan; Verilog, cost, cycles, memories and test bench are made of it. docs/hardware.md draws it. */
#ifndef TS_RING_H
#define TS_RING_H
#include "ring/cost.h"
#include "ring/ports.h"

typedef enum {
#define MODULE(id, row) TS_MODULE_##id,
#include "ring/modules.def"
#undef MODULE
    TS_MODULE_COUNT
} ts_module_id;

/* The ways that tokens take, each from the node where it begins along the streams to where the next one does. New tokens pass ENTRY, [FFN
   where the ring starts there,] [LAYER but for fused qkv0,] INTO; those of attention CONTEXT, [FFN,] LAYER, INTO, or in the last layer
   CONTEXT, [FFN,] OUT. Without attention ENTRY, INTO (a store of whole events); FFN, OUT. */
typedef enum {
    TS_SEGMENT_ENTRY,
    TS_SEGMENT_LAYER,   /* from a layer's input to its q, k, v */
    TS_SEGMENT_INTO,    /* into attention */
    TS_SEGMENT_CONTEXT, /* from contexts to the attention block's output */
    TS_SEGMENT_FFN,
    TS_SEGMENT_OUT,
    TS_SEGMENT_POOLED, /* from an event's last token through the pool to its one result */
    TS_SEGMENTS
} ts_segment_id;

enum { TS_RING_NODES = 48, TS_RING_STREAMS = 48, TS_RING_TAPS = 32, TS_NODE_STREAMS = 2, TS_NO_STREAM = -1 };

typedef struct ts_ring_node {
    ts_module_id module;
    const char *name;    /* of the instance, behind "u_", and of its memories: "ffn1" */
    const char *stage;   /* what reports call it; several nodes may share one: "fork and merges" */
    const char *heading; /* comment lines in front of it in the Verilog, "": none */
    int id;              /* ts_lin_id, ts_rqv_id, ts_nrm_id: its widths and folds; other modules: see their rows */
    int width, depth;    /* of what only passes streams: bits without the tag; tokens that it holds */
    bool half;           /* its slices of whole tokens take one every other cycle */
    int segment;         /* ts_segment_id that begins here, or TS_SEGMENTS */
    int in[TS_NODE_STREAMS], out[TS_NODE_STREAMS]; /* streams; TS_NO_STREAM. A fork's first output is the copy that waits, a route's the one
                                                      that stays in the ring. */
} ts_ring_node;

typedef struct ts_ring_stream {
    const char *name; /* <name>_valid, <name>_ready, <name>_data, with a tag <name>_tag */
    int width;        /* bits of the data */
    bool tagged;
    int from, to; /* nodes */
    int declared; /* by which node's text: the writer's, or an earlier one that reads it */
} ts_ring_stream;

/* A stream between two stages, or a part of its values, that the emulator taps as (role, part): for traces. */
typedef struct ts_stream {
    const char *wire;  /* its name */
    const char *label; /* what a person calls it: "layer's queries" */
    int first, count;  /* its values: elements first ... first + count - 1 of the data */
    int width;         /* bits of an element */
    bool is_signed;
    ts_role role;
    int part; /* as in ts_tap */
} ts_stream;

typedef struct ts_ring {
    const ts_imodel *im;
    const ts_plan *plan;
    const ts_ring_widths *w;
    ts_ring_ways ways;
    int nodes, streams, taps;
    ts_ring_node node[TS_RING_NODES]; /* in the order of the text, which is about that of the stream */
    ts_ring_stream stream[TS_RING_STREAMS];
    ts_stream tap[TS_RING_TAPS];
    int begin[TS_SEGMENTS]; /* the segments' first nodes, -1: the ring has none */
} ts_ring;

/* *ring points to the model, the plan and the widths (ts_ring_widths_of(im)), which must stay. A legal plan (ts_plan_check). Folds and
   styles may change afterwards: costs, times and text follow; what changes numbers of nodes (argmax, paging) or depths may not. */
void ts_ring_build(const ts_imodel *im, const ts_plan *plan, const ts_ring_widths *w, ts_ring *ring);

/* Whether every stream has one writer and one reader that agree on its width and tag, every node all its streams, and every loop of streams
   a register against its direction; *err names what does not. Of every ring that was built. */
bool ts_ring_verify(const ts_ring *ring, ts_err *err);

/* A line a node: instance, module, streams, cost on the device, time, memories. */
const char *ts_ring_text(ts_arena *arena, const ts_ring *ring, const ts_device *device);

#endif
