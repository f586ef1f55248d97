#define TS_FAIL_CODE TS_DAMAGED
/* Whether a plan is one that the hardware can be built from: what belongs to no module here, the rest by the rows of the ring's modules. */
#include "ring/module.h"

enum { MAX_TOKENS = 65535 };

bool ts_plan_in_range(const char *stage, const char *what, int value, int lo, int hi, ts_err *err)
{
    if (value < lo || value > hi)
        return ts_fail(err, "plan: %s: %s is %d, it must be %d to %d", stage, what, value, lo, hi);
    return true;
}

static bool can_be_paged(ts_lin_id id)
{
    for (int i = 0; i < TS_PAGED_STAGES; i++)
        if (ts_paged_stage[i] == id)
            return true;
    return false;
}

static bool check_paging(const ts_plan *plan, const ts_ring_widths *w, ts_err *err)
{
    const ts_paging *p = &plan->paging;
    for (int id = 0; id < TS_LIN_COUNT; id++) {
        const ts_lin_fold *f = &plan->lin[id];
        const char *name = ts_lin_name((ts_lin_id)id);
        if (!w->lin[id].k || !f->buffers)
            continue;
        if (!can_be_paged((ts_lin_id)id))
            return ts_fail(err, "plan: %s: its weights cannot be paged; those of o, ffn1, ffn2 and qkv can", name);
        if (p->lanes < 1)
            return ts_fail(err, "plan: %s: paged, but the ring has no way to external memory (paging.lanes is %d)", name, p->lanes);
        if (!ts_plan_in_range(name, "buffers", f->buffers, 1, 2, err))
            return false;
        if (!ts_plan_pages_fit(plan, &w->lin[id], (ts_lin_id)id))
            return ts_fail(err, "plan: %s: %d pages of %d words of %lld bits cannot be loaded (at most %d words, of %d bits)", name,
                           f->buffers, ts_lin_ii(&w->lin[id], f), ts_plan_weight_bits(plan, &w->lin[id], (ts_lin_id)id),
                           TS_WEIGHT_WORDS_MAX, TS_PAGE_GROUPS_MAX * p->lanes * TS_SLICE_BITS);
    }
    if (!p->lanes)
        return true;
    if (p->lanes != 1 && p->lanes != 2 && p->lanes != 4 && p->lanes != 8)
        return ts_fail(err, "plan: paging: lanes is %d, it must be 1, 2, 4 or 8", p->lanes);
    return ts_plan_in_range("paging", "bursts", p->bursts, 1, 64, err) &&
           ts_plan_in_range("paging", "latency", p->latency, 0, 100000, err) &&
           (p->rate > 0 && p->rate <= 1 ? true
                                        : ts_fail(err, "plan: paging: rate is %g beats a cycle, it must be above 0, 1 at most", p->rate));
}

bool ts_plan_check(const ts_plan *plan, const ts_imodel *im, ts_err *err)
{
    const ts_ring_widths w = ts_ring_widths_of(im);
    if (!ts_plan_in_range("ring", "n_max", plan->n_max, 1, MAX_TOKENS, err) ||
        !ts_plan_in_range("ring", "plan_tokens", plan->plan_tokens, 1, plan->n_max, err) ||
        !ts_plan_in_range("ring", "reg", plan->reg, 1, 2, err) || !ts_plan_in_range("ring", "sum_lanes", plan->sum_lanes, 1, im->d, err) ||
        !ts_plan_in_range("ring", "queue_beats", plan->queue_beats, 1, TS_QUEUE_BEATS_MAX, err) ||
        !ts_plan_in_range("ring", "mid_depth", plan->mid_depth, 2, 4096, err) ||
        !ts_plan_in_range("ring", "refusal_depth", plan->refusal_depth, 2, 4096, err))
        return false;
    if (plan->argmax && (!im->classifier || im->outputs < 2))
        return ts_fail(err, "plan: arg-max needs a classifier: two outputs at least, which share one scale");
    ts_ring ring;
    ts_ring_build(im, plan, &w, &ring);
    for (int n = 0; n < ring.nodes; n++) {
        const ts_module *m = ts_module_of(ring.node[n].module);
        if (m->check && !m->check(&ring, &ring.node[n], err))
            return false;
    }
    return check_paging(plan, &w, err);
}
