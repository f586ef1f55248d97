#define TS_FAIL_CODE TS_INTERNAL
/* What must hold of every ring. */
#include "ring/module.h"

static bool stream_is_whole(const ts_ring *r, int s, ts_err *err)
{
    const ts_ring_stream *stream = &r->stream[s];
    int writers = 0, readers = 0;
    for (int n = 0; n < r->nodes; n++)
        for (int i = 0; i < TS_NODE_STREAMS; i++) {
            writers += r->node[n].out[i] == s && stream->from == n;
            readers += r->node[n].in[i] == s && stream->to == n;
        }
    return (writers == 1 && readers == 1) ||
           ts_fail(err, "ring: stream %s has %d writers and %d readers, it must have one of each", stream->name, writers, readers);
}

static bool port_fits(const ts_ring *r, const ts_ring_node *n, const char *port, int s, int bits, ts_carry carry, ts_err *err)
{
    if (!port)
        return s == TS_NO_STREAM || ts_fail(err, "ring: %s: stream %s is at a port that its module has not", n->name, r->stream[s].name);
    if (s == TS_NO_STREAM)
        return ts_fail(err, "ring: %s: nothing is connected to %s", n->name, port);
    const ts_ring_stream *stream = &r->stream[s];
    if (stream->width != bits)
        return ts_fail(err, "ring: %s: %s takes or gives %d bits, stream %s has %d", n->name, port, bits, stream->name, stream->width);
    return stream->tagged || carry == TS_WITHOUT_TAG ||
           ts_fail(err, "ring: %s: %s needs a tag, stream %s has none", n->name, port, stream->name);
}

static bool node_is_connected(const ts_ring *r, const ts_ring_node *n, ts_err *err)
{
    const ts_module *m = ts_module_of(n->module);
    ts_port_bits bits = {.in = {n->width, n->width}, .out = {n->width, n->width}};
    if (!m->name) /* wires, not ports */
        return true;
    if (m->bits)
        m->bits(r, n, &bits);
    for (int i = 0; i < TS_NODE_STREAMS; i++)
        if (!port_fits(r, n, m->in[i], n->in[i], bits.in[i], m->takes[i], err) ||
            !port_fits(r, n, m->out[i], n->out[i], bits.out[i], m->gives[i], err))
            return false;
    return true;
}

/* Whether `ready` finds its way from the node's outputs to `target` without a register. */
static bool ready_reaches(const ts_ring *r, int at, int target, int steps)
{
    if (steps == 0 || !ts_module_of(r->node[at].module)->passes_ready)
        return false;
    for (int i = 0; i < TS_NODE_STREAMS; i++) {
        const int s = r->node[at].out[i], to = s == TS_NO_STREAM ? -1 : r->stream[s].to;
        if (to >= 0 && (to == target || ready_reaches(r, to, target, steps - 1)))
            return true;
    }
    return false;
}

bool ts_ring_verify(const ts_ring *r, ts_err *err)
{
    for (int s = 0; s < r->streams; s++)
        if (!stream_is_whole(r, s, err))
            return false;
    for (int n = 0; n < r->nodes; n++) {
        if (!node_is_connected(r, &r->node[n], err))
            return false;
        if (ready_reaches(r, n, n, r->nodes))
            return ts_fail(err, "ring: %s: ready comes back to where it left without a register", r->node[n].name);
    }
    return true;
}
