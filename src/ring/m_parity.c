/* ts_parity_watch: which events may have used a word that is not as it was written, and which memory it was in. */
#include "ring/module.h"

/* All memories of the ring that are checked, a bit each, and their numbers, the last one first as concatenations have it. Bits of `fault`
   that no memory has are named for lint. */
static int collect(ts_printer *p, const char **bits, const char **numbers)
{
    int count = 0;
    *bits = *numbers = "";
    for (int i = 0; i < p->ring->nodes; i++) {
        const ts_ring_node *n = &p->ring->node[i];
        const ts_checked checked = ts_checked_of(p->ring, n);
        for (int c = 0; c < checked.count; c++, count++) {
            const char *gap = !count ? "" : count % 8 ? ", " : ",\n            ";
            *bits = ts_printf(p->arena, "%s_fault[%d]%s%s", n->name, checked.of[c].bit, gap, *bits);
            *numbers = ts_printf(p->arena, "8'd%d%s%s", checked.of[c].memory, gap, *numbers);
        }
        for (int b = checked.count + 1; b < checked.bits; b++)
            ts_print_unused(p, ts_printf(p->arena, "%s_fault[%d]", n->name, b));
    }
    return count;
}

/* A table behind the head's last linear: its result is at the output in the cycle in which it is known to be wrong. All else is known
   before (docs/hardware.md). */
static const char *urgent(const ts_printer *p)
{
    const ts_ring *r = p->ring;
    const int last = TS_LIN_HEAD0 + r->im->head_count - 1;
    const bool table = r->im->head_count > 0 && r->w->lin[last].table && ts_plan_parity_bits(r->plan, false);
    return table ? ts_printf(p->arena, "%s_fault[4]", ts_lin_name((ts_lin_id)last)) : "1'b0";
}

static void print(ts_printer *p, const ts_ring_node *n)
{
    const char *bits, *numbers;
    const int count = collect(p, &bits, &numbers);
    ts_print(p,
             "    // ---- Parity of words that tokens used\n"
             "    wire parity_fate; // the event whose last result is next may have used a wrong one\n"
             "    ts_parity_watch #(\n        .N(%d), .EVW(%d),\n        .IDS({%s})\n    ) u_%s (\n"
             "        .clk(clk), .rst(rst),\n        .flipped({%s}),\n"
             "        .urgent(%s), .hit(s_hit_valid && s_hit_ready), .hit_last(s_hit_last), .leaves(fate_valid && fate_ready),\n"
             "        .error(parity_fate), .told(parity_error), .memory(parity_memory));\n\n",
             count, ts_page_event_bits(p->ring->plan), numbers, n->name, bits, urgent(p));
}

static ts_cost cost(const ts_ring *r, const ts_ring_node *n, const ts_mapping *map)
{
    int count = 0;
    for (int i = 0; i < r->nodes; i++)
        count += ts_checked_of(r, &r->node[i]).count;
    return ts_cost_parity_watch(map, count, ts_page_event_bits(r->plan));
}

const ts_module ts_module_parity = {.name = "ts_parity_watch", .print = print, .cost = cost};
