#define TS_FAIL_CODE TS_DAMAGED
#include "emit/emit.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>

#include "base/asset.h"
#include "base/file.h"
#include "base/json.h"
#include "design/design_files.h"
#include "design/outdir.h"
#include "emit/bench.h"
#include "emit/page_file.h"
#include "emit/sim_top.h"
#include "emit/system.h"
#include "emit/top.h"
#include "plan/link.h"
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

static bool write_text(const writer *w, const char *name, const char *data)
{
    return write_bytes(w, name, data, strlen(data));
}

static bool make_dirs(const writer *w)
{
    static const char *const names[] = {"rtl", "mem", "tb"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!ts_outdir_make(ts_printf(w->arena, "%s/%s", w->dir, names[i]), w->err))
            return false;
    return true;
}

/* The modules and the bench templates that travel in the library. */
static bool write_assets(const writer *w)
{
    static const char rtl[] = "rtl/", templates[] = "src/sim/templates/";
    int modules = 0;
    for (const ts_asset *a = ts_assets; a->name; a++) {
        const char *to = NULL;
        if (strncmp(a->name, rtl, strlen(rtl)) == 0) {
            to = a->name;
            modules++;
        } else if (strncmp(a->name, templates, strlen(templates)) == 0) {
            to = ts_printf(w->arena, "tb/%s", a->name + strlen(templates));
        }
        if (to && !write_bytes(w, to, a->data, a->size))
            return false;
    }
    CHECK(modules > 0);
    return true;
}

static bool write_memories(const writer *w, const ts_emit_options *opt, const ts_memory *mem, int count)
{
    for (int m = 0; m < count; m++) {
        /* Images of a large model are tens of megabytes as text: freed one by one. */
        ts_arena *scratch = ts_arena_new();
        const uint32_t *words = ts_memory_words(scratch, opt->im, opt->plan, &mem[m]);
        bool ok = true;
        for (int slice = 0; ok && slice < ts_memory_slices(&mem[m]); slice++) {
            size_t size;
            const char *text = ts_memory_slice_text(scratch, &mem[m], words, slice, &size);
            ok = write_bytes(w, ts_printf(scratch, "mem/%s_%03d.hex", mem[m].name, slice), text, size);
        }
        ts_arena_free(scratch);
        if (!ok)
            return false;
    }
    return true;
}

static bool write_pages(const writer *w, const ts_emit_options *opt)
{
    ts_arena *scratch = ts_arena_new();
    const ts_page_order order = ts_page_order_of(scratch, opt->plan, opt->im);
    bool ok = true;
    if (order.stages) {
        size_t size;
        const uint8_t *image = ts_page_file(scratch, opt->im, opt->plan, &order, &size);
        ok = write_bytes(w, "mem/" TS_PAGE_FILE, (const char *)image, size);
    }
    ts_arena_free(scratch);
    return ok;
}

static json_t *manifest(ts_arena *arena, const ts_emit_options *opt, const ts_memory *mem, int count)
{
    const ts_imodel *im = opt->im;
    const ts_ports p = ts_ports_of(im, opt->plan);
    json_t *memories = json_array();
    for (int m = 0; m < count; m++) {
        json_t *entry = json_pack("{s:s, s:i, s:i, s:i}", "name", mem[m].name, "bits", mem[m].width, "words", mem[m].depth, "slices",
                                  ts_memory_slices(&mem[m]));
        if (mem[m].id >= 0)
            json_object_set_new(entry, "cfg_mem", json_integer(mem[m].id));
        if (mem[m].loaded)
            json_object_set_new(entry, "load_before_use", json_true());
        json_array_append_new(memories, entry);
    }
    json_t *out =
        json_pack("{s:i, s:i, s:i, s:b}", "lanes", p.lanes, "lane_bits", p.out_lane, "transfers", p.beats, "argmax", opt->plan->argmax);
    json_t *json = json_pack("{s:i, s:s, s:s, s:{s:i, s:i, s:i, s:i, s:i, s:i, s:i}, s:{s:{s:i, s:i, s:i}, s:o}, s:o, s:o}",
                             "tessera_manifest", TS_MANIFEST_VERSION, "model", im->name, "top", ts_top_name(arena, im), "shape", "features",
                             im->features, "d", im->d, "heads", im->heads, "d_head", im->d_head, "ff", im->ff, "layers", im->layers,
                             "outputs", im->outputs, "ports", "s_hit", "values", im->features, "lane_bits", p.hit_lane, "value_bits",
                             im->in.bits, "m_out", out, "plan", ts_plan_to_json(opt->plan, im), "memories", memories);
    CHECK(json);
    const ts_page_order pages = ts_page_order_of(arena, opt->plan, im);
    if (pages.stages)
        json_object_set_new(json, "pages", ts_page_file_json(opt->plan, &pages));
    if (opt->extra)
        CHECK(json_object_update_missing(json, opt->extra) == 0);
    if (ts_plan_is_paged(opt->plan) && !json_object_get(json, "mode"))
        json_object_set_new(json, "mode", json_string(ts_mode_name(TS_MODE_PAGED)));
    return json;
}

