/* The plan verifier: what the planner finds passes, and a plan that is broken in any way does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "plan/verify.h"
#include "ring/pages.h"
#include "ring/plan_cost.h"
#include "small_model.h"

enum { HITS = 48 };

typedef struct fixture {
    small_model m;
    const ts_device *pynq, *zcu102, *u250;
} fixture;

static int setup(void **state)
{
    static fixture f;
    ts_err err = {""};
    const ts_encoder_shape shape = {
        .features = 3, .d = 24, .heads = 3, .d_head = 8, .ff = 48, .outputs = 4, .layers = 4, .act = TS_ACT_RELU};
    f.m = small_model_make(&shape, 3, "", &err);
    f.pynq = ts_device_find(f.m.arena, "pynq-z2", &err);
    f.zcu102 = ts_device_find(f.m.arena, "zcu102", &err);
    f.u250 = ts_device_find(f.m.arena, "u250", &err);
    if (!f.m.im || !f.pynq || !f.zcu102 || !f.u250)
        fail_msg("%s", err.msg);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    ts_arena_free(f->m.arena);
    return 0;
}

/* A plan that may be changed, with everything it points to. */
typedef struct broken {
    const fixture *f;
    ts_partition_options options;
    const ts_device *device[4];
    ts_pin pin[2];
    ts_partition p;
    ts_plan plan[4];
    ts_imodel im[4];
    ts_ilayer layer[4][8];
    ts_device own;
} broken;

/* A good plan. */
static void search(const fixture *f, const ts_device *const *device, int devices, ts_mode mode, broken *b)
{
    memset(b, 0, sizeof *b);
    b->f = f;
    memcpy(b->device, device, (size_t)devices * sizeof *device);
    b->options = (ts_partition_options){.plan = {.max_tokens = HITS, .plan_tokens = HITS},
                                        .devices = devices,
                                        .device = b->device,
                                        .mode = mode,
                                        .objective = TS_OBJECTIVE_THROUGHPUT,
                                        .pin = b->pin};
    ts_err err = {""};
    if (!ts_partition_search(f->m.arena, f->m.im, &b->options, &b->p, &err))
        fail_msg("%s", err.msg);
    assert_true(b->p.mode == mode && b->p.parts <= 4);
}

/* The same with everything of its own. */
static void copy(const broken *good, broken *b)
{
    *b = *good;
    b->options.device = b->device;
    b->options.pin = b->pin;
    b->p.part = TS_NEW_N(b->f->m.arena, ts_part, b->p.parts);
    b->p.ring = TS_NEW_N(b->f->m.arena, ts_chain_ring, b->p.parts);
    for (int i = 0; i < b->p.parts; i++) {
        ts_part *part = &b->p.part[i];
        *part = good->p.part[i];
        b->p.ring[i] = good->p.ring[i];
        b->plan[i] = *part->planned.plan;
        b->im[i] = *part->im;
        memcpy(b->layer[i], part->im->layer, (size_t)part->im->layers * sizeof **b->layer);
        b->im[i].layer = b->layer[i];
        part->planned.plan = b->p.ring[i].plan = &b->plan[i];
        part->im = b->p.ring[i].im = &b->im[i];
    }
    ts_err err = {""};
    if (!ts_verify_partition(b->f->m.im, &b->options, &b->p, &err))
        fail_msg("a good plan is refused: %s", err.msg);
}

typedef void (*break_fn)(broken *b);
typedef struct way_to_break {
    const char *what;
    break_fn apply;
    const char *says; /* part of the message */
} way_to_break;

/* Figures that follow from the changed plan, so that only the change itself is wrong. */
static void settle(broken *b)
{
    for (int i = 0; i < b->p.parts; i++) {
        ts_part *part = &b->p.part[i];
        const ts_device *device = b->device[part->device];
        part->planned.prediction = ts_predict(&b->plan[i], &b->im[i], b->plan[i].plan_tokens);
        part->planned.cost = ts_plan_cost(&b->plan[i], &b->im[i], device);
        for (int side = 0; side < 2; side++) {
            const int j = i + side;
            if (j == 0 || j == b->p.parts || b->p.part[j].device == b->p.part[j - 1].device)
                continue;
            const ts_cost end = ts_link_cost(&b->p.link, b->im[i].d * b->im[i].res.bits, side, device);
#define X(field, label) \
    part->planned.cost.device.field += end.device.field; \
    part->planned.cost.yosys.field += end.yosys.field;
            TS_RESOURCES(X)
#undef X
        }
    }
    b->p.prediction = ts_chain_predict(b->p.ring, b->p.parts, b->plan[0].plan_tokens);
}

