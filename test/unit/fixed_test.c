/* The arithmetic: every kernel against its definition in wider or exact arithmetic, and against the real function it stands for. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "graph/random_encoder.h"
#include "num/fixed.h"

static int64_t any(uint64_t *seed, int bits)
{
    return (int64_t)ts_random(seed) >> (64 - bits);
}

static void test_round_and_saturate(void **state)
{
    (void)state;
    assert_int_equal(ts_rsh(5, 0), 5);
    assert_int_equal(ts_rsh(1, 1), 1);   /* 0.5 -> 1 */
    assert_int_equal(ts_rsh(-1, 1), 0);  /* -0.5 -> 0 */
    assert_int_equal(ts_rsh(-3, 1), -1); /* -1.5 -> -1 */
    assert_int_equal(ts_rsh(3, 1), 2);
    assert_int_equal(ts_rsh(-5, 2), -1);
    assert_int_equal(ts_sat(-128, 8, true), -127);
    assert_int_equal(ts_sat(200, 8, true), 127);
    assert_int_equal(ts_sat(-3, 8, false), 0);
    assert_int_equal(ts_sat(300, 8, false), 255);
    uint64_t seed = 1;
    for (int i = 0; i < 100000; i++) {
        const int s = (int)(ts_random(&seed) % 40);
        const int64_t x = any(&seed, 50);
        const double exact = ldexp((double)x, -s);
        assert_true((double)ts_rsh(x, s) >= exact - 0.5 && (double)ts_rsh(x, s) <= exact + 0.5);
    }
}

static void test_requant(void **state)
{
    (void)state;
    assert_int_equal(ts_requant(1000, 0, 1 << 16, 0, 16, 12, true), 1000);
    assert_int_equal(ts_requant(-3000, 0, 1 << 16, 0, 16, 12, true), -2047);
    assert_int_equal(ts_requant(-3000, 0, 1 << 16, 0, 16, 12, false), 0);
    assert_int_equal(ts_requant(7, 1, 1 << 16, (int64_t)1 << 16, 16, 12, true), 5); /* round(7 / 2) = 4, + 1 */
    assert_int_equal(ts_requant((1 << 24) - 1, 0, (1 << 17) - 1, ((int64_t)1 << 43) - 1, 20, 24, true), (1 << 23) - 1);
}

static void test_recip(void **state)
{
    (void)state;
    uint64_t seed = 2;
    for (int i = 0; i < 200000; i++) {
        const uint64_t d = i < 70000 ? (uint64_t)i + 1 : (ts_random(&seed) >> (18 + ts_random(&seed) % 45)) + 1;
        int len;
        const uint32_t r = ts_recip(d, &len);
        assert_true(d >> len == 0 && d >> (len - 1) == 1);
        assert_true(r >= 1u << 16 && r < 1u << 17);
        const double exact = ldexp(1, len + 16) / (double)d;
        assert_true(exact - r >= 0 && exact - r <= 1.0000001);
    }
}

static void test_rsqrt(void **state)
{
    (void)state;
    uint64_t seed = 3;
    for (int i = 0; i < 200000; i++) {
        const uint64_t v = i < 70000 ? (uint64_t)i + 1 : (ts_random(&seed) >> (ts_random(&seed) % 63)) + 1;
        int k;
        const uint32_t r = ts_rsqrt(v, &k);
        assert_int_equal(k, (ts_bitlen(v) + 1) / 2);
        assert_true(r >= 1u << 16 && r < 1u << 17);
        const double relative = ldexp(r, -16 - k) * sqrt((double)v) - 1;
        assert_true(fabs(relative) < 0x1p-15);
        const uint64_t u = 2 * k > 36 ? v >> (2 * k - 36) : v << (36 - 2 * k);
        uint64_t root = (uint64_t)sqrt((double)u); /* u has 36 bits: at most one off */
        root -= root * root > u;
        root += (root + 1) * (root + 1) <= u;
        assert_int_equal(r, (((uint64_t)1 << 34) - 1) / root);
    }
    int k;
    (void)ts_rsqrt(UINT64_MAX, &k);
    assert_int_equal(k, 32);
}