bool ts_manifest_write(ts_arena *arena, const char *dir, json_t *json, ts_err *err)
{
    json_t *files = ts_design_files(arena, dir, err);
    bool ok = files != NULL;
    if (ok) {
        json_object_set_new(json, "files", files);
        const char *text = ts_printf(arena, "%s\n", ts_json_text(arena, json, JSON_INDENT(2)));
        ok = ts_file_create(ts_printf(arena, "%s/%s", dir, TS_MANIFEST), text, strlen(text), err);
    }
    json_decref(json);
    return ok;
}

static bool write_all(const writer *w, const ts_emit_options *opt)
{
    ts_memory mem[TS_MEMORY_MAX];
    const int memories = ts_memories(opt->im, opt->plan, mem);
    ts_stream streams[TS_RING_TAPS];
    int stream_count = 0;
    const char *top = ts_top_text(w->arena, opt->im, opt->plan, streams, &stream_count);
    const ts_bench_ring ring = {opt->im, opt->plan, "mem/"};
    const ts_bench_options bench_of = {.top = ts_top_name(w->arena, opt->im),
                                       .im = opt->im,
                                       .rings = 1,
                                       .ring = &ring,
                                       .events = opt->events,
                                       .n = opt->n,
                                       .x = opt->x,
                                       .stream_count = stream_count,
                                       .streams = streams};
    const ts_bench_files bench = ts_bench_make(w->arena, &bench_of);
    return make_dirs(w) && write_assets(w) && write_text(w, ts_printf(w->arena, "rtl/%s.v", ts_top_name(w->arena, opt->im)), top) &&
           write_memories(w, opt, mem, memories) && write_pages(w, opt) && write_text(w, "mem/hits.hex", bench.hits) &&
           write_text(w, "mem/expect.hex", bench.expect) && (!bench.load || write_text(w, "mem/load.hex", bench.load)) &&
           write_text(w, "tb/ring.vh", bench.ring_vh) && write_text(w, "tb/ring.h", bench.ring_h) &&
           (!bench.sim_top || write_text(w, "tb/" TS_SIM_TOP ".v", bench.sim_top)) &&
           ts_imodel_save(opt->im, ts_printf(w->arena, "%s/model.tsm", w->dir), w->err) &&
           ts_manifest_write(w->arena, w->dir, manifest(w->arena, opt, mem, memories), w->err);
}

bool ts_emit_into(const ts_emit_options *opt, const char *dir, ts_err *err)
{
    if (!ts_plan_check(opt->plan, opt->im, err))
        return false;
    ts_arena *arena = ts_arena_new();
    const bool ok = write_all(&(writer){arena, dir, err}, opt);
    ts_arena_free(arena);
    return ok;
}

bool ts_emit(const ts_emit_options *opt, const char *dir, ts_err *err)
{
    ts_arena *arena = ts_arena_new();
    ts_outdir out;
    bool ok = ts_outdir_begin(arena, dir, &out, err);
    if (ok && !(ok = ts_emit_into(opt, out.temp, err)))
        ts_outdir_abort(&out);
    ok = ok && ts_outdir_commit(arena, &out, err);
    ts_arena_free(arena);
    return ok;
}

/* External memory's image is whole, as far as its size says. */
static bool check_pages(ts_arena *arena, const ts_design *design, ts_err *err)
{
    const ts_page_order order = ts_page_order_of(arena, &design->plan, design->im);
    const char *path = ts_printf(arena, "%s/mem/%s", design->dir, TS_PAGE_FILE);
    const long long wanted = (long long)order.beats * 8 * design->plan.paging.lanes;
    struct stat st;
    if (!order.stages)
        return true;
    if (stat(path, &st) != 0)
        return ts_fail(err, "%s: %s: compile the model again", path, strerror(errno));
    return st.st_size == wanted ||
           ts_fail(err, "%s has %lld bytes, it should have %lld: compile the model again", path, (long long)st.st_size, wanted);
}

static bool load_ring(ts_arena *arena, ts_design *design, const char *path, ts_err *err)
{
    if (!ts_plan_from_json(arena, json_object_get(design->manifest, "plan"), &design->plan, err) ||
        !ts_plan_check(&design->plan, design->im, err))
        return ts_fail_in(err, "%s", path);
    if (!check_pages(arena, design, err))
        return false;
    design->parts = 1;
    design->top = ts_top_name(arena, design->im);
    design->part = TS_NEW(arena, ts_design_part);
    ts_plan *plan = TS_NEW(arena, ts_plan);
    *plan = design->plan;
    design->part[0] = (ts_design_part){.dir = design->dir, .device = plan->device, .im = design->im, .plan = plan};
    return true;
}