/* ---- Blocks and devices */
static void gap(broken *b)
{
    b->p.part[1].slice.first++;
}
static void overlap(broken *b)
{
    b->p.part[1].slice.first--;
}
static void short_end(broken *b)
{
    b->p.part[b->p.parts - 1].slice.end--;
}
static void empty_part(broken *b)
{
    b->p.part[0].slice.end = 0;
    b->p.part[1].slice.first = 0;
}
static void no_embedding(broken *b)
{
    b->p.part[0].slice.embed = false;
}
static void two_embeddings(broken *b)
{
    b->p.part[1].slice.embed = true;
}
static void early_head(broken *b)
{
    b->p.part[0].slice.head = true;
}
static void moved_cut(broken *b)
{
    b->p.part[0].slice.end--;
    b->p.part[1].slice.first--;
}
static void swapped_layers(broken *b)
{
    const ts_ilayer l = b->layer[0][0];
    b->layer[0][0] = b->layer[0][1];
    b->layer[0][1] = l;
}
static void other_weights(broken *b)
{
    ts_ilin *w = &b->layer[1][1].ffn2;
    int32_t *copy = TS_NEW_N(b->f->m.arena, int32_t, w->in * w->out);
    memcpy(copy, w->w, (size_t)(w->in * w->out) * sizeof *copy);
    copy[w->in * w->out - 1] ^= 1;
    w->w = copy;
}
static void other_head(broken *b)
{
    b->im[1].head[0].rq.s2++;
}
static void other_shape(broken *b)
{
    b->im[1].v_bits++;
}
static void half_layer(broken *b)
{
    b->im[0].ends_in_attention = !b->im[0].ends_in_attention;
}
static void same_device(broken *b)
{
    b->p.part[1].device = 0;
}
static void wrong_order(broken *b)
{
    b->p.part[0].device = 1;
    b->p.part[1].device = 0;
}
static void no_device(broken *b)
{
    b->p.part[1].device = 2;
}
static void other_name(broken *b)
{
    b->plan[1].device = "zcu102";
}
static void pinned_elsewhere(broken *b)
{
    b->options.pins = 1;
    b->pin[0] = (ts_pin){0, 1};
}
static void wrong_mode(broken *b)
{
    b->p.mode = TS_MODE_MONOLITHIC;
}
static void no_such_mode(broken *b)
{
    b->p.mode = TS_MODE_COUNT;
}
static void not_paged(broken *b)
{
    b->p.mode = TS_MODE_PAGED;
}
static void replicated_apart(broken *b)
{
    b->p.mode = TS_MODE_REPLICATED;
}

/* ---- Rings */
static void illegal_fold(broken *b)
{
    b->plan[1].lin[TS_LIN_O].pk = 1000;
}
static void wrong_length(broken *b)
{
    b->plan[1].n_max++;
}
static void long_plan(broken *b)
{
    b->plan[0].plan_tokens = b->plan[1].plan_tokens = HITS + 1;
}
static void two_lengths(broken *b)
{
    b->plan[1].plan_tokens--;
}
static void other_clock(broken *b)
{
    b->plan[1].clock_mhz *= 2;
}
static void too_fast(broken *b)
{
    b->options.plan.clock_mhz = 1;
}
static void packs(broken *b)
{
    b->plan[0].lin[TS_LIN_FFN1].pack = true;
    settle(b);
}
static void packs_scores(broken *b)
{
    b->plan[0].attn.pairs = TS_PAIR_KEYS;
    settle(b);
}
static void packs_queries(broken *b)
{
    b->plan[0].attn.pairs = TS_PAIR_QUERIES;
    settle(b);
}
static void packs_context(broken *b)
{
    b->plan[0].attn.pack_context = true;
    settle(b);
}
static void no_ultra(broken *b)
{
    b->plan[0].attn.kvstyle = TS_MEM_ULTRA;
    settle(b);
}
static void unloaded(broken *b)
{
    b->own = *b->f->pynq;
    b->own.has.uram = 100;
    b->device[0] = &b->own;
    b->plan[0].nrm[TS_NRM_1].pstyle = TS_MEM_ULTRA;
    settle(b);
}
static void shallow_fifo(broken *b)
{
    b->plan[0].mid_depth = 2;
    settle(b);
}

