/* Portable functions against the C library, Philox against its authors' vectors, and the shapes of the random numbers. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "physics/portable_math.h"
#include "physics/rng.h"

static double worse(double worst, double got, double expected, double scale)
{
    const double error = fabs(got - expected) / scale;
    assert_true(error == error);
    return error > worst ? error : worst;
}

static void functions_agree_with_the_c_library(void **state)
{
    (void)state;
    double sine = 0, turns = 0, logarithm = 0, exponential = 0, arcs = 0;
    ts_rng r = ts_rng_make(3, 1, 4);
    for (int i = 0; i < 200000; i++) {
        const double u = i < 1000 ? i / 999.0 : ts_rng_uniform(&r);
        double s, c;
        const double x = (u - 0.5) * (i % 2 ? 20 : 2e5);
        ts_sincos(x, &s, &c);
        sine = worse(worse(sine, s, sin(x), 1e-15), c, cos(x), 1e-15);
        ts_sincos_turns(u, &s, &c);
        const double angle = 6.283185307179586 * u; /* off by up to 4e-16 itself */
        turns = worse(worse(turns, s, sin(angle), 2e-15), c, cos(angle), 2e-15);
        const double y = u * (i % 2 ? 3 : 1e-9) + 1e-300;
        logarithm = worse(logarithm, ts_log(y), log(y), 1e-15 * fabs(log(y)) + 1e-300);
        const double z = (u - 0.5) * (i % 2 ? 1400 : 8);
        exponential = worse(exponential, ts_exp(z), exp(z), 1e-15 * exp(z));
        arcs = worse(arcs, ts_asin(u), asin(u), 1e-15 * asin(u) + 1e-300);
        arcs = worse(arcs, ts_atan(1 / u - 1), atan(1 / u - 1), 1e-15 * atan(1 / u - 1) + 1e-300);
    }
    print_message("worst error over its bound: sincos %.2f, turns %.2f, log %.2f, exp %.2f, asin and atan %.2f\n", sine, turns, logarithm,
                  exponential, arcs);
    assert_true(sine <= 1 && turns <= 1 && logarithm <= 1 && exponential <= 1 && arcs <= 1);

    double s, c;
    ts_sincos_turns(0.25, &s, &c);
    assert_true(s == 1 && c == 0);
    ts_sincos_turns(-0x1p40 + 0.5, &s, &c); /* whole turns do not cost a bit */
    assert_true(s == 0 && c == -1);
    assert_true(ts_log(1) == 0 && ts_exp(0) == 1 && ts_asin(0) == 0 && ts_atan(0) == 0);
    assert_true(fabs(ts_asin(1) - 1.5707963267948966) < 3e-16 && ts_atan(INFINITY) == 1.5707963267948966);
}

static void philox_gives_the_published_vectors(void **state)
{
    (void)state;
    /* kat_vectors of Random123, philox4x32 10 */
    static const uint32_t v[][10] = {
        {0, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8},
        {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd},
        {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0, 0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1},
    };
    for (size_t i = 0; i < sizeof v / sizeof *v; i++) {
        uint32_t out[4];
        ts_philox(v[i] + 4, v[i], out);
        assert_memory_equal(out, v[i] + 6, sizeof out);
    }
}

static void streams_are_positions_of_the_counter(void **state)
{
    (void)state;
    ts_rng a = ts_rng_make(0x299f31d0a4093822u, 0x0370734413198a2eu, 0x85a308d3);
    a.counter[0] = 0x243f6a88;
    assert_true(ts_rng_bits(&a) == 0x94fdccebd16cfe09u && ts_rng_bits(&a) == 0x24126ea15001e420u);
    ts_rng event = ts_rng_make(1, 2, 3), stream = ts_rng_make(1, 2, 4), seed = ts_rng_make(2, 2, 3), other = ts_rng_make(1, 3, 3);
    const uint64_t first = ts_rng_bits(&event);
    assert_true(first != ts_rng_bits(&stream) && first != ts_rng_bits(&seed) && first != ts_rng_bits(&other));
}

/* Mean and variance within five standard errors. */
static void expect_moments(const char *what, double sum, double squares, int n, double mean, double variance, double fourth)
{
    const double m = sum / n, v = squares / n - m * m;
    print_message("%s: mean %.5f (%.5f), variance %.5f (%.5f)\n", what, m, mean, v, variance);
    assert_true(fabs(m - mean) < 5 * sqrt(variance / n));
    assert_true(fabs(v - variance) < 5 * sqrt((fourth - variance * variance) / n));
}

static void numbers_have_their_moments(void **state)
{
    (void)state;
    enum { N = 1000000 };
    double sum[4] = {0}, squares[4] = {0}, product = 0, last = 0;
    ts_rng r = ts_rng_make(7, 0, 0);
    for (int i = 0; i < N; i++) {
        const double x[4] = {ts_rng_uniform(&r), ts_rng_normal(&r), ts_rng_exponential(&r), i < N / 10 ? ts_rng_poisson(&r, 3.5) : 0};
        assert_true(x[0] > 0 && x[0] < 1 && x[2] > 0);
        for (int k = 0; k < 4; k++) {
            sum[k] += x[k];
            squares[k] += x[k] * x[k];
        }
        product += x[1] * last; /* both numbers of a Box-Muller pair are used: they must not be correlated */
        last = x[1];
    }
    expect_moments("uniform", sum[0], squares[0], N, 0.5, 1.0 / 12, 1.0 / 80);
    expect_moments("normal", sum[1], squares[1], N, 0, 1, 3);
    expect_moments("exponential", sum[2], squares[2], N, 1, 1, 9);
    expect_moments("Poisson", sum[3], squares[3], N / 10, 3.5, 3.5, 3.5 + 3 * 3.5 * 3.5);
    assert_true(fabs(product / N) < 5 / sqrt(N));
    assert_int_equal(ts_rng_poisson(&r, 0), 0);
}

static void integers_are_uniform(void **state)
{
    (void)state;
    enum { N = 700000 };
    int count[7] = {0};
    ts_rng r = ts_rng_make(11, 0, 0);
    for (int i = 0; i < N; i++)
        count[ts_rng_below(&r, 7)]++;
    double chi2 = 0;
    for (int k = 0; k < 7; k++)
        chi2 += (count[k] - N / 7.0) * (count[k] - N / 7.0) / (N / 7.0);
    assert_true(chi2 < 27.9); /* 6 degrees of freedom: exceeded once in 10,000 */
    assert_int_equal(ts_rng_below(&r, 1), 0);
    /* For n = 3 * 2^30 a fourth of the words must be drawn again, or small numbers would come twice as often. */
    int low = 0;
    for (int i = 0; i < N; i++)
        low += ts_rng_below(&r, 0xC0000000u) < 0x40000000u;
    assert_true(fabs(low - N / 3.0) < 5 * sqrt(N * 2.0 / 9));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_agree_with_the_c_library),
        cmocka_unit_test(philox_gives_the_published_vectors),
        cmocka_unit_test(streams_are_positions_of_the_counter),
        cmocka_unit_test(numbers_have_their_moments),
        cmocka_unit_test(integers_are_uniform),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
