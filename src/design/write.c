/* Writes a design: the only ring of a system, or each of several and what connects them. */
#include <string.h>

#include "base/asset.h"
#include "base/file.h"
#include "design/design.h"
#include "design/manifest.h"
#include "design/outdir.h"
#include "emit/page_file.h"
#include "emu/emu.h"
#include "ring/memories.h"

typedef struct writer {
    ts_arena *arena;
    const char *dir;
    ts_err *err;
} writer;

static bool write_bytes(const writer *w, const char *name, const char *data, size_t size)
{
    return ts_file_create(ts_printf(w->arena, "%s/%s", w->dir, name), data, size, w->err);
}

static bool write_text(const writer *w, const char *name, const char *text)
{
    return write_bytes(w, name, text, strlen(text));
}

static bool make_dirs(const writer *w)
{
    static const char *const names[] = {"", "rtl", "mem", "tb"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!ts_outdir_make(ts_printf(w->arena, "%s/%s", w->dir, names[i]), w->err))
            return false;
    return true;
}

/* Files that travel in the library: those below `from`. */
static bool write_assets(const writer *w, const char *from, const char *to)
{
    int count = 0;
    for (const ts_asset *a = ts_assets; a->name; a++) {
        if (strncmp(a->name, from, strlen(from)) != 0 || strchr(a->name + strlen(from), '/'))
            continue;
        count++;
        if (!write_bytes(w, ts_printf(w->arena, "%s%s", to, a->name + strlen(from)), a->data, a->size))
            return false;
    }
    CHECK(count > 0);
    return true;
}

static bool write_memory(const writer *w, const ts_system_ring *ring, const ts_memory *mem)
{
    /* Images of a large model are tens of megabytes as text: freed one by one. */
    ts_arena *scratch = ts_arena_new();
    const uint32_t *words = ts_memory_words(scratch, ring->im, ring->plan, mem);
    bool ok = true;
    for (int slice = 0; ok && slice < ts_memory_slices(mem); slice++) {
        size_t size;
        const char *text = ts_memory_slice_text(scratch, mem, words, slice, &size);
        ok = write_bytes(w, ts_printf(scratch, "mem/%s_%03d.hex", mem->name, slice), text, size);
    }
    ts_arena_free(scratch);
    return ok;
}

static bool write_pages(const writer *w, const ts_system_ring *ring)
{
    ts_arena *scratch = ts_arena_new();
    size_t size;
    const uint8_t *image = ts_page_file(scratch, ring->im, ring->plan, &ring->pages, &size);
    const bool ok = write_bytes(w, "mem/" TS_PAGE_FILE, (const char *)image, size);
    ts_arena_free(scratch);
    return ok;
}

/* What the only ring has beside its top level. */
static bool write_ring(const writer *w, const ts_system_ring *ring)
{
    ts_memory mem[TS_MEMORY_MAX];
    const int count = ts_memories(ring->im, ring->plan, mem);
    for (int m = 0; m < count; m++)
        if (!write_memory(w, ring, &mem[m]))
            return false;
    return write_assets(w, "rtl/", "rtl/") && (!ring->pages.stages || write_pages(w, ring));
}

/* Devices that the program does not know travel with the design, and with each of its parts. */
static bool write_devices(const writer *w, const ts_design_options *opt)
{
    for (int i = 0; opt->device && i < opt->system->rings; i++) {
        const ts_device *device = opt->device[opt->system->ring[i].device_number];
        if (device->text &&
            (!ts_outdir_make(ts_printf(w->arena, "%s/devices", w->dir), w->err) ||
             !ts_file_write(ts_design_device_file(w->arena, w->dir, device->name), device->text, strlen(device->text), w->err)))
            return false;
    }
    return true;
}

/* The parts' benches want what enters each part: the events' beginnings, through the parts before it. */
static bool write_parts(const writer *w, const ts_design_options *opt)
{
    const ts_system *s = opt->system;
    int n[TS_BENCH_EVENTS];
    const int32_t *x[TS_BENCH_EVENTS];
    const int events = ts_bench_beginnings(s, &opt->events, n, x);
    for (int i = 0; i < s->rings; i++) {
        const ts_imodel *im = s->ring[i].im;
        ts_system alone;
        const ts_device *const *device = opt->device ? &opt->device[s->ring[i].device_number] : NULL;
        const ts_design_options part = {.system = &alone, .device = device, .events = {events, n, x}};
        if (!ts_system_of_ring(w->arena, im, s->ring[i].plan, &alone, w->err) ||
            !ts_design_write_into(&part, ts_printf(w->arena, "%s/%s", w->dir, ts_part_directory(w->arena, i)), w->err))
            return false;
        const ts_emu *emu = ts_emu_new(w->arena, im, TS_EMU_AUTO);
        for (int e = 0; e < events && i < s->rings - 1; e++) {
            int32_t *y = TS_NEW_N(w->arena, int32_t, n[e] * im->outputs);
            ts_emu_run(emu, n[e], x[e], y, NULL, NULL);
            x[e] = y;
        }
    }
    return true;
}

static bool write_all(const writer *w, const ts_design_options *opt)
{
    const ts_system *s = opt->system;
    const bool alone = s->rings == 1;
    const char *top = alone ? ts_top_text(w->arena, s->ring[0].built) : ts_system_text(w->arena, s);
    if (!make_dirs(w) || !write_devices(w, opt) || !(alone ? write_ring(w, &s->ring[0]) : write_parts(w, opt)) ||
        !write_assets(w, "src/sim/templates/", "tb/") || !write_text(w, ts_printf(w->arena, "rtl/%s.v", s->top), top))
        return false;
    for (const ts_bench_file *file = ts_bench_make(w->arena, s, &opt->events); file->name; file++)
        if (!write_text(w, file->name, file->text))
            return false;
    return ts_imodel_save(s->im, ts_printf(w->arena, "%s/" TS_INTEGER_MODEL, w->dir), w->err) &&
           ts_manifest_write(w->arena, w->dir, ts_manifest_of(w->arena, s, opt->extra), w->err);
}

bool ts_design_write_into(const ts_design_options *opt, const char *dir, ts_err *err)
{
    ts_arena *arena = ts_arena_new();
    const bool ok = write_all(&(writer){arena, dir, err}, opt);
    ts_arena_free(arena);
    return ok;
}

bool ts_design_write(const ts_design_options *opt, const char *dir, ts_err *err)
{
    ts_arena *arena = ts_arena_new();
    ts_outdir out;
    bool ok = ts_outdir_begin(arena, dir, &out, err);
    if (ok && !(ok = ts_design_write_into(opt, out.temp, err)))
        ts_outdir_abort(&out);
    ok = ok && ts_outdir_commit(arena, &out, err);
    ts_arena_free(arena);
    return ok;
}
