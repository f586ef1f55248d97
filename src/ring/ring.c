/* The ring's builder: which nodes a model and its plan need, in the order of docs/hardware.md, and the streams between them. */
#include "ring/ring.h"

#include "ring/module.h"

#define MODULE(id, row) extern const ts_module ts_module_##row;
#include "ring/modules.def"
#undef MODULE

const ts_module *ts_module_of(ts_module_id id)
{
    static const ts_module *const rows[] = {
#define MODULE(id, row) &ts_module_##row,
#include "ring/modules.def"
#undef MODULE
    };
    return rows[id];
}

ts_checked ts_checked_of(const ts_ring *r, const ts_ring_node *n)
{
    ts_checked checked = {.count = 0};
    const ts_module *m = ts_module_of(n->module);
    if (m->checked && ts_plan_has_parity(r->plan))
        m->checked(r, n, &checked);
    return checked;
}

typedef struct builder {
    ts_ring *r;
    const ts_imodel *im;
    const char *heading; /* of the next node */
    int segment;         /* that begins with it */
    int declares;        /* a stream that it declares beside its own, or TS_NO_STREAM */
} builder;

/* ---- Nodes and streams */

static ts_ring_node *node(builder *b, ts_module_id module, const char *name, const char *stage, int id)
{
    ts_ring *r = b->r;
    CHECK(r->nodes < TS_RING_NODES);
    const int at = r->nodes++;
    ts_ring_node *n = &r->node[at];
    *n = (ts_ring_node){.module = module, .name = name, .stage = stage, .heading = b->heading, .id = id, .segment = b->segment};
    for (int i = 0; i < TS_NODE_STREAMS; i++)
        n->in[i] = n->out[i] = TS_NO_STREAM;
    if (b->segment != TS_SEGMENTS)
        r->begin[b->segment] = at;
    if (b->declares != TS_NO_STREAM)
        r->stream[b->declares].declared = at;
    b->heading = "";
    b->segment = TS_SEGMENTS;
    b->declares = TS_NO_STREAM;
    return n;
}

static int stream(builder *b, const char *name, int width, bool tagged)
{
    ts_ring *r = b->r;
    CHECK(r->streams < TS_RING_STREAMS);
    r->stream[r->streams] = (ts_ring_stream){.name = name, .width = width, .tagged = tagged, .from = -1, .to = -1, .declared = -1};
    return r->streams++;
}

static void takes(builder *b, ts_ring_node *n, int port, int s)
{
    n->in[port] = s;
    b->r->stream[s].to = (int)(n - b->r->node);
}

static void gives_to(builder *b, ts_ring_node *n, int port, int s)
{
    n->out[port] = s;
    b->r->stream[s].from = (int)(n - b->r->node);
    if (b->r->stream[s].declared < 0)
        b->r->stream[s].declared = b->r->stream[s].from;
}

/* A new stream from a port of the node, which knows its width. */
static int gives(builder *b, ts_ring_node *n, int port, const char *name)
{
    const ts_module *m = ts_module_of(n->module);
    ts_port_bits bits = {.out = {n->width, n->width}};
    if (m->bits)
        m->bits(b->r, n, &bits);
    const int s = stream(b, name, bits.out[port], m->gives[port] != TS_WITHOUT_TAG);
    gives_to(b, n, port, s);
    return s;
}

/* A stage with one stream in and one out. */
static int through(builder *b, ts_module_id module, const char *name, const char *stage, int id, int in, const char *to)
{
    ts_ring_node *n = node(b, module, name, stage, id);
    takes(b, n, 0, in);
    return gives(b, n, 0, to);
}

/* Passes whole tokens: of the ring at half rate where the plan says so. */
static ts_ring_node *passer(builder *b, ts_module_id module, const char *name, const char *stage, int in, bool half)
{
    ts_ring_node *n = node(b, module, name, stage, 0);
    n->width = b->r->stream[in].width;
    n->half = half && b->r->plan->half;
    takes(b, n, 0, in);
    return n;
}

static int linear(builder *b, ts_lin_id id, int in, const char *to)
{
    return through(b, TS_MODULE_LINEAR, ts_lin_name(id), ts_lin_name(id), (int)id, in, to);
}

