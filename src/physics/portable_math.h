/* Elementary functions with the same bits on every machine: only +, -, *, /, sqrt and exact scaling, all of which IEEE 754 defines to
   the last bit, in a fixed order (-ffp-contract=off). A C library's sin or exp may differ in the last bit from version to version, and one
   bit is enough to change an event. Relative error below 1e-15 where not stated otherwise; tested against the C library. */
#ifndef TS_PORTABLE_MATH_H
#define TS_PORTABLE_MATH_H

/* Sine and cosine of x in radians, |x| <= 1e5; absolute error below 1e-15. */
void ts_sincos(double x, double *sin_x, double *cos_x);

/* Sine and cosine of 2 pi u, |u| <= 2^40: the reduction is exact. Absolute error below 1e-15. */
void ts_sincos_turns(double u, double *sin_u, double *cos_u);

/* Natural logarithm, x positive, finite and normal. */
double ts_log(double x);

/* e^x, |x| <= 700. */
double ts_exp(double x);

/* Arc sine, 0 <= x <= 1, and arc tangent, x >= 0 (infinity gives pi/2). */
double ts_asin(double x);
double ts_atan(double x);

#endif
