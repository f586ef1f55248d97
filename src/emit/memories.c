#include "emit/memories.h"

#include <string.h>

enum { EW = 3, MW = 18, BITS_W = 5 }; /* a channel's own shift, multiplier and width, as in ts_requant */

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
    case TS_MEMORY_ATTENTION:
        return TS_CFG_ATTENTION;
    case TS_MEMORY_EXP2:
        return -1;
    }
    BUG("no such memory");
}

typedef struct list {
    ts_memory *mem;
    int count;
} list;

static void add(list *l, ts_memory_kind kind, int stage, const char *name, const char *suffix, int width, int depth, ts_mem_style style)
{
    CHECK(l->count < TS_MEMORY_MAX);
    ts_memory *mem = &l->mem[l->count++];
    *mem = (ts_memory){
        .kind = kind, .stage = stage, .id = ts_memory_id(kind, stage), .width = width, .depth = depth, .loaded = style == TS_MEM_ULTRA};
    snprintf(mem->name, sizeof mem->name, "%s_%s", name, suffix);
}

static int rq_entry_bits(bool varbits)
{
    return MW + EW + (varbits ? BITS_W : 0);
}

int ts_memories(const ts_imodel *im, const ts_plan *plan, ts_memory out[TS_MEMORY_MAX])
{
    const ts_ring_widths w = ts_ring_widths_of(im);
    list l = {.mem = out};
    for (int id = 0; id < TS_LIN_COUNT; id++) {
        const ts_lin_widths *lin = &w.lin[id];
        const ts_lin_fold *f = &plan->lin[id];
        if (!lin->k)
            continue;
        const char *name = ts_lin_name((ts_lin_id)id);
        const int mo = ts_ceil_div(lin->m, f->pm);
        if (!f->buffers) /* those of the others come from external memory */
            add(&l, TS_MEMORY_WEIGHT, id, name, "w", f->pk * f->pm * lin->ww, lin->pages * ts_lin_ii(lin, f), f->wstyle);
        add(&l, TS_MEMORY_BIAS, id, name, "b", f->pm * lin->accw, lin->pages * mo, f->pstyle);
        add(&l, TS_MEMORY_REQUANT, id, name, "q", f->nr * rq_entry_bits(lin->varbits), lin->pages * mo * (f->pm / f->nr), f->pstyle);
        if (lin->table)
            add(&l, TS_MEMORY_TABLE, id, name, "t", lin->yw, 1 << lin->idxw, TS_MEM_BLOCK);
    }
    for (int id = 0; id < TS_RQV_COUNT; id++) {
        const ts_rqv_widths *rqv = &w.rqv[id];
        if (rqv->d)
            add(&l, TS_MEMORY_RQVEC, id, ts_rqv_name((ts_rqv_id)id), "q", plan->rqv[id].nr * (rq_entry_bits(rqv->varbits) + rqv->biasw),
                rqv->pages * ts_ceil_div(rqv->d, plan->rqv[id].nr), plan->rqv[id].pstyle);
    }
    for (int id = 0; id < TS_NRM_COUNT; id++) {
        const ts_nrm_widths *nrm = &w.nrm[id];
        if (!nrm->d)
            continue;
        add(&l, TS_MEMORY_GAIN, id, ts_nrm_name((ts_nrm_id)id), "g", plan->nrm[id].np * (nrm->biasw + MW),
            nrm->pages * ts_ceil_div(nrm->d, plan->nrm[id].np), plan->nrm[id].pstyle);
        add(&l, TS_MEMORY_EPS, id, ts_nrm_name((ts_nrm_id)id), "e", nrm->epsw, nrm->pages, plan->nrm[id].pstyle);
    }
    if (!ts_ring_ways_of(im).has_attention)
        return l.count;
    add(&l, TS_MEMORY_ATTENTION, 0, "attention", "a", BITS_W + 2 + 2 * im->heads, im->layers, TS_MEM_DISTRIBUTED);
    add(&l, TS_MEMORY_EXP2, 0, "attention", "x", im->p_bits, 1 << im->frac_bits, TS_MEM_DISTRIBUTED);
    return l.count;
}

/* Puts the low `width` bits of a value at bit `lsb` of a word. */
static void put(uint32_t *word, int lsb, int width, int64_t value)
{
    for (int done = 0; done < width;) {
        const int at = (lsb + done) % 32, take = width - done < 32 - at ? width - done : 32 - at;
        const uint32_t mask = (uint32_t)(((uint64_t)1 << take) - 1);
        word[(lsb + done) / 32] |= ((uint32_t)(value >> done) & mask) << at;
        done += take;
    }
}

typedef struct image {
    uint32_t *bits;
    int stride; /* 32-bit words of a word */
} image;

/* Weights of a group's outputs, those beyond the last one zero. */
static void fill_weights(const image *img, const ts_ilin *lin, int page, const ts_lin_widths *w, const ts_lin_fold *f)
{
    const int ko_count = ts_ceil_div(w->k, f->pk), mo_count = ts_ceil_div(w->m, f->pm);
    for (int m = 0; m < mo_count * f->pm; m++) {
        const int mo = m / f->pm, i = m % f->pm;
        for (int k = 0; k < w->k; k++) {
            int32_t weight = m < w->m ? lin->w[(size_t)m * w->k + k] : 0;
            /* Packed, as ts_pack would: what the pair's low product borrows from the high one is already taken off. */
            if (f->pack && i % 2 == 1 && m - 1 < w->m)
                weight -= lin->w[(size_t)(m - 1) * w->k + k] < 0;
            put(img->bits + (size_t)((page * mo_count + mo) * ko_count + k / f->pk) * img->stride, (i * f->pk + k % f->pk) * w->ww, w->ww,
                weight);
        }
    }
}

