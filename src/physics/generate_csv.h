/* Generated events as a file: event_id,hit_id,x,y,z,particle_id,weight,px,py,pz,q, one row a hit. */
#ifndef TS_GENERATE_CSV_H
#define TS_GENERATE_CSV_H
#include "physics/generate.h"

typedef struct ts_generate_totals {
    int64_t events, particles, hits, noise, doubles, dropped, crossings; /* as in ts_generated */
} ts_generate_totals;

/* Writes events first ... first + count - 1, on all threads, to PATH, where they appear when the file is whole (ts_writer). The bytes do
   not depend on the number of threads, and an event's rows not on the others. Positions are in mm with 4 decimals, momenta in GeV with 6,
   without trailing zeros; weight is 1 for a particle's hit; noise has particle 0, weight 0, momentum 0, charge 0. hit_id is 1, 2, ... in
   the file's order. `progress`, where not NULL, is called with the share that is done, from this thread. Totals are filled where not NULL.
 */
bool ts_generate_csv(const ts_geometry *geometry, const ts_generate_options *options, int64_t first, int64_t count, const char *path,
                     void (*progress)(void *user, double share), void *user, ts_generate_totals *totals, ts_err *err);

#endif
