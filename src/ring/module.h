/* What the compiler knows of a module of rtl/: the row that modules.def names, with a hook for each question. Hooks read folds and styles
   from the ring's plan; those that are NULL have nothing to say.
   In a circle with ring/ring.h: what a ring is built of.
   In a circle with ring/times.h: its times are its rows'.
   In a circle with ring/memories.h: and so are its memories. */
#ifndef TS_MODULE_H
#define TS_MODULE_H
#include <stdio.h>

#include "ring/cost.h"
#include "ring/memories.h"
#include "ring/pages.h"
#include "ring/ring.h"
#include "ring/times.h"

/* How a stream's tag goes into a port: as a port of its own; with the data, {tag, data}; not at all. */
typedef enum { TS_WITH_TAG, TS_IN_DATA, TS_WITHOUT_TAG } ts_carry;

/* Text of the top level while its nodes are printed. */
typedef struct ts_printer {
    FILE *f;
    ts_arena *arena;
    const ts_ring *ring;
    ts_page_order pages;
    const char *unused; /* outputs of modules that nobody needs, ", a, b" */
    const char *faults; /* of the nodes so far, "b, a" */
    int fault_count;
} ts_printer;

void ts_print(const ts_printer *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void ts_print_tagged(const ts_printer *p, const char *port, const char *stream);   /* the connections of a stream with its tag */
void ts_print_untagged(const ts_printer *p, const char *port, const char *stream); /* without */
void ts_print_bundled(const ts_printer *p, const char *port, const char *stream);  /* {tag, data} */
void ts_print_unused(ts_printer *p, const char *signal); /* an output that is connected for the sake of lint only */
void ts_print_image(const ts_printer *p, ts_mem_style style, const char *stage,
                    const char *suffix);                            /* a parameter: nothing where the memory has no initial contents */
void ts_print_wires(const ts_printer *p, const ts_ring_node *node); /* declares the streams that are declared with the node */
const char *ts_print_fault(ts_printer *p,
                           const ts_ring_node *node); /* declares its output `fault`, collected for ts_watch; returns the connection */
const char *ts_print_stream(const ts_printer *p, int stream); /* its name */

/* Bits of the data at a node's ports. */
typedef struct ts_port_bits {
    int in[TS_NODE_STREAMS], out[TS_NODE_STREAMS];
} ts_port_bits;

/* A memory whose style is chosen. */
typedef struct ts_style_place {
    ts_mem_style *style; /* in the plan */
    bool ultra;          /* may be UltraRAM: written before it is read in any case */
    bool weights;        /* those of a linear stage, which can be paged */
} ts_style_place;
enum { TS_NODE_STYLES = 2 };

/* What a module checks for parity: bits of its output `fault`, and the numbers of the memories that they are of. */
enum { TS_CHECKED_MAX = 4 };
typedef struct ts_checked {
    int bits;  /* of `fault`, of which the lowest is ts_watch's; 0: one, none is checked */
    int count; /* of memories that are checked */
    struct {
        int bit, memory;
    } of[TS_CHECKED_MAX];
} ts_checked;

typedef struct ts_module {
    const char *name;                                                    /* of the Verilog module; NULL: wires of the top level only */
    const char *in[TS_NODE_STREAMS], *out[TS_NODE_STREAMS];              /* ports of its streams */
    ts_carry takes[TS_NODE_STREAMS], gives[TS_NODE_STREAMS];             /* and their tags */
    bool watched;                                                        /* it has an output `fault` */
    bool configured;                                                     /* the configuration bus fills its memories */
    bool passes_ready;                                                   /* ready goes through without a register */
    void (*bits)(const ts_ring *, const ts_ring_node *, ts_port_bits *); /* NULL: node->width everywhere */
    bool (*check)(const ts_ring *, const ts_ring_node *, ts_err *);      /* whether the fold is legal */

    /* The text of an instance, between what all have. */
    void (*declare)(ts_printer *, const ts_ring_node *);    /* a comment and wires of its own in front of its streams' */
    void (*wires)(ts_printer *, const ts_ring_node *);      /* and behind */
    void (*parameters)(ts_printer *, const ts_ring_node *); /* between #( and ) */
    void (*controls)(ts_printer *, const ts_ring_node *);   /* ", .port(signal)" behind clock and reset */
    void (*connect)(ts_printer *, const ts_ring_node *);    /* the streams; NULL: each as in takes and gives, a line each */
    void (*print)(ts_printer *, const ts_ring_node *);      /* all of it, instead of all that */

    ts_cost (*cost)(const ts_ring *, const ts_ring_node *, const ts_mapping *);
    void (*time)(const ts_ring *, const ts_ring_node *, int forming, ts_node_time *); /* NULL: tokens pass it in no time */
    void (*memories)(const ts_ring *, const ts_ring_node *, ts_memory_list *);
    void (*fill)(const ts_ring *, const ts_memory *, const ts_memory_image *); /* the words of one of them, which are 0 */
    void (*checked)(const ts_ring *, const ts_ring_node *, ts_checked *);      /* where the plan has parity */
    int (*styles)(const ts_ring *, const ts_ring_node *, ts_plan *, ts_style_place list[TS_NODE_STYLES]);
    int (*multipliers)(const ts_ring *, const ts_ring_node *);
} ts_module;

const ts_module *ts_module_of(ts_module_id id);

ts_checked ts_checked_of(const ts_ring *ring, const ts_ring_node *node);

ts_cost ts_node_cost(const ts_ring *ring, const ts_ring_node *node, const ts_mapping *map);

/* Tokens in ts_linear and ts_rqvec: what is under way at full rate, what the next stage works on, and one more. */
int ts_vector_room(int latency, int ii);

/* The node's parts of the ring's widths and folds. */
static inline const ts_lin_widths *ts_node_lin(const ts_ring *r, const ts_ring_node *n)
{
    return &r->w->lin[n->id];
}

#endif
