/* A ring as a table for people. */
#include "base/text.h"

#include "ring/module.h"

static const char *streams(ts_arena *arena, const ts_ring *r, const int list[TS_NODE_STREAMS])
{
    const char *t = "";
    for (int i = 0; i < TS_NODE_STREAMS; i++)
        if (list[i] != TS_NO_STREAM)
            t = ts_printf(arena, "%s%s%s:%d", t, *t ? " " : "", r->stream[list[i]].name, r->stream[list[i]].width);
    return *t ? t : "-";
}

static void line(FILE *f, ts_arena *arena, const ts_ring *r, const ts_ring_node *n, const ts_mapping *map)
{
    const ts_module *m = ts_module_of(n->module);
    const ts_resources need = ts_node_cost(r, n, map).device;
    ts_node_time t = {0};
    ts_memory mem[TS_MEMORY_MAX];
    ts_memory_list memories = {.mem = mem, .parity = ts_plan_parity_bits(r->plan, false)};
    if (m->time)
        m->time(r, n, 0, &t);
    if (m->memories)
        m->memories(r, n, &memories);
    fprintf(f, "%-12s %-16s %-28s -> %-28s", n->name, m->name ? m->name : "(wires)", streams(arena, r, n->in), streams(arena, r, n->out));
    if (m->name)
        fprintf(f, " %7.0f LUT %7.0f FF %5.0f DSP %6.1f BRAM36", need.lut, need.ff, need.dsp, need.bram36);
    if (need.uram > 0)
        fprintf(f, " %3.0f URAM", need.uram);
    if (m->time)
        fprintf(f, "  latency %d, II %d", t.stage.latency, t.stage.ii);
    for (int i = 0; i < memories.count; i++)
        fprintf(f, "%s %s %d x %d", i ? "," : " ", mem[i].name, mem[i].depth, mem[i].width);
    fprintf(f, "\n");
}

const char *ts_ring_text(ts_arena *arena, const ts_ring *ring, const ts_device *device)
{
    const ts_mapping map = ts_mapping_of(device);
    ts_text text;
    FILE *f = ts_text_open(&text);
    fprintf(f,
            "# instance, module, streams in -> out with their bits (without tags), resources on %s, cycles of a token, memories (words x "
            "bits)\n",
            device->name);
    for (int n = 0; n < ring->nodes; n++)
        line(f, arena, ring, &ring->node[n], &map);
    return ts_text_close(&text, arena);
}
