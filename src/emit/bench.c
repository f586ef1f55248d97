#include "emit/bench.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "emit/page_file.h"
#include "emit/sim_top.h"
#include "emu/emu.h"
#include "graph/random_encoder.h"
#include "num/fixed.h"

/* Small enough for an interpreting simulator. */
enum { BENCH_EVENTS = 3, BENCH_HITS = 24, BENCH_OVERLONG = 64 };

typedef struct event {
    int n;
    const int32_t *x;
    bool refused;
} event;

static const ts_plan *last_plan(const ts_bench_options *opt)
{
    return opt->ring[opt->rings - 1].plan;
}

/* Of the whole chain: in as the first ring's, out as the last one's. */
static ts_ports ports_of(const ts_bench_options *opt)
{
    const ts_bench_ring *first = &opt->ring[0], *last = &opt->ring[opt->rings - 1];
    return ts_ports_of_chain(first->im, first->plan, last->im, last->plan);
}

static long long watchdog(const ts_bench_options *opt)
{
    long long cycles = llround(4 * opt->hop_cycles);
    for (int r = 0; r < opt->rings; r++)
        cycles += ts_watchdog_cycles(opt->ring[r].im, opt->ring[r].plan);
    return cycles;
}

/* The beginnings of the given events, one of a single hit, and, where that is short, one that is too long. */
static int choose_events(ts_arena *arena, const ts_bench_options *opt, event list[BENCH_EVENTS + 2])
{
    const ts_imodel *im = opt->im;
    const int n_max = opt->ring[0].plan->n_max, most = n_max < BENCH_HITS ? n_max : BENCH_HITS;
    const int64_t top = ts_fmt_max(im->in.bits, true);
    uint64_t seed = 1;
    int32_t *noise = TS_NEW_N(arena, int32_t, (BENCH_OVERLONG + 1) * im->features);
    for (int i = 0; i < (BENCH_OVERLONG + 1) * im->features; i++)
        noise[i] = (int32_t)(ts_random(&seed) % (uint64_t)(2 * top + 1)) - (int32_t)top;
    int count = 0;
    for (int e = 0; e < opt->events && count < BENCH_EVENTS; e++)
        if (opt->n[e] > 0)
            list[count++] = (event){.n = opt->n[e] < most ? opt->n[e] : most, .x = opt->x[e]};
    if (count == 0)
        list[count++] = (event){.n = most, .x = noise};
    list[count++] = (event){.n = 1, .x = noise};
    if (n_max <= BENCH_OVERLONG) { /* before the last one, which must not notice */
        list[count] = list[count - 1];
        list[count - 1] = (event){.n = n_max + 1, .x = noise, .refused = true};
        count++;
    }
    return count;
}

/* One word in hexadecimal, most significant bit first; `bits` holds a bit a char, least significant first. */
static void hex_line(FILE *f, const char *bits, int width)
{
    for (int d = ts_ceil_div(width, 4) - 1; d >= 0; d--) {
        int digit = 0;
        for (int b = 3; b >= 0; b--)
            digit = digit * 2 + (4 * d + b < width ? bits[4 * d + b] : 0);
        fputc("0123456789abcdef"[digit], f);
    }
    fputc('\n', f);
}

static void put(char *bits, int lsb, int width, int64_t value)
{
    for (int b = 0; b < width; b++)
        bits[lsb + b] = (char)(value >> b & 1);
}

/* The transfers of m_out for one event; returns how many. A word: {used lanes, refused, last, data}. */
static int expect_event(ts_arena *arena, const ts_bench_options *opt, const ts_emu *emu, const ts_ports *ports, const event *ev, FILE *f)
{
    const ts_imodel *im = opt->im;
    const int lane_bits = ports->out_lane;
    const int rows = im->pool == TS_POOL_NONE ? ev->n : 1, data = ports->lanes * lane_bits, width = data + 2 + ports->lanes;
    char *bits = ts_alloc(arena, (size_t)width, 1);
    if (ev->refused) {
        put(bits, data, 2 + ports->lanes, 3);
        hex_line(f, bits, width);
        return 1;
    }
    int32_t *y = TS_NEW_N(arena, int32_t, rows * im->outputs);
    ts_emu_run(emu, ev->n, ev->x, y, NULL, NULL);
    for (int row = 0; row < rows; row++) {
        const int32_t *value = y + (size_t)row * im->outputs;
        int32_t best[2];
        if (last_plan(opt)->argmax) {
            ts_ports_argmax(value, im->outputs, best);
            value = best;
        }
        for (int beat = 0; beat < ports->beats; beat++) {
            memset(bits, 0, (size_t)width);
            for (int lane = 0; lane < ports->lanes; lane++) {
                const int index = ts_ports_output(ports, im, beat, lane);
                if (index < 0)
                    continue;
                put(bits, lane * lane_bits, lane_bits, value[index]);
                put(bits, data + 2 + lane, 1, 1);
            }
            put(bits, data, 1, row == rows - 1 && beat == ports->beats - 1);
            hex_line(f, bits, width);
        }
    }
    return rows * ports->beats;
}