static void test_wmean(void **state)
{
    (void)state;
    uint64_t seed = 4;
    for (int i = 0; i < 100000; i++) {
        const int vbits = 4 + (int)(ts_random(&seed) % 15);
        const uint64_t sum = (ts_random(&seed) >> (35 + ts_random(&seed) % 29)) + 1;
        const double v = (double)any(&seed, vbits) / ldexp(1, vbits - 1) * (double)ts_fmt_max(vbits, true);
        const int64_t acc = (int64_t)(v * (double)sum);
        const double mean = (double)acc / (double)sum;
        for (int gain = 0; gain < 3; gain++) {
            const double want = fmin(fmax(ldexp(mean, gain), -131071), 131071);
            const double got = (double)ts_wmean(acc, sum, vbits, 41 - vbits - gain, 18);
            assert_true(fabs(got - want) <= 0.5 + ldexp(1, vbits - 16 + gain) + 1e-9);
        }
    }
    for (int v = -32767; v <= 32767; v++) /* the mean of one token is that token */
        assert_int_equal(ts_wmean(v, 1, 16, 25, 16), v);
}

enum { NORM_MAX = 96 };

static void norm_case(bool centred, int d, int res_bits, uint64_t seed, bool flat)
{
    int32_t x[NORM_MAX] = {0}, y[NORM_MAX], gain[NORM_MAX];
    int64_t bias[NORM_MAX];
    const int t_shift = centred ? res_bits + ts_bitlen((uint64_t)d - 1) + 1 - 18 : res_bits > 18 ? res_bits - 17 : 0;
    const ts_norm_num num = {d, centred, t_shift > 0 ? t_shift : 0, 16, res_bits, 1, gain, bias};
    double mean = 0, var = 0;
    for (int c = 0; c < d; c++) {
        x[c] = flat ? centred ? 77 : 1777 : (int32_t)ts_sat(any(&seed, res_bits), res_bits, true);
        gain[c] = (int32_t)any(&seed, 12);
        bias[c] = any(&seed, 24);
        mean += (double)x[c];
    }
    mean = centred ? mean / d : 0;
    for (int c = 0; c < d; c++)
        var += ((double)x[c] - mean) * ((double)x[c] - mean) / d;
    ts_norm_token(&num, x, y);
    for (int c = 0; c < d; c++) {
        const double z = var > 0 ? ((double)x[c] - mean) / sqrt(var * d) * 65536 : 0;
        const double want =
            fmin(fmax((z * gain[c] + (double)bias[c]) / 65536, (double)-ts_fmt_max(res_bits, true)), (double)ts_fmt_max(res_bits, true));
        /* t is rounded to 2^t_shift, which matters for tokens that hardly vary; these are random over the whole format */
        assert_true(fabs(y[c] - want) <= 1 + 8.0 * abs(gain[c]) / 65536);
    }
}

static void test_norm(void **state)
{
    (void)state;
    for (int d = 2; d <= NORM_MAX; d++)
        for (int bits = 12; bits <= 20; bits += 4) {
            for (int centred = 0; centred < 2; centred++) {
                norm_case(centred, d, bits, (uint64_t)d, false);
                norm_case(centred, d, bits, (uint64_t)d, true);
            }
        }
    norm_case(true, 1, 16, 1, true);
    norm_case(false, 1, 20, 1, false);
    /* By hand: t = +-2, V = 9, k = 2, r = floor((2^34 - 1) / (3 * 2^16)) = 87381, z = round(+-2 * 87381 / 4) = round(+-43690.5). */
    const int32_t gain[2] = {1 << 16, 1 << 16}, x[2] = {1, -1};
    const int64_t bias[2] = {0, 0};
    int32_t y[2];
    ts_norm_token(&(ts_norm_num){2, true, 0, 16, 20, 1, gain, bias}, x, y);
    assert_int_equal(y[0], 43691);
    assert_int_equal(y[1], -43690);
    /* Not centred: t = 3, -4, V = 26, k = 3, q = floor(sqrt(26 * 2^30)) = 167084, r = 102821, z = round(t * r / 8). */
    const int32_t pair[2] = {3, -4};
    ts_norm_token(&(ts_norm_num){2, false, 0, 16, 20, 1, gain, bias}, pair, y);
    assert_int_equal(y[0], 38558);
    assert_int_equal(y[1], -51410);
}

