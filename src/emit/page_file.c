#include "emit/page_file.h"

#include "emit/page_image.h"
#include "ring/memories.h"

uint8_t *ts_page_file(ts_arena *arena, const ts_imodel *im, const ts_plan *plan, const ts_page_order *order, size_t *size)
{
    const ts_ring_widths w = ts_ring_widths_of(im);
    const int lanes = plan->paging.lanes;
    *size = (size_t)order->beats * 8 * lanes;
    uint8_t *image = ts_alloc(arena, *size, 1);
    ts_arena *scratch = ts_arena_new();
    for (int s = 0; s < order->stages; s++) {
        const ts_page_stage *stage = &order->stage[s];
        /* All layers' words, as if they were on chip. */
        const ts_memory mem = {.kind = TS_MEMORY_WEIGHT,
                               .stage = (int)stage->lin,
                               .width = stage->width,
                               .depth = w.lin[stage->lin].pages * stage->words,
                               .parity = ts_plan_parity_bits(plan, true)};
        const uint32_t *words = ts_memory_words(scratch, im, plan, &mem);
        const size_t page = (size_t)stage->words * ts_ceil_div(stage->width, 32);
        for (int i = 0; i < order->count; i++) {
            const ts_page_transfer *t = &order->transfer[i];
            if (t->stage == s)
                ts_page_pack(words + t->layer * page, stage->words, stage->width, lanes, (uint32_t)i, image + t->beat * 8 * lanes);
        }
    }
    ts_arena_free(scratch);
    return image;
}
