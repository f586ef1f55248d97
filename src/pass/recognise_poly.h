/* What recognise_poly.c (the algebra, norms) and recognise_act.c (activations) share. */
#ifndef TS_RECOGNISE_POLY_H
#define TS_RECOGNISE_POLY_H
#include "pass/recognise_value.h"

bool ts_poly_near(double a, double b);                        /* equal constants, as exporters round them */
bool ts_poly_is_power(const rec_mono *m, int var, int power); /* whether it is c * var^power; power 0: a constant */
rec_val *ts_poly_val(rec *r, const rec_val *like, const ts_shape *shape,
                     const rec_poly *poly); /* a new value, made by the node being run */
/* v as a polynomial, in `over` (or NULL) if v is a linear that this base stands for. */
const rec_val *ts_poly_of(rec *r, const rec_val *v, const rec_base *over);
rec_val *ts_poly_linear(rec *r, const rec_val *like, const rec_base *base, double scale); /* scale * base, as a value like another */
const rec_val *ts_poly_activation(rec *r, const rec_val *v); /* a finished activation as what it is; NULL (no error) where v is none */

#endif
