/* The ports of a ring's top level: what its streams of hits and results look like, and every signal in order. Module headers, instances,
   simulation wrappers and what describes a design to other tools are made from the list. */
#ifndef TS_PORTS_H
#define TS_PORTS_H
#include "ring/pages.h"

/* Residual tokens, which a slice without embedding takes and one without head gives, are d values side by side, one transfer a token. */
typedef struct ts_ports {
    int hit_lane; /* bits of an input value on s_hit: 16 or 32, the value sign-extended; of residual tokens those of the format */
    int lanes;    /* values of a beat of m_out */
    int out_lane; /* bits of one: 32; of residual tokens those of the format */
    int beats;    /* of a token */
} ts_ports;
ts_ports ts_ports_of(const ts_imodel *im, const ts_plan *plan);

/* Of rings in a chain: hits as the first one takes them, results as the last one gives them. */
ts_ports ts_ports_of_chain(const ts_imodel *first, const ts_plan *first_plan, const ts_imodel *last, const ts_plan *last_plan);

/* Index of the output in a lane of a beat, lane after lane; -1: junk. Arg-max: lane 0 is the value (0), lane 1 the class (1). */
int ts_ports_output(const ts_ports *ports, const ts_imodel *im, int beat, int lane);

/* What ts_argmax makes of a token's outputs: {largest value, its lowest index}. */
void ts_ports_argmax(const int32_t *y, int outputs, int32_t best[2]);

/* What a signal belongs to. */
typedef enum {
    TS_PORT_CLOCK,   /* clk, rst */
    TS_PORT_HITS,    /* s_hit: a stream */
    TS_PORT_RESULTS, /* m_out: a stream */
    TS_PORT_FAULT,   /* of one ring */
    TS_PORT_CONFIG,  /* cfg: a bus of writes */
    TS_PORT_PARITY,  /* of one ring: a word was used that is not as it was written */
    TS_PORT_CHAIN,   /* of several rings: the streams between them, their faults, and holds */
    TS_PORT_PAGES,   /* page: control and state of the pager */
    TS_PORT_AXI      /* m_axi: a read port to external memory */
} ts_port_group;

typedef struct ts_port {
    const char *name; /* "s_hit_data" */
    bool input;
    int width; /* bits; of TS_PORT_CHAIN one a ring (eight of parity_memory) or one a cut */
    ts_port_group group;
    int part; /* the ring that it is of, of several, its name is then "part<part>_<name>"; -1: of the whole */
} ts_port;

enum { TS_PORT_MAX = 48 };
typedef struct ts_port_list {
    int count;
    ts_port port[TS_PORT_MAX];
} ts_port_list;

/* Of a ring, in the order of its module's header: those of pages are the last. */
ts_port_list ts_ring_ports(const ts_imodel *im, const ts_plan *plan, const ts_page_order *order);

/* Of several rings in a chain, or of one, without those of pages. shape: that of the chain; parity: some ring has it. */
ts_port_list ts_chain_ports(const ts_ports *shape, int features, int rings, bool parity);

/* Those of pages alone, of one of several rings (part) or of the only one (-1): none where nothing is paged. */
ts_port_list ts_page_ports(const ts_plan *plan, const ts_page_order *order, int part);

#endif
