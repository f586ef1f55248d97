#define TS_FAIL_CODE TS_DAMAGED
#include "ring/plan.h"

#include <string.h>

const ts_lin_id ts_paged_stage[TS_PAGED_STAGES] = {TS_LIN_O, TS_LIN_FFN1, TS_LIN_FFN2, TS_LIN_QKV};

bool ts_plan_is_paged(const ts_plan *plan)
{
    for (int i = 0; i < TS_PAGED_STAGES; i++)
        if (plan->lin[ts_paged_stage[i]].buffers)
            return true;
    return false;
}

const char *ts_parity_name(ts_parity parity)
{
    static const char *const names[] = {
#define X(id, name) name,
        TS_PARITIES(X)
#undef X
    };
    return names[parity];
}

bool ts_plan_has_parity(const ts_plan *plan)
{
    return ts_plan_parity_bits(plan, ts_plan_is_paged(plan));
}

long long ts_plan_weight_bits(const ts_plan *plan, const ts_lin_widths *w, ts_lin_id id)
{
    const ts_lin_fold *f = &plan->lin[id];
    return (long long)f->pk * f->pm * w->ww + ts_plan_parity_bits(plan, f->buffers > 0);
}

bool ts_plan_pages_fit(const ts_plan *plan, const ts_lin_widths *w, ts_lin_id id)
{
    const ts_lin_fold *f = &plan->lin[id];
    return (long long)f->buffers * ts_lin_ii(w, f) <= TS_WEIGHT_WORDS_MAX &&
           ts_plan_weight_bits(plan, w, id) <= (long long)TS_PAGE_GROUPS_MAX * plan->paging.lanes * TS_SLICE_BITS;
}

ts_plan ts_plan_minimal(const ts_imodel *im, int n_max)
{
    ts_plan plan = {.device = "zcu102",
                    .clock_mhz = 100,
                    .n_max = n_max,
                    .plan_tokens = n_max,
                    .reg = 1,
                    .attn = {.pq = 1, .pkey = 1, .ph = 1, .pd = 1, .nf = 1, .kvstyle = TS_MEM_BLOCK, .sstyle = TS_MEM_BLOCK},
                    .sum_lanes = 1,
                    .queue_beats = 1,
                    .mid_depth = 16,
                    .refusal_depth = 8,
                    .queue_style = TS_MEM_BLOCK,
                    .mid_style = TS_MEM_DISTRIBUTED,
                    .argmax = im->classifier && im->outputs > 1};
    for (int id = 0; id < TS_LIN_COUNT; id++)
        plan.lin[id] = (ts_lin_fold){.pk = 1, .pm = 1, .nr = 1, .wstyle = TS_MEM_BLOCK, .pstyle = TS_MEM_DISTRIBUTED};
    for (int id = 0; id < TS_RQV_COUNT; id++)
        plan.rqv[id] = (ts_rqv_fold){.nr = 1, .pstyle = TS_MEM_DISTRIBUTED};
    for (int id = 0; id < TS_NRM_COUNT; id++)
        plan.nrm[id] = (ts_nrm_fold){.np = 1, .pstyle = TS_MEM_DISTRIBUTED};
    return plan;
}

/* JSON */