static int rqvec(builder *b, ts_rqv_id id, int in, const char *to)
{
    return through(b, TS_MODULE_RQVEC, ts_rqv_name(id), ts_rqv_name(id), (int)id, in, to);
}

static int norm(builder *b, ts_nrm_id id, int in, const char *to)
{
    return through(b, TS_MODULE_NORM, ts_nrm_name(id), ts_nrm_name(id), (int)id, in, to);
}

/* The stream behind a place in a layer where a norm can stand: `in` itself where none does. */
static int norm_at(builder *b, ts_norm_place place, int in)
{
    const int which = ts_norm_at(b->im->norms, place);
    return which == 0 ? in : which == 1 ? norm(b, TS_NRM_1, in, "normed1") : norm(b, TS_NRM_2, in, "normed2");
}

/* Returns the copy that is worked on. */
static int fork(builder *b, const char *name, const char *stage, int in, bool half, const char *waiting, const char *onward, int *waits)
{
    ts_ring_node *n = passer(b, TS_MODULE_FORK, name, stage, in, half);
    *waits = gives(b, n, 0, waiting);
    return gives(b, n, 1, onward);
}

static int merge(builder *b, const char *name, const char *stage, int priority, int other, const char *to)
{
    ts_ring_node *n = passer(b, TS_MODULE_MERGE, name, stage, priority, true);
    takes(b, n, 1, other);
    return gives(b, n, 0, to);
}

/* Tokens of the last layer leave behind the block; returns the stream of those that go on. */
static int route(builder *b, const char *name, int in, const char *onward, int *finished)
{
    ts_ring_node *n = passer(b, TS_MODULE_ROUTE, name, "route", in, true);
    const int on = gives(b, n, 0, onward);
    *finished = gives(b, n, 1, "finished");
    return on;
}

static int add(builder *b, const char *name, const char *stage, int branch, int residual, const char *to)
{
    ts_ring_node *n = passer(b, TS_MODULE_RADD, name, stage, branch, true);
    takes(b, n, 1, residual);
    return gives(b, n, 0, to);
}

/* A stream of which traces show values, as the emulator taps them. */
static void tap(builder *b, int s, const char *label, int first, int count, int width, bool is_signed, ts_role role, int part)
{
    CHECK(b->r->taps < TS_RING_TAPS);
    b->r->tap[b->r->taps++] = (ts_stream){b->r->stream[s].name, label, first, count, width, is_signed, role, part};
}

static void tap_residual(builder *b, int s, const char *label, int part)
{
    tap(b, s, label, 0, b->im->d, b->r->w->res_w, true, TS_ROLE_RES, part);
}

static int tapped_rqvec(builder *b, ts_rqv_id id, int in, const char *to, const char *label, ts_role role)
{
    const int s = rqvec(b, id, in, to);
    tap(b, s, label, 0, b->im->d, b->r->w->rqv[id].yw, true, role, 0);
    return s;
}

static int tapped_linear(builder *b, ts_lin_id id, int in, const char *to, const char *label, bool is_signed, ts_role role, int part)
{
    const int s = linear(b, id, in, to);
    tap(b, s, label, 0, b->r->w->lin[id].m, b->r->w->lin[id].yw, is_signed, role, part);
    return s;
}

/* ---- The parts of a ring */

static int admission(builder *b)
{
    const ts_imodel *im = b->im;
    /* From an FFN block on, a new event would keep the one before from that block and wait for its queues: it enters later. */
    b->heading =
        !b->r->ways.has_attention ? "    // ---- Admission: lengths are checked; a new event enters at any time.\n"
        : b->r->ways.ffn_merge && !im->ends_in_attention
            ? "    // ---- Admission: lengths are checked; a new event enters when the last one has left its last attention block.\n"
            : "    // ---- Admission: lengths are checked; a new event enters when the last one has made all its keys and values.\n";
    b->segment = TS_SEGMENT_ENTRY;
    ts_ring_node *n = node(b, TS_MODULE_ADMIT, "admit", "admission", 0);
    n->width = im->features * b->r->w->in_w;
    n->half = im->embed_count == 0 && b->r->plan->half;
    return gives(b, n, 0, "hit");
}

