/* JSON, manifests, and bits on the bus. */
#include <float.h>
#include <math.h>

#include "check.h"
#include "run/format.h"

static tessera_error error;

static void json_is_read_and_nothing_else(void)
{
    static const char text[] = "{\"a\": [1, -2.5e-3, true, null], \"t\": \"x\\u00e9\\n\\ud83d\\ude00\", \"o\": {\"b\": 0.1}, \"n\": 12}";
    ts_run_json *j = ts_run_json_parse("f", text, strlen(text), &error);
    long long n = 0;
    CHECK_THAT(j && j->count == 4 && ts_run_json_get(j, "a")->count == 4 && ts_run_json_get(j, "a")->first->next->number < -2.4e-3);
    CHECK_THAT(strcmp(ts_run_json_text(j, "t"), "x\xc3\xa9\n\xf0\x9f\x98\x80") == 0);
    CHECK_THAT(ts_run_json_get(ts_run_json_get(j, "o"), "b")->number <= 0.1 &&
               ts_run_json_get(ts_run_json_get(j, "o"), "b")->number >= 0.1);
    CHECK_THAT(ts_run_json_int(j, "n", 1, 12, &n) && n == 12 && !ts_run_json_int(j, "n", 1, 11, &n) && !ts_run_json_int(j, "t", 0, 9, &n));
    ts_run_json_free(j);
    static const char *const wrong[] = {"",
                                        "[]",
                                        "{",
                                        "{\"a\" 1}",
                                        "{\"a\": 01}",
                                        "{\"a\": 1}}",
                                        "{\"a\": +1}",
                                        "{\"a\": .5}",
                                        "{\"a\": 1.}",
                                        "{\"a\": tru}",
                                        "{\"a\": \"\\x\"}",
                                        "{\"a\": \"",
                                        "{\"a\": 1, \"a\": 2}",
                                        "{\"a\": [1,]}",
                                        "{\"a\": \"\\ud800\"}",
                                        "{\"a\": nan}",
                                        "{\"a\": 0x10}",
                                        "{\"a\": 1e999}"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        j = ts_run_json_parse("f", wrong[i], strlen(wrong[i]), &error);
        if (j)
            fprintf(stderr, "taken: %s\n", wrong[i]);
        CHECK_THAT(!j && error.code == TESSERA_BAD_FILE && strncmp(error.message, "f:1: ", 5) == 0);
    }
    char deep[400];
    memset(deep, '[', sizeof deep);
    memcpy(deep, "{\"a\":", 5);
    CHECK_THAT(!ts_run_json_parse("f", deep, sizeof deep, &error));
    CHECK_SAYS(error, TESSERA_BAD_FILE, "inside of each other");
}

/* Values of any width at any place come back, and slots are as the hardware has them. */
static void streams_pack_and_unpack(void)
{
    unsigned long long random = 7;
    for (int i = 0; i < 2000; i++) {
        const int bits = 2 + (int)(check_random(&random) % 31), lanes = 1 + (int)(check_random(&random) % 9),
                  transfers = 1 + (int)(check_random(&random) % 4);
        const int spare = (int)(check_random(&random) % (unsigned)lanes), rows = 1 + (int)(check_random(&random) % 5);
        ts_run_stream s = {.values = lanes * transfers - spare, .lanes = lanes, .bits = bits, .transfers = transfers};
        s.slot = ((size_t)lanes * (size_t)bits + 7) / 8 + check_random(&random) % 5;
        int32_t words[5 * 36], again[5 * 36];
        uint8_t bytes[5 * 4 * 48];
        CHECK_THAT(ts_run_stream_size(&s, rows) <= sizeof bytes);
        for (int w = 0; w < rows * s.values; w++)
            words[w] = (int32_t)(check_random(&random) << (32 - bits)) >> (32 - bits);
        ts_run_pack(&s, rows, words, bytes);
        ts_run_unpack(&s, rows, bytes, again);
        CHECK_THAT(memcmp(words, again, (size_t)(rows * s.values) * sizeof *words) == 0);
    }
    /* Feature i in bits [i * 16 +: 16], the first hit lowest. */
    const ts_run_stream s = {.values = 3, .lanes = 3, .bits = 16, .transfers = 1, .slot = 8};
    const int32_t words[] = {1, -2, 0x1234, 5, 6, 7};
    static const uint8_t wanted[] = {1, 0, 0xfe, 0xff, 0x34, 0x12, 0, 0, 5, 0, 6, 0, 7, 0, 0, 0};
    uint8_t bytes[16];
    ts_run_pack(&s, 2, words, bytes);
    CHECK_THAT(memcmp(bytes, wanted, 16) == 0);
}

/* As docs/numerics.md has it, for every kind of number. */
static void quantising_is_floor_and_clamp(void)
{
    unsigned long long random = 3;
    for (int i = 0; i < 20000; i++) {
        double scale[1];
        ts_run_stream s = {.values = 1, .value_bits = 2 + (int)(check_random(&random) % 31)};
        scale[0] = ldexp(1 + check_random(&random) / 4e9, (int)(check_random(&random) % 80) - 40);
        float x = (float)ldexp((double)check_random(&random) - 1073741824.0, (int)(check_random(&random) % 60) - 50);
        if (i % 7 == 0) /* halves */
            x = (float)(((int)(check_random(&random) % 2001) - 1000) * scale[0] / 2);
        if (i % 97 == 0)
            x = i % 2 ? FLT_MAX : -FLT_MAX;
        const double most = ldexp(1, s.value_bits - 1) - 1;
        const int32_t wanted = (int32_t)fmin(fmax(floor((double)x / scale[0] + 0.5), -most), most);
        int32_t word;
        ts_run_quantise(&s, scale, 1, &x, &word);
        CHECK_THAT(word == wanted);
        CHECK_THAT(ts_run_check_words(&s, 1, &word, &error));
    }
}

int main(void)
{
    static const check_case cases[] = {{"json_is_read_and_nothing_else", json_is_read_and_nothing_else},
                                       {"streams_pack_and_unpack", streams_pack_and_unpack},
                                       {"quantising_is_floor_and_clamp", quantising_is_floor_and_clamp}};
    return check_all(cases, sizeof cases / sizeof *cases);
}