json_t *ts_plan_to_json(const ts_plan *plan, const ts_imodel *im)
{
    const ts_ring_widths w = ts_ring_widths_of(im);
    /* What is not packed says nothing of it. */
    json_t *lin = json_object(), *rqv = json_object(), *nrm = json_object();
    for (int id = 0; id < TS_LIN_COUNT; id++) {
        const ts_lin_fold *f = &plan->lin[id];
        if (w.lin[id].k)
            json_object_set_new(lin, ts_lin_name((ts_lin_id)id),
                                json_pack("{s:i, s:i, s:i, s:s, s:s, s:o*, s:o*}", "pk", f->pk, "pm", f->pm, "nr", f->nr, "weights",
                                          ts_mem_style_name(f->wstyle), "parameters", ts_mem_style_name(f->pstyle), "pack",
                                          f->pack ? json_true() : NULL, "page_buffers", f->buffers ? json_integer(f->buffers) : NULL));
    }
    for (int id = 0; id < TS_RQV_COUNT; id++)
        if (w.rqv[id].d)
            json_object_set_new(rqv, ts_rqv_name((ts_rqv_id)id),
                                json_pack("{s:i, s:s}", "nr", plan->rqv[id].nr, "parameters", ts_mem_style_name(plan->rqv[id].pstyle)));
    for (int id = 0; id < TS_NRM_COUNT; id++)
        if (w.nrm[id].d)
            json_object_set_new(nrm, ts_nrm_name((ts_nrm_id)id),
                                json_pack("{s:i, s:s}", "np", plan->nrm[id].np, "parameters", ts_mem_style_name(plan->nrm[id].pstyle)));
    const ts_attn_fold *a = &plan->attn;
    json_t *attn =
        json_pack("{s:i, s:i, s:i, s:i, s:i, s:s, s:s, s:o*, s:o*}", "pq", a->pq, "pkey", a->pkey, "ph", a->ph, "pd", a->pd, "nf", a->nf,
                  "keys_values", ts_mem_style_name(a->kvstyle), "scores", ts_mem_style_name(a->sstyle), "score_pairs",
                  a->pairs ? json_string(ts_score_pairs_name(a->pairs)) : NULL, "pack_context", a->pack_context ? json_true() : NULL);
    json_t *json = json_pack("{s:s, s:f, s:i, s:i, s:i, s:o, s:o, s:o, s:o, s:i, s:s, s:s, s:i, s:i, s:i, s:b, s:o*}", "device",
                             plan->device, "clock_mhz", plan->clock_mhz, "n_max", plan->n_max, "plan_tokens", plan->plan_tokens, "reg",
                             plan->reg, "linear", lin, "requantise", rqv, "norm", nrm, "attention", attn, "mid_depth", plan->mid_depth,
                             "mid_memory", ts_mem_style_name(plan->mid_style), "queue_memory", ts_mem_style_name(plan->queue_style),
                             "refusal_depth", plan->refusal_depth, "sum_lanes", plan->sum_lanes, "queue_beats", plan->queue_beats, "argmax",
                             plan->argmax, "half_rate_slices", plan->half ? json_true() : NULL);
    CHECK(json);
    if (ts_plan_has_parity(plan))
        json_object_set_new(json, "parity", json_string(ts_parity_name(plan->parity)));
    const ts_paging *p = &plan->paging;
    if (p->lanes)
        json_object_set_new(json, "paging",
                            json_pack("{s:i, s:i, s:i, s:f, s:o*}", "lanes", p->lanes, "bursts", p->bursts, "latency_cycles", p->latency,
                                      "beats_per_cycle", p->rate, "stated", p->stated ? json_true() : NULL));
    return json;
}

static bool get_int(const json_t *object, const char *where, const char *key, int *out, ts_err *err)
{
    const json_t *value = json_object_get(object, key);
    const json_int_t x = json_integer_value(value);
    if (!json_is_integer(value) || x < 0 || x > 1 << 24)
        return ts_fail(err, "plan: %s: \"%s\" must be a small integer", where, key);
    *out = (int)x;
    return true;
}

static bool get_style(const json_t *object, const char *where, const char *key, ts_mem_style *out, ts_err *err)
{
    const char *text = json_string_value(json_object_get(object, key));
    for (int s = TS_MEM_BLOCK; text && s <= TS_MEM_ULTRA; s++)
        if (strcmp(text, ts_mem_style_name((ts_mem_style)s)) == 0) {
            *out = (ts_mem_style)s;
            return true;
        }
    return ts_fail(err, "plan: %s: \"%s\" must be \"block\", \"distributed\" or \"ultra\"", where, key);
}

/* Absent: false. */
static bool get_flag(const json_t *object, const char *where, const char *key, bool *out, ts_err *err)
{
    const json_t *value = json_object_get(object, key);
    if (value && !json_is_boolean(value))
        return ts_fail(err, "plan: %s: \"%s\" must be true or false", where, key);
    *out = json_is_true(value);
    return true;
}

static bool get_pairs(const json_t *object, ts_score_pairs *out, ts_err *err)
{
    const json_t *value = json_object_get(object, "score_pairs");
    *out = TS_PAIR_NONE;
    if (!value)
        return true;
    for (int p = TS_PAIR_KEYS; json_is_string(value) && p <= TS_PAIR_QUERIES; p++)
        if (strcmp(json_string_value(value), ts_score_pairs_name((ts_score_pairs)p)) == 0) {
            *out = (ts_score_pairs)p;
            return true;
        }
    return ts_fail(err, "plan: attention: \"score_pairs\" must be \"keys\" or \"queries\", or absent");
}

/* Absent: none. */
static bool get_parity(const json_t *object, ts_parity *out, ts_err *err)
{
    const json_t *value = json_object_get(object, "parity");
    *out = TS_PARITY_NONE;
    if (!value)
        return true;
    for (int p = TS_PARITY_PAGES; json_is_string(value) && p < TS_PARITY_COUNT; p++)
        if (strcmp(json_string_value(value), ts_parity_name((ts_parity)p)) == 0) {
            *out = (ts_parity)p;
            return true;
        }
    return ts_fail(err, "plan: \"parity\" must be \"pages\" or \"all\", or absent");
}

