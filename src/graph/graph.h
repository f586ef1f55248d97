/* The graph IR: what an ONNX file computes, operator by operator, checked, with functions inlined.
   A step takes a const graph and makes a new one in its own arena. Node order is a topological order. */
#ifndef TS_GRAPH_H
#define TS_GRAPH_H
#include <stdio.h>

#include "graph/tensor.h"

/* A size or an integer that may depend on the number of hits n of the event: c[0] + c[1]*n + c[2]*n*n. The batch is bound to
   1, so n is the only unknown there is. */
typedef struct ts_dim {
    int64_t c[3];
} ts_dim;

static inline ts_dim ts_dim_of(int64_t value)
{
    return (ts_dim){{value, 0, 0}};
}
static inline bool ts_dim_is_const(ts_dim a)
{
    return a.c[1] == 0 && a.c[2] == 0;
}
static inline bool ts_dim_is(ts_dim a, int64_t value)
{
    return ts_dim_is_const(a) && a.c[0] == value;
}
static inline bool ts_dim_is_hits(ts_dim a)
{
    return a.c[0] == 0 && a.c[1] == 1 && a.c[2] == 0;
}
static inline bool ts_dim_equal(ts_dim a, ts_dim b)
{
    return a.c[0] == b.c[0] && a.c[1] == b.c[1] && a.c[2] == b.c[2];
}
static inline int64_t ts_dim_at(ts_dim a, int64_t hits)
{
    return a.c[0] + hits * (a.c[1] + hits * a.c[2]);
}
void ts_dim_print(FILE *out, ts_dim a); /* "32", "n", "4*n", "n*n+1" */

typedef struct ts_shape {
    int rank;
    ts_dim dim[TS_MAX_RANK];
} ts_shape;

typedef struct ts_node ts_node;
typedef struct ts_value ts_value;

typedef struct ts_use {
    const ts_node *node;
    int slot; /* node->in[slot] is the value */
} ts_use;

/* A constant that the file gives as integers and scales (DequantizeLinear): each element is a whole multiple of its step. */
typedef struct ts_grid {
    const ts_tensor *step; /* as many elements as the constant, in its shape; NULL: something else than moving elements was done
                              with it since */
    const char *node;      /* that made it from integers */
} ts_grid;

struct ts_value {
    int id;           /* index in ts_graph.value */
    const char *name; /* unique in the graph, never "" */
    ts_dtype dtype;   /* TS_NONE before inference where the file does not say */
    bool has_shape;   /* after inference: on every value */
    ts_shape shape;
    const ts_tensor *constant; /* data of initialisers, Constant nodes and whatever folding computed; else NULL */
    const ts_grid *grid;       /* of a constant that was integers in the file; else NULL */
    const ts_dim *known;       /* after inference, integer values of few elements that only depend on n (Shape -> Gather -> ...
                                  chains): their elements in terms of n, [number of elements]; else NULL */
    const ts_node *producer;   /* NULL for inputs and constants */
    int output;                /* producer->out[output] is this value */
    int uses;
    const ts_use *use;        /* [uses], in node order */
    bool is_input, is_output; /* of the graph */
    const char *const *axis;  /* of an input as it was imported, [rank]: names of the axes whose size the file leaves free, perhaps "",
                                 NULL for those of a fixed size; NULL for other values */
};

typedef enum { TS_ATTR_INT, TS_ATTR_FLOAT, TS_ATTR_STRING, TS_ATTR_TENSOR, TS_ATTR_INTS, TS_ATTR_FLOATS, TS_ATTR_STRINGS } ts_attr_type;
typedef struct ts_attr {
    const char *name;
    ts_attr_type type;
    int count; /* of a list; 1 otherwise */
    const int64_t *i;
    const float *f;
    const char *const *s; /* NUL-terminated */
    const ts_tensor *t;
} ts_attr;

struct ts_op; /* op/op.h: the row of the operator's table, with its kind and hooks */

struct ts_node {
    int id;             /* index in ts_graph.node */
    const char *name;   /* never "": "Type_id" where the file gives none; nodes of an inlined function: "call/name" */
    const char *domain; /* "" for ONNX's own */
    const char *type;   /* "MatMul" */
    int opset;          /* the version of `domain` that this node follows */
    const struct ts_op *op;
    int ins, outs;
    ts_value **in;  /* [ins], NULL where an optional input is absent */
    ts_value **out; /* [outs], never NULL: an output that the file leaves out, or that folding made constant, is a value without uses */
    int attrs;
    const ts_attr *attr;
};

typedef struct ts_graph {
    const char *name;      /* of the file, without directory and extension */
    const char *directory; /* of the file */
    int64_t elements;      /* of all tensors that the file holds: what folding may make is measured by it */
    int values, nodes, inputs, outputs;
    ts_value **value;
    ts_node **node;
    ts_value **input, **output;
} ts_graph;

/* Lookups. Absent attributes give the default. */
const ts_attr *ts_attr_find(const ts_node *node, const char *name);
int64_t ts_attr_int(const ts_node *node, const char *name, int64_t otherwise);
double ts_attr_float(const ts_node *node, const char *name, double otherwise);
const char *ts_attr_string(const ts_node *node, const char *name, const char *otherwise);
ts_value *ts_graph_find(const ts_graph *g, const char *name); /* value by name, or NULL */

/* Input `slot`, or NULL where it is absent or beyond the inputs given. */
static inline const ts_value *ts_in(const ts_node *node, int slot)
{
    return slot < node->ins ? node->in[slot] : NULL;
}

/* Whether anything depends on a value: an input that nothing reads need not be given. */
static inline bool ts_graph_reads(const ts_value *v)
{
    return v->uses > 0 || v->is_output;
}

/* Building. ts_graph_finish computes producers and uses, orders the nodes topologically, drops values nobody refers to and
   renumbers; it fails on a cycle, on a value that nothing produces, and on one that is produced twice. */
ts_graph *ts_graph_new(ts_arena *arena, const char *name, const char *directory);
ts_value *ts_graph_add_value(ts_arena *arena, ts_graph *g, const char *name);
ts_node *ts_graph_add_node(ts_arena *arena, ts_graph *g, int ins, int outs);
bool ts_graph_finish(ts_arena *arena, ts_graph *g, ts_err *err);

/* Checks every invariant above; a violation is a bug of the step that made the graph. Run between steps. */
void ts_graph_verify(const ts_graph *g);

/* Text, one line a node; for reading and for comparing, deterministic. Small integer constants are shown in place. */
void ts_graph_dump(FILE *out, const ts_graph *g);

#endif
