#include "physics/rng.h"

#include <math.h>

#include "base/err.h"
#include "physics/portable_math.h"

void ts_philox(const uint32_t key[2], const uint32_t counter[4], uint32_t out[4])
{
    uint32_t k0 = key[0], k1 = key[1], x0 = counter[0], x1 = counter[1], x2 = counter[2], x3 = counter[3];
    for (int round = 0; round < 10; round++) {
        const uint64_t a = (uint64_t)x0 * 0xD2511F53u, b = (uint64_t)x2 * 0xCD9E8D57u;
        x0 = (uint32_t)(b >> 32) ^ x1 ^ k0;
        x1 = (uint32_t)b;
        x2 = (uint32_t)(a >> 32) ^ x3 ^ k1;
        x3 = (uint32_t)a;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    out[0] = x0;
    out[1] = x1;
    out[2] = x2;
    out[3] = x3;
}

ts_rng ts_rng_make(uint64_t seed, uint64_t event, uint32_t stream)
{
    return (ts_rng){
        .key = {(uint32_t)seed, (uint32_t)(seed >> 32)}, .counter = {0, stream, (uint32_t)event, (uint32_t)(event >> 32)}, .used = 4};
}

static uint32_t word(ts_rng *r)
{
    if (r->used == 4) {
        ts_philox(r->key, r->counter, r->word);
        r->counter[0]++;
        CHECK(r->counter[0] != 0);
        r->used = 0;
    }
    return r->word[r->used++];
}

uint64_t ts_rng_bits(ts_rng *r)
{
    const uint64_t low = word(r);
    return low | (uint64_t)word(r) << 32;
}

double ts_rng_uniform(ts_rng *r)
{
    return ((double)(ts_rng_bits(r) >> 12) + 0.5) * 0x1p-52;
}

uint32_t ts_rng_below(ts_rng *r, uint32_t n)
{
    CHECK(n >= 1);
    /* The high half of n * word, where words whose low half falls into the uneven rest of 2^32 / n are drawn again. */
    const uint32_t rest = (0u - n) % n;
    uint64_t product;
    do
        product = (uint64_t)word(r) * n;
    while ((uint32_t)product < rest);
    return (uint32_t)(product >> 32);
}

double ts_rng_normal(ts_rng *r)
{
    if (r->spare) {
        r->spare = false;
        return r->normal;
    }
    double s, c;
    const double radius = sqrt(2 * ts_rng_exponential(r));
    ts_sincos_turns(ts_rng_uniform(r), &s, &c);
    r->normal = radius * s;
    r->spare = true;
    return radius * c;
}

double ts_rng_exponential(ts_rng *r)
{
    return -ts_log(ts_rng_uniform(r));
}

int ts_rng_poisson(ts_rng *r, double mean)
{
    int count = 0;
    for (double t = ts_rng_exponential(r); t < mean; t += ts_rng_exponential(r))
        count++;
    return count;
}
