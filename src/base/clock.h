/* Time that passes. */
#ifndef TS_CLOCK_H
#define TS_CLOCK_H

double ts_seconds(void); /* since some moment that stays the same */

#endif
