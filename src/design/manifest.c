#define TS_FAIL_CODE TS_DAMAGED
#include "design/manifest.h"

#include <math.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "design/files.h"
#include "emit/page_file.h"
#include "ring/memories.h"

/* ---- One ring */

static json_t *memories_json(const ts_imodel *im, const ts_plan *plan)
{
    json_t *memories = json_array();
    ts_memory mem[TS_MEMORY_MAX];
    const int count = ts_memories(im, plan, mem);
    for (int m = 0; m < count; m++) {
        json_t *entry = json_pack("{s:s, s:i, s:i, s:i}", "name", mem[m].name, "bits", mem[m].width, "words", mem[m].depth, "slices",
                                  ts_memory_slices(&mem[m]));
        if (mem[m].id >= 0)
            json_object_set_new(entry, "cfg_mem", json_integer(mem[m].id));
        if (mem[m].parity)
            json_object_set_new(entry, "parity", json_true());
        if (mem[m].loaded)
            json_object_set_new(entry, "load_before_use", json_true());
        json_array_append_new(memories, entry);
    }
    return memories;
}

/* The member "pages". */
static json_t *pages_json(const ts_plan *plan, const ts_page_order *order)
{
    const json_int_t beat = 8 * plan->paging.lanes;
    json_t *stages = json_array(), *transfers = json_array();
    for (int s = 0; s < order->stages; s++) {
        const ts_page_stage *stage = &order->stage[s];
        json_array_append_new(stages, json_pack("{s:s, s:i, s:i, s:i, s:i, s:o*}", "stage", ts_lin_name(stage->lin), "buffers",
                                                stage->buffers, "words", stage->words, "bits", stage->width, "pages_an_event", stage->turns,
                                                "parity", ts_plan_parity_bits(plan, true) ? json_true() : NULL));
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

static json_t *ring_json(const ts_system_ring *ring)
{
    const ts_imodel *im = ring->im;
    const ts_ports p = ts_ports_of(im, ring->plan);
    json_t *out =
        json_pack("{s:i, s:i, s:i, s:b}", "lanes", p.lanes, "lane_bits", p.out_lane, "transfers", p.beats, "argmax", ring->plan->argmax);
    json_t *json = json_pack("{s:i, s:s, s:s, s:{s:i, s:i, s:i, s:i, s:i, s:i, s:i}, s:{s:{s:i, s:i, s:i}, s:o}, s:o, s:o}",
                             "tessera_manifest", TS_MANIFEST_VERSION, "model", im->name, "top", ring->top, "shape", "features",
                             im->features, "d", im->d, "heads", im->heads, "d_head", im->d_head, "ff", im->ff, "layers", im->layers,
                             "outputs", im->outputs, "ports", "s_hit", "values", im->features, "lane_bits", p.hit_lane, "value_bits",
                             im->in.bits, "m_out", out, "plan", ts_plan_to_json(ring->plan, im), "memories", memories_json(im, ring->plan));
    CHECK(json);
    if (im->acc_margin)
        json_object_set_new(json, "acc_margin", json_integer(im->acc_margin));
    if (ring->pages.stages)
        json_object_set_new(json, "pages", pages_json(ring->plan, &ring->pages));
    return json;
}

/* ---- Several */

static json_t *parts_json(ts_arena *arena, const ts_system *s)
{
    json_t *parts = json_array();
    for (int i = 0; i < s->rings; i++) {
        const ts_system_ring *ring = &s->ring[i];
        json_array_append_new(parts, json_pack("{s:s, s:s, s:i, s:[i, i], s:b, s:b}", "directory", ts_part_directory(arena, i), "device",
                                               ring->device, "device_number", ring->device_number, "cuts", ring->slice.first,
                                               ring->slice.end, "embedding", ring->slice.embed, "head", ring->slice.head));
    }
    for (int n = 0; n < s->nodes; n++)
        if (s->node[n].kind == TS_SYSTEM_LINK) {
            const int to = s->node[n].ring + 1;
            const ts_hop *hop = &s->ring[to].before;
            json_object_set_new(json_array_get(parts, (size_t)to), "way_to_it",
                                json_pack("{s:f, s:f, s:i, s:f, s:i, s:i}", "latency_cycles", hop->latency, "token_cycles",
                                          hop->token_cycles, "word_bits", s->link.word_bits, "words_a_cycle", s->link.rate, "flight_cycles",
                                          s->link.flight, "silence_cycles", ts_link_ends_of(&s->link, s->node[n].takes).timeout));
        }
    return parts;
}

json_t *ts_manifest_of(ts_arena *arena, const ts_system *s, json_t *extra)
{
    json_t *json = s->rings == 1 ? ring_json(&s->ring[0])
                                 : json_pack("{s:i, s:s, s:s, s:s, s:o}", "tessera_manifest", TS_MANIFEST_VERSION, "model", s->im->name,
                                             "mode", ts_mode_name(s->mode), "top", s->top, "parts", parts_json(arena, s));
    CHECK(json);
    if (extra)
        CHECK(json_object_update_missing(json, extra) == 0);
    if (s->rings == 1 && s->ring[0].pages.stages && !json_object_get(json, "mode"))
        json_object_set_new(json, "mode", json_string(ts_mode_name(TS_MODE_PAGED)));
    return json;
}

static double number(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) && json_number_value(value) > 0 ? json_number_value(value) : 0;
}

bool ts_manifest_part(ts_arena *arena, const json_t *entry, int i, ts_system_ring *ring, ts_link *link, ts_err *err)
{
    enum { MOST = 1000000 }; /* beyond what any link has: the plan verifier says so */
    const json_t *cuts = json_object_get(entry, "cuts"), *way = json_object_get(entry, "way_to_it");
    const char *name = json_string_value(json_object_get(entry, "directory")), *wanted = ts_part_directory(arena, i);
    if (!name || strcmp(name, wanted) != 0)
        return ts_fail(err, "part %d is in \"%s\"; it must be in \"%s\": compile the model again", i, name ? name : "", wanted);
    ring->device_number = (int)json_integer_value(json_object_get(entry, "device_number"));
    ring->slice = (ts_slice){.first = (int)json_integer_value(json_array_get(cuts, 0)),
                             .end = (int)json_integer_value(json_array_get(cuts, 1)),
                             .embed = json_is_true(json_object_get(entry, "embedding")),
                             .head = json_is_true(json_object_get(entry, "head"))};
    ring->before = (ts_hop){0};
    if (!way || i == 0)
        return true;
    *link = (ts_link){.word_bits = (int)fmin(number(way, "word_bits"), MOST),
                      .rate = number(way, "words_a_cycle"),
                      .flight = (int)fmin(number(way, "flight_cycles"), MOST)};
    if (link->word_bits > 0 && link->rate > 0)
        ring->before = ts_link_hop(link, ring->im->d * ring->im->res.bits);
    ring->before.token_cycles = number(way, "token_cycles");
    ring->before.latency = number(way, "latency_cycles");
    return true;
}

/* ---- The file */

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