static void fill_linear(const image *img, const ts_imodel *im, const ts_memory *mem, const ts_lin_widths *w, const ts_lin_fold *f)
{
    const int mo_count = ts_ceil_div(w->m, f->pm), groups = f->pm / f->nr;
    for (int page = 0; page < w->pages; page++) {
        const ts_ilin *lin = ts_ring_lin(im, (ts_lin_id)mem->stage, page);
        if (!lin)
            continue;
        if (mem->kind == TS_MEMORY_WEIGHT) {
            fill_weights(img, lin, page, w, f);
            continue;
        }
        for (int m = 0; m < w->m; m++) {
            const int mo = m / f->pm, i = m % f->pm;
            if (mem->kind == TS_MEMORY_BIAS) {
                put(img->bits + (size_t)(page * mo_count + mo) * img->stride, i * w->accw, w->accw, lin->bias[m]);
            } else {
                const int lane = i % f->nr, entry = rq_entry_bits(w->varbits);
                uint32_t *word = img->bits + (size_t)((page * mo_count + mo) * groups + i / f->nr) * img->stride;
                put(word, lane * entry, MW, lin->rq.m[m]);
                put(word, lane * entry + MW, EW, lin->rq.e[m]);
                if (w->varbits) {
                    const bool qkv = mem->stage == TS_LIN_QKV || mem->stage == TS_LIN_QKV0;
                    put(word, lane * entry + MW + EW, BITS_W, qkv ? ts_ring_qkv_fmt(im, page, m).bits : lin->rq.out.bits);
                }
            }
        }
    }
}

static void fill_rqvec(const image *img, const ts_imodel *im, const ts_memory *mem, const ts_rqv_widths *w, int nr)
{
    const int entry = rq_entry_bits(w->varbits) + w->biasw, rows = ts_ceil_div(w->d, nr);
    for (int page = 0; page < w->pages; page++) {
        const ts_rq *rq = ts_ring_rqv(im, (ts_rqv_id)mem->stage, page);
        for (int c = 0; rq && c < w->d; c++) {
            uint32_t *word = img->bits + (size_t)(page * rows + c / nr) * img->stride;
            int lsb = c % nr * entry;
            put(word, lsb, MW, rq->m[c]);
            put(word, lsb += MW, EW, rq->e[c]);
            lsb += EW;
            if (w->varbits) {
                put(word, lsb, BITS_W, rq->out.bits);
                lsb += BITS_W;
            }
            put(word, lsb, w->biasw, rq->b ? rq->b[c] : 0);
        }
    }
}

static void fill_norm(const image *img, const ts_imodel *im, const ts_memory *mem, const ts_nrm_widths *w, int np)
{
    const int entry = MW + w->biasw, rows = ts_ceil_div(w->d, np);
    for (int page = 0; page < w->pages; page++) {
        const ts_inorm *n = ts_ring_nrm(im, (ts_nrm_id)mem->stage, page);
        if (!n)
            continue;
        if (mem->kind == TS_MEMORY_EPS) {
            put(img->bits + (size_t)page * img->stride, 0, w->epsw, (int64_t)n->eps);
            continue;
        }
        for (int c = 0; c < w->d; c++) {
            uint32_t *word = img->bits + (size_t)(page * rows + c / np) * img->stride;
            put(word, c % np * entry, MW, n->gain[c]);
            put(word, c % np * entry + MW, w->biasw, n->bias[c]);
        }
    }
}

static void fill_attention(const image *img, const ts_imodel *im)
{
    for (int l = 0; l < im->layers; l++) {
        uint32_t *word = img->bits + (size_t)l * img->stride;
        const ts_ilayer *layer = &im->layer[l];
        if (!ts_imodel_has_attention(im, l))
            continue;
        for (int h = 0; h < im->heads; h++)
            put(word, 2 * h, 2, layer->score_e[h]);
        put(word, 2 * im->heads, 2, layer->ctx_e);
        put(word, 2 * im->heads + 2, BITS_W, layer->ctx.bits);
    }
}

uint32_t *ts_memory_words(ts_arena *arena, const ts_imodel *im, const ts_plan *plan, const ts_memory *mem)
{
    const ts_ring_widths w = ts_ring_widths_of(im);
    image img = {.stride = ts_ceil_div(mem->width, 32)};
    img.bits = TS_NEW_N(arena, uint32_t, (size_t)mem->depth * img.stride);
    switch (mem->kind) {
    case TS_MEMORY_WEIGHT:
    case TS_MEMORY_BIAS:
    case TS_MEMORY_REQUANT:
        fill_linear(&img, im, mem, &w.lin[mem->stage], &plan->lin[mem->stage]);
        break;
    case TS_MEMORY_TABLE: {
        const int32_t *table = ts_ring_lin(im, (ts_lin_id)mem->stage, 0)->table; /* FFN blocks always have layer 0's */
        for (int i = 0; i < mem->depth; i++)
            put(img.bits + (size_t)i * img.stride, 0, mem->width, table[i]);
        break;
    }
    case TS_MEMORY_RQVEC:
        fill_rqvec(&img, im, mem, &w.rqv[mem->stage], plan->rqv[mem->stage].nr);
        break;
    case TS_MEMORY_GAIN:
    case TS_MEMORY_EPS:
        fill_norm(&img, im, mem, &w.nrm[mem->stage], plan->nrm[mem->stage].np);
        break;
    case TS_MEMORY_ATTENTION:
        fill_attention(&img, im);
        break;
    case TS_MEMORY_EXP2:
        for (int i = 0; i < mem->depth; i++)
            put(img.bits + (size_t)i * img.stride, 0, mem->width, im->exp2[i]);
        break;
    }
    return img.bits;
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
