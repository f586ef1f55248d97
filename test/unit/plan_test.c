/* Devices, folds, predictions, costs and the planner. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "graph/random_encoder.h"
#include "plan/fold.h"
#include "plan/make.h"
#include "quant/quantise.h"
#include "ring/cost.h"
#include "ring/plan_cost.h"

typedef struct fixture {
    ts_arena *arena;
    const ts_imodel *encreg; /* 6 layers, d 32, 4 heads, ff 128, 3 -> 4 */
    const ts_imodel *enccla; /* 2 layers, d 64, 8 heads, ff 128, 3 -> 60 classes */
} fixture;

static const ts_imodel *model(ts_arena *arena, const ts_encoder_shape *shape, bool classifier)
{
    enum { HITS = 16 };
    ts_err err = {""};
    uint64_t seed = 11;
    const ts_encoder *enc = ts_encoder_random(arena, shape, seed);
    ts_calibration *cal = ts_calibration_new(arena, enc);
    float x[HITS * 3];
    for (int i = 0; i < HITS * 3; i++)
        x[i] = 2 * ts_random_unit(&seed);
    assert_true(ts_calibration_add(cal, HITS, x, &err));
    ts_formats *formats = ts_formats_default(arena, shape->layers);
    formats->classifier = classifier;
    const ts_imodel *im = ts_quantise(arena, enc, cal, formats, &err);
    if (!im)
        fail_msg("%s", err.msg);
    return im;
}

static int setup(void **state)
{
    static fixture f;
    f.arena = ts_arena_new();
    f.encreg = model(f.arena,
                     &(ts_encoder_shape){.features = 3,
                                         .d = 32,
                                         .heads = 4,
                                         .d_head = 8,
                                         .ff = 128,
                                         .outputs = 4,
                                         .layers = 6,
                                         .embed_count = 1,
                                         .head_count = 1,
                                         .act = TS_ACT_RELU},
                     false);
    f.enccla = model(f.arena,
                     &(ts_encoder_shape){.features = 3,
                                         .d = 64,
                                         .heads = 8,
                                         .d_head = 8,
                                         .ff = 128,
                                         .outputs = 60,
                                         .layers = 2,
                                         .embed_count = 1,
                                         .head_count = 1,
                                         .act = TS_ACT_RELU},
                     true);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    ts_arena_free(((fixture *)*state)->arena);
    return 0;
}

/* ---- Devices */

static void devices_are_found_by_name(void **state)
{
    const fixture *f = *state;
    ts_err err = {""};
    int count = 0;
    const ts_device *const *list = ts_device_list(f->arena, &count);
    assert_int_equal(count, 26);
    for (int i = 0; i < count; i++) {
        const ts_device *found = ts_device_find(f->arena, list[i]->name, &err);
        assert_non_null(found);
        assert_string_equal(found->part, list[i]->part);
        assert_true(found->has.lut > 0 && found->has.dsp > 0 && found->has.bram36 > 0 && found->clock_mhz > 0);
    }
    const ts_device *zcu102 = ts_device_find(f->arena, "zcu102", &err);
    assert_true(zcu102->has.dsp == 2520 && zcu102->has.bram36 == 912 && zcu102->has.lut == 274080);
    assert_true(zcu102->memory_gbytes_per_s == 17.1 && zcu102->dsp_mhz == 775 && zcu102->links == 4); /* 64 bits at 2133 MT/s */
    assert_true(ts_device_find(f->arena, "ultra96", &err)->memory_gbytes_per_s == 4.27);              /* 32 bits at 1066 MT/s */
    const ts_device *u55c = ts_device_find(f->arena, "u55c", &err);
    assert_true(u55c->whole.dsp == 9024 && u55c->has.dsp == floor(.92 * 9024) && u55c->has.lut == floor(.868 * 1303680) &&
                u55c->has.uram == 960);
    assert_true(u55c->slr == 3 && u55c->die[0].dsp == 2880 && u55c->die[1].dsp == 3072 && u55c->shell);
}

