/* The table of attributes, on every one of its lines: another type, a number that is missing, out of range or too many, another word. All
   of it is refused when the file is read, or before shapes are computed, with the attribute's name; nothing of it reaches a hook. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "import/import.h"
#include "onnx_build.h"
#include "op/hook.h"
#include "pass/fold.h"

enum { ONE = 1, ANY_NUMBER = 0, RANK = -1, SPATIAL = -2, PADS = -3 };
#define ANY .low = -INFINITY, .high = INFINITY
#define AT_LEAST(least) .low = (least), .high = INFINITY
#define WITHIN(least, most) .low = (least), .high = (most)
#define FLAG WITHIN(0, 1)
#define SIZE WITHIN(1, INT32_MAX)
#define PADDING WITHIN(0, INT32_MAX)
#define ONLY(value, what) .low = (value), .high = (value)
#define WORDS(text) .words = true

static const struct line {
    ts_op_kind kind;
    const char *name;
    ts_attr_type type;
    bool needed;
    int elements;
    double low, high;
    bool words;
} lines[] = {
#define OPTIONAL false
#define NEEDED true
#define ATTR(op, name, type, needed, elements, values) {TS_OP_##op, #name, TS_ATTR_##type, needed, elements, values},
#include "op/attrs.def"
};

static const struct operator
{
    const char *domain, *name;
    int version;
}
operators[] = {
#define OP(id, domain, name, since, until) {domain, name, until},
#include "op/ops.def"
#undef OP
};

static pb tensor(ts_arena *arena)
{
    return tensor_raw(arena, "t", 1, 0, NULL, &(float){1}, 4);
}

/* An attribute with `count` elements, all of them `value`. */
static pb attr_of(ts_arena *arena, const char *name, ts_attr_type type, int count, double value)
{
    static const int onnx[] = {[TS_ATTR_FLOAT] = 1,  [TS_ATTR_INT] = 2,  [TS_ATTR_STRING] = 3, [TS_ATTR_TENSOR] = 4,
                               [TS_ATTR_FLOATS] = 6, [TS_ATTR_INTS] = 7, [TS_ATTR_STRINGS] = 8};
    pb a = {.arena = arena}, t = tensor(arena);
    pb_text(&a, 1, name);
    for (int i = 0; i < count; i++)
        switch (type) {
        case TS_ATTR_FLOAT:
        case TS_ATTR_FLOATS:
            pb_float(&a, type == TS_ATTR_FLOAT ? 2 : 7, (float)value);
            break;
        case TS_ATTR_INT:
        case TS_ATTR_INTS:
            pb_int(&a, type == TS_ATTR_INT ? 3 : 8, (int64_t)value);
            break;
        case TS_ATTR_STRING:
        case TS_ATTR_STRINGS:
            pb_text(&a, type == TS_ATTR_STRING ? 4 : 9, "no such word");
            break;
        case TS_ATTR_TENSOR:
            pb_message(&a, 5, &t);
            break;
        }
    pb_int(&a, 20, onnx[type]);
    return a;
}

/* What is said of a model of one node of kind `kind` with the attribute, and with all others that it must have but `without`. */
static const char *answer(ts_arena *arena, ts_op_kind kind, const pb *attr, const char *with, const char *without)
{
    const struct operator* op = & operators[kind];
    model m = model_new(arena, op->domain[0] ? 17 : op->version);
    pb n = {.arena = arena};
    model_input(&m, "x", 1, "1,8,8,8");
    for (int i = 0; i < ts_op_find(op->domain, op->name)->hooks->min_in; i++)
        pb_text(&n, 1, "x");
    pb_text(&n, 2, "y");
    pb_text(&n, 4, op->name);
    if (op->domain[0]) {
        model_domain(&m, op->domain, op->version);
        pb_text(&n, 7, op->domain);
    }
    if (attr)
        pb_message(&n, 5, attr);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        if (lines[i].kind == kind && lines[i].needed && strcmp(lines[i].name, with) != 0 &&
            (!without || strcmp(lines[i].name, without) != 0)) {
            pb other = attr_of(arena, lines[i].name, lines[i].type, lines[i].elements < 0 ? 2 : 1, 1);
            pb_message(&n, 5, &other);
        }
    pb_message(&m.graph, 1, &n);
    model_output(&m, "y");
    ts_err err = {{0}};
    pb bytes = model_bytes(&m);
    ts_graph *g = ts_import_onnx_bytes(arena, bytes.data, bytes.size, "test", ".", &err);
    if (g && ts_fold(arena, g, &err))
        return "accepted";
    return ts_strdup(arena, err.msg);
}

