/* Random numbers that are a function of (seed, event, stream, position): Philox 4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random
   numbers: as easy as 1, 2, 3", SC 2011), a counter-based generator that passes TestU01's BigCrush. Any event, and any particle of it,
   can be made without making those before it, so threads and subsets give the same bits. */
#ifndef TS_RNG_H
#define TS_RNG_H
#include <stdbool.h>
#include <stdint.h>

typedef struct ts_rng {
    uint32_t key[2], counter[4]; /* counter: block, stream, event (two words) */
    uint32_t word[4];
    int used;   /* of word[] */
    bool spare; /* the second of a pair of normal numbers is waiting */
    double normal;
} ts_rng;

/* The block cipher itself: ten rounds on counter[4] with key[2]. */
void ts_philox(const uint32_t key[2], const uint32_t counter[4], uint32_t out[4]);

/* The start of stream `stream` of event `event`; streams of up to 2^34 words, independent of each other. */
ts_rng ts_rng_make(uint64_t seed, uint64_t event, uint32_t stream);

uint64_t ts_rng_bits(ts_rng *r);

/* Uniform on the middles of 2^52 equal parts of (0, 1): never 0, never 1. */
double ts_rng_uniform(ts_rng *r);

/* Uniform integer in 0 ... n-1, n >= 1, without bias. */
uint32_t ts_rng_below(ts_rng *r, uint32_t n);

/* Normal, mean 0 and standard deviation 1 (Box and Muller); exponential, mean 1; Poisson, mean >= 0 (time grows with the mean). */
double ts_rng_normal(ts_rng *r);
double ts_rng_exponential(ts_rng *r);
int ts_rng_poisson(ts_rng *r, double mean);

#endif
