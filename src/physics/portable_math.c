#include "physics/portable_math.h"

#include <float.h>
#include <math.h> /* sqrt, floor, frexp, ldexp: exact or correctly rounded everywhere */

#if FLT_EVAL_METHOD != 0
#error "intermediate results in more than double precision: events would differ from those of other machines"
#endif

#define TWO_PI 6.283185307179586476925
#define HALF_PI 1.570796326794896619231
#define LN2_HIGH 0x1.62e42fee00000p-1 /* 32 bits of ln 2: a product with a whole number below 2^20 is exact */
#define LN2_LOW 0x1.a39ef35793c76p-33
#define HALF_PI_HIGH 0x1.921fb54400000p+0 /* 33 bits of pi/2 */
#define HALF_PI_LOW 0x1.0b4611a626331p-34

/* Sine and cosine by their series, |x| <= pi/4: the first terms left out are below 1e-17 of the result. */
static void kernel(double x, double *s, double *c)
{
    const double v = x * x;
    *s = x - x * v *
                 (1.0 / 6 - v * (1.0 / 120 -
                                 v * (1.0 / 5040 - v * (1.0 / 362880 - v * (1.0 / 39916800 - v * (1.0 / 6227020800.0 -
                                                                                                  v * (1.0 / 1307674368000.0 -
                                                                                                       v * (1.0 / 355687428096000.0))))))));
    *c = 1 - v * (0.5 - v * (1.0 / 24 -
                             v * (1.0 / 720 -
                                  v * (1.0 / 40320 - v * (1.0 / 3628800 - v * (1.0 / 479001600.0 - v * (1.0 / 87178291200.0 -
                                                                                                        v * (1.0 / 20922789888000.0))))))));
}

/* Turns (sin, cos) by a number of quarters. */
static void quarters(double count, double s, double c, double *sin_x, double *cos_x)
{
    switch ((int)(count - 4 * floor(count / 4))) {
    case 0:
        *sin_x = s;
        *cos_x = c;
        break;
    case 1:
        *sin_x = c;
        *cos_x = -s;
        break;
    case 2:
        *sin_x = -s;
        *cos_x = -c;
        break;
    default:
        *sin_x = -c;
        *cos_x = s;
        break;
    }
}

void ts_sincos(double x, double *sin_x, double *cos_x)
{
    double s, c;
    const double k = floor(x / HALF_PI + 0.5);
    kernel((x - k * HALF_PI_HIGH) - k * HALF_PI_LOW, &s, &c);
    quarters(k, s, c, sin_x, cos_x);
}

void ts_sincos_turns(double u, double *sin_u, double *cos_u)
{
    double s, c;
    const double k = floor(4 * u + 0.5);
    kernel((u - k / 4) * TWO_PI, &s, &c);
    quarters(k, s, c, sin_u, cos_u);
}

double ts_log(double x)
{
    int e;
    double m = frexp(x, &e);
    if (m < 0x1.6a09e667f3bcdp-1) { /* sqrt(1/2): keeps m near 1 on both sides */
        m *= 2;
        e--;
    }
    /* log m = 2 artanh s, |s| <= 0.172 */
    const double s = (m - 1) / (m + 1), v = s * s;
    const double tail =
        v * (1.0 / 3 +
             v * (1.0 / 5 +
                  v * (1.0 / 7 +
                       v * (1.0 / 9 +
                            v * (1.0 / 11 +
                                 v * (1.0 / 13 + v * (1.0 / 15 + v * (1.0 / 17 + v * (1.0 / 19 + v * (1.0 / 21 + v * (1.0 / 23)))))))))));
    return e * LN2_HIGH + (2 * s + (2 * s * tail + e * LN2_LOW));
}

double ts_exp(double x)
{
    const double k = floor(x / (LN2_HIGH + LN2_LOW) + 0.5);
    const double r = (x - k * LN2_HIGH) - k * LN2_LOW; /* |r| <= 0.347 */
    double sum = 0;
    for (int n = 14; n >= 1; n--)
        sum = r / n * (1 + sum);
    return ldexp(1 + sum, (int)k);
}

/* Arc tangent by its series, 0 <= x <= 0.2. */
static double atan_small(double x)
{
    const double v = x * x;
    return x -
           x * v *
               (1.0 / 3 -
                v * (1.0 / 5 -
                     v * (1.0 / 7 -
                          v * (1.0 / 9 - v * (1.0 / 11 -
                                              v * (1.0 / 13 -
                                                   v * (1.0 / 15 - v * (1.0 / 17 - v * (1.0 / 19 - v * (1.0 / 21 - v * (1.0 / 23)))))))))));
}

/* tan(a) -> tan(a/2), 0 <= a < pi/2. */
static double half_angle(double t)
{
    return t / (1 + sqrt(1 + t * t));
}

double ts_atan(double x)
{
    const double t = x > 1 ? 1 / x : x;
    const double a = 4 * atan_small(half_angle(half_angle(t)));
    return x > 1 ? HALF_PI - a : a;
}

double ts_asin(double x)
{
    const double cosine = sqrt((1 - x) * (1 + x));
    return 2 * ts_atan(x / (1 + cosine));
}
