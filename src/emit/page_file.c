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
        const ts_memory mem = {
            .kind = TS_MEMORY_WEIGHT, .stage = (int)stage->lin, .width = stage->width, .depth = w.lin[stage->lin].pages * stage->words};
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

json_t *ts_page_file_json(const ts_plan *plan, const ts_page_order *order)
{
    const json_int_t beat = 8 * plan->paging.lanes;
    json_t *stages = json_array(), *transfers = json_array();
    for (int s = 0; s < order->stages; s++) {
        const ts_page_stage *stage = &order->stage[s];
        json_array_append_new(stages, json_pack("{s:s, s:i, s:i, s:i, s:i}", "stage", ts_lin_name(stage->lin), "buffers", stage->buffers,
                                                "words", stage->words, "bits", stage->width, "pages_an_event", stage->turns));
    }
    for (int i = 0; i < order->count; i++) {
        const ts_page_transfer *t = &order->transfer[i];
        json_array_append_new(transfers, json_pack("{s:s, s:i, s:I, s:I}", "stage", ts_lin_name(order->stage[t->stage].lin), "layer",
                                                   t->layer, "byte", (json_int_t)t->beat * beat, "bytes", (json_int_t)t->beats * beat));
    }
    json_t *json =
        json_pack("{s:s, s:I, s:I, s:i, s:i, s:i, s:i, s:o, s:o}", "image", "mem/" TS_PAGE_FILE, "bytes", (json_int_t)order->beats * beat,
                  "beat_bytes", beat, "base_alignment", TS_PAGE_ALIGNMENT, "address_bits", TS_PAGE_ADDRESS_BITS, "retries", TS_PAGE_RETRIES,
                  "late_beyond_cycles", ts_page_late(plan, order), "stages", stages, "order", transfers);
    CHECK(json);
    return json;
}