/* From the hits to the first block's residual tokens, and with qkv0 their q, k, v. */
static int embedding(builder *b, int in, int *qkv)
{
    static const char *const names[TS_MLP_MAX] = {"embed0", "embed1", "embed2"};
    const ts_imodel *im = b->im;
    int beside = TS_NO_STREAM;
    for (int i = 0; i < im->embed_count; i++) {
        const ts_lin_id id = (ts_lin_id)(TS_LIN_EMBED0 + i);
        const bool last = i == im->embed_count - 1;
        if (i == 0)
            b->heading = "    // ---- Embedding\n";
        if (last && im->fused_qkv0)
            beside = fork(b, "fork_embed", "embedding fork", in, false, "embed_res", "embed_qkv", &in);
        if (last)
            in = linear(b, id, in, "embed");
        else
            in = tapped_linear(b, id, in, names[i], "hidden values of the embedding", im->embed[i].y.is_signed, TS_ROLE_EMBED_HIDDEN, i);
    }
    if (im->fused_qkv0) {
        b->heading = "    // Layer 0's q, k, v straight from the input of the embedding's last linear: one matrix instead of two.\n";
        *qkv = linear(b, TS_LIN_QKV0, beside, "qkv_new");
    }
    return in;
}

/* From new and returning tokens (`back`, or none) to q, k, v; *waiting: tokens out of the queue of residuals. */
static int attention_input(builder *b, int entry, int new_qkv, int back, int *waiting)
{
    static const char streams[] = "fork and merges";
    const ts_imodel *im = b->im;
    const bool loop = b->r->ways.loop;
    int residual = entry, made = TS_NO_STREAM; /* made: tokens whose q, k, v the ring's own qkv stage makes */
    b->heading = "    // ---- Tokens of a layer: returning ones first; a copy waits in the queue for the attention's result\n";
    b->declares = back;
    if (loop || !im->fused_qkv0)
        b->segment = TS_SEGMENT_LAYER;
    if (im->fused_qkv0 && loop) {
        made = fork(b, "fork_back", streams, back, true, "back_res", "made", &residual);
        residual = merge(b, "merge_residual", streams, residual, entry, "token");
    } else if (!im->fused_qkv0) {
        const int token = b->r->ways.attn_merge ? merge(b, "merge_token", streams, back, entry, "token") : loop ? back : entry;
        made = fork(b, "fork_token", streams, token, true, "token_res", "made", &residual);
    }
    tap_residual(b, residual, "layer input", 0);
    ts_ring_node *queue = node(b, TS_MODULE_QUEUE, "queue", "residual queue", 0);
    queue->width = b->r->stream[residual].width;
    queue->depth = b->r->plan->n_max + b->r->plan->attn.pq;
    takes(b, queue, 0, residual);
    *waiting = gives(b, queue, 0, "waiting");

    b->heading = "    // ---- Attention block\n";
    if (made == TS_NO_STREAM)
        return new_qkv;
    const int in = tapped_rqvec(b, TS_RQV_QKV, norm_at(b, TS_BEFORE_ATTENTION, made), "qkv_in", "input of q, k, v", TS_ROLE_QKV_IN);
    const int qkv = linear(b, TS_LIN_QKV, in, im->fused_qkv0 ? "qkv_again" : "qkv");
    return im->fused_qkv0 ? merge(b, "merge_qkv", streams, qkv, new_qkv, "qkv") : qkv;
}

/* Returns the stream of the block's results. */
static int attention_block(builder *b, int qkv, int waiting)
{
    const ts_imodel *im = b->im;
    const ts_ring_widths *w = b->r->w;
    const int inner = im->heads * im->d_head;
    b->segment = TS_SEGMENT_INTO;
    if (im->qk_norm) {
        const int raw = w->lin[TS_LIN_QKV].yw;
        tap(b, qkv, "queries before their norm", 0, inner, raw, true, TS_ROLE_QK_IN, 0);
        tap(b, qkv, "keys before their norm", inner, inner, raw, true, TS_ROLE_QK_IN, 1);
        qkv = through(b, TS_MODULE_QKNORM, ts_nrm_name(TS_NRM_QK), ts_nrm_name(TS_NRM_QK), TS_NRM_QK, qkv, "qkv_normed");
    }
    tap(b, qkv, "queries", 0, inner, w->xw, true, TS_ROLE_Q, 0);
    tap(b, qkv, "keys", inner, inner, w->xw, true, TS_ROLE_K, 0);
    tap(b, qkv, "values", 2 * inner, inner, w->xw, true, TS_ROLE_V, 0);
    const int late = b->r->ways.ffn_merge && !im->ends_in_attention;
    const int ctx = through(b, TS_MODULE_ATTENTION, "attention", "attention", late, qkv, "ctx");
    tap(b, ctx, "context", 0, inner, w->cw, true, TS_ROLE_CTX, 0);
    b->segment = TS_SEGMENT_CONTEXT;
    const int branch = linear(b, TS_LIN_O, ctx, "branch1");
    tap_residual(b, branch, "attention branch", 1);
    const int sum = add(b, "add1", "attention sum", branch, waiting, "sum1");
    tap_residual(b, sum, "sum after attention", 2);
    const int result = norm_at(b, TS_BEHIND_ATTENTION, sum);
    if (result != sum)
        tap_residual(b, result, "normed attention block", 3);
    return result;
}