static bool read_stages(const json_t *json, ts_plan *plan, ts_err *err)
{
    const json_t *lin = json_object_get(json, "linear"), *rqv = json_object_get(json, "requantise"), *nrm = json_object_get(json, "norm");
    for (int id = 0; id < TS_LIN_COUNT; id++) {
        const char *name = ts_lin_name((ts_lin_id)id);
        const json_t *o = json_object_get(lin, name);
        ts_lin_fold *f = &plan->lin[id];
        if (o && (!get_int(o, name, "pk", &f->pk, err) || !get_int(o, name, "pm", &f->pm, err) || !get_int(o, name, "nr", &f->nr, err) ||
                  !get_style(o, name, "weights", &f->wstyle, err) || !get_style(o, name, "parameters", &f->pstyle, err) ||
                  !get_flag(o, name, "pack", &f->pack, err) ||
                  (json_object_get(o, "page_buffers") && !get_int(o, name, "page_buffers", &f->buffers, err))))
            return false;
    }
    for (int id = 0; id < TS_RQV_COUNT; id++) {
        const char *name = ts_rqv_name((ts_rqv_id)id);
        const json_t *o = json_object_get(rqv, name);
        if (o && (!get_int(o, name, "nr", &plan->rqv[id].nr, err) || !get_style(o, name, "parameters", &plan->rqv[id].pstyle, err)))
            return false;
    }
    for (int id = 0; id < TS_NRM_COUNT; id++) {
        const char *name = ts_nrm_name((ts_nrm_id)id);
        const json_t *o = json_object_get(nrm, name);
        if (o && (!get_int(o, name, "np", &plan->nrm[id].np, err) || !get_style(o, name, "parameters", &plan->nrm[id].pstyle, err)))
            return false;
    }
    return true;
}

/* Absent: nothing is paged. */
static bool read_paging(const json_t *json, ts_paging *p, ts_err *err)
{
    const json_t *o = json_object_get(json, "paging"), *rate = json_object_get(o, "beats_per_cycle");
    if (!o)
        return true;
    if (!json_is_number(rate))
        return ts_fail(err, "plan: paging: \"beats_per_cycle\" must be a number");
    p->rate = json_number_value(rate);
    return get_int(o, "paging", "lanes", &p->lanes, err) && get_int(o, "paging", "bursts", &p->bursts, err) &&
           get_int(o, "paging", "latency_cycles", &p->latency, err) && get_flag(o, "paging", "stated", &p->stated, err);
}

bool ts_plan_from_json(ts_arena *arena, const json_t *json, ts_plan *plan, ts_err *err)
{
    *plan = (ts_plan){0};
    const char *device = json_string_value(json_object_get(json, "device"));
    const json_t *clock = json_object_get(json, "clock_mhz"), *argmax = json_object_get(json, "argmax");
    if (!device || !json_is_number(clock) || !json_is_boolean(argmax))
        return ts_fail(err, "plan: \"device\" must be a text, \"clock_mhz\" a number and \"argmax\" true or false");
    plan->device = ts_strdup(arena, device);
    plan->clock_mhz = json_number_value(clock);
    plan->argmax = json_boolean_value(argmax);
    const json_t *attn = json_object_get(json, "attention");
    ts_attn_fold *a = &plan->attn;
    return get_flag(json, "ring", "half_rate_slices", &plan->half, err) && get_parity(json, &plan->parity, err) &&
           read_paging(json, &plan->paging, err) && get_int(json, "ring", "n_max", &plan->n_max, err) &&
           get_int(json, "ring", "plan_tokens", &plan->plan_tokens, err) && get_int(json, "ring", "sum_lanes", &plan->sum_lanes, err) &&
           get_int(json, "ring", "queue_beats", &plan->queue_beats, err) && get_int(json, "ring", "reg", &plan->reg, err) &&
           get_int(json, "ring", "mid_depth", &plan->mid_depth, err) && get_int(json, "ring", "refusal_depth", &plan->refusal_depth, err) &&
           get_style(json, "ring", "mid_memory", &plan->mid_style, err) &&
           get_style(json, "ring", "queue_memory", &plan->queue_style, err) && read_stages(json, plan, err) &&
           get_int(attn, "attention", "pq", &a->pq, err) && get_int(attn, "attention", "pkey", &a->pkey, err) &&
           get_int(attn, "attention", "ph", &a->ph, err) && get_int(attn, "attention", "pd", &a->pd, err) &&
           get_int(attn, "attention", "nf", &a->nf, err) && get_style(attn, "attention", "keys_values", &a->kvstyle, err) &&
           get_style(attn, "attention", "scores", &a->sstyle, err) && get_pairs(attn, &a->pairs, err) &&
           get_flag(attn, "attention", "pack_context", &a->pack_context, err);
}
