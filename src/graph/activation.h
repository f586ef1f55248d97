/* Activations, a row each in activations.def: what they are called, compute, and where they are as good as their limits. */
#ifndef TS_GRAPH_ACTIVATION_H
#define TS_GRAPH_ACTIVATION_H
#include <stdbool.h>
#include <stddef.h>

typedef enum {
#define ACT(id, ...) TS_ACT_##id,
#include "graph/activations.def"
#undef ACT
    TS_ACT_COUNT
} ts_act;

const char *ts_act_name(ts_act act); /* "none", "relu", "gelu", ...: as in activations.def */
bool ts_act_has_table(ts_act act);   /* whether the hardware looks it up; otherwise it is the identity, or a ReLU */
double ts_activate(ts_act act, double x);
void ts_activate_floats(ts_act act, size_t count, float *y); /* in place, in single precision */

double ts_act_low(ts_act act);   /* inputs below -low may saturate */
double ts_act_high(ts_act act);  /* inputs above high may saturate; INFINITY: none may */
double ts_act_below(ts_act act); /* f(x) >= x - below for x > 0 */

#endif
