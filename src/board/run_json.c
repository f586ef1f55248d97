#include "board/run_json.h"

#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "design/manifest.h"
#include "design/weights.h"
#include "emit/page_file.h"

/* ---- Member "run" */

static json_t *scales(const double *scale, int count, bool with_class)
{
    json_t *list = json_array();
    for (int i = 0; i < count; i++)
        json_array_append_new(list, json_real(scale[i]));
    if (with_class)
        json_array_append_new(list, json_real(1));
    return list;
}

static json_t *hits_json(const ts_imodel *im, const ts_board *first)
{
    const ts_ports *ports = &first->ports;
    return json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:o}", "bus_bits", first->bus_bits, "values", im->features, "lanes", im->features,
                     "lane_bits", ports->hit_lane, "transfers", 1, "value_bits", im->in.bits, "scale",
                     scales(im->in_scale, im->features, false));
}

static json_t *results_json(const ts_imodel *im, const ts_board *last)
{
    const ts_ports *p = &last->ports;
    const double *scale = ts_imodel_out_scale(im);
    return json_pack("{s:i, s:i, s:i, s:i, s:i, s:b, s:b, s:b, s:i, s:i, s:o}", "values", last->argmax ? 2 : im->outputs, "lanes", p->lanes,
                     "lane_bits", p->out_lane, "transfers", p->beats, "value_bits", p->out_lane, "pooled", last->pooled, "argmax",
                     last->argmax, "status_word", last->status_word, "bus_bits", last->bus_bits, "outputs", im->outputs, "scale",
                     scales(scale, last->argmax ? 1 : im->outputs, last->argmax));
}

static json_t *device_json(ts_arena *arena, const ts_run_board *one)
{
    const ts_board *b = one->board;
    json_t *json = json_pack("{s:s, s:s, s:s, s:s, s:b, s:i}", "device", b->device->name, "top", b->top, "directory", one->directory,
                             "build", ts_printf(arena, "%016llx", (unsigned long long)b->build), "loads", b->loads, "rings", b->rings);
    const bool here = strcmp(one->directory, ".") == 0;
    json_t *pages = json_array();
    for (int i = 0; i < b->system->rings; i++) {
        const ts_system_ring *ring = &b->system->ring[i];
        if (ring->pages.stages && ring->device_number == b->system->ring[0].device_number)
            json_array_append_new(
                pages, json_pack("{s:s, s:I, s:i}", "image",
                                 ts_printf(arena, "%s%s%smem/" TS_PAGE_FILE, here ? "" : one->directory, here ? "" : "/", ring->inside),
                                 "bytes", (json_int_t)ring->pages.beats * 8 * ring->plan->paging.lanes, "alignment", TS_PAGE_ALIGNMENT));
    }
    if (json_array_size(pages))
        json_object_set(json, "pages", pages);
    json_decref(pages);
    return json;
}

json_t *ts_run_json(ts_arena *arena, const ts_design *design, const ts_run_board *boards, int count, ts_err *err)
{
    const ts_board *first = boards[0].board, *last = boards[count - 1].board;
    json_t *devices = json_array(), *host = json_object_get(design->manifest, "host"), *inputs = NULL;
    if (ts_design_has(design->manifest, TS_INPUTS_COPY) &&
        !(inputs = ts_json_load(ts_printf(arena, "%s/" TS_INPUTS_COPY, design->dir), err))) {
        json_decref(devices);
        return NULL;
    }
    for (int i = 0; i < count; i++)
        json_array_append_new(devices, device_json(arena, &boards[i]));
    json_t *run = json_pack("{s:i, s:i, s:o, s:o, s:o}", "version", TS_RUN_VERSION, "max_tokens", first->max_tokens, "hits",
                            hits_json(design->im, first), "results", results_json(design->im, last), "devices", devices);
    CHECK(run);
    if (host)
        json_object_set(run, "host", host);
    if (inputs)
        json_object_set_new(run, "inputs", inputs);
    return run;
}

/* ---- emulator/ */

/* What of a design's files the integer model and the host's share are made of; pages, because a design is not whole without. */
static bool is_of_emulator(const char *name)
{
    static const char *const names[] = {TS_INTEGER_MODEL, TS_MODEL_COPY, TS_INPUTS_COPY, ("mem/" TS_PAGE_FILE)};
    const char *below = strncmp(name, "part", 4) == 0 && strchr(name, '/') ? strchr(name, '/') + 1 : name;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(below, names[i]) == 0)
            return true;
    return false;
}

/* A manifest of the design or of a part, which lists only what is there. */
static bool put_manifest(const ts_packing *p, const char *name, const json_t *manifest)
{
    json_t *copy = json_copy((json_t *)(uintptr_t)manifest), *files = json_object(), *size;
    const char *file;
    json_object_foreach(json_object_get(manifest, "files"), file, size) if (is_of_emulator(file)) json_object_set(files, file, size);
    json_object_set_new(copy, "files", files);
    json_object_set_new(copy, TS_EMULATOR_OF,
                        json_string(ts_printf(p->arena, "%016llx", (unsigned long long)ts_weights_build(p->arena, p->design))));
    const bool ok = ts_packing_text(p, name, ts_printf(p->arena, "%s\n", ts_json_text(p->arena, copy, JSON_INDENT(2))));
    json_decref(copy);
    return ok;
}

static bool put_file(const ts_packing *p, const char *name)
{
    ts_arena *scratch = ts_arena_new();
    size_t size;
    const char *data = ts_file_read(scratch, ts_printf(scratch, "%s/%s", p->design->dir, name), &size, p->err);
    const bool ok = data && ts_packing_put(p, ts_printf(p->arena, "emulator/%s", name), data, size);
    ts_arena_free(scratch);
    return ok;
}

bool ts_run_put_emulator(const ts_packing *p)
{
    const char *name;
    json_t *size;
    json_object_foreach(json_object_get(p->design->manifest, "files"), name,
                        size) if (is_of_emulator(name) && !put_file(p, name)) return false;
    for (int i = 0; p->design->parts > 1 && i < p->design->parts; i++) {
        const char *below = ts_printf(p->arena, "%s/" TS_MANIFEST, ts_part_directory(p->arena, i));
        json_t *manifest = ts_json_load(ts_printf(p->arena, "%s/%s", p->design->dir, below), p->err);
        const bool ok = manifest && put_manifest(p, ts_printf(p->arena, "emulator/%s", below), manifest);
        json_decref(manifest);
        if (!ok)
            return false;
    }
    return put_manifest(p, "emulator/" TS_MANIFEST, p->design->manifest);
}
