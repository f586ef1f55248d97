/* Rings as values: those of random models and of all their slices are sound, and what is not sound is noticed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "quant/slice.h"
#include "ring/module.h"
#include "small_model.h"

enum { SEEDS = 60 };

typedef struct built {
    ts_plan plan;
    ts_ring_widths w;
    ts_ring ring;
} built;

static void build(const ts_imodel *im, int buffers, built *b)
{
    b->plan = ts_plan_minimal(im, 24);
    b->plan.half = buffers > 0;
    for (int i = 0; i < TS_PAGED_STAGES; i++)
        b->plan.lin[ts_paged_stage[i]].buffers = buffers;
    b->plan.paging = (ts_paging){.lanes = buffers ? 1 : 0, .bursts = 2, .latency = 60, .rate = 1};
    b->w = ts_ring_widths_of(im);
    ts_ring_build(im, &b->plan, &b->w, &b->ring);
}

/* Every module is in the cost, and every segment that begins is passed in some time. */
static void is_sound(const ts_imodel *im, int buffers)
{
    built b;
    ts_err err = {""};
    build(im, buffers, &b);
    if (!ts_ring_verify(&b.ring, &err))
        fail_msg("%s: %s", im->name, err.msg);
    ts_ring_times times;
    ts_ring_times_of(&b.ring, &times);
    for (int s = 0; s < TS_SEGMENTS; s++)
        assert_int_equal(b.ring.begin[s] >= 0, times.segment[s].count > 0);
    for (int n = 0; n < b.ring.nodes; n++) {
        const ts_ring_node *node = &b.ring.node[n];
        const ts_module *m = ts_module_of(node->module);
        ts_style_place list[TS_NODE_STYLES];
        assert_true(!m->name || m->cost);
        /* The residual FIFO has no UltraRAM (ts_fifo). */
        for (int i = 0, count = m->styles ? m->styles(&b.ring, node, &b.plan, list) : 0; i < count; i++)
            assert_true(!list[i].ultra || node->module != TS_MODULE_FIFO);
    }
}

static void random_rings_are_sound(void **state)
{
    (void)state;
    int slices = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        const ts_encoder_shape shape = small_shape(seed);
        ts_err err = {""};
        small_model m = small_model_make(&shape, seed, "", &err);
        assert_non_null(m.im);
        is_sound(m.im, 0);
        const int blocks = ts_block_count(m.im);
        for (int first = 0; first < blocks; first++)
            for (int end = first + 1; end <= blocks; end++) {
                ts_slice slice = ts_slice_between(m.im, first, end);
                const ts_imodel *part = ts_imodel_slice(m.arena, m.im, slice, &err);
                if (!part)
                    fail_msg("%s", err.msg);
                for (int buffers = 0; buffers <= (part->layers > 2 ? 1 : 0); buffers++)
                    is_sound(part, buffers);
                slices++;
            }
        ts_arena_free(m.arena);
    }
    assert_true(slices > SEEDS);
}

typedef void (*fault)(ts_ring *);

static void no_reader(ts_ring *r)
{
    r->stream[0].to = -1;
}

static void two_readers(ts_ring *r)
{
    r->node[r->stream[0].to + 1].in[0] = 0;
    r->stream[0].to++;
}

static void two_writers(ts_ring *r)
{
    r->node[2].out[1] = r->node[0].out[0];
    r->stream[r->node[0].out[0]].from = 2;
}

static void narrow(ts_ring *r)
{
    r->stream[1].width--;
}

static void open_port(ts_ring *r)
{
    r->node[r->nodes - 2].in[0] = TS_NO_STREAM;
}

static void no_tag(ts_ring *r)
{
    r->stream[0].tagged = false;
}

/* A turn whose stream comes back to itself: no register in between. */
static void short_circuit(ts_ring *r)
{
    for (int n = 0; n < r->nodes; n++)
        if (r->node[n].module == TS_MODULE_TURN) {
            const int old = r->stream[r->node[n].in[0]].from, back = r->node[n].out[0], reader = r->stream[back].to;
            const int in = r->node[n].in[0];
            for (int i = 0; i < TS_NODE_STREAMS; i++) {
                if (r->node[old].out[i] == in)
                    r->node[old].out[i] = back;
                if (r->node[reader].in[i] == back)
                    r->node[reader].in[i] = back;
            }
            r->stream[in].from = n;
            r->stream[in].to = n;
            r->stream[back].from = old;
            r->node[n].out[0] = in;
        }
}

static void faults_are_noticed(void **state)
{
    (void)state;
    static const struct {
        fault make;
        const char *says;
    } faults[] = {{no_reader, "readers"},
                  {two_readers, ""},
                  {two_writers, ""},
                  {narrow, "bits"},
                  {open_port, "readers"},
                  {no_tag, "tag"},
                  {short_circuit, "ready comes back"}};
    const ts_encoder_shape shape = {
        .features = 3, .d = 12, .heads = 2, .d_head = 6, .ff = 24, .outputs = 2, .layers = 3, .embed_count = 1, .head_count = 1};
    ts_err err = {""};
    small_model m = small_model_make(&shape, 5, "", &err);
    assert_non_null(m.im);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        built b;
        ts_err found = {""};
        build(m.im, 0, &b);
        assert_true(ts_ring_verify(&b.ring, &found));
        faults[i].make(&b.ring);
        assert_false(ts_ring_verify(&b.ring, &found));
        if (!strstr(found.msg, faults[i].says))
            fail_msg("fault %zu: %s", i, found.msg);
    }
    ts_arena_free(m.arena);
}

static void text_has_a_line_a_node(void **state)
{
    (void)state;
    const ts_encoder_shape shape = small_shape(3);
    ts_err err = {""};
    small_model m = small_model_make(&shape, 3, "", &err);
    built b;
    build(m.im, 0, &b);
    const char *text = ts_ring_text(m.arena, &b.ring, ts_device_find(m.arena, "zcu102", &err));
    int lines = 0;
    for (const char *p = text; (p = strchr(p, '\n')); p++)
        lines++;
    assert_int_equal(lines, b.ring.nodes + 1);
    assert_non_null(strstr(text, "ts_attention"));
    ts_arena_free(m.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_rings_are_sound),
        cmocka_unit_test(faults_are_noticed),
        cmocka_unit_test(text_has_a_line_a_node),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
