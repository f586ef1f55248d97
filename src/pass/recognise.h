/* From a folded graph to the encoder that it computes, or a message that names the node that no encoder has. */
#ifndef TS_RECOGNISE_H
#define TS_RECOGNISE_H
#include "graph/encoder.h"
#include "graph/graph.h"

/* An encoder and where in a graph it is. */
typedef struct ts_recognition {
    const ts_encoder *encoder;
    const ts_value *from, *to;  /* what its embedding reads, what its head makes */
    bool has_embed, has_head;   /* false: the encoder's is an identity, which the graph does not have (pooling counts as a head) */
    int64_t tokens;             /* where the graph fixes their number; 0: the hits of the event */
    const ts_value *const *cut; /* [2 * layers + 1]: residual tokens at the cuts of quant/slice.h, d values a token, token by token;
                                   NULL where no value of the graph is just that */
    const char *why;            /* of a part: why it is not the whole graph, a message that names the node; NULL: it is */
} ts_recognition;

/* The whole graph. */
const ts_encoder *ts_recognise(ts_arena *arena, const ts_graph *g, ts_err *err);

/* The whole graph, with its places. */
const ts_recognition *ts_recognise_whole(ts_arena *arena, const ts_graph *g, ts_err *err);

/* The same; *reached: how far it came, an index of a node. Of several readings of a file, the one that came furthest has the best message.
 */
const ts_recognition *ts_recognise_reached(ts_arena *arena, const ts_graph *g, ts_err *err, int *reached);

/* Whether it has any operator that attention cannot do without. */
bool ts_has_attention(const ts_graph *g);

/* The encoder with the most layers that a part of the graph computes, where something in front of it or behind it has no hardware: the
   tokens that everything else is computed from come in at `from`, and all that the output depends on leaves at `to`. Of several, the one
   with most of the embedding and the head. NULL, with the message of ts_recognise, where there is none, and for models that were quantised
   in training. */
const ts_recognition *ts_recognise_part(ts_arena *arena, const ts_graph *g, ts_err *err);

#endif