/* ---- Resources */
static void too_large(broken *b)
{
    b->own = *b->f->pynq;
    b->own.has.dsp = floor(b->p.part[0].planned.cost.device.dsp / 0.8) - 1;
    b->device[0] = &b->own;
}
static void too_much_lutram(broken *b)
{
    b->own = *b->f->pynq;
    b->own.has.lutram = b->p.part[0].planned.cost.device.lutram;
    b->device[0] = &b->own;
}
static void less_allowed(broken *b)
{
    b->options.plan.utilisation = 0.02;
}
static void shared_device(broken *b) /* each ring has room, both together do not */
{
    b->own = *b->f->zcu102;
    b->own.has.lut = b->p.part[0].planned.cost.device.lut * 1.5;
    b->device[0] = &b->own;
    settle(b);
}
static void cheaper(broken *b)
{
    b->p.part[1].planned.cost.device.bram36 -= 0.5;
}
static void cheaper_yosys(broken *b)
{
    b->p.part[1].planned.cost.yosys.ff -= 1;
}

/* ---- Links */
static void odd_words(broken *b)
{
    b->p.link.word_bits = 40;
}
static void no_rate(broken *b)
{
    b->p.link.rate = 1.5;
}
static void back_in_time(broken *b)
{
    b->p.link.flight = -1;
}
static void narrow_words(broken *b)
{
    b->own = *b->f->pynq;
    b->p.link.word_bits = 0;
}
static void shorter_way(broken *b)
{
    b->p.ring[1].before.latency -= 10;
}
static void faster_way(broken *b)
{
    b->p.ring[1].before.token_cycles *= 0.5;
}
static void way_within(broken *b)
{
    b->p.ring[1].before = (ts_hop){.token_cycles = 1, .latency = 1};
}

/* ---- Predictions */
static void quicker_part(broken *b)
{
    b->p.part[0].planned.prediction.latency_cycles--;
}
static void shorter_interval(broken *b)
{
    b->p.prediction.interval_cycles--;
}
static void quicker(broken *b)
{
    b->p.prediction.latency_cycles--;
}
static void another_ring(broken *b)
{
    b->p.ring[0].plan = &b->plan[1];
}

static void expect_refused(const fixture *f, const ts_device *const *device, int devices, ts_mode mode, const way_to_break *ways,
                           size_t count)
{
    static broken good, b;
    search(f, device, devices, mode, &good);
    for (size_t i = 0; i < count; i++) {
        copy(&good, &b);
        ways[i].apply(&b);
        ts_err err = {""};
        if (ts_verify_partition(f->m.im, &b.options, &b.p, &err))
            fail_msg("passes: %s", ways[i].what);
        if (!strstr(err.msg, ways[i].says))
            fail_msg("%s: \"%s\" does not say \"%s\"", ways[i].what, err.msg, ways[i].says);
    }
}
#define EXPECT_REFUSED(f, device, devices, mode, ways) expect_refused(f, device, devices, mode, ways, sizeof ways / sizeof *ways)