static double number(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) && json_number_value(value) > 0 ? json_number_value(value) : 0;
}

static bool load_design(ts_arena *arena, const char *dir, bool may_have_parts, ts_design *design, ts_err *err);

/* A part is a design of its own, whose manifest is of no further use here. It is where it is always written: no other directory is looked
 * into. */
static bool load_part(ts_arena *arena, const ts_design *design, const json_t *entry, int i, ts_design_part *part, ts_err *err)
{
    const char *name = json_string_value(json_object_get(entry, "directory")), *wanted = ts_printf(arena, "part%d", i);
    if (!name || strcmp(name, wanted) != 0)
        return ts_fail(err, "%s/%s: part %d is in \"%s\"; it must be in \"%s\": compile the model again", design->dir, TS_MANIFEST, i,
                       name ? name : "", wanted);
    ts_design *ring = TS_NEW(arena, ts_design);
    if (!load_design(arena, ts_printf(arena, "%s/%s", design->dir, name), false, ring, err))
        return false;
    ts_design_free(ring);
    *part = ring->part[0];
    part->dir = ring->dir;
    const json_t *way = json_object_get(entry, "way_to_it");
    enum { MOST = 1000000 }; /* beyond what any link has: the plan verifier says so */
    const ts_link link = {.word_bits = (int)fmin(number(way, "word_bits"), MOST),
                          .rate = number(way, "words_a_cycle"),
                          .flight = (int)fmin(number(way, "flight_cycles"), MOST)};
    if (link.word_bits > 0 && link.rate > 0)
        part->before = ts_link_hop(&link, part->im->d * part->im->res.bits);
    part->before.token_cycles = number(way, "token_cycles");
    part->before.latency = number(way, "latency_cycles");
    return true;
}

static bool load_parts(ts_arena *arena, ts_design *design, const json_t *parts, ts_err *err)
{
    design->parts = (int)json_array_size(parts);
    design->part = TS_NEW_N(arena, ts_design_part, design->parts);
    for (int i = 0; i < design->parts; i++) {
        ts_design_part *part = &design->part[i];
        if (!load_part(arena, design, json_array_get(parts, (size_t)i), i, part, err))
            return false;
        const ts_design_part *before = i ? part - 1 : part;
        if (part->plan->n_max != before->plan->n_max ||
            (i && (before->im->outputs != part->im->features || before->im->res.bits != part->im->in.bits)))
            return ts_fail(err, "%s: part %d does not fit the one before it: compile the model again", design->dir, i);
    }
    const ts_imodel *last = design->part[design->parts - 1].im;
    if (design->part[0].im->features != design->im->features || last->outputs != design->im->outputs)
        return ts_fail(err, "%s: the parts are not those of its model: compile the model again", design->dir);
    design->plan = *design->part[design->parts - 1].plan;
    design->top = ts_system_name(arena, design->im);
    return true;
}

static bool load_mode(ts_design *design, const char *path, ts_err *err)
{
    const char *name = json_string_value(json_object_get(design->manifest, "mode"));
    for (int m = 0; m < TS_MODE_COUNT; m++)
        if (!name || strcmp(name, ts_mode_name((ts_mode)m)) == 0) {
            design->mode = (ts_mode)m;
            return true;
        }
    return ts_fail(err, "%s: unknown mode \"%s\"", path, name);
}

/* may_have_parts: a part has none. */
static bool load(ts_arena *arena, ts_design *design, const char *path, bool may_have_parts, ts_err *err)
{
    const json_t *version = json_object_get(design->manifest, "tessera_manifest"), *parts = json_object_get(design->manifest, "parts");
    if (json_integer_value(version) != TS_MANIFEST_VERSION)
        return ts_fail(err, "%s: version %lld of the manifest, this tessera reads version %d: compile the model again", path,
                       (long long)json_integer_value(version), TS_MANIFEST_VERSION);
    if (parts && !may_have_parts)
        return ts_fail(err, "%s: a part of a design cannot have parts", path);
    if (!ts_design_files_check(arena, design->dir, design->manifest, err))
        return false;
    design->im = ts_imodel_load(arena, ts_printf(arena, "%s/model.tsm", design->dir), err);
    if (!design->im || !load_mode(design, path, err))
        return false;
    return json_array_size(parts) ? load_parts(arena, design, parts, err) : load_ring(arena, design, path, err);
}

