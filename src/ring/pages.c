#include "ring/pages.h"

#include <math.h>

#include "num/fixed.h"
#include "ring/page_format.h"

/* The layer of the page that a stage uses in turn t of an event, -1: none. Turn t begins with the contexts of layer t; the stage qkv then
   makes the next layer's queries, keys and values. Where it makes the first layer's too, that is the event's turn -1. */
static int layer_in_turn(const ts_imodel *im, ts_lin_id lin, int t)
{
    const int layer = lin == TS_LIN_QKV ? t + 1 : t;
    return t >= -1 && layer >= 0 && layer < im->layers && ts_ring_lin(im, lin, layer) ? layer : -1;
}

static void add(ts_page_order *order, const ts_imodel *im, int buffers, int t)
{
    for (int s = 0; s < order->stages; s++) {
        ts_page_stage *stage = &order->stage[s];
        const int layer = layer_in_turn(im, stage->lin, t);
        if (stage->buffers != buffers || layer < 0)
            continue;
        order->transfer[order->count++] = (ts_page_transfer){.stage = s, .layer = layer};
        stage->turns++;
    }
}

ts_page_order ts_page_order_of(ts_arena *arena, const ts_plan *plan, const ts_imodel *im)
{
    const ts_ring_widths w = ts_ring_widths_of(im);
    ts_page_order order = {.stages = 0};
    for (int i = 0; i < TS_PAGED_STAGES; i++) {
        const ts_lin_id lin = ts_paged_stage[i];
        const ts_lin_fold *f = &plan->lin[lin];
        if (!w.lin[lin].k || !f->buffers)
            continue;
        const int width = (int)ts_plan_weight_bits(plan, &w.lin[lin], lin);
        order.stage[order.stages++] = (ts_page_stage){.lin = lin,
                                                      .buffers = f->buffers,
                                                      .words = ts_lin_ii(&w.lin[lin], f),
                                                      .width = width,
                                                      .groups = ts_page_groups(width, plan->paging.lanes)};
    }
    order.transfer = TS_NEW_N(arena, ts_page_transfer, TS_PAGED_STAGES * im->layers);
    for (int t = -2; t < im->layers; t++) {
        add(&order, im, 1, t);
        add(&order, im, 2, t + 1);
    }
    for (int i = 0; i < order.count; i++) {
        ts_page_transfer *transfer = &order.transfer[i];
        const ts_page_stage *stage = &order.stage[transfer->stage];
        transfer->beat = order.beats;
        transfer->beats = ts_page_beats(stage->words, stage->width, plan->paging.lanes);
        order.beats += transfer->beats;
    }
    return order;
}

int ts_page_event_bits(const ts_plan *plan)
{
    return ts_bitlen((uint64_t)plan->refusal_depth + 3);
}

double ts_page_event_cycles(const ts_plan *plan, const ts_page_order *order)
{
    return plan->paging.latency + (double)order->beats / plan->paging.rate;
}

/* A token that waits has every token of earlier turns behind its stage, so that only the bus keeps its page from it: with what it has not
   yet brought of that turn and of the one before, each a page a stage at most. */
int ts_page_late(const ts_plan *plan, const ts_page_order *order)
{
    double beats = 0;
    for (int s = 0; s < order->stages; s++)
        beats += (double)ts_page_beats(order->stage[s].words, order->stage[s].width, plan->paging.lanes);
    return (int)fmin(1 << 30, ceil(2 * (plan->paging.latency + beats / plan->paging.rate)) + TS_PAGE_LATE_BEYOND);
}

int ts_page_stage_of(const ts_page_order *order, ts_lin_id lin)
{
    for (int s = 0; s < order->stages; s++)
        if (order->stage[s].lin == lin)
            return s;
    return -1;
}
