#include "quant/activation.h"

#include <math.h>

#include "num/fixed.h"

static double table_reach(ts_act act, double low, double high)
{
    const double reach = fmax(fmin(high, ts_act_high(act)), fmin(-low, ts_act_low(act)));
    return reach > 0 ? reach : 1;
}

/* Real input that a table's index stands for. */
static double index_value(const ts_act_plan *plan, int index)
{
    const int half = 1 << (plan->in.bits - 1);
    return (index < half ? index : index - 2 * half) * plan->in_scale;
}

static void fill_table(ts_arena *arena, ts_act_plan *plan)
{
    const double max = (double)ts_fmt_max(plan->y.bits, plan->y.is_signed), min = plan->y.is_signed ? -max : 0;
    const int size = 1 << plan->in.bits;
    int32_t *table = TS_NEW_N(arena, int32_t, size);
    for (int i = 0; i < size; i++) {
        const double y = floor((ts_activate(plan->act, index_value(plan, i)) - plan->y_offset) / plan->y_scale + 0.5);
        table[i] = (int32_t)fmin(fmax(y, min), max);
    }
    plan->table = table;
}

/* Without a table the requantised value is the output. */
static ts_act_plan direct(ts_act act, ts_fmt y, double top)
{
    const double scale = (top > 0 ? top : 1) / (double)ts_fmt_max(y.bits, y.is_signed);
    return (ts_act_plan){.act = act, .in = y, .y = y, .in_scale = scale, .y_scale = scale};
}

ts_act_plan ts_plan_hidden(ts_arena *arena, ts_act act, int in_bits, int bits, double low, double high, ts_act_given given)
{
    if (!ts_act_has_table(act)) {
        ts_act_plan plan = direct(act, (ts_fmt){bits, act == TS_ACT_NONE}, act == TS_ACT_NONE ? fmax(-low, high) : high);
        if (given.y_scale > 0)
            plan.in_scale = plan.y_scale = given.y_scale;
        return plan;
    }
    ts_act_plan plan = {.act = act, .in = {in_bits, true}, .y = {bits, false}};
    plan.in_scale = given.in_scale > 0 ? given.in_scale : table_reach(act, low, high) / (double)ts_fmt_max(in_bits, true);
    double least = INFINITY, most = -INFINITY;
    for (int i = 0; i < 1 << in_bits; i++) {
        const double y = ts_activate(act, index_value(&plan, i));
        least = fmin(least, y);
        most = fmax(most, y);
    }
    plan.y_offset = given.y_scale > 0 ? given.y_offset : least;
    plan.y_scale = given.y_scale > 0 ? given.y_scale : (most - least) / (double)ts_fmt_max(bits, false);
    fill_table(arena, &plan);
    return plan;
}

ts_act_plan ts_plan_act_onto(ts_arena *arena, ts_act act, int in_bits, ts_fmt y, double y_scale, double low, double high)
{
    ts_act_plan plan = {.act = act, .in = y, .y = y, .in_scale = y_scale, .y_scale = y_scale};
    if (act == TS_ACT_NONE)
        return plan;
    if (act == TS_ACT_RELU) { /* the non-negative half of the signed format */
        plan.in = plan.y = (ts_fmt){y.bits - 1, false};
        return plan;
    }
    plan.in = (ts_fmt){in_bits, true};
    plan.in_scale = table_reach(act, low, high) / (double)ts_fmt_max(in_bits, true);
    fill_table(arena, &plan);
    return plan;
}