static void broken_splits_are_refused(void **state)
{
    static const way_to_break ways[] = {
        {"a block is missing", gap, "blocks are missing"},
        {"a block is there twice", overlap, "there twice"},
        {"the last block is missing", short_end, "head"},
        {"a part without blocks", empty_part, "cuts 0 to 0"},
        {"a cut behind the embedding", no_embedding, "between the embedding and the first layer"},
        {"two embeddings", two_embeddings, "belongs to the first part"},
        {"a head in front", early_head, "belongs to the last part"},
        {"a cut where the rings are not", moved_cut, "has not the blocks"},
        {"layers in another order", swapped_layers, "layer 0 is not the model's"},
        {"one weight is another", other_weights, "FFN block of layer"},
        {"another head", other_head, "head is not the model's"},
        {"other formats", other_shape, "other formats"},
        {"half a layer", half_layer, "has not the blocks"},
        {"both on one device", same_device, "both on device 0"},
        {"against the order of the list", wrong_order, "in the order of the list"},
        {"a device that is not there", no_device, "the list has 0 to 1"},
        {"planned for another device", other_name, "planned for zcu102"},
        {"a pin is not kept", pinned_elsewhere, "layers.0.attention is pinned to device 1"},
        {"split called monolithic", wrong_mode, "monolithic is one ring"},
        {"a mode that is not built", no_such_mode, "no plan has the mode ?"},
        {"paged without pages", not_paged, "all weights are on chip"},
        {"replicated over devices", replicated_apart, "replicated rings share a device"},
        {"a fold that is not legal", illegal_fold, "pk is 1000"},
        {"longer events in one part", wrong_length, "part 1: it takes events of up to 49"},
        {"planned for longer events", long_plan, "plan_tokens is 49, it must be 1 to 48"},
        {"planned for two lengths", two_lengths, "planned for 47 hits"},
        {"two clocks", other_clock, "clock of 200 MHz"},
        {"another clock than was asked for", too_fast, "the design's is 1 MHz"},
        {"two products a DSP where they do not fit", packs, "ffn1: two products a DSP"},
        {"two scores a DSP (keys)", packs_scores, "two scores a DSP"},
        {"two scores a DSP (queries)", packs_queries, "two scores a DSP"},
        {"two products of the context a DSP", packs_context, "products of the context"},
        {"UltraRAM where there is none", no_ultra, "of which pynq-z2 has none"},
        {"UltraRAM that is not loaded", unloaded, "which nobody loads"},
        {"a FIFO that is too short", shallow_fifo, "the residual FIFO holds 2 tokens"},
        {"more DSPs than allowed", too_large, "more than the"},
        {"more LUTs as memory than can be", too_much_lutram, "LUT RAM are needed"},
        {"a lower cap", less_allowed, "more than the"},
        {"fewer block RAMs claimed", cheaper, "BRAM36 (column device), and needs"},
        {"fewer registers claimed", cheaper_yosys, "FF (column yosys), and needs"},
        {"words of 40 bits", odd_words, "words of 40 bits"},
        {"words of no bits", narrow_words, "words of 0 bits"},
        {"more than a word a cycle", no_rate, "1.5 words a cycle"},
        {"a way back in time", back_in_time, "-1 cycles on the way"},
        {"a shorter way", shorter_way, "the way to part 1 takes"},
        {"a faster way", faster_way, "the way to part 1 takes"},
        {"a latency that is too good, of a part", quicker_part, "part 0: it says"},
        {"an interval that is too good", shorter_interval, "it says"},
        {"a latency that is too good", quicker, "it says"},
        {"another ring in the chain", another_ring, "the chain has another ring"},
    };
    const fixture *f = *state;
    const ts_device *const two[] = {f->pynq, f->pynq};
    EXPECT_REFUSED(f, two, 2, TS_MODE_SPLIT, ways);
}

static void broken_rings_are_refused(void **state)
{
    static const way_to_break ways[] = {
        {"a device that is too small for all of them", shared_device, "LUT are needed"},
        {"a way where there is none", way_within, "the way to part 1"},
        {"a mode that there is none of", no_such_mode, "no plan has the mode"},
    };
    const fixture *f = *state;
    EXPECT_REFUSED(f, &f->zcu102, 1, TS_MODE_REPLICATED, ways);
}

/* ---- Pages. Whole claims are made by hand here: two buffers for the FFN, one for o. */

static ts_plan paged_plan(const fixture *f)
{
    ts_plan plan = ts_plan_minimal(f->m.im, HITS);
    plan.mid_depth = 64;
    plan.argmax = false;
    plan.lin[TS_LIN_FFN1].buffers = plan.lin[TS_LIN_FFN2].buffers = 2;
    plan.lin[TS_LIN_O].buffers = 1;
    plan.paging = (ts_paging){.lanes = 2, .bursts = 4, .latency = 100, .rate = 0.9};
    return plan;
}

static bool verify_paged(const fixture *f, const ts_plan *plan, const ts_device *device, const ts_prediction *said, ts_err *err)
{
    ts_plan copy = *plan;
    copy.device = device->name;
    const ts_claim_part part = {
        .slice = ts_slice_between(f->m.im, 0, ts_block_count(f->m.im)), .im = f->m.im, .plan = &copy, .prediction = said};
    const ts_claim claim = {.im = f->m.im, .mode = TS_MODE_PAGED, .devices = 1, .device = &device, .parts = 1, .part = &part};
    return ts_verify_claim(&claim, err);
}

