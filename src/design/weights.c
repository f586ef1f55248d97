/* The words of another model's integers, in the memories of a design that is there. */
#include "design/weights.h"

#include <string.h>

#include "base/crc.h"
#include "base/json.h"
#include "base/plain.h"
#include "emit/page_file.h"
#include "emit/top.h"
#include "num/fixed.h"
#include "quant/slice.h"

uint64_t ts_weights_build(ts_arena *arena, const ts_design *design)
{
    const char *of = json_string_value(json_object_get(design->manifest, TS_EMULATOR_OF));
    if (of)
        return strtoull(of, NULL, 16);
    const char *manifest = ts_json_text(arena, design->manifest, JSON_COMPACT | JSON_SORT_KEYS);
    return ts_hash(0, manifest, strlen(manifest));
}

/* ---- Whether it fits */

static const char *stage_name(ts_arena *arena, const ts_system_ring *ring, int pages, int page, const char *name)
{
    return pages > 1 ? ts_printf(arena, "layers.%d.%s", ring->slice.first / 2 + page, name) : name;
}

/* Every accumulator against the hardware's, and what else a memory holds in as many bits as its first model needed. own: as im needs. */
static void check_widths(ts_arena *arena, const ts_system_ring *ring, const ts_imodel *im, const ts_ring_widths *own,
                         const ts_ring_widths *there, ts_room *room)
{
    for (int id = 0; id < TS_LIN_COUNT; id++)
        for (int page = 0; page < own->lin[id].pages; page++) {
            const ts_ilin *lin = ts_ring_lin(im, (ts_lin_id)id, page);
            if (lin && lin->acc_bits > there->lin[id].accw)
                ts_room_short(room, lin->acc_bits - there->lin[id].accw, "%s: its accumulator needs %d bits, the hardware's has %d",
                              stage_name(arena, ring, own->lin[id].pages, page, ts_lin_name((ts_lin_id)id)), lin->acc_bits,
                              there->lin[id].accw);
        }
    for (int id = 0; id < TS_RQV_COUNT; id++)
        if (own->rqv[id].biasw > there->rqv[id].biasw)
            ts_room_short(room, own->rqv[id].biasw - there->rqv[id].biasw, "%s: its offsets need %d bits, the hardware's have %d",
                          ts_rqv_name((ts_rqv_id)id), own->rqv[id].biasw, there->rqv[id].biasw);
    for (int id = 0; id < TS_NRM_COUNT; id++) {
        const ts_nrm_widths *o = &own->nrm[id], *t = &there->nrm[id];
        const int bias = o->biasw - t->biasw > o->k_biasw - t->k_biasw ? o->biasw - t->biasw : o->k_biasw - t->k_biasw;
        if (bias > 0)
            ts_room_short(room, bias, "%s: its offsets need %d more bits than the hardware's have", ts_nrm_name((ts_nrm_id)id), bias);
        if (o->epsw > t->epsw) /* its scale counts twice */
            ts_room_short(room, ts_ceil_div(o->epsw - t->epsw, 2), "%s: its epsilon needs %d bits, the hardware's has %d",
                          ts_nrm_name((ts_nrm_id)id), o->epsw, t->epsw);
    }
}

/* Whether all but these widths are the same: stages, shifts and formats. */
static bool same_formats(const ts_ring_widths *a, const ts_ring_widths *b)
{
    bool same = a->lw == b->lw && a->in_w == b->in_w && a->res_w == b->res_w && a->qw == b->qw && a->kw == b->kw && a->vw == b->vw &&
                a->cw == b->cw && a->pw == b->pw && a->sw == b->sw && a->fw == b->fw && a->score_shift == b->score_shift &&
                a->ctx_shift == b->ctx_shift;
    for (int id = 0; id < TS_LIN_COUNT; id++) {
        const ts_lin_widths *x = &a->lin[id], *y = &b->lin[id];
        same = same && x->k == y->k && x->m == y->m && x->pages == y->pages && x->xw == y->xw && x->ww == y->ww && x->yw == y->yw &&
               x->xsigned == y->xsigned && x->ysigned == y->ysigned && x->s1 == y->s1 && x->s2 == y->s2 && x->varbits == y->varbits &&
               x->table == y->table && x->idxw == y->idxw;
    }
    for (int id = 0; id < TS_RQV_COUNT; id++) {
        const ts_rqv_widths *x = &a->rqv[id], *y = &b->rqv[id];
        same =
            same && x->d == y->d && x->pages == y->pages && x->xw == y->xw && x->yw == y->yw && x->s2 == y->s2 && x->varbits == y->varbits;
    }
    for (int id = 0; id < TS_NRM_COUNT; id++) {
        const ts_nrm_widths *x = &a->nrm[id], *y = &b->nrm[id];
        same = same && x->d == y->d && x->pages == y->pages && x->groups == y->groups && x->centred == y->centred &&
               x->t_shift == y->t_shift && x->y_shift == y->y_shift && x->k_y_shift == y->k_y_shift;
    }
    return same;
}

/* The part of im that is this ring's, in the ring's widths. */
static const ts_imodel *ring_model(ts_arena *arena, const ts_design *design, int r, const ts_imodel *im, ts_room *room, ts_err *err)
{
    const ts_system_ring *ring = &design->part[r];
    ts_imodel own = *im;
    own.acc_margin = 0;
    const ts_imodel *part = design->parts > 1 ? ts_imodel_slice(arena, &own, ring->slice, err) : &own;
    if (!part)
        return NULL;
    ts_ring_widths *there = TS_NEW(arena, ts_ring_widths);
    *there = ts_ring_widths_of(ring->im);
    const ts_ring_widths needed = ts_ring_widths_of(part);
    if (!same_formats(&needed, there)) {
        ts_fail_as(err, TS_BAD_FILE, "%s: its formats or shifts are not those of these weights", ring->top);
        return NULL;
    }
    check_widths(arena, ring, part, &needed, there, room);
    ts_imodel *made = TS_NEW(arena, ts_imodel);
    *made = *part;
    made->name = ring->im->name;
    made->hardware = there;
    made->acc_margin = ring->im->acc_margin;
    return made;
}