static bool load_design(ts_arena *arena, const char *dir, bool may_have_parts, ts_design *design, ts_err *err)
{
    *design = (ts_design){.dir = dir};
    const char *path = ts_printf(arena, "%s/%s", dir, TS_MANIFEST);
    struct stat st;
    if (stat(path, &st) != 0)
        return ts_fail_as(err, errno == ENOENT || errno == ENOTDIR || errno == EACCES ? TS_NO_FILE : TS_DAMAGED,
                          "not a compiled design (`tessera compile` makes one): %s: cannot read: %s", path, strerror(errno));
    design->device = st.st_dev;
    design->inode = st.st_ino;
    design->manifest = ts_json_load(path, err);
    const bool loaded = design->manifest && load(arena, design, path, may_have_parts, err), same = ts_design_is_there(design);
    if (loaded && same)
        return true;
    if (!same) { /* then whatever was found wrong is of two designs */
        *err = (ts_err){""};
        ts_fail(err, "%s: was replaced by another design while it was read: run this again", dir);
    }
    if (err->code == TS_BAD_FILE || err->code == TS_NO_FILE) /* of files that were whole when they were written */
        err->code = TS_DAMAGED;
    ts_design_free(design);
    return false;
}

bool ts_design_load(ts_arena *arena, const char *dir, ts_design *design, ts_err *err)
{
    enum { TRIES = 5 };
    for (int i = 1;; i++) {
        if (load_design(arena, dir, true, design, err))
            return true;
        if (i == TRIES || design->inode == 0 || ts_design_is_there(design))
            return false;
        *err = (ts_err){""};
    }
}

bool ts_design_is_there(const ts_design *design)
{
    char path[4096];
    struct stat st;
    return snprintf(path, sizeof path, "%s/%s", design->dir, TS_MANIFEST) < (int)sizeof path && stat(path, &st) == 0 &&
           st.st_dev == design->device && st.st_ino == design->inode;
}

bool ts_design_is_paged(const ts_design *design)
{
    for (int p = 0; p < design->parts; p++)
        if (ts_plan_is_paged(design->part[p].plan))
            return true;
    return false;
}

ts_ports ts_design_ports(const ts_design *design)
{
    const ts_design_part *first = &design->part[0], *last = &design->part[design->parts - 1];
    return ts_ports_of_chain(first->im, first->plan, last->im, last->plan);
}

const ts_chain_ring *ts_design_rings(ts_arena *arena, const ts_design *design)
{
    ts_chain_ring *ring = TS_NEW_N(arena, ts_chain_ring, design->parts);
    for (int i = 0; i < design->parts; i++)
        ring[i] = (ts_chain_ring){design->part[i].plan, design->part[i].im, design->part[i].before};
    return ring;
}

ts_chain_prediction ts_design_predict(ts_arena *arena, const ts_design *design, int n)
{
    return ts_chain_predict(ts_design_rings(arena, design), design->parts, n);
}

void ts_design_free(ts_design *design)
{
    json_decref(design->manifest);
    design->manifest = NULL;
}

long long ts_watchdog_cycles(const ts_imodel *im, const ts_plan *plan)
{
    const ts_ring_widths w = ts_ring_widths_of(im);
    const ts_attn_fold *a = &plan->attn;
    long long slowest = 1;
    for (int id = 0; id < TS_LIN_COUNT; id++)
        if (w.lin[id].k) {
            const long long ii = ts_lin_ii(&w.lin[id], &plan->lin[id]);
            slowest = ii > slowest ? ii : slowest;
        }
    for (int id = 0; id < TS_NRM_COUNT; id++)
        if (w.nrm[id].d) {
            const long long ii = ts_ceil_div(w.nrm[id].d, plan->nrm[id].np);
            slowest = ii > slowest ? ii : slowest;
        }
    for (int id = 0; id < TS_RQV_COUNT; id++)
        if (w.rqv[id].d) {
            const long long ii = ts_ceil_div(w.rqv[id].d, plan->rqv[id].nr);
            slowest = ii > slowest ? ii : slowest;
        }
    ts_arena *scratch = ts_arena_new();
    const ts_page_order pages = ts_page_order_of(scratch, plan, im);
    const long long paged = pages.stages ? ts_page_late(plan, &pages) : 0;
    ts_arena_free(scratch);
    const long long blocks = (long long)ts_ceil_div(plan->n_max, a->pq) * ts_ceil_div(plan->n_max, a->pkey);
    const long long attention = blocks * ts_ceil_div(im->heads, a->ph) * ts_ceil_div(im->d_head, a->pd);
    const long long final = (long long)plan->n_max * ts_ceil_div(im->heads * im->d_head, a->nf);
    return 4 * im->layers * (plan->n_max * slowest + attention + final + paged + 5000);
}
