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
#include "ring/memories.h"
#include "ring/times.h"

/* Small enough for an interpreting simulator. */
enum { BENCH_HITS = 24, BENCH_OVERLONG = 64 };

typedef struct event {
    int n;
    const int32_t *x;
    bool refused;
} event;

/* What the files are made from. */
typedef struct bench {
    const ts_system *system;
    int events, hits, beats, loads;
    int paged_rings, paged_stages; /* of all rings together */
    double settle;                 /* cycles in which the first pages come */
} bench;

long long ts_watchdog_cycles(const ts_system_ring *ring)
{
    enum { QUEUES = 5000 }; /* cycles of everything else, a layer */
    const ts_imodel *im = ring->im;
    const ts_plan *plan = ring->plan;
    const ts_attn_fold *a = &plan->attn;
    ts_ring_times times;
    ts_ring_times_of(ring->built, &times);
    long long slowest = 1;
    for (int s = 0; s < TS_SEGMENTS; s++)
        slowest = times.segment[s].ii > slowest ? times.segment[s].ii : slowest;
    const long long paged = ring->pages.stages ? ts_page_late(plan, &ring->pages) : 0;
    const long long blocks = (long long)ts_ceil_div(plan->n_max, a->pq) * ts_ceil_div(plan->n_max, a->pkey);
    const long long attention = blocks * ts_ceil_div(im->heads, a->ph) * ts_ceil_div(im->d_head, a->pd);
    const long long final = (long long)plan->n_max * ts_ceil_div(im->heads * im->d_head, a->nf);
    return 4 * im->layers * (plan->n_max * slowest + attention + final + paged + QUEUES);
}

static long long watchdog(const ts_system *s)
{
    double hops = 0; /* cycles of all ways between rings */
    long long cycles = 0;
    for (int r = 0; r < s->rings; r++) {
        const ts_system_ring *ring = &s->ring[r];
        hops += ring->before.latency + ring->plan->n_max * ring->before.token_cycles;
        cycles += ts_watchdog_cycles(ring);
    }
    return llround(4 * hops) + cycles;
}

static int longest(const ts_system *s)
{
    const int n_max = s->ring[0].plan->n_max;
    return n_max < BENCH_HITS ? n_max : BENCH_HITS;
}

int ts_bench_beginnings(const ts_system *s, const ts_bench_events *events, int n[TS_BENCH_EVENTS], const int32_t *x[TS_BENCH_EVENTS])
{
    int count = 0;
    for (int e = 0; e < events->count && count < TS_BENCH_EVENTS; e++)
        if (events->n[e] > 0) {
            n[count] = events->n[e] < longest(s) ? events->n[e] : longest(s);
            x[count++] = events->x[e];
        }
    return count;
}

/* The beginnings of the given events, one of a single hit, and, where that is short, one that is too long. */
static int choose_events(ts_arena *arena, const ts_system *s, const ts_bench_events *given, event list[TS_BENCH_EVENTS + 2])
{
    const ts_imodel *im = s->im;
    const int n_max = s->ring[0].plan->n_max;
    const int64_t top = ts_fmt_max(im->in.bits, true);
    uint64_t seed = 1;
    int32_t *noise = TS_NEW_N(arena, int32_t, (BENCH_OVERLONG + 1) * im->features);
    for (int i = 0; i < (BENCH_OVERLONG + 1) * im->features; i++)
        noise[i] = (int32_t)(ts_random(&seed) % (uint64_t)(2 * top + 1)) - (int32_t)top;
    int n[TS_BENCH_EVENTS], count = 0;
    const int32_t *x[TS_BENCH_EVENTS];
    for (const int some = ts_bench_beginnings(s, given, n, x); count < some; count++)
        list[count] = (event){.n = n[count], .x = x[count]};
    if (count == 0)
        list[count++] = (event){.n = longest(s), .x = noise};
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
static int expect_event(ts_arena *arena, const ts_system *s, const ts_emu *emu, const event *ev, FILE *f)
{
    const ts_imodel *im = s->im;
    const ts_ports *ports = &s->ports;
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
        if (s->ring[s->rings - 1].plan->argmax) {
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
static int load_ring(ts_arena *arena, const ts_system *s, int part, FILE *f)
{
    const ts_system_ring *ring = &s->ring[part];
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
                if (s->rings > 1)
                    fprintf(f, "%02x", part);
                fprintf(f, "%02x%03x%04x%0*d%.*s\n", mem[m].id, slice, a, TS_SLICE_BITS / 4 - digits, 0, digits, line);
                line += digits + 1;
            }
        }
    }
    return count;
}