/* What has to be loaded of one ring: {part, memory, slice, address, data}, the part only where there are several. */
static int load_ring(ts_arena *arena, const ts_bench_options *opt, int part, FILE *f)
{
    const ts_bench_ring *ring = &opt->ring[part];
    ts_memory mem[TS_MEMORY_MAX];
    const int memories = ts_memories(ring->im, ring->plan, mem);
    int count = 0;
    for (int m = 0; m < memories; m++) {
        if (!mem[m].loaded)
            continue;
        const uint32_t *words = ts_memory_words(arena, ring->im, ring->plan, &mem[m]);
        for (int slice = 0; slice < ts_memory_slices(&mem[m]); slice++) {
            size_t size;
            const char *line = ts_memory_slice_text(arena, &mem[m], words, slice, &size);
            for (int a = 0; a < mem[m].depth; a++, count++) {
                const int digits = (int)strcspn(line, "\n");
                if (opt->rings > 1)
                    fprintf(f, "%02x", part);
                fprintf(f, "%02x%03x%04x%0*d%.*s\n", mem[m].id, slice, a, TS_SLICE_BITS / 4 - digits, 0, digits, line);
                line += digits + 1;
            }
        }
    }
    return count;
}

/* Of all rings together. */
typedef struct page_counts {
    int rings, stages;
    double settle; /* cycles in which the first pages come */
} page_counts;

static page_counts count_pages(ts_arena *arena, const ts_bench_options *opt)
{
    page_counts p = {0};
    for (int r = 0; r < opt->rings; r++) {
        const ts_page_order order = ts_page_order_of(arena, opt->ring[r].plan, opt->ring[r].im);
        if (!order.stages)
            continue;
        p.rings++;
        p.stages += order.stages;
        p.settle = fmax(p.settle, ts_page_event_cycles(opt->ring[r].plan, &order));
    }
    return p;
}

static const char *ring_vh(ts_arena *arena, const ts_bench_options *opt, const page_counts *pages, int hits, int beats, int events,
                           int loads)
{
    const ts_ports ports = ports_of(opt);
    ts_text t;
    ts_text_open(&t);
    fprintf(t.f,
            "// What tb.v must know of this ring.\n"
            "`define RING_TOP %s\n`define RING_HIT_BITS %d\n`define RING_LANES %d\n`define RING_OUT_LANE %d\n"
            "`define RING_HITS %d\n`define RING_BEATS %d\n`define RING_EVENTS %d\n`define RING_WATCHDOG %lld\n",
            pages->stages ? TS_SIM_TOP : opt->top, opt->im->features * ports.hit_lane, ports.lanes, ports.out_lane, hits, beats, events,
            watchdog(opt));
    if (ports.refusals)
        fprintf(t.f, "`define RING_REFUSALS\n");
    if (opt->rings > 1)
        fprintf(t.f, "`define RING_PARTS %d\n", opt->rings);
    if (loads)
        fprintf(t.f, "`define RING_LOADS %d\n", loads);
    if (pages->stages)
        fprintf(t.f, "`define RING_PAGED_RINGS %d\n`define RING_PAGED_STAGES %d\n", pages->rings, pages->stages);
    /* A simulator treats a missing image as a warning at most. */
    fprintf(t.f, "`define RING_CHECK_IMAGES \\\n");
    for (int r = 0; r < opt->rings; r++) {
        ts_memory mem[TS_MEMORY_MAX];
        const int memories = ts_memories(opt->ring[r].im, opt->ring[r].plan, mem);
        for (int m = 0; m < memories; m++)
            for (int slice = 0; slice < ts_memory_slices(&mem[m]); slice++)
                fprintf(t.f, "        check_image(\"%s%s_%03d.hex\"); \\\n", opt->ring[r].mem, mem[m].name, slice);
        if (ts_plan_is_paged(opt->ring[r].plan))
            fprintf(t.f, "        check_image(\"%s%s\"); \\\n", opt->ring[r].mem, TS_PAGE_FILE);
    }
    fprintf(t.f, "        check_image(\"mem/expect.hex\");\n");
    return ts_text_close(&t, arena);
}

