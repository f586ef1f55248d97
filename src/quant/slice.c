#include "quant/slice.h"

#include <string.h>

double ts_cut_scale(const ts_imodel *im, int cut)
{
    CHECK(cut >= 0 && cut <= ts_block_count(im));
    if (cut == ts_block_count(im)) {
        const ts_ilayer *last = &im->layer[im->layers - 1];
        return ts_norm_at(im->norms, TS_BEHIND_FFN) ? last->norm2.y_scale : last->res_scale_mid;
    }
    const ts_ilayer *layer = &im->layer[cut / 2];
    return cut % 2 ? layer->res_scale_mid : layer->res_scale_in;
}

static const double *scales(ts_arena *arena, const ts_imodel *im, int cut)
{
    double *scale = TS_NEW_N(arena, double, im->d);
    for (int c = 0; c < im->d; c++)
        scale[c] = ts_cut_scale(im, cut);
    return scale;
}

static void take_layers(ts_arena *arena, const ts_imodel *im, ts_slice slice, ts_imodel *part)
{
    const int from = slice.first / 2, to = (slice.end + 1) / 2;
    ts_ilayer *layer = TS_NEW_N(arena, ts_ilayer, to - from);
    memcpy(layer, im->layer + from, (size_t)(to - from) * sizeof *layer);
    part->layers = to - from;
    part->layer = layer;
    part->starts_in_ffn = slice.first % 2;
    part->ends_in_attention = slice.end % 2;
    if (part->starts_in_ffn) {
        const ts_ilayer *whole = &im->layer[from];
        layer[0] = (ts_ilayer){.ffn_in = whole->ffn_in,
                               .ffn1 = whole->ffn1,
                               .ffn2 = whole->ffn2,
                               .res_scale_in = whole->res_scale_in,
                               .res_scale_mid = whole->res_scale_mid};
        if (!ts_imodel_norm_in_attention(im, 2))
            layer[0].norm2 = whole->norm2;
    }
    if (part->ends_in_attention) {
        ts_ilayer *last = &layer[part->layers - 1];
        if (!ts_imodel_norm_in_attention(im, 2))
            last->norm2 = (ts_inorm){0};
        last->ffn_in = (ts_rq){0};
        last->ffn1 = last->ffn2 = (ts_ilin){0};
    }
}

const ts_imodel *ts_imodel_slice(ts_arena *arena, const ts_imodel *im, ts_slice slice, ts_err *err)
{
    const int blocks = ts_block_count(im);
    CHECK(!im->starts_in_ffn && !im->ends_in_attention);
    if (slice.first < 0 || slice.first >= slice.end || slice.end > blocks || (slice.embed && slice.first > 0) ||
        (slice.head && slice.end < blocks)) {
        ts_fail(err, "%s: no slice between cuts %d and %d%s%s: its %d layers have cuts 0 to %d, embedding and head at the ends", im->name,
                slice.first, slice.end, slice.embed ? ", with embedding" : "", slice.head ? ", with head" : "", im->layers, blocks);
        return NULL;
    }
    if (!slice.embed && slice.first == 0 && im->fused_qkv0) {
        ts_fail(err,
                "%s: no cut between the embedding and the first layer, whose q, k and v are computed straight from the embedding's input; "
                "cut behind the first attention block",
                im->name);
        return NULL;
    }
    ts_imodel *part = TS_NEW(arena, ts_imodel);
    *part = *im;
    part->name = ts_printf(arena, "%s_%d_%d", im->name, slice.first, slice.end);
    take_layers(arena, im, slice, part);
    if (!slice.embed) {
        part->embed_count = 0;
        memset(part->embed, 0, sizeof part->embed);
        part->fused_qkv0 = false;
        part->qkv0 = (ts_ilin){0};
        part->features = im->d;
        part->in = im->res;
        part->in_scale = scales(arena, im, slice.first);
    }
    if (!slice.head) {
        part->head_count = 0;
        memset(part->head, 0, sizeof part->head);
        part->head_in = (ts_rq){0};
        part->has_final_norm = false;
        part->final_norm = (ts_inorm){0};
        part->pool = TS_POOL_NONE;
        part->classifier = false;
        part->outputs = im->d;
        part->res_out_scale = scales(arena, im, slice.end);
    }
    return ts_imodel_verify(part, err) ? part : NULL;
}
