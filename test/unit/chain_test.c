/* Systems as values: what a partition becomes, line by line, and that one which is no chain is refused by what is wrong with it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "base/text.h"
#include "emit/port_text.h"
#include "emit/system.h"
#include "ring/plan_cost.h"
#include "small_model.h"

enum { HITS = 16 };

typedef struct fixture {
    small_model m;
    const ts_device *device[2];
    ts_partition partition; /* over both */
} fixture;

static int setup(void **state)
{
    static fixture f;
    static const ts_encoder_shape shape = {
        .features = 3, .d = 8, .heads = 2, .d_head = 4, .ff = 16, .outputs = 4, .layers = 2, .act = TS_ACT_RELU};
    ts_err err = {""};
    f.m = small_model_make(&shape, 5, "", &err);
    f.device[0] = ts_device_find(f.m.arena, "pynq-z2", &err);
    f.device[1] = ts_device_find(f.m.arena, "ultra96", &err);
    const ts_partition_options o = {.device = f.device, .devices = 2, .mode = TS_MODE_SPLIT, .plan = {.max_tokens = HITS}};
    if (!f.m.im || !f.device[0] || !f.device[1] || !ts_partition_search(f.m.arena, f.m.im, &o, &f.partition, &err))
        fail_msg("%s", err.msg);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    ts_arena_free(((fixture *)*state)->m.arena);
    return 0;
}

static ts_system split(const fixture *f)
{
    ts_system s;
    ts_err err = {""};
    if (!ts_system_of_partition(f->m.arena, f->m.im, &f->partition, f->device, &s, &err))
        fail_msg("%s", err.msg);
    return s;
}

static void test_nodes(void **state)
{
    const fixture *f = *state;
    const ts_system s = split(f);
    static const ts_system_kind kinds[] = {TS_SYSTEM_RING, TS_SYSTEM_LINK, TS_SYSTEM_RING};
    static const char *const streams[] = {"s_hit", "from0", "to1", "m_out"};
    assert_int_equal(s.nodes, 3);
    assert_int_equal(s.streams, 4);
    for (int n = 0; n < s.nodes; n++) {
        assert_int_equal(s.node[n].kind, kinds[n]);
        assert_int_equal(s.node[n].from, n);
        assert_int_equal(s.node[n].to, n + 1);
    }
    for (int i = 0; i < s.streams; i++)
        assert_string_equal(s.stream[i].name, streams[i]);
    assert_int_equal(s.stream[0].width, 3 * 16);
    assert_int_equal(s.stream[1].width, 8 * s.im->res.bits);
    assert_int_equal(s.stream[2].width, 8 * s.im->res.bits);
    ts_text text;
    ts_system_dump(ts_text_open(&text), &s);
    const char *dump = ts_text_close(&text, f->m.arena);
    int lines = 0;
    for (const char *p = dump; (p = strchr(p, '\n')); p++)
        lines++;
    assert_int_equal(lines, 1 + s.nodes);
    assert_non_null(strstr(dump, "  link    from0 -> to1"));
    assert_non_null(strstr(dump, "on ultra96"));
}

/* What a part needs is what it was planned for, the ends of its links with it. */
static void test_costs(void **state)
{
    const fixture *f = *state;
    const ts_system s = split(f);
    for (int i = 0; i < s.rings; i++) {
        const ts_cost planned = f->partition.part[i].planned.cost, made = ts_system_cost(&s, i, f->device[i]),
                      alone = ts_plan_cost(s.ring[i].plan, s.ring[i].im, f->device[i]);
        assert_true(fabs(made.device.lut - planned.device.lut) < 0.01);
        assert_true(fabs(made.yosys.ff - planned.yosys.ff) < 0.01);
        assert_true(fabs(made.yosys.bram36 - planned.yosys.bram36) < 0.01);
        assert_true(made.yosys.lut > alone.yosys.lut + 1000);
    }
}

static void test_alone(void **state)
{
    const fixture *f = *state;
    const ts_plan plan = ts_plan_minimal(f->m.im, HITS);
    ts_system s;
    ts_err err = {""};
    assert_true(ts_system_of_ring(f->m.arena, f->m.im, &plan, &s, &err));
    assert_int_equal(s.nodes, 1);
    assert_int_equal(s.streams, 2);
    assert_string_equal(s.top, s.ring[0].top);
    assert_string_equal(s.ring[0].inside, "");
    assert_int_equal(s.mode, TS_MODE_MONOLITHIC);
    ts_plan illegal = plan;
    illegal.lin[TS_LIN_O].pk = 0;
    assert_false(ts_system_of_ring(f->m.arena, f->m.im, &illegal, &s, &err));
    assert_non_null(strstr(err.msg, "o"));
}

