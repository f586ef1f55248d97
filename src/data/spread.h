/* Mean and spread of model inputs, and whether they are those of standardised values. */
#ifndef TS_SPREAD_H
#define TS_SPREAD_H
#include <stdbool.h>
#include <stddef.h>

#include "data/inputs.h"

typedef struct ts_spread {
    long long count;
    double sum, squares; /* of the values */
} ts_spread;

void ts_spread_add(ts_spread *spread, double value);
double ts_spread_mean(const ts_spread *spread);
double ts_spread_deviation(const ts_spread *spread);

/* Whether inputs [features] are far from mean 0 and standard deviation 1 for what the inputs file says; then `text` gets what was seen, of
   the column that is furthest off: "z has mean 0.003 and spread 0.0071 ...". A column that never changes is not counted, nor are few hits.
 */
bool ts_spread_is_odd(const ts_spread *spread, const ts_inputs *inputs, char *text, size_t room);

#endif