/* Dies are counted by what each has, in the file's order, and by the resource that needs most of them. */
static void dies_that_are_needed(void **state)
{
    const fixture *f = *state;
    ts_err err = {""};
    const ts_device *u55c = ts_device_find(f->arena, "u55c", &err);
    const struct {
        ts_resources need;
        double cap;
        int dies;
    } cases[] = {{{.dsp = 2880}, 1, 1},
                 {{.dsp = 2881}, 1, 2},
                 {{.dsp = 5952}, 1, 2},
                 {{.dsp = 5953}, 1, 3},
                 {{.dsp = 2305}, .8, 2},
                 {{.lut = 100, .uram = 321}, 1, 2},
                 {{.lut = 440000, .dsp = 1}, 1, 2},
                 {{.dsp = 99999}, 1, 3}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(ts_device_dies(u55c, &cases[i].need, cases[i].cap), cases[i].dies);
}

static void clock_that_dsps_do_not_take(void **state)
{
    const fixture *f = *state;
    ts_err err = {""};
    const ts_device *zcu102 = ts_device_find(f->arena, "zcu102", &err);
    ts_planned planned;
    assert_false(
        ts_plan_search(f->arena, f->encreg, zcu102, &(ts_plan_options){.max_tokens = 64, .clock_mhz = 776, .quick = true}, &planned, &err));
    assert_non_null(strstr(err.msg, "DSP48E2 of zcu102 take 775 MHz at most"));
    err.msg[0] = 0;
    assert_true(
        ts_plan_search(f->arena, f->encreg, zcu102, &(ts_plan_options){.max_tokens = 64, .clock_mhz = 775, .quick = true}, &planned, &err));
}

static void unknown_device_lists_the_known(void **state)
{
    const fixture *f = *state;
    ts_err err = {""};
    assert_null(ts_device_find(f->arena, "zcu103", &err));
    assert_non_null(strstr(err.msg, "zcu103"));
    assert_non_null(strstr(err.msg, "zcu102"));
    assert_non_null(strstr(err.msg, "ice40up5k"));
}

static void device_from_a_file(void **state)
{
    const fixture *f = *state;
#define DEVICE(rest) \
    "{\"name\": \"mine\", \"title\": \"t\", \"part\": \"p\", \"yosys_family\": \"xc7\", \"lut\": 1000, \"ff\": 2000, \"lutram\": 100," \
    " \"dsp\": {\"kind\": \"DSP48E1\", \"count\": 10, \"a_bits\": 25, \"b_bits\": 18}," \
    " \"bram\": {\"kind\": \"RAMB36E1\", \"count\": 5, \"kbit\": 36}, \"uram\": 0, \"clock_mhz\": 50," \
    " \"memory_gbytes_per_s\": 0, \"source\": \"s\", " rest "}"
    static const char good[] = DEVICE("\"slr\": 1");
    static const char *const wrong[][2] = {
        {"", "not valid JSON"},
        {"[]", "one JSON object"},
        {"{\"name\": \"mine\"}", "docs/devices.md"},
        {"{\"name\": \"mine\", \"luts\": 5}", "unknown member \"luts\"; known are name, title, part"},
        {DEVICE("\"slr\": 2, \"dies\": [{}]"), "a list of 2 objects"},
        {DEVICE("\"slr\": 1, \"dies\": [{\"lut\": 999, \"ff\": 2000, \"dsp\": 10, \"bram\": 5, \"uram\": 0}]"),
         "the dies have 999 LUT together, the device 1000"},
        {DEVICE("\"slr\": 1000000000"), "64 dies at most"},
        {DEVICE("\"slr\": 1, \"shell\": {\"lut\": 1.5, \"what\": \"s\"}"), "above 0 and at most 1"},
        {DEVICE("\"slr\": 1, \"shell\": {\"luts\": 0.5, \"what\": \"s\"}"), "shell: unknown member \"luts\"; known are lut, ff"},
        {DEVICE("\"slr\": 1, \"link\": {\"mbits\": 5, \"ns\": 5, \"count\": 0}"), "\"count\" must be a number of at least 1"},
    };
    ts_err err = {""};
    assert_true(ts_file_write("plan-test-device.json", good, sizeof good - 1, &err));
    const ts_device *mine = ts_device_find(f->arena, "plan-test-device.json", &err);
    assert_non_null(mine);
    assert_true(mine->has.dsp == 10 && strcmp(mine->name, "mine") == 0);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        ts_err bad = {""};
        assert_true(ts_file_write("plan-test-device.json", wrong[i][0], strlen(wrong[i][0]), &err));
        assert_null(ts_device_find(f->arena, "plan-test-device.json", &bad));
        assert_non_null(strstr(bad.msg, wrong[i][1]));
    }
    remove("plan-test-device.json");
    ts_err missing = {""};
    assert_null(ts_device_find(f->arena, "./no-such-device.json", &missing));
    assert_non_null(strstr(missing.msg, "no-such-device.json"));
}

