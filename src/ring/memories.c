#include "ring/memories.h"

#include <string.h>

#include "ring/module.h"

int ts_memory_id(ts_memory_kind kind, int stage)
{
    switch (kind) {
    case TS_MEMORY_WEIGHT:
    case TS_MEMORY_BIAS:
    case TS_MEMORY_REQUANT:
    case TS_MEMORY_TABLE:
        return TS_CFG_LINEAR + 4 * stage + (int)(kind - TS_MEMORY_WEIGHT);
    case TS_MEMORY_RQVEC:
        return TS_CFG_RQVEC + stage;
    case TS_MEMORY_GAIN:
        return TS_CFG_NORM + 2 * stage;
    case TS_MEMORY_EPS:
        return TS_CFG_NORM + 2 * stage + 1;
    case TS_MEMORY_Q_GAIN:
    case TS_MEMORY_Q_EPS:
        return TS_CFG_Q_NORM + (int)(kind - TS_MEMORY_Q_GAIN);
    case TS_MEMORY_K_GAIN:
    case TS_MEMORY_K_EPS:
        return TS_CFG_K_NORM + (int)(kind - TS_MEMORY_K_GAIN);
    case TS_MEMORY_ATTENTION:
        return TS_CFG_ATTENTION;
    case TS_MEMORY_EXP2:
        return -1;
    }
    BUG("no such memory");
}

void ts_memory_add(ts_memory_list *list, ts_memory_kind kind, int stage, const char *name, const char *suffix, int width, int depth,
                   ts_mem_style style)
{
    CHECK(list->count < TS_MEMORY_MAX);
    ts_memory *mem = &list->mem[list->count++];
    const int id = ts_memory_id(kind, stage);
    const bool parity = list->parity && id >= 0;
    *mem = (ts_memory){
        .kind = kind, .stage = stage, .id = id, .width = width + parity, .depth = depth, .parity = parity, .loaded = style == TS_MEM_ULTRA};
    snprintf(mem->name, sizeof mem->name, "%s_%s", name, suffix);
}

int ts_requant_bits(bool varbits)
{
    return TS_MULTIPLIER_BITS + TS_SHIFT_BITS + (varbits ? TS_WIDTH_BITS : 0);
}

int ts_memories(const ts_imodel *im, const ts_plan *plan, ts_memory out[TS_MEMORY_MAX])
{
    const ts_ring_widths w = ts_ring_widths_of(im);
    ts_memory_list list = {.mem = out, .parity = ts_plan_parity_bits(plan, false)};
    ts_ring ring;
    ts_ring_build(im, plan, &w, &ring);
    for (int row = 0; row < TS_MODULE_COUNT; row++)
        for (int n = 0; n < ring.nodes; n++)
            if (ring.node[n].module == (ts_module_id)row && ts_module_of((ts_module_id)row)->memories)
                ts_module_of((ts_module_id)row)->memories(&ring, &ring.node[n], &list);
    return list.count;
}

void ts_memory_put(const ts_memory_image *image, int word, int lsb, int width, int64_t value)
{
    uint32_t *bits = image->bits + (size_t)word * image->stride;
    for (int done = 0; done < width;) {
        const int at = (lsb + done) % 32, take = width - done < 32 - at ? width - done : 32 - at;
        const uint32_t mask = (uint32_t)(((uint64_t)1 << take) - 1);
        bits[(lsb + done) / 32] |= ((uint32_t)(value >> done) & mask) << at;
        done += take;
    }
}

int ts_memory_put_requant(const ts_memory_image *image, int word, int lsb, bool varbits, int32_t m, int e, int bits)
{
    ts_memory_put(image, word, lsb, TS_MULTIPLIER_BITS, m);
    ts_memory_put(image, word, lsb + TS_MULTIPLIER_BITS, TS_SHIFT_BITS, e);
    if (varbits)
        ts_memory_put(image, word, lsb + TS_MULTIPLIER_BITS + TS_SHIFT_BITS, TS_WIDTH_BITS, bits);
    return lsb + ts_requant_bits(varbits);
}

static ts_module_id module_of(ts_memory_kind kind)
{
    switch (kind) {
    case TS_MEMORY_WEIGHT:
    case TS_MEMORY_BIAS:
    case TS_MEMORY_REQUANT:
    case TS_MEMORY_TABLE:
        return TS_MODULE_LINEAR;
    case TS_MEMORY_RQVEC:
        return TS_MODULE_RQVEC;
    case TS_MEMORY_GAIN:
    case TS_MEMORY_EPS:
        return TS_MODULE_NORM;
    case TS_MEMORY_Q_GAIN:
    case TS_MEMORY_Q_EPS:
    case TS_MEMORY_K_GAIN:
    case TS_MEMORY_K_EPS:
        return TS_MODULE_QKNORM;
    case TS_MEMORY_ATTENTION:
    case TS_MEMORY_EXP2:
        return TS_MODULE_ATTENTION;
    }
    BUG("no such memory");
}

/* Above the word's bits the one that makes the number of ones even. */
static void put_parity(const ts_memory_image *image, int word)
{
    const uint32_t *bits = image->bits + (size_t)word * image->stride;
    uint32_t all = 0;
    for (int i = 0; i < image->stride; i++)
        all ^= bits[i];
    for (int half = 16; half > 0; half /= 2)
        all ^= all >> half;
    ts_memory_put(image, word, image->width, 1, all & 1);
}

uint32_t *ts_memory_words(ts_arena *arena, const ts_imodel *im, const ts_plan *plan, const ts_memory *mem)
{
    const ts_ring_widths w = ts_ring_widths_of(im);
    const ts_ring ring = {.im = im, .plan = plan, .w = &w};
    ts_memory_image image = {.stride = ts_ceil_div(mem->width, 32), .width = mem->width - mem->parity, .depth = mem->depth};
    image.bits = TS_NEW_N(arena, uint32_t, (size_t)mem->depth * image.stride);
    ts_module_of(module_of(mem->kind))->fill(&ring, mem, &image);
    for (int word = 0; mem->parity && word < image.depth; word++)
        put_parity(&image, word);
    return image.bits;
}

char *ts_memory_slice_text(ts_arena *arena, const ts_memory *mem, const uint32_t *words, int slice, size_t *size)
{
    const int lsb = slice * TS_SLICE_BITS, left = mem->width - lsb, width = left < TS_SLICE_BITS ? left : TS_SLICE_BITS;
    const int digits = ts_ceil_div(width, 4), stride = ts_ceil_div(mem->width, 32);
    *size = (size_t)mem->depth * (size_t)(digits + 1);
    char *text = ts_alloc(arena, *size + 1, 1), *p = text;
    for (int a = 0; a < mem->depth; a++) {
        const uint32_t *word = words + (size_t)a * stride;
        for (int d = digits - 1; d >= 0; d--) {
            const int bit = lsb + 4 * d; /* slices begin on a multiple of four: a digit never straddles two words */
            *p++ = "0123456789abcdef"[word[bit / 32] >> (bit % 32) & 15];
        }
        *p++ = '\n';
    }
    return text;
}
