/* Texts from outside: made plain, cut, and made into names of modules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <string.h>

#include "base/err.h"
#include "base/plain.h"
#include "emit/module_name.h"

static void plain(ts_arena *arena, const char *text, const char *wanted)
{
    assert_string_equal(ts_text_plain(arena, text), wanted);
    assert_int_equal(ts_text_is_plain(text), strcmp(text, wanted) == 0);
}

static void test_plain(void **state)
{
    (void)state;
    ts_arena *arena = ts_arena_new();
    plain(arena, "", "");
    plain(arena, "layers.0/MatMul \"q\" $HOME `id` # % ; \\ //", "layers.0/MatMul \"q\" $HOME `id` # % ; \\ //");
    plain(arena, "\xc3\xbc \xe6\xa8\xa1 \xf0\x9f\x98\x80", "\xc3\xbc \xe6\xa8\xa1 \xf0\x9f\x98\x80");
    plain(arena, "a\nb\r\t\x1b[1m\x7f", "a\\x0ab\\x0d\\x09\\x1b[1m\\x7f");
    plain(arena, "\xff\xfe", "\\xff\\xfe");
    plain(arena, "caf\xe9", "caf\\xe9");    /* Latin-1 */
    plain(arena, "\xe6\xa8", "\\xe6\\xa8"); /* cut off */
    plain(arena, "\xe6\xa8x\x80", "\\xe6\\xa8x\\x80");
    plain(arena, "\xc0\xaf \xe0\x80\xaf \xf0\x80\x80\xaf", "\\xc0\\xaf \\xe0\\x80\\xaf \\xf0\\x80\\x80\\xaf"); /* longer than need be */
    plain(arena, "\xed\xa0\x80", "\\xed\\xa0\\x80");                                                           /* half a surrogate pair */
    plain(arena, "\xf4\x90\x80\x80 \xf5", "\\xf4\\x90\\x80\\x80 \\xf5");
    plain(arena, "\xc2\x85 \xe2\x80\xa8", "\\xc2\\x85 \\xe2\\x80\\xa8"); /* other line ends */
    plain(arena, "a\\xff", "a\\x5cxff");                                 /* not the same as a\xff */
    plain(arena, "\\\\x", "\\\\x5cx");
    plain(arena, "\\X\\", "\\X\\");
    ts_arena_free(arena);
}

/* Whatever the bytes are: JSON takes what comes out, and two texts stay two. */
static void test_any_bytes(void **state)
{
    (void)state;
    static const unsigned char alphabet[] = {'a', 'x', '\\', '\n', 0x80, 0xa8, 0xc2, 0xe2, 0xed, 0xf0, 0xff};
    enum { LETTERS = sizeof alphabet, LONGEST = 4, COUNT = LETTERS * LETTERS * LETTERS * LETTERS };
    ts_arena *arena = ts_arena_new();
    json_t *seen = json_object();
    for (int i = 0; i < COUNT; i++) {
        char text[LONGEST + 1] = "";
        for (int k = 0, rest = i; k < LONGEST; k++, rest /= LETTERS)
            text[k] = (char)alphabet[rest % LETTERS];
        const char *out = ts_text_plain(arena, text);
        json_t *string = json_string(out);
        assert_non_null(string);
        json_decref(string);
        assert_null(json_object_get(seen, out));
        json_object_set_new(seen, out, json_true());
    }
    json_decref(seen);
    ts_arena_free(arena);
}

/* A message that does not fit ends with a whole character. */
static void test_messages(void **state)
{
    (void)state;
    static const char *const letters[] = {"a", "\xc3\xbc", "\xe6\xa8\xa1", "\xf0\x9f\x98\x80"};
    for (size_t bytes = 1; bytes <= 4; bytes++)
        for (size_t before = 0; before < 4; before++) {
            char text[2048] = "...";
            text[before] = 0;
            while (strlen(text) + bytes < sizeof text)
                strcat(text, letters[bytes - 1]);
            ts_err err = {""};
            assert_false(ts_fail(&err, "%s", text));
            assert_true(ts_text_is_plain(err.msg) && strlen(err.msg) > sizeof err.msg - 1 - bytes);
            assert_false(ts_fail_in(&err, "%s", text));
            assert_true(ts_text_is_plain(err.msg) && strlen(err.msg) > sizeof err.msg - 1 - bytes);
        }
    assert_int_equal(ts_text_whole("\x80\x80\x80\x80", 4), 4); /* no beginning: it was never whole */
    assert_int_equal(ts_text_whole("", 0), 0);
}

static void test_module_names(void **state)
{
    (void)state;
    ts_arena *arena = ts_arena_new();
    assert_string_equal(ts_module_name(arena, "encreg_50to100", "top"), "encreg_50to100_top");
    assert_string_equal(ts_module_name(arena, "3 layers, d=8", "system"), "m3_layers__d_8_system");
    assert_string_equal(ts_module_name(arena, "", "top"), "_top");
    assert_string_equal(ts_module_name(arena, "\xc3\xbc$`\n", "top"), "______top");
    assert_string_equal(ts_module_name(arena, "ts_sim", "top"), "m_ts_sim_top");
    char name[301] = "", other[301] = "";
    for (int n = 0; n < 300; n++) {
        name[n] = other[n] = 'n';
        other[n] = 'o';
        const char *top = ts_module_name(arena, name, "top"), *system = ts_module_name(arena, name, "system");
        assert_true(strlen(top) <= TS_MODULE_NAME_MAX && strlen(system) <= TS_MODULE_NAME_MAX);
        assert_int_equal(strlen(top) == (size_t)n + 5, n + 5 <= TS_MODULE_NAME_MAX);
        assert_string_equal(top + strlen(top) - 4, "_top");
        assert_string_not_equal(top, ts_module_name(arena, other, "top")); /* they differ in the last letter */
        other[n] = 'n';
    }
    ts_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_plain), cmocka_unit_test(test_any_bytes), cmocka_unit_test(test_messages),
                                       cmocka_unit_test(test_module_names)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