/* What does not fit names a device that holds it indeed; those with fewer DSPs do not. */
static void device_that_would_do_is_the_smallest(void **state)
{
    const fixture *f = *state;
    static const struct {
        const char *device;
        int tokens;
    } short_of[] = {{"ice40up5k", 64}, {"pynq-z2", 4000}, {"pynq-z2", 16000}, {"zcu102", 30000}, {"u250", 65000}};
    int named = 0, count = 0;
    const ts_device *const *list = ts_device_list(f->arena, &count);
    for (size_t i = 0; i < sizeof short_of / sizeof *short_of; i++) {
        ts_err ignored = {""};
        const ts_device *on = ts_device_find(f->arena, short_of[i].device, &ignored);
        const ts_plan_options o = {.max_tokens = short_of[i].tokens, .plan_tokens = 50, .quick = true};
        ts_err err = {""};
        ts_planned planned;
        assert_false(ts_plan_search(f->arena, f->encreg, on, &o, &planned, &err));
        const char *end = strstr(err.msg, " would do");
        assert_non_null(end);
        const ts_device *smallest = NULL; /* that the planner finds room on */
        for (int d = 0; d < count; d++) {
            ts_err none = {""};
            if (list[d]->dsp_a >= on->dsp_a && ts_plan_search(f->arena, f->encreg, list[d], &o, &planned, &none) &&
                (!smallest || list[d]->has.dsp < smallest->has.dsp ||
                 (list[d]->has.dsp <= smallest->has.dsp && list[d]->has.lut < smallest->has.lut)))
                smallest = list[d];
        }
        const char *expected = smallest ? smallest->name : "no known device";
        if (strncmp(end - strlen(expected), expected, strlen(expected)) != 0)
            fail_msg("%s: %s; the smallest that holds it is %s", short_of[i].device, err.msg, expected);
        named += smallest != NULL;
    }
    assert_true(named >= 3);
}

/* The rule; and over all values of small formats both products can be told apart on a multiplier of the bits that it asks for. (The
   shared factor may even be the most negative number.) */