static void pages_need_a_memory(void **state)
{
    const fixture *f = *state;
    ts_plan plan = paged_plan(f);
    ts_err err = {""};
    if (!verify_paged(f, &plan, f->zcu102, NULL, &err))
        fail_msg("%s", err.msg);
    ts_device poor = *f->zcu102;
    poor.memory_gbytes_per_s = 0;
    assert_false(verify_paged(f, &plan, &poor, NULL, &err));
    assert_non_null(strstr(err.msg, "has no external memory"));
    err.msg[0] = '\0';
    poor.memory_gbytes_per_s = 1.4; /* 16 bytes at 100 MHz, nine of ten cycles: 1.44 */
    assert_false(verify_paged(f, &plan, &poor, NULL, &err));
    assert_non_null(strstr(err.msg, "pages come at 1.44 GB/s"));
    err.msg[0] = '\0';
    ts_prediction quick = ts_predict(&plan, f->m.im, HITS);
    quick.interval_cycles = 10;
    assert_false(verify_paged(f, &plan, f->zcu102, &quick, &err));
    assert_non_null(strstr(err.msg, "its pages alone take"));
    static const struct {
        int buffers, lanes;
        double rate;
    } wrong[] = {{3, 2, 0.9}, {2, 3, 0.9}, {2, 0, 0.9}, {2, 2, 0}, {2, 2, 1.1}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        ts_plan bad = plan;
        bad.lin[TS_LIN_FFN1].buffers = wrong[i].buffers;
        bad.paging.lanes = wrong[i].lanes;
        bad.paging.rate = wrong[i].rate;
        err.msg[0] = '\0';
        assert_false(verify_paged(f, &bad, f->zcu102, NULL, &err));
    }
}

/* Every page of the order, moved to every other place. */
static void pages_in_another_order_may_deadlock(void **state)
{
    const fixture *f = *state;
    ts_plan plan = paged_plan(f);
    const ts_page_order order = ts_page_order_of(f->m.arena, &plan, f->m.im);
    ts_err err = {""};
    assert_true(order.count == 12 && ts_verify_page_order(&order, f->m.im->layers, &err));
    int refused = 0;
    for (int from = 0; from < order.count; from++)
        for (int to = 0; to < order.count; to++) {
            ts_page_order other = order;
            other.transfer = TS_NEW_N(f->m.arena, ts_page_transfer, order.count);
            memcpy(other.transfer, order.transfer, (size_t)order.count * sizeof *other.transfer);
            const ts_page_transfer moved = other.transfer[from];
            memmove(&other.transfer[from], &other.transfer[from + 1], (size_t)(order.count - 1 - from) * sizeof moved);
            memmove(&other.transfer[to + 1], &other.transfer[to], (size_t)(order.count - 1 - to) * sizeof moved);
            other.transfer[to] = moved;
            err.msg[0] = '\0';
            const bool ok = ts_verify_page_order(&other, f->m.im->layers, &err);
            refused += !ok;
            assert_true(ok || strstr(err.msg, "before a page of an earlier turn is there"));
            /* o has one buffer: its page of the last layer, in front of all, takes the place of the first one's before the FFN has its own.
             */
            if (from == order.count - 1 && to == 0)
                assert_false(ok);
            if (from == to)
                assert_true(ok);
        }
    assert_true(refused > 20 && refused < 132);
}

static void links_hold_what_is_under_way(void **state)
{
    (void)state;
    ts_err err = {""};
    for (int bits = 8; bits < 200000; bits = bits * 3 + 1)
        for (double mbits = 10; mbits < 1e7; mbits *= 7)
            for (double ns = 0; ns < 1e9; ns = ns * 11 + 1) {
                const ts_link link = ts_link_of(bits, mbits, ns, 250);
                if (!ts_verify_link(&link, bits, &err))
                    fail_msg("tokens of %d bits, %g Mbit/s, %g ns: %s", bits, mbits, ns, err.msg);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(broken_splits_are_refused),    cmocka_unit_test(broken_rings_are_refused),
        cmocka_unit_test(pages_need_a_memory),          cmocka_unit_test(pages_in_another_order_may_deadlock),
        cmocka_unit_test(links_hold_what_is_under_way),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