static const char *ring_vh(ts_arena *arena, const bench *b)
{
    const ts_system *s = b->system;
    ts_text t;
    ts_text_open(&t);
    fprintf(t.f,
            "// What tb.v must know of this ring.\n"
            "`define RING_TOP %s\n`define RING_HIT_BITS %d\n`define RING_LANES %d\n`define RING_OUT_LANE %d\n"
            "`define RING_HITS %d\n`define RING_BEATS %d\n`define RING_EVENTS %d\n`define RING_WATCHDOG %lld\n",
            b->paged_stages ? TS_SIM_TOP : s->top, s->stream[0].width, s->ports.lanes, s->ports.out_lane, b->hits, b->beats, b->events,
            watchdog(s));
    if (s->rings > 1)
        fprintf(t.f, "`define RING_PARTS %d\n", s->rings);
    if (b->loads)
        fprintf(t.f, "`define RING_LOADS %d\n", b->loads);
    if (b->paged_stages)
        fprintf(t.f, "`define RING_PAGED_RINGS %d\n`define RING_PAGED_STAGES %d\n", b->paged_rings, b->paged_stages);
    /* A simulator treats a missing image as a warning at most. */
    fprintf(t.f, "`define RING_CHECK_IMAGES \\\n");
    for (int r = 0; r < s->rings; r++) {
        const ts_system_ring *ring = &s->ring[r];
        ts_memory mem[TS_MEMORY_MAX];
        const int memories = ts_memories(ring->im, ring->plan, mem);
        for (int m = 0; m < memories; m++)
            for (int slice = 0; slice < ts_memory_slices(&mem[m]); slice++)
                fprintf(t.f, "        check_image(\"%smem/%s_%03d.hex\"); \\\n", ring->inside, mem[m].name, slice);
        if (ring->pages.stages)
            fprintf(t.f, "        check_image(\"%smem/%s\"); \\\n", ring->inside, TS_PAGE_FILE);
    }
    fprintf(t.f, "        check_image(\"mem/expect.hex\");\n");
    return ts_text_close(&t, arena);
}

static const char *ring_h(ts_arena *arena, const bench *b)
{
    const ts_system *s = b->system;
    const ts_ring_widths w = ts_ring_widths_of(s->ring[0].im);
    ts_text t;
    ts_text_open(&t);
    fprintf(t.f,
            "/* What sim.cpp must know of this ring. */\n"
            "#define RING_FEATURES %d\n#define RING_HIT_LANE %d\n#define RING_LANES %d\n#define RING_OUT_LANE %d\n"
            "#define RING_TAGW %d\n#define RING_WATCHDOG %lldLL\n#define RING_CUTS %d\n"
            "#define RING_PAGED_RINGS %d\n#define RING_PAGED_STAGES %d\n#define RING_SETTLE %.0f\n\n"
            "/* images, part, number on the configuration bus, bits of a word, words, must be loaded */\n"
            "#define RING_MEMORIES(X)",
            s->im->features, s->ports.hit_lane, s->ports.lanes, s->ports.out_lane, w.tagw, watchdog(s), s->rings - 1, b->paged_rings,
            b->paged_stages, b->settle);
    for (int r = 0; r < s->rings; r++) {
        const ts_system_ring *ring = &s->ring[r];
        ts_memory mem[TS_MEMORY_MAX];
        const int memories = ts_memories(ring->im, ring->plan, mem);
        for (int m = 0; m < memories; m++)
            if (mem[m].id >= 0)
                fprintf(t.f, " \\\n    X(\"%smem/%s\", %d, %d, %d, %d, %d)", ring->inside, mem[m].name, r, mem[m].id, mem[m].width,
                        mem[m].depth, mem[m].loaded);
    }
    fprintf(
        t.f,
        "\n\n/* number, name, signals in the model of Verilator, first element, elements, bits of one, signed */\n#define RING_STREAMS(X)");
    for (int i = 0; s->rings == 1 && i < s->ring[0].built->taps; i++) { /* only those of a single ring can be traced */
        const ts_stream *stream = &s->ring[0].built->tap[i];
        fprintf(t.f, " \\\n    X(%d, \"%s\", %s__DOT__%s, %d, %d, %d, %d)", i, stream->wire,
                b->paged_stages ? TS_SIM_TOP "__DOT__u_design" : s->top, stream->wire, stream->first, stream->count, stream->width,
                stream->is_signed);
    }
    fprintf(t.f, "\n");
    return ts_text_close(&t, arena);
}