static void packing_follows_the_multiplier(void **state)
{
    const fixture *f = *state;
    ts_err err = {""};
    const ts_device *wide = ts_device_find(f->arena, "zcu102", &err), *narrow = ts_device_find(f->arena, "arty-a7-100t", &err);
    for (int a = 2; a <= 20; a++)
        for (int b = 2; b <= 16; b++) {
            assert_int_equal(ts_dsp_packs(wide, a, true, b), a + 2 * b <= 28 && a <= 18);
            assert_int_equal(ts_dsp_packs(wide, a, false, b), a + 2 * b <= 27 && a <= 17);
            assert_int_equal(ts_dsp_packs(narrow, a, true, b), a + 2 * b <= 26 && a <= 18);
            assert_int_equal(ts_dsp_packs(narrow, a, false, b), a + 2 * b <= 25 && a <= 17);
        }
    for (int is_signed = 0; is_signed < 2; is_signed++)
        for (int a = 2; a <= 5; a++)
            for (int b = 2; b <= 4; b++) {
                int bits = 1; /* of the wide factor */
                while (!ts_dsp_packs(&(ts_device){.dsp_a = bits, .dsp_b = bits}, a, is_signed, b))
                    bits++;
                const int k = bits - b, top = (1 << (b - 1)) - 1, x_top = (1 << (a - is_signed)) - 1;
                for (int x = is_signed ? -x_top - 1 : 0; x <= x_top; x++)
                    for (int w1 = -top; w1 <= top; w1++)
                        for (int w0 = -top; w0 <= top; w0++) {
                            const int wide_factor = w1 * (1 << k) + w0, product = x * wide_factor;
                            const int low = (product & ((1 << k) - 1)) - (product >> (k - 1) & 1) * (1 << k);
                            assert_true(wide_factor >= -(1 << (bits - 1)) && wide_factor < 1 << (bits - 1));
                            assert_int_equal(low, x * w0);
                            assert_int_equal((product - low) / (1 << k), x * w1);
                        }
            }
}

/* ---- Folds */

/* No legal fold that is as fast costs less: multipliers and requantisers, and a quarter as much for lanes of outputs and of requantisers.
 */
static void linear_folds_are_the_cheapest(void **state)
{
    (void)state;
    static const int shapes[][2] = {{1, 1}, {3, 32}, {32, 96}, {7, 5}, {32, 4}, {17, 13}, {24, 31}};
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        const int in = shapes[s][0], out = shapes[s][1];
        for (int ii = 1; ii <= 40; ii++) {
            const ts_lin_fold f = ts_fold_linear(in, out, ii, false);
            const int ko = ts_ceil_div(in, f.pk), mo = ts_ceil_div(out, f.pm);
            assert_true(ko * mo <= ii && f.pk <= in && f.pm <= out && f.pm % f.nr == 0 && f.nr * ko >= f.pm);
            int least = 4 * (in * out + out) + 2 * out;
            for (int pk = 1; pk <= in; pk++)
                for (int pm = 1; pm <= out; pm++) {
                    const int nr = ts_fold_requant(pm, ts_ceil_div(in, pk)), cost = 4 * (pk * pm + nr) + pm + nr;
                    if (ts_ceil_div(in, pk) * ts_ceil_div(out, pm) <= ii && cost < least)
                        least = cost;
                }
            assert_int_equal(4 * (f.pk * f.pm + f.nr) + f.pm + f.nr, least);
        }
    }
}

static void attention_folds_keep_up(void **state)
{
    (void)state;
    static const int lengths[] = {100, 512, 700};
    for (int pq = 1; pq <= 4; pq++)
        for (int ii = 10; ii < 60; ii += 7) {
            ts_attn_fold list[TS_ATTN_FOLD_MAX];
            const int count = ts_fold_attention(4, 8, pq, ii, (ts_attn_packing){0}, &lengths[1], 1, list);
            assert_true(count > 0);
            for (int i = 0; i < count; i++) {
                assert_true(ts_attn_block(&list[i], 4, 8, 512) <= pq * ii);
                ts_attn_fold fewer = list[i];
                fewer.pkey--;
                assert_true(fewer.pkey == 0 || ts_attn_block(&fewer, 4, 8, 512) > pq * ii);
            }
        }
    ts_attn_fold list[TS_ATTN_FOLD_MAX];
    assert_int_equal(ts_fold_attention(4, 8, 1, 0.5, (ts_attn_packing){0}, lengths, 3, list), 0); /* not even all at once */
}

/* ---- Planning */