/* Events of a ring without attention, whole: an overlong one is taken back before its first token is seen. */
static int store(builder *b, int entry)
{
    b->segment = TS_SEGMENT_INTO;
    ts_ring_node *n = node(b, TS_MODULE_STORE, "queue", "event queue", 0);
    n->width = b->r->stream[entry].width;
    n->depth = b->r->plan->n_max + 1;
    takes(b, n, 0, entry);
    return gives(b, n, 0, "stored");
}

/* When attention and admission are told that an event is over: stream, see the module's row. */
static void final(builder *b, int s)
{
    node(b, TS_MODULE_FINAL, "final", "", s);
}

/* From new tokens and those that come from attention (or none) to the stream that the FFN block takes; *finished: of those that leave in
   front of it. */
static int ffn_input(builder *b, int entry, int attended, int *finished)
{
    const ts_imodel *im = b->im;
    if (b->r->ways.store)
        return store(b, entry);
    if (b->r->ways.attn_route) {
        b->heading = "    // ---- Out behind the last layer's attention block, or on to the FFN block\n";
        attended = route(b, "leave", attended, "onward", finished);
    }
    if (!im->starts_in_ffn)
        return attended;
    if (!b->r->ways.ffn_merge)
        return entry;
    b->heading = "    // ---- New tokens enter in front of the FFN block\n";
    b->segment = TS_SEGMENT_FFN;
    const int middle = merge(b, "merge_middle", "FFN merge", attended, entry, "middle");
    if (!im->ends_in_attention)
        final(b, attended);
    return middle;
}

/* Returns the stream of the layer's results. */
static int ffn_block(builder *b, int middle)
{
    const ts_imodel *im = b->im;
    int waits = TS_NO_STREAM;
    b->heading = "    // ---- FFN block\n";
    if (!b->r->ways.ffn_merge)
        b->segment = TS_SEGMENT_FFN;
    const int taken = fork(b, "fork_ffn", "FFN fork and FIFO", middle, true, "skip_new", "ffn_new", &waits);
    ts_ring_node *n = node(b, TS_MODULE_FIFO, "skip", "FFN fork and FIFO", 0);
    n->width = b->r->stream[waits].width;
    n->depth = b->r->plan->mid_depth;
    takes(b, n, 0, waits);
    const int skip = gives(b, n, 0, "skip");
    const int in = tapped_rqvec(b, TS_RQV_FFN, norm_at(b, TS_BEFORE_FFN, taken), "ffn_in", "input of the FFN", TS_ROLE_FFN_IN);
    const int hidden =
        tapped_linear(b, TS_LIN_FFN1, in, "hidden", "hidden values of the FFN", im->layer[0].ffn1.y.is_signed, TS_ROLE_HIDDEN, 0);
    const int branch = linear(b, TS_LIN_FFN2, hidden, "branch2");
    tap_residual(b, branch, "FFN branch", 4);
    const int sum = add(b, "add2", "FFN sum", branch, skip, "sum2");
    tap_residual(b, sum, "sum after the FFN", 5);
    const int result = norm_at(b, TS_BEHIND_FFN, sum);
    tap_residual(b, result, "layer output", 6);
    return result;
}