static const char *ring_h(ts_arena *arena, const ts_bench_options *opt, const page_counts *pages)
{
    const ts_ports ports = ports_of(opt);
    const ts_ring_widths w = ts_ring_widths_of(opt->ring[0].im);
    ts_text t;
    ts_text_open(&t);
    fprintf(t.f,
            "/* What sim.cpp must know of this ring. */\n"
            "#define RING_FEATURES %d\n#define RING_HIT_LANE %d\n#define RING_LANES %d\n#define RING_OUT_LANE %d\n"
            "#define RING_TAGW %d\n#define RING_WATCHDOG %lldLL\n%s#define RING_CUTS %d\n"
            "#define RING_PAGED_RINGS %d\n#define RING_PAGED_STAGES %d\n#define RING_SETTLE %.0f\n\n"
            "/* images, part, number on the configuration bus, bits of a word, words, must be loaded */\n"
            "#define RING_MEMORIES(X)",
            opt->im->features, ports.hit_lane, ports.lanes, ports.out_lane, w.tagw, watchdog(opt),
            ports.refusals ? "#define RING_REFUSALS\n" : "", opt->rings - 1, pages->rings, pages->stages, pages->settle);
    for (int r = 0; r < opt->rings; r++) {
        ts_memory mem[TS_MEMORY_MAX];
        const int memories = ts_memories(opt->ring[r].im, opt->ring[r].plan, mem);
        for (int m = 0; m < memories; m++)
            if (mem[m].id >= 0)
                fprintf(t.f, " \\\n    X(\"%s%s\", %d, %d, %d, %d, %d)", opt->ring[r].mem, mem[m].name, r, mem[m].id, mem[m].width,
                        mem[m].depth, mem[m].loaded);
    }
    fprintf(
        t.f,
        "\n\n/* number, name, signals in the model of Verilator, first element, elements, bits of one, signed */\n#define RING_STREAMS(X)");
    for (int s = 0; s < opt->stream_count; s++)
        fprintf(t.f, " \\\n    X(%d, \"%s\", %s__DOT__%s, %d, %d, %d, %d)", s, opt->streams[s].wire,
                pages->stages ? TS_SIM_TOP "__DOT__u_design" : opt->top, opt->streams[s].wire, opt->streams[s].first, opt->streams[s].count,
                opt->streams[s].width, opt->streams[s].is_signed);
    fprintf(t.f, "\n");
    return ts_text_close(&t, arena);
}

ts_bench_files ts_bench_make(ts_arena *arena, const ts_bench_options *opt)
{
    const ts_imodel *im = opt->im;
    const ts_ports ports = ports_of(opt);
    const ts_emu *emu = ts_emu_new(arena, im, TS_EMU_AUTO);
    event list[BENCH_EVENTS + 2];
    const int events = choose_events(arena, opt, list), width = im->features * ports.hit_lane + 1;
    char *bits = ts_alloc(arena, (size_t)width, 1);
    ts_text hits, expect;
    ts_text_open(&hits);
    ts_text_open(&expect);
    int hit_count = 0, beats = 0;
    for (int e = 0; e < events; e++) {
        for (int i = 0; i < list[e].n; i++, hit_count++) {
            for (int c = 0; c < im->features; c++)
                put(bits, c * ports.hit_lane, ports.hit_lane, list[e].x[i * im->features + c]);
            put(bits, width - 1, 1, i == list[e].n - 1);
            hex_line(hits.f, bits, width);
        }
        beats += expect_event(arena, opt, emu, &ports, &list[e], expect.f);
    }
    ts_bench_files files = {.hits = ts_text_close(&hits, arena), .expect = ts_text_close(&expect, arena)};
    ts_text load;
    ts_text_open(&load);
    int loads = 0;
    for (int r = 0; r < opt->rings; r++)
        loads += load_ring(arena, opt, r, load.f);
    const char *loaded = ts_text_close(&load, arena);
    files.load = loads ? loaded : NULL;
    const page_counts pages = count_pages(arena, opt);
    files.ring_vh = ring_vh(arena, opt, &pages, hit_count, beats, events, loads);
    files.ring_h = ring_h(arena, opt, &pages);
    files.sim_top = ts_sim_top_text(arena, opt, &ports);
    return files;
}