static ts_planned plan_for(const fixture *f, const ts_imodel *im, const char *device, const ts_plan_options *options)
{
    ts_err err = {""};
    const ts_device *d = ts_device_find(f->arena, device, &err);
    ts_planned p;
    if (!ts_plan_search(f->arena, im, d, options, &p, &err))
        fail_msg("%s", err.msg);
    assert_true(ts_plan_check(p.plan, im, &err));
    const double cap = options->utilisation > 0 ? options->utilisation : 0.8;
    assert_true(ts_device_load(d, &p.cost.device, NULL) <= cap);
    return p;
}

static void encreg_on_a_zcu102(void **state)
{
    const fixture *f = *state;
    const ts_planned p = plan_for(f, f->encreg, "zcu102", &(ts_plan_options){.clock_mhz = 250, .max_tokens = 768, .plan_tokens = 512});
    print_message("%s", p.why);
    assert_int_equal(p.prediction.tokens, 512);
    assert_true(p.prediction.latency_cycles <= 90000);
    assert_true(p.prediction.mac_utilisation >= 0.88);
    assert_true(p.cost.device.dsp >= 0.65 * 2520);
    assert_true(p.cost.yosys.ff > p.cost.device.ff && p.cost.yosys.dsp == p.cost.device.dsp);
    assert_non_null(strstr(p.why, "chosen"));
    assert_non_null(strstr(p.why, "DSP"));
}

/* What the column `device` leaves out: docs/devices.md. */
static void registers_inside_of_primitives(void **state)
{
    const fixture *f = *state;
    ts_err err = {""};
    const ts_mapping plus = ts_mapping_of(ts_device_find(f->arena, "zcu102", &err)),
                     seven = ts_mapping_of(ts_device_find(f->arena, "pynq-z2", &err));
    const ts_cost one_bank = ts_cost_mem(&plus, 72, 512, TS_MEM_BLOCK, false),
                  two_banks = ts_cost_mem(&plus, 1, 65536, TS_MEM_BLOCK, false),
                  distributed = ts_cost_mem(&plus, 72, 32, TS_MEM_DISTRIBUTED, false);
    assert_true(one_bank.yosys.ff - one_bank.device.ff == 72 && one_bank.device.bram36 == 1);
    assert_true(two_banks.yosys.ff == two_banks.device.ff && two_banks.device.bram36 == 2);
    assert_true(distributed.yosys.ff == distributed.device.ff && distributed.yosys.ff >= 144);
    const ts_cost on_plus = ts_cost_mul(&plus, 12, 12, true, true), on_seven = ts_cost_mul(&seven, 12, 12, true, true);
    assert_true(on_plus.yosys.ff == 72 && on_plus.device.ff == 0 && on_seven.yosys.ff == 0 && on_seven.device.ff == 0);
}

static void stages_add_up(void **state)
{
    const fixture *f = *state;
    ts_err err = {""};
    const ts_imodel *const models[] = {f->encreg, f->enccla};
    for (int i = 0; i < 2; i++) {
        const ts_planned p = plan_for(f, models[i], "kv260", &(ts_plan_options){.max_tokens = 256, .argmax = i == 1});
        ts_stage_cost list[TS_STAGE_COST_MAX];
        const int count = ts_plan_stage_costs(p.plan, models[i], ts_device_find(f->arena, "kv260", &err), list);
        ts_resources sum = {0};
        for (int s = 0; s < count; s++) {
            sum.lut += list[s].cost.yosys.lut;
            sum.dsp += list[s].cost.yosys.dsp;
            sum.bram36 += list[s].cost.yosys.bram36;
        }
        assert_true(fabs(sum.lut - p.cost.yosys.lut) < 1e-6 * sum.lut && sum.dsp == p.cost.yosys.dsp && sum.bram36 == p.cost.yosys.bram36);
        /* A DSP a multiplier, and those of requantisation, norm and softmax. */
        assert_true(p.cost.yosys.dsp > ts_plan_mac_units(p.plan, models[i]));
    }
}