/* The same ports whichever list says so: a ring's own are those of a chain of one, and a page port of a part has its name in front. */
static void test_ports(void **state)
{
    const fixture *f = *state;
    ts_plan plan = ts_plan_minimal(f->m.im, HITS);
    plan.lin[TS_LIN_FFN1].buffers = 1;
    plan.paging = (ts_paging){.lanes = 1, .bursts = 2, .latency = 60, .rate = 1};
    const ts_page_order order = ts_page_order_of(f->m.arena, &plan, f->m.im);
    const ts_ports shape = ts_ports_of(f->m.im, &plan);
    const ts_port_list ring = ts_ring_ports(f->m.im, &plan, &order), chain = ts_chain_ports(&shape, f->m.im->features, 1, false),
                       pages = ts_page_ports(&plan, &order, 1);
    assert_int_equal(ring.count, chain.count + pages.count);
    for (int i = 0; i < ring.count; i++)
        assert_string_equal(ring.port[i].name, i < chain.count ? chain.port[i].name : pages.port[i - chain.count].name);
    ts_text text;
    ts_ports_declare(ts_text_open(&text), &pages, true, false);
    const char *declared = ts_text_close(&text, f->m.arena);
    assert_non_null(strstr(declared, "    input  wire [63:0] part1_m_axi_rdata"));
    assert_null(strstr(declared, " page_"));
    const ts_port_list three = ts_chain_ports(&shape, f->m.im->features, 3, false);
    ts_ports_declare(ts_text_open(&text), &three, true, false);
    declared = ts_text_close(&text, f->m.arena);
    assert_non_null(strstr(declared, "output wire [2:0] fault,\n    output wire [1:0] cut_valid"));
    assert_non_null(strstr(declared, "    input  wire        clk,\n"));
}

/* ---- Broken ones */

typedef struct broken {
    const char *what;
    void (*make)(ts_system *s);
    const char *why;
} broken;

static void no_writer(ts_system *s)
{
    s->node[0].to = 2; /* as wide as stream 1, which it gave before */
}
static void two_readers(ts_system *s)
{
    s->node[2].from = 1;
}
static void narrow_stream(ts_system *s)
{
    s->stream[2].width--;
}
static void wide_reader(ts_system *s)
{
    s->node[2].takes++;
}
static void turned_round(ts_system *s)
{
    const ts_system_ring first = s->ring[0];
    s->ring[0] = s->ring[1];
    s->ring[1] = first;
}
static void shorter_events(ts_system *s)
{
    static ts_plan plan;
    plan = *s->ring[1].plan;
    plan.n_max--;
    s->ring[1].plan = &plan;
}
static void no_link(ts_system *s)
{
    s->link = (ts_link){0};
}
static void one_part_only(ts_system *s)
{
    s->rings = 1;
}

static void test_broken(void **state)
{
    static const broken list[] = {
        {"a stream that nobody gives", no_writer, "stream from0 has 0 writers and 1 readers"},
        {"a stream for two", two_readers, "stream from0 has 1 writers and 2 readers"},
        {"a stream that is too narrow", narrow_stream, "stream to1 of part 0 has 127 bits, it is given 128"},
        {"a reader that is too wide", wide_reader, "stream to1 has 128 bits, part 1 takes 129"},
        {"parts in another order", turned_round, "part 1 does not fit the one before it"},
        {"parts for other events", shorter_events, "part 1 takes events of up to 15 hits, the one before it 16"},
        {"a link of no words", no_link, "words of 0 bits"},
        {"a part missing", one_part_only, "the parts are not those of its model"},
    };
    const fixture *f = *state;
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        ts_system s = split(f);
        ts_err err = {""};
        list[i].make(&s);
        if (ts_system_verify(&s, &err) || !strstr(err.msg, list[i].why))
            fail_msg("%s: \"%s\" does not say \"%s\"", list[i].what, err.msg, list[i].why);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_nodes), cmocka_unit_test(test_costs), cmocka_unit_test(test_alone),
                                       cmocka_unit_test(test_ports), cmocka_unit_test(test_broken)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