/* mem/hits.hex and mem/expect.hex. */
static void bench_events(ts_arena *arena, bench *b, const ts_bench_events *given, const char **hits, const char **expect)
{
    const ts_system *s = b->system;
    const int features = s->im->features, lane = s->ports.hit_lane, width = features * lane + 1;
    const ts_emu *emu = ts_emu_new(arena, s->im, TS_EMU_AUTO);
    event list[TS_BENCH_EVENTS + 2];
    b->events = choose_events(arena, s, given, list);
    char *bits = ts_alloc(arena, (size_t)width, 1);
    ts_text in, out;
    ts_text_open(&in);
    ts_text_open(&out);
    for (int e = 0; e < b->events; e++) {
        for (int i = 0; i < list[e].n; i++, b->hits++) {
            for (int c = 0; c < features; c++)
                put(bits, c * lane, lane, list[e].x[i * features + c]);
            put(bits, width - 1, 1, i == list[e].n - 1);
            hex_line(in.f, bits, width);
        }
        b->beats += expect_event(arena, s, emu, &list[e], out.f);
    }
    *hits = ts_text_close(&in, arena);
    *expect = ts_text_close(&out, arena);
}

/* Bits of a line of hex_line's, least significant first; false where it is none. */
static bool read_line(const char **at, char *bits, int width)
{
    for (int d = ts_ceil_div(width, 4) - 1; d >= 0; d--) {
        const char *digits = "0123456789abcdef", *found = **at ? strchr(digits, *(*at)++) : NULL;
        if (!found)
            return false;
        for (int b = 0; b < 4 && 4 * d + b < width; b++)
            bits[4 * d + b] = (char)((found - digits) >> b & 1);
    }
    return *(*at)++ == '\n';
}

static int32_t value_of(const char *bits, int width)
{
    uint32_t value = bits[width - 1] ? ~(uint32_t)0 : 0;
    for (int b = width - 1; b >= 0; b--)
        value = value << 1 | (uint32_t)bits[b];
    return (int32_t)value;
}

const char *ts_bench_expect(ts_arena *arena, const ts_system *s, const ts_imodel *im, const char *hits)
{
    const int features = im->features, lane = s->ports.hit_lane, width = features * lane + 1, n_max = s->ring[0].plan->n_max;
    const ts_emu *emu = ts_emu_new(arena, im, TS_EMU_AUTO);
    char *bits = ts_alloc(arena, (size_t)width, 1);
    int32_t *x = TS_NEW_N(arena, int32_t, strlen(hits) + 1); /* no line has fewer characters than values */
    event ev = {.x = x};
    ts_text out;
    ts_text_open(&out);
    bool ok = true;
    while (*hits && (ok = read_line(&hits, bits, width))) {
        for (int c = 0; c < features; c++)
            x[ev.n * features + c] = value_of(bits + c * lane, lane);
        ev.n++;
        if (bits[width - 1]) {
            ev.refused = ev.n > n_max;
            (void)expect_event(arena, s, emu, &ev, out.f);
            ev.n = 0;
        }
    }
    const char *text = ts_text_close(&out, arena);
    return ok && ev.n == 0 ? text : NULL;
}

const ts_bench_file *ts_bench_make(ts_arena *arena, const ts_system *s, const ts_bench_events *events)
{
    enum { FILES = 7 };
    bench b = {.system = s};
    const char *hits, *expect;
    bench_events(arena, &b, events, &hits, &expect);
    ts_text load;
    ts_text_open(&load);
    for (int r = 0; r < s->rings; r++) {
        const ts_system_ring *ring = &s->ring[r];
        b.loads += load_ring(arena, s, r, load.f);
        b.paged_rings += ring->pages.stages > 0;
        b.paged_stages += ring->pages.stages;
        if (ring->pages.stages)
            b.settle = fmax(b.settle, ts_page_event_cycles(ring->plan, &ring->pages));
    }
    const char *loads = ts_text_close(&load, arena);
    ts_bench_file *file = TS_NEW_N(arena, ts_bench_file, FILES), *next = file;
    *next++ = (ts_bench_file){"mem/hits.hex", hits};
    *next++ = (ts_bench_file){"mem/expect.hex", expect};
    *next++ = (ts_bench_file){"tb/ring.vh", ring_vh(arena, &b)};
    *next++ = (ts_bench_file){"tb/ring.h", ring_h(arena, &b)};
    if (b.loads)
        *next++ = (ts_bench_file){"mem/load.hex", loads};
    if (b.paged_stages)
        *next++ = (ts_bench_file){"tb/" TS_SIM_TOP ".v", ts_sim_top_text(arena, s)};
    return file;
}
