/* Parity: bits of images and of pages, what a plan says of it and what it costs; without it nothing is otherwise. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "emit/page_file.h"
#include "plan/make.h"
#include "plan/predict.h"
#include "ring/memories.h"
#include "ring/plan_cost.h"
#include "small_model.h"

enum { HITS = 32, II = 128 };

typedef struct fixture {
    small_model m;
    const ts_device *device;
} fixture;

static int setup(void **state)
{
    static fixture f;
    ts_err err = {""};
    f.m = small_model_make(&(ts_encoder_shape){.features = 3,
                                               .d = 32,
                                               .heads = 2,
                                               .d_head = 16,
                                               .ff = 64,
                                               .outputs = 4,
                                               .layers = 3,
                                               .embed_count = 1,
                                               .head_count = 1,
                                               .act = TS_ACT_ELU},
                           5, "", &err);
    if (!f.m.im)
        fail_msg("%s", err.msg);
    f.device = ts_device_find(f.m.arena, "zcu102", &err);
    assert_non_null(f.device);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    ts_arena_free(f->m.arena);
    return 0;
}

static ts_plan plan_of(const fixture *f, ts_paging_wish paging, ts_parity parity)
{
    ts_err err = {""};
    ts_planned planned;
    const ts_plan_options opt = {
        .max_tokens = HITS, .plan_tokens = HITS, .target_ii = II, .utilisation = 1, .paging = paging, .page_buffers = 1, .parity = parity};
    if (!ts_plan_search(f->m.arena, f->m.im, f->device, &opt, &planned, &err))
        fail_msg("%s", err.msg);
    return *planned.plan;
}

static int ones(const uint32_t *word, int bits)
{
    int count = 0;
    for (int b = 0; b < bits; b++)
        count += word[b / 32] >> (b % 32) & 1;
    return count;
}

/* Every word of every memory on the bus is even, and has below its parity what it has without. */
static void test_images(void **state)
{
    const fixture *f = *state;
    ts_plan plan = plan_of(f, TS_PAGING_NONE, TS_PARITY_ALL), bare = plan;
    bare.parity = TS_PARITY_NONE;
    ts_memory with[TS_MEMORY_MAX], without[TS_MEMORY_MAX];
    const int count = ts_memories(f->m.im, &plan, with);
    int tables = 0, odd = 0;
    assert_int_equal(ts_memories(f->m.im, &bare, without), count);
    for (int m = 0; m < count; m++) {
        const uint32_t *a = ts_memory_words(f->m.arena, f->m.im, &plan, &with[m]);
        const uint32_t *b = ts_memory_words(f->m.arena, f->m.im, &bare, &without[m]);
        const int parity = with[m].id >= 0;
        assert_int_equal(with[m].parity, parity);
        assert_false(without[m].parity);
        assert_int_equal(with[m].width, without[m].width + parity);
        tables += with[m].kind == TS_MEMORY_TABLE;
        for (int w = 0; w < with[m].depth; w++, a += ts_ceil_div(with[m].width, 32), b += ts_ceil_div(without[m].width, 32)) {
            for (int bit = 0; bit < without[m].width; bit++)
                assert_int_equal(a[bit / 32] >> (bit % 32) & 1, b[bit / 32] >> (bit % 32) & 1);
            odd += ones(b, without[m].width) & 1;
            if (parity)
                assert_int_equal(ones(a, with[m].width) % 2, 0);
        }
    }
    assert_int_equal(tables, 1);
    assert_true(odd > 100);
}