static void smaller_caps_make_slower_rings(void **state)
{
    const fixture *f = *state;
    double before = 0;
    for (int percent = 80; percent >= 20; percent -= 20) {
        const ts_planned p = plan_for(f, f->enccla, "zcu102", &(ts_plan_options){.max_tokens = 300, .utilisation = percent / 100.0});
        assert_true(p.mean_latency >= before * 0.99);
        before = p.mean_latency;
    }
}

static void target_ii_is_kept(void **state)
{
    const fixture *f = *state;
    int units = 1 << 30;
    for (int ii = 40; ii <= 640; ii *= 2) {
        const ts_planned p = plan_for(f, f->encreg, "zcu102", &(ts_plan_options){.max_tokens = 512, .plan_tokens = 300, .target_ii = ii});
        const ts_layer_time t = ts_layer_time_of(p.plan, f->encreg, 300);
        assert_true(t.ii <= ii && p.prediction.mac_units < units);
        units = p.prediction.mac_units;
    }
}

static void lengths_of_events_decide(void **state)
{
    const fixture *f = *state;
    static const int lengths[] = {40, 50, 60, 5000, 50};
    const ts_planned few = plan_for(f, f->encreg, "zcu102", &(ts_plan_options){.max_tokens = 768, .lengths = lengths, .lengths_count = 5});
    assert_int_equal(few.plan->plan_tokens, 50);
    assert_int_equal(few.plan->n_max, 768);
    const ts_planned many = plan_for(f, f->encreg, "zcu102", &(ts_plan_options){.max_tokens = 768});
    assert_int_equal(many.plan->plan_tokens, 768);
    const ts_ring_widths w = ts_ring_widths_of(f->encreg);
    assert_true(ts_predict_latency(few.plan, f->encreg, &w, 50) < ts_predict_latency(many.plan, f->encreg, &w, 50));
    assert_true(ts_predict_latency(few.plan, f->encreg, &w, 768) > ts_predict_latency(many.plan, f->encreg, &w, 768));
}

static void predictions_grow_with_the_event(void **state)
{
    const fixture *f = *state;
    const ts_planned p = plan_for(f, f->encreg, "ultra96", &(ts_plan_options){.max_tokens = 300});
    ts_prediction before = {0};
    for (int n = 1; n <= 300; n++) {
        const ts_prediction now = ts_predict(p.plan, f->encreg, n);
        assert_true(now.latency_cycles >= before.latency_cycles && now.interval_cycles >= before.interval_cycles);
        assert_true(now.total_cycles >= now.latency_cycles && now.mac_utilisation > 0 && now.mac_utilisation <= 1);
        before = now;
    }
    const double macs = ts_model_macs(f->encreg, 512); /* docs: n * (L * (4 d^2 + 2 d ff + 2 n d) + in*d + d*out) */
    assert_true(macs == 512.0 * (6 * (4 * 1024 + 2 * 4096 + 2 * 512 * 32) + 96 + 128));
}

