/* Other weights for a board's bench, which loads them between events. */
#include "base/file.h"
#include "base/text.h"
#include "board/package_target.h"

/* A line a write: {ring, memory, slice, address, data}, as mem/load.hex has them where there are several rings. */
static void put_line(void *user, const ts_weights_write *w)
{
    FILE *f = user;
    fprintf(f, "%02x%02x%03x%04x", (unsigned)w->ring, (unsigned)w->memory, (unsigned)w->slice, (unsigned)w->address);
    for (int i = TS_WRITE_BYTES - 1; i >= 0; i--)
        fprintf(f, "%02x", w->data[i]);
    fputc('\n', f);
}

bool ts_package_put_next(const ts_packing *p, const ts_weights *weights)
{
    size_t size;
    const char *hits = ts_file_read(p->arena, ts_printf(p->arena, "%s/mem/hits.hex", p->design->dir), &size, p->err);
    const char *expect = hits ? ts_bench_expect(p->arena, &p->design->system, weights->im, hits) : NULL;
    if (!expect)
        return hits ? ts_fail_as(p->err, TS_DAMAGED, "%s/mem/hits.hex: no hits of the design: compile the model again", p->design->dir)
                    : false;
    ts_text text;
    FILE *f = ts_text_open(&text);
    for (int r = 0; r < weights->rings; r++)
        ts_weights_each(weights, r, put_line, f);
    const ts_weights_ring *first = &weights->ring[0];
    return ts_packing_text(p, "mem/next.hex", ts_text_close(&text, p->arena)) && ts_packing_text(p, "mem/next_expect.hex", expect) &&
           (!first->pages || ts_packing_put(p, "mem/next_pages.bin", first->pages, first->page_bytes));
}