/* Pages: each slice's bits as the format has them; a word's are even. */
static void test_pages(void **state)
{
    const fixture *f = *state;
    const ts_plan plan = plan_of(f, TS_PAGING_ASKED, TS_PARITY_PAGES);
    const ts_page_order order = ts_page_order_of(f->m.arena, &plan, f->m.im);
    const int lanes = plan.paging.lanes, beat = 8 * lanes;
    size_t size;
    const uint8_t *image = ts_page_file(f->m.arena, f->m.im, &plan, &order, &size);
    assert_true(order.stages > 0);
    for (int i = 0; i < order.count; i++) {
        const ts_page_transfer *t = &order.transfer[i];
        const ts_page_stage *stage = &order.stage[t->stage];
        const ts_lin_fold *fold = &plan.lin[stage->lin];
        const ts_ring_widths w = ts_ring_widths_of(f->m.im);
        assert_int_equal(stage->width, fold->pk * fold->pm * w.lin[stage->lin].ww + 1);
        for (int word = 0; word < stage->words; word++) {
            int count = 0;
            for (int g = 0; g < stage->groups; g++) {
                const int n = word * stage->groups + g;
                const uint8_t *extra = image + (t->beat + n / 8 * 9) * beat, *data = extra + (n % 8 + 1) * beat;
                for (int byte = 0; byte < beat; byte++)
                    count += __builtin_popcount(data[byte]);
                for (int lane = 0; lane < lanes; lane++)
                    count += __builtin_popcount(extra[n % 8 * lanes + lane]);
            }
            assert_int_equal(count % 2, 0);
        }
    }
}

/* With the same folds no cycle is otherwise; it costs logic, and memory where a word fills its slices. Resident weights have none of
 * `pages`. */
static void test_plans(void **state)
{
    const fixture *f = *state;
    ts_plan all = plan_of(f, TS_PAGING_NONE, TS_PARITY_ALL), none = all, pages = all;
    none.parity = TS_PARITY_NONE;
    pages.parity = TS_PARITY_PAGES;
    assert_true(ts_plan_has_parity(&all));
    assert_false(ts_plan_has_parity(&none));
    assert_false(ts_plan_has_parity(&pages));
    assert_int_equal(ts_predict(&all, f->m.im, HITS).latency_cycles, ts_predict(&none, f->m.im, HITS).latency_cycles);
    const ts_cost a = ts_plan_cost(&all, f->m.im, f->device), b = ts_plan_cost(&none, f->m.im, f->device),
                  c = ts_plan_cost(&pages, f->m.im, f->device);
    assert_true(a.device.lut > b.device.lut && a.device.lut < 1.5 * b.device.lut);
    assert_true(a.device.bram36 >= b.device.bram36);
    assert_int_equal((int)a.device.dsp, (int)b.device.dsp);
    assert_int_equal((int)b.device.lut, (int)c.device.lut);
}

static void test_json(void **state)
{
    const fixture *f = *state;
    const ts_paging_wish paging[] = {TS_PAGING_ASKED, TS_PAGING_ASKED, TS_PAGING_NONE, TS_PAGING_NONE};
    const ts_parity parity[] = {TS_PARITY_PAGES, TS_PARITY_ALL, TS_PARITY_PAGES, TS_PARITY_NONE};
    const char *const said[] = {"pages", "all", NULL, NULL};
    for (int i = 0; i < 4; i++) {
        ts_err err = {""};
        const ts_plan plan = plan_of(f, paging[i], parity[i]);
        ts_plan back;
        json_t *json = ts_plan_to_json(&plan, f->m.im);
        const char *text = json_string_value(json_object_get(json, "parity"));
        assert_true(said[i] ? text != NULL : text == NULL);
        if (text)
            assert_string_equal(text, said[i]);
        assert_true(ts_plan_from_json(f->m.arena, json, &back, &err));
        assert_int_equal(back.parity, text ? parity[i] : TS_PARITY_NONE);
        json_object_set_new(json, "parity", json_string("some"));
        assert_false(ts_plan_from_json(f->m.arena, json, &back, &err));
        assert_non_null(strstr(err.msg, "\"parity\" must be"));
        json_decref(json);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_images), cmocka_unit_test(test_pages), cmocka_unit_test(test_plans),
                                       cmocka_unit_test(test_json)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
