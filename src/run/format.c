#include "run/format.h"

#include <string.h>

/* Not of libm, which this library does without. */
static double floor_of(double x)
{
    const double cut = (double)(int64_t)x; /* callers keep |x| below 2^62 */
    return cut > x ? cut - 1 : cut;
}

static bool finite_value(double x)
{
    return x - x >= 0 && x - x <= 0;
}

static bool not_finite(const ts_run_package *p, int64_t hit, int64_t column, tessera_error *error)
{
    if (p->column)
        return ts_run_fail(error, TESSERA_USAGE, "hit %lld: %s is not a finite number in single precision", (long long)hit,
                           p->column[column]);
    return ts_run_fail(error, TESSERA_USAGE, "hit %lld: value %lld is not a finite number in single precision", (long long)hit,
                       (long long)column);
}

bool ts_run_standardise(const ts_run_package *p, const ts_run_numbers *n, const tessera_run_event *e, float *values, tessera_error *error)
{
    const int64_t width = p->sample ? p->sample : p->features, hits = p->sample ? 1 : e->hits;
    const bool raw = !e->standardised && !p->sample;
    for (int64_t i = 0; i < hits; i++)
        for (int64_t f = 0; f < width; f++) {
            const double given = e->values ? (double)e->values[i * width + f] : e->columns[f][i];
            const float value = raw ? (float)((given - n->mean[f]) / n->std[f]) : (float)given;
            if (!finite_value(value))
                return not_finite(p, i, f, error);
            values[i * width + f] = value;
        }
    return true;
}

void ts_run_quantise(const ts_run_stream *in, const double *scale, int64_t tokens, const float *values, int32_t *words)
{
    const double most = (double)((INT64_C(1) << (in->value_bits - 1)) - 1);
    for (int64_t t = 0; t < tokens; t++)
        for (int c = 0; c < in->values; c++) {
            const double value = (double)*values++ / scale[c] + 0.5;
            *words++ = (int32_t)(value >= most ? most : value < -most ? -most : floor_of(value));
        }
}

bool ts_run_check_words(const ts_run_stream *in, int64_t tokens, const int32_t *words, tessera_error *error)
{
    const int64_t most = (INT64_C(1) << (in->value_bits - 1)) - 1;
    for (int64_t t = 0; t < tokens; t++)
        for (int c = 0; c < in->values; c++, words++)
            if (*words > most || *words < -most)
                return ts_run_fail(error, TESSERA_USAGE, "hit %lld: word %d is %d; words in are %lld to %lld", (long long)t, c, *words,
                                   (long long)-most, (long long)most);
    return true;
}

size_t ts_run_stream_size(const ts_run_stream *s, int64_t rows)
{
    return (size_t)rows * (size_t)s->transfers * s->slot;
}

/* Bits [at, at + count) of little-endian bytes, count <= 32. */
static void put_bits(uint8_t *bytes, size_t at, int count, uint32_t value)
{
    for (int i = 0; i < count;) {
        const int shift = (int)(at + (size_t)i) & 7, take = 8 - shift < count - i ? 8 - shift : count - i;
        const uint8_t mask = (uint8_t)((1U << take) - 1);
        bytes[(at + (size_t)i) / 8] |= (uint8_t)((value >> i & mask) << shift);
        i += take;
    }
}

static uint32_t get_bits(const uint8_t *bytes, size_t at, int count)
{
    uint32_t value = 0;
    for (int i = 0; i < count;) {
        const int shift = (int)(at + (size_t)i) & 7, take = 8 - shift < count - i ? 8 - shift : count - i;
        const uint8_t mask = (uint8_t)((1U << take) - 1);
        value |= (uint32_t)(bytes[(at + (size_t)i) / 8] >> shift & mask) << i;
        i += take;
    }
    return value;
}

void ts_run_pack(const ts_run_stream *s, int64_t rows, const int32_t *words, uint8_t *bytes)
{
    memset(bytes, 0, ts_run_stream_size(s, rows));
    for (int64_t r = 0; r < rows; r++)
        for (int v = 0; v < s->lanes * s->transfers; v += s->lanes, bytes += s->slot)
            for (int lane = 0; lane < s->lanes && v + lane < s->values; lane++)
                put_bits(bytes, (size_t)lane * (size_t)s->bits, s->bits, (uint32_t)words[r * s->values + v + lane]);
}

void ts_run_unpack(const ts_run_stream *s, int64_t rows, const uint8_t *bytes, int32_t *words)
{
    const int shift = 32 - s->bits;
    for (int64_t r = 0; r < rows; r++)
        for (int v = 0; v < s->lanes * s->transfers; v += s->lanes, bytes += s->slot)
            for (int lane = 0; lane < s->lanes && v + lane < s->values; lane++) {
                const uint32_t bits = get_bits(bytes, (size_t)lane * (size_t)s->bits, s->bits) << shift;
                words[r * s->values + v + lane] = (int32_t)bits >> shift;
            }
}

/* Whole words of the bus. */
static size_t words_of(const ts_run_package *p, size_t size)
{
    const size_t word = (size_t)p->out.bus_bits / 8;
    return (size + word - 1) / word * word;
}

size_t ts_run_result_most(const ts_run_package *p, int64_t rows)
{
    return words_of(p, ts_run_stream_size(&p->out, rows)) + (p->status_word ? (size_t)p->out.bus_bits / 8 : 0);
}

bool ts_run_take_status(const ts_run_package *p, const uint8_t *bytes, size_t *size, unsigned *flags)
{
    const size_t word = (size_t)p->out.bus_bits / 8;
    if (!p->status_word)
        return true;
    if (*size < 2 * word || *size % word != 0)
        return false;
    const uint8_t *last = bytes + *size - word;
    const size_t results = (size_t)last[1] | (size_t)last[2] << 8 | (size_t)last[3] << 16;
    *flags |= last[0] & 3U;
    const bool is = words_of(p, results * p->out.slot) == *size - word;
    *size = results * p->out.slot;
    return is;
}

void ts_run_put_status(const ts_run_package *p, uint8_t *bytes, size_t *size, unsigned flags)
{
    if (!p->status_word)
        return;
    const size_t at = words_of(p, *size), results = *size / p->out.slot, word = (size_t)p->out.bus_bits / 8;
    memset(bytes + *size, 0, at + word - *size);
    bytes[at] = (uint8_t)flags;
    for (int i = 0; i < 3; i++)
        bytes[at + 1 + (size_t)i] = (uint8_t)(results >> (8 * i));
    *size = at + word;
}

void ts_run_dequantise(const ts_run_package *p, const ts_run_numbers *n, int64_t rows, const int32_t *words, double *values)
{
    const int width = p->out.values;
    for (int64_t r = 0; r < rows; r++)
        for (int v = 0; v < width; v++, words++, values++)
            *values = p->argmax && v == 1 ? (double)*words : *words * n->out[v];
}