/* Closes the ring; returns the stream of tokens that leave it behind the FFN block, or `finished` where none do. */
static int close(builder *b, int result, int back, int finished)
{
    if (!b->r->ways.loop)
        return result;
    if (b->r->ways.ffn_route) {
        b->heading = "    // ---- Back for the next layer, or out after the last\n";
        result = route(b, "route", result, "again", &finished);
    }
    ts_ring_node *n = node(b, TS_MODULE_TURN, "turn", "", 0);
    takes(b, n, 0, result);
    gives_to(b, n, 0, back);
    return finished;
}

/* From an event's finished tokens to its results. */
static int head(builder *b, int in)
{
    static const char *const names[TS_MLP_MAX] = {"head0", "head1", "head2"};
    const ts_imodel *im = b->im;
    b->heading = "    // ---- Head\n";
    if (im->has_final_norm) {
        in = norm(b, TS_NRM_FINAL, in, "normed_final");
        tap_residual(b, in, "final norm", 7);
    }
    if (im->pool != TS_POOL_NONE) {
        b->segment = TS_SEGMENT_POOLED;
        ts_ring_node *n = passer(b, TS_MODULE_POOL, "pool", "pool", in, false);
        in = gives(b, n, 0, "pooled");
    }
    in = tapped_rqvec(b, TS_RQV_HEAD, in, "head_in", "input of the head", TS_ROLE_HEAD_IN);
    for (int i = 0; i < im->head_count - 1; i++)
        in = tapped_linear(b, (ts_lin_id)(TS_LIN_HEAD0 + i), in, names[i], "hidden values of the head", im->head[i].y.is_signed,
                           TS_ROLE_HEAD_HIDDEN, i);
    const int last = TS_LIN_HEAD0 + im->head_count - 1, value = linear(b, (ts_lin_id)last, in, "value");
    b->heading = "    // ---- Results in the order of the events\n";
    return b->r->plan->argmax ? through(b, TS_MODULE_ARGMAX, "argmax", "arg-max", last, value, "best") : value;
}

static void output(builder *b, int in)
{
    const int segment = b->segment;
    if (ts_plan_is_paged(b->r->plan)) {
        b->segment = TS_SEGMENTS;
        node(b, TS_MODULE_PAGER, "pager", "pager", 0);
    }
    if (ts_plan_has_parity(b->r->plan)) {
        b->segment = TS_SEGMENTS;
        node(b, TS_MODULE_PARITY, "parity", "parity", 0);
    }
    b->segment = segment;
    ts_ring_node *n = node(b, TS_MODULE_OUTPUT, "output", "output", 0);
    n->half = b->im->head_count == 0 && b->r->plan->half;
    takes(b, n, 0, in);
    node(b, TS_MODULE_WATCH, "watch", "watch", 0);
}

void ts_ring_build(const ts_imodel *im, const ts_plan *plan, const ts_ring_widths *w, ts_ring *ring)
{
    ring->im = im;
    ring->plan = plan;
    ring->w = w;
    ring->ways = ts_ring_ways_of(im);
    ring->nodes = ring->streams = ring->taps = 0;
    for (int s = 0; s < TS_SEGMENTS; s++)
        ring->begin[s] = -1;
    builder b = {.r = ring, .im = im, .heading = "", .segment = TS_SEGMENTS, .declares = TS_NO_STREAM};
    const ts_ring_ways *ways = &ring->ways;
    int new_qkv = TS_NO_STREAM, attended = TS_NO_STREAM, waiting = TS_NO_STREAM, finished = TS_NO_STREAM;
    const int entry = embedding(&b, admission(&b), &new_qkv);
    const int back = ways->loop ? stream(&b, "back", im->d * w->res_w, true) : TS_NO_STREAM;
    if (ways->has_attention) {
        const int qkv = attention_input(&b, entry, new_qkv, back, &waiting);
        attended = finished = attention_block(&b, qkv, waiting);
    } else {
        final(&b, TS_NO_STREAM);
    }
    if (ways->has_ffn) {
        const int result = ffn_block(&b, ffn_input(&b, entry, attended, &finished));
        finished = close(&b, result, back, finished);
    }
    b.segment = TS_SEGMENT_OUT;
    if (im->head_count > 0)
        finished = head(&b, finished);
    else
        b.heading = "    // ---- Residual tokens in the order of the events\n";
    output(&b, finished);
}