static void test_exp2(void **state)
{
    (void)state;
    uint32_t table[1 << 8];
    ts_exp2_table(8, 12, table);
    assert_int_equal(table[0], 4095);
    for (int f = 0; f < 256; f++)
        assert_int_equal(table[f], (int)floor(4095 * pow(2, -f / 256.0) + 0.5));
    for (uint32_t delta = 0; delta < 1 << 14; delta++)
        assert_true(fabs(ts_exp2_neg(delta, table, 8) - 4095 * pow(2, -(double)delta / 256)) <= 1);
    assert_int_equal(ts_exp2_neg(0xffffffffu, table, 8), 0);
    assert_int_equal(ts_exp2_neg(12u << 8, table, 8), 1);
    assert_int_equal(ts_exp2_neg(13u << 8, table, 8), 0);
}

enum { KEYS = 50, HEAD = 7 };

static void test_attend(void **state)
{
    (void)state;
    uint32_t table[1 << 8];
    ts_exp2_table(8, 12, table);
    const ts_attn_num num = {HEAD, 18, 8, 12, 12, 14, table};
    int32_t q[HEAD], k[KEYS * HEAD], v[KEYS * HEAD], ctx[HEAD];
    uint64_t seed = 5;
    for (int n = 1; n <= KEYS; n++) {
        for (int c = 0; c < HEAD; c++)
            q[c] = (int32_t)any(&seed, 11);
        for (int i = 0; i < KEYS * HEAD; i++) {
            k[i] = (int32_t)any(&seed, 11);
            v[i] = (int32_t)any(&seed, 11);
        }
        ts_attend(&num, 12, 41 - 12 - 2, n, q, k, v, HEAD, ctx);
        double score[KEYS], max = -INFINITY, sum = 0, want[HEAD] = {0};
        for (int j = 0; j < n; j++) {
            score[j] = 0;
            for (int c = 0; c < HEAD; c++)
                score[j] += (double)q[c] * k[j * HEAD + c] / 4096 / 256;
            max = fmax(max, score[j]);
        }
        for (int j = 0; j < n; j++) {
            const double p = exp2(score[j] - max);
            sum += p;
            for (int c = 0; c < HEAD; c++)
                want[c] += p * v[j * HEAD + c];
        }
        for (int c = 0; c < HEAD; c++)
            assert_true(fabs(ctx[c] - 4 * want[c] / sum) < 24); /* 4095 steps of p, 256 of a score, on values up to 4096 */
        if (n == 1)
            for (int c = 0; c < HEAD; c++)
                assert_int_equal(ctx[c], 4 * v[c]);
    }
    /* Scores 1/2 and 0 are rounded to 1 and 0: weights 4095 and table[1] = 4084. */
    const int32_t one = 1, two_k[2] = {1, 0}, two_v[2] = {0, 2047};
    ts_attend(&(ts_attn_num){1, 18, 8, 12, 12, 14, table}, 1, 41 - 12 - 2, 2, &one, two_k, two_v, 1, ctx);
    assert_int_equal(ctx[0], (int)floor(4.0 * 2047 * 4084 / (4095 + 4084) + 0.5));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_and_saturate),
        cmocka_unit_test(test_requant),
        cmocka_unit_test(test_recip),
        cmocka_unit_test(test_rsqrt),
        cmocka_unit_test(test_wmean),
        cmocka_unit_test(test_norm),
        cmocka_unit_test(test_exp2),
        cmocka_unit_test(test_attend),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