/* A ring with one of everything, added up by hand from what the modules of rtl/ state of themselves. */
static void predictions_are_the_modules_sums(void **state)
{
    const fixture *f = *state;
    ts_plan plan = {.n_max = 10, .reg = 2, .sum_lanes = 32, .queue_beats = 1, .attn = {.pq = 1, .pkey = 1, .ph = 1, .pd = 1, .nf = 1}};
    for (int i = 0; i < TS_LIN_COUNT; i++)
        plan.lin[i] = (ts_lin_fold){.pk = 1, .pm = 1, .nr = 1};
    for (int i = 0; i < TS_RQV_COUNT; i++)
        plan.rqv[i].nr = 1;
    for (int i = 0; i < TS_NRM_COUNT; i++)
        plan.nrm[i].np = 1;
    enum { N = 10, D = 32, FF = 128, SLICE = 1, RADD = 2, RQVEC = D + 10, NORM = 3 * D + 18 + 9 + 8, LAG = 14, HEAD_LAG = 13, RECIP = 9 };
    const int through = (D * D + LAG) + RADD + NORM + SLICE + RQVEC + (D * FF + LAG) + (FF * D + LAG) + RADD + NORM + SLICE;
    const ts_layer_time t = ts_layer_time_of(&plan, f->encreg, N);
    assert_int_equal(t.chain, through + SLICE + SLICE + RQVEC + (D * 3 * D + LAG));
    assert_int_equal(t.chain_ii, D * FF);
    assert_int_equal(t.enter, SLICE + SLICE + (3 * 3 * D + LAG) + SLICE);
    assert_int_equal(t.enter_ii, 3 * 3 * D);
    assert_int_equal(t.leave, through + RQVEC + (D * 4 + HEAD_LAG) + SLICE);
    /* 4 heads of width 8, one of each a step: an item is 8 n steps, pass two is 11 cycles behind. */
    assert_true(fabs(t.block - 4 * 8 * N) < 1e-9);
    assert_int_equal(t.row, 8);
    assert_int_equal(t.attention, (4 * 8 + 2) + 1 + 2 * 8 * N + 3 * 8 * N + 11 + 19 + RECIP + 8);
    /* Blocks wait for the slowest linear; the next event's last token comes after this one's residuals have left. */
    const int layer = t.attention + (N - 1) * D * FF + t.chain, last = t.attention + (N - 1) * D * FF + t.leave;
    const ts_prediction p = ts_predict(&plan, f->encreg, N);
    assert_int_equal(p.latency_cycles, t.enter + 5 * layer + last);
    assert_int_equal(p.total_cycles, p.latency_cycles + (N - 1) * 3 * 3 * D);
    assert_int_equal(p.interval_cycles, N * D * FF + 5 * layer);
    assert_int_equal(p.mac_units, 2 + 7);
}

static void what_does_not_fit_says_why(void **state)
{
    const fixture *f = *state;
    ts_planned p;
    ts_err err = {""};
    const ts_device *small = ts_device_find(f->arena, "ice40up5k", &err), *zcu102 = ts_device_find(f->arena, "zcu102", &err);
    assert_false(ts_plan_search(f->arena, f->encreg, small, &(ts_plan_options){.max_tokens = 64}, &p, &err));
    assert_non_null(strstr(err.msg, "does not fit ice40up5k"));
    assert_non_null(strstr(err.msg, "would do"));
    assert_non_null(strstr(err.msg, "more than"));

    ts_err fast = {""}, zero = {""}, beyond = {""};
    assert_false(ts_plan_search(f->arena, f->encreg, zcu102, &(ts_plan_options){.max_tokens = 512, .target_ii = 4}, &p, &fast));
    assert_non_null(strstr(fast.msg, "DSP"));
    assert_false(ts_plan_search(f->arena, f->encreg, zcu102, &(ts_plan_options){.max_tokens = 0}, &p, &zero));
    assert_false(ts_plan_search(f->arena, f->encreg, zcu102, &(ts_plan_options){.max_tokens = 10, .plan_tokens = 11}, &p, &beyond));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(devices_are_found_by_name),
        cmocka_unit_test(dies_that_are_needed),
        cmocka_unit_test(clock_that_dsps_do_not_take),
        cmocka_unit_test(unknown_device_lists_the_known),
        cmocka_unit_test(device_from_a_file),
        cmocka_unit_test(device_that_would_do_is_the_smallest),
        cmocka_unit_test(packing_follows_the_multiplier),
        cmocka_unit_test(linear_folds_are_the_cheapest),
        cmocka_unit_test(attention_folds_keep_up),
        cmocka_unit_test(encreg_on_a_zcu102),
        cmocka_unit_test(registers_inside_of_primitives),
        cmocka_unit_test(stages_add_up),
        cmocka_unit_test(smaller_caps_make_slower_rings),
        cmocka_unit_test(target_ii_is_kept),
        cmocka_unit_test(lengths_of_events_decide),
        cmocka_unit_test(predictions_grow_with_the_event),
        cmocka_unit_test(predictions_are_the_modules_sums),
        cmocka_unit_test(what_does_not_fit_says_why),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