static void must_say(const struct line *l, const char *said, const char *what)
{
    ts_arena *arena = ts_arena_new();
    const char *attr = ts_printf(arena, "attribute '%s'", l->name);
    if (!strstr(said, attr) || !strstr(said, what) || !strstr(said, operators[l->kind].name))
        fail_msg("%s: '%s' is not refused with '%s': %s", operators[l->kind].name, l->name, what, said);
    ts_arena_free(arena);
}

static void every_wrong_type_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        for (int type = TS_ATTR_INT; type <= TS_ATTR_STRINGS; type++) {
            ts_arena *arena = ts_arena_new();
            const pb a = attr_of(arena, lines[i].name, (ts_attr_type)type, 1, 1);
            if (type != (int)lines[i].type)
                must_say(&lines[i], answer(arena, lines[i].kind, &a, lines[i].name, NULL), "wrong type");
            ts_arena_free(arena);
        }
}

static void every_wrong_value_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        const struct line *l = &lines[i];
        ts_arena *arena = ts_arena_new();
        const int count = l->elements < 0 ? 2 : l->elements == ANY_NUMBER ? 1 : l->elements;
        if (l->needed)
            must_say(l, answer(arena, l->kind, NULL, "", l->name), "is missing");
        if (l->words) {
            const pb a = attr_of(arena, l->name, l->type, 1, 0);
            must_say(l, answer(arena, l->kind, &a, l->name, NULL), "supported: ");
        }
        const bool number = l->type == TS_ATTR_INT || l->type == TS_ATTR_INTS || l->type == TS_ATTR_FLOAT || l->type == TS_ATTR_FLOATS;
        if (number && l->low > -INFINITY) {
            const pb a = attr_of(arena, l->name, l->type, count, l->low - 1);
            must_say(l, answer(arena, l->kind, &a, l->name, NULL), "must be");
        }
        if (number && l->high < INFINITY) {
            const pb a = attr_of(arena, l->name, l->type, count, l->high + 1);
            must_say(l, answer(arena, l->kind, &a, l->name, NULL), "must be");
        }
        if (l->type == TS_ATTR_FLOAT) {
            const pb a = attr_of(arena, l->name, l->type, 1, (double)NAN);
            must_say(l, answer(arena, l->kind, &a, l->name, NULL), l->low > -INFINITY ? "must be" : "not a number");
        }
        if (l->elements > ONE || l->elements < 0)
            for (int k = 0; k < 7; k++) {
                const pb a = attr_of(arena, l->name, l->type, k, 1);
                const int need = l->elements == RANK ? 4 : l->elements == SPATIAL ? 2 : l->elements == PADS ? 4 : l->elements;
                if (k != need)
                    must_say(l, answer(arena, l->kind, &a, l->name, NULL), "values");
            }
        ts_arena_free(arena);
    }
}

static void unknown_attributes_are_refused_by_every_operator(void **state)
{
    (void)state;
    for (int kind = 0; kind < TS_OP_COUNT; kind++) {
        ts_arena *arena = ts_arena_new();
        const pb a = attr_of(arena, "wobble", TS_ATTR_INT, 1, 1);
        const char *said = answer(arena, (ts_op_kind)kind, &a, "wobble", NULL);
        if (!strstr(said, "attribute 'wobble' is not supported; supported: "))
            fail_msg("%s: %s", operators[kind].name, said);
        ts_arena_free(arena);
    }
}

static void the_table_is_in_order(void **state)
{
    (void)state;
    assert_true(ts_attrs_are_sorted());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_is_in_order),
        cmocka_unit_test(every_wrong_type_is_refused),
        cmocka_unit_test(every_wrong_value_is_refused),
        cmocka_unit_test(unknown_attributes_are_refused_by_every_operator),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