/* The same Verilog, to the last character: nothing but the contents of memories differs. */
static bool same_hardware(const ts_system_ring *ring, const ts_imodel *im, ts_err *err)
{
    ts_arena *scratch = ts_arena_new();
    const ts_ring_widths w = ts_ring_widths_of(im);
    ts_ring built;
    ts_ring_build(im, ring->plan, &w, &built);
    const bool same = strcmp(ts_top_text(scratch, &built), ts_top_text(scratch, ring->built)) == 0 &&
                      memcmp(im->exp2, ring->im->exp2, sizeof *im->exp2 << im->frac_bits) == 0;
    ts_arena_free(scratch);
    return same ||
           ts_fail_as(err, TS_INTERNAL, "%s: these weights need other hardware, although their model has the same shape", ring->top);
}

/* ---- Words */

static void put_memory(const ts_memory *mem, const uint32_t *words, uint8_t *to)
{
    const int stride = ts_ceil_div(mem->width, 32);
    for (int slice = 0; slice < ts_memory_slices(mem); slice++)
        for (int a = 0; a < mem->depth; a++, to += TS_WRITE_BYTES)
            for (int i = 0; i < TS_WRITE_BYTES; i++) {
                const int byte = slice * TS_WRITE_BYTES + i;
                to[i] = (uint8_t)(byte * 8 < mem->width ? words[(size_t)a * (size_t)stride + (size_t)byte / 4] >> (byte % 4 * 8) : 0);
            }
}

static void add_crc(void *user, const ts_weights_write *w)
{
    const uint8_t head[] = {(uint8_t)w->ring,          (uint8_t)w->memory,         (uint8_t)(w->slice >> 8),
                            (uint8_t)(w->slice & 255), (uint8_t)(w->address >> 8), (uint8_t)(w->address & 255)};
    uint32_t *crc = user;
    *crc = ts_crc32c(*crc, head, sizeof head);
    for (int i = TS_WRITE_BYTES - 1; i >= 0; i--)
        *crc = ts_crc32c_byte(*crc, w->data[i]);
}

void ts_weights_each(const ts_weights *weights, int r, void (*put)(void *user, const ts_weights_write *write), void *user)
{
    const ts_weights_ring *ring = &weights->ring[r];
    ts_weights_write w = {.ring = r, .data = ring->data};
    for (int m = 0; m < ring->memories; m++)
        for (w.memory = ring->mem[m].id, w.slice = 0; w.slice < ts_memory_slices(&ring->mem[m]); w.slice++)
            for (w.address = 0; w.address < ring->mem[m].depth; w.address++, w.data += TS_WRITE_BYTES)
                put(user, &w);
}

uint32_t ts_weights_crc(const ts_weights *weights, int r, uint32_t crc)
{
    ts_weights_each(weights, r, add_crc, &crc);
    return crc;
}

static void make_ring(ts_arena *arena, const ts_system_ring *ring, const ts_imodel *im, ts_weights_ring *to)
{
    ts_memory all[TS_MEMORY_MAX];
    const int count = ts_memories(im, ring->plan, all);
    *to = (ts_weights_ring){.memories = 0};
    for (int m = 0; m < count; m++)
        if (all[m].id >= 0) {
            to->mem[to->memories++] = all[m];
            to->writes += (long long)ts_memory_slices(&all[m]) * all[m].depth;
        }
    uint8_t *data = ts_alloc(arena, (size_t)to->writes, TS_WRITE_BYTES), *next = data;
    for (int m = 0; m < to->memories; m++) {
        ts_arena *scratch = ts_arena_new();
        put_memory(&to->mem[m], ts_memory_words(scratch, im, ring->plan, &to->mem[m]), next);
        next += (size_t)ts_memory_slices(&to->mem[m]) * (size_t)to->mem[m].depth * TS_WRITE_BYTES;
        ts_arena_free(scratch);
    }
    to->data = data;
    if (ring->pages.stages)
        to->pages = ts_page_file(arena, im, ring->plan, &ring->pages, &to->page_bytes);
}

bool ts_weights_make(ts_arena *arena, const ts_design *design, const ts_imodel *im, ts_room *room, ts_weights *weights, ts_err *err)
{
    const ts_imodel **part = TS_NEW_N(arena, const ts_imodel *, design->parts);
    ts_weights_ring *ring = TS_NEW_N(arena, ts_weights_ring, design->parts);
    *weights = (ts_weights){.im = im, .rings = design->parts, .ring = ring};
    if (design->parts > 1 && !ts_room_check(room, err)) /* slices are of sound models */
        return false;
    for (int r = 0; r < design->parts; r++)
        if (!(part[r] = ring_model(arena, design, r, im, room, err)))
            return false;
    if (!ts_room_check(room, err))
        return false;
    for (int r = 0; r < design->parts; r++) {
        if (!same_hardware(&design->part[r], part[r], err))
            return false;
        make_ring(arena, &design->part[r], part[r], &ring[r]);
        ring[r].crc = ts_weights_crc(weights, r, TS_CRC32C);
    }
    return true;
}
