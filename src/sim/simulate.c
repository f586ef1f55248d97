#define TS_FAIL_CODE TS_NO_TOOL
#include "sim/simulate.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "emit/top.h"
#include "emu/emu.h"
#include "plan/predict.h"
#include "process/process.h"
#include "ring/memories.h"
#include "ring/pages.h"
#include "sim/build.h"
#include "sim/trace.h"

enum { STUCK = 3, HEADER = 12, CUT = 4, LOG_CHARS = 700 }; /* the harness: exit status, words before an event's transfers */

typedef struct session {
    ts_arena *arena;
    const ts_design *design;
    const ts_sim_options *opt;
    ts_ports ports;
    int count;        /* events that are sent: all, or with a trace those that are not too long */
    int *list;        /* [count] indices into opt's events */
    int switch_at;    /* of these: the first one with the weights that come later; count without */
    int32_t **expect; /* [count], NULL where the event is too long: [rows][outputs], or [rows][2] with arg-max */
} session;

static void progress(const ts_sim_options *opt, const char *step)
{
    if (opt->progress)
        opt->progress(opt->progress_user, step);
}

static int rows_of(const session *s, int n)
{
    return s->design->im->pool == TS_POOL_NONE ? n : 1;
}

/* Values of a result row: outputs, or {value, class}. */
static int cols_of(const session *s)
{
    return s->design->plan.argmax ? 2 : s->design->im->outputs;
}

static void choose(session *s)
{
    s->list = TS_NEW_N(s->arena, int, s->opt->events);
    for (int e = 0; e < s->opt->events; e++)
        if (!s->opt->tap || s->opt->n[e] <= s->design->plan.n_max)
            s->list[s->count++] = e;
    for (int i = 0; i < s->count; i++)
        s->switch_at += !s->opt->weights || s->list[i] < s->opt->after;
}

/* What events `first` to `end` give with the model of emu. */
static void expect_of(session *s, const ts_emu *emu, int first, int end)
{
    const ts_imodel *im = s->design->im;
    int *n = TS_NEW_N(s->arena, int, s->count), kept = 0;
    const int32_t **x = TS_NEW_N(s->arena, const int32_t *, s->count);
    int32_t **y = TS_NEW_N(s->arena, int32_t *, s->count);
    for (int i = first; i < end; i++) {
        const int e = s->list[i];
        if (s->opt->n[e] > s->design->plan.n_max)
            continue;
        s->expect[i] = TS_NEW_N(s->arena, int32_t, (size_t)rows_of(s, s->opt->n[e]) * im->outputs);
        n[kept] = s->opt->n[e];
        x[kept] = s->opt->x[e];
        y[kept++] = s->expect[i];
    }
    ts_emu_run_events(emu, kept, n, x, y);
}

static void expect(session *s, const ts_emu *emu, const ts_emu *later)
{
    const ts_imodel *im = s->design->im;
    s->expect = TS_NEW_N(s->arena, int32_t *, s->count);
    expect_of(s, emu, 0, s->switch_at);
    expect_of(s, later, s->switch_at, s->count);
    if (!s->design->plan.argmax)
        return;
    for (int i = 0; i < s->count; i++) {
        if (!s->expect[i])
            continue;
        const int rows = rows_of(s, s->opt->n[s->list[i]]);
        int32_t *best = TS_NEW_N(s->arena, int32_t, (size_t)rows * 2);
        for (int r = 0; r < rows; r++)
            ts_ports_argmax(s->expect[i] + (size_t)r * im->outputs, im->outputs, best + 2 * r);
        s->expect[i] = best;
    }
}

static bool write_events(const session *s, const char *path, ts_err *err)
{
    const int features = s->design->im->features;
    size_t words = 1;
    for (int i = 0; i < s->count; i++)
        words += 1 + (size_t)s->opt->n[s->list[i]] * features;
    int32_t *data = TS_NEW_N(s->arena, int32_t, words), *p = data;
    *p++ = s->count;
    for (int i = 0; i < s->count; i++) {
        const int e = s->list[i];
        *p++ = s->opt->n[e];
        memcpy(p, s->opt->x[e], sizeof *p * (size_t)s->opt->n[e] * features);
        p += (size_t)s->opt->n[e] * features;
    }
    return ts_file_write(path, data, words * sizeof *data, err);
}

/* The words that are written at the switch: their number, then of each {part, memory, slice, address, three of data}. */
typedef struct writing {
    int32_t *next;
} writing;

static void put_write(void *user, const ts_weights_write *w)
{
    writing *to = user;
    const int32_t head[] = {w->ring, w->memory, w->slice, w->address};
    memcpy(to->next, head, sizeof head);
    to->next += sizeof head / sizeof *head;
    for (int i = 0; i < 3; i++, to->next++) {
        uint32_t word = 0;
        for (int b = 0; b < 4 && 4 * i + b < TS_WRITE_BYTES; b++)
            word |= (uint32_t)w->data[4 * i + b] << (8 * b);
        *to->next = (int32_t)word;
    }
}

static bool write_switch(const session *s, const char *path, ts_err *err)
{
    enum { WORDS = 7 };
    const ts_weights *w = s->opt->weights;
    long long writes = 0;
    for (int r = 0; r < w->rings; r++)
        writes += w->ring[r].writes;
    int32_t *data = TS_NEW_N(s->arena, int32_t, 1 + WORDS * (size_t)writes);
    writing to = {data + 1};
    data[0] = (int32_t)writes;
    for (int r = 0; r < w->rings; r++)
        ts_weights_each(w, r, put_write, &to);
    bool ok = ts_file_write(path, data, (1 + WORDS * (size_t)writes) * sizeof *data, err);
    for (int r = 0; ok && r < w->rings; r++)
        if (w->ring[r].pages)
            ok = ts_file_write(ts_printf(s->arena, "%s.%d", path, r), w->ring[r].pages, w->ring[r].page_bytes, err);
    return ok;
}

static long long join64(const int32_t *word)
{
    return (long long)((uint64_t)(uint32_t)word[1] << 32 | (uint32_t)word[0]);
}

/* Keeps the first difference. */
static void differs(ts_sim_result *result, const char *text)
{
    if (!result->difference)
        result->difference = text;
}

/* An event may come out flagged: something befalls it that cannot be made good. */
static bool may_flag(const ts_sim_options *opt)
{
    return opt->link_fault.kind != TS_LINK_SOUND || opt->page_fault.kind == TS_PAGE_FLIP_ALWAYS || opt->page_fault.kind == TS_PAGE_ERROR;
}

/* Compares one event's transfers; `words` holds all of them. */
static void judge(const session *s, int i, ts_sim_event *ev, const int32_t *words, int transfers, ts_sim_result *result)
{
    const int e = s->list[i], cols = cols_of(s), lanes = s->ports.lanes;
    const bool should_refuse = s->expect[i] == NULL;
    const int rows = should_refuse ? 0 : rows_of(s, ev->tokens), wanted = should_refuse ? 1 : rows * s->ports.beats;
    const long long expected_words = should_refuse ? 1 : (long long)rows * cols;
    if (ev->error && may_flag(s->opt))
        return;
    result->words += expected_words;
    if (ev->error) {
        ev->mismatches = expected_words;
        result->mismatches += expected_words;
        differs(result, ts_printf(s->arena, "event %d (%d hits): flagged as damaged, although nothing was", e, ev->tokens));
        return;
    }
    if (ev->refused != should_refuse || transfers != wanted) {
        ev->mismatches = expected_words;
        result->mismatches += expected_words;
        differs(result, ts_printf(s->arena, "event %d (%d hits): the RTL %s it with %d transfers, it should %s it with %d", e, ev->tokens,
                                  ev->refused ? "refuses" : "accepts", transfers, should_refuse ? "refuse" : "accept", wanted));
        return;
    }
    if (should_refuse)
        return;
    int32_t *y = TS_NEW_N(s->arena, int32_t, (size_t)rows * cols);
    for (int t = 0; t < transfers; t++)
        for (int lane = 0; lane < lanes; lane++) {
            const int row = t / s->ports.beats, c = ts_ports_output(&s->ports, s->design->im, t % s->ports.beats, lane);
            if (c < 0)
                continue;
            const int32_t rtl = words[(size_t)t * lanes + lane], model = s->expect[i][(size_t)row * cols + c];
            y[(size_t)row * cols + c] = rtl;
            if (rtl == model)
                continue;
            ev->mismatches++;
            result->mismatches++;
            differs(result,
                    ts_printf(s->arena, "event %d (%d hits), hit %d, output %d: RTL %d, model %d", e, ev->tokens, row, c, rtl, model));
        }
    ev->rows = rows;
    ev->y = y;
}

/* What the harness wrote of pages: for each paged ring {pages fetched again, given up}, for each paged stage {late, stalls (64 bits)}. */
static bool read_pages(const session *s, const int32_t *word, size_t left, ts_sim_result *result)
{
    const int parts = s->design->parts;
    ts_sim_paged *stage = TS_NEW_N(s->arena, ts_sim_paged, parts * TS_PAGED_STAGES);
    result->pages_again = TS_NEW_N(s->arena, int, parts);
    result->gave_up = TS_NEW_N(s->arena, bool, parts);
    for (int p = 0; p < parts; p++) {
        const ts_page_order order = ts_page_order_of(s->arena, s->design->part[p].plan, s->design->part[p].im);
        if (!order.stages)
            continue;
        if (left < 2)
            return false;
        result->pages_again[p] = word[0];
        result->gave_up[p] = word[1];
        word += 2;
        left -= 2;
        for (int i = 0; i < order.stages; i++)
            stage[result->paged++] = (ts_sim_paged){.part = p, .lin = order.stage[i].lin};
    }
    result->paged_stage = stage;
    if (left != 3 * (size_t)result->paged)
        return false;
    for (int i = 0; i < result->paged; i++, word += 3) {
        stage[i].late = word[0];
        stage[i].stalls = join64(word + 1);
    }
    return true;
}

/* The harness wrote, for each event: 1 if refused and 2 if in error, transfers, five times, two for each cut, then the transfers; at the
   end the blocked cycles of each cut and what there is of pages. */
static bool read_results(const session *s, const char *path, ts_sim_result *result, ts_err *err)
{
    size_t size;
    const char *text = ts_file_read(s->arena, path, &size, err);
    if (!text)
        return false;
    const int32_t *word = (const int32_t *)text; /* the arena aligns to 64 bytes */
    size_t left = size / sizeof *word;
    const size_t cuts = (size_t)s->design->parts - 1, head = HEADER + CUT * cuts;
    result->cuts = (int)cuts;
    result->events = s->count;
    result->event = TS_NEW_N(s->arena, ts_sim_event, s->count);
    for (int i = 0; i < s->count; i++) {
        if (left < head || word[1] < 0 || left - head < (size_t)word[1] * s->ports.lanes)
            return ts_fail(err, "%s: the simulator's results are cut off", path);
        ts_sim_event *ev = &result->event[i];
        *ev = (ts_sim_event){.tokens = s->opt->n[s->list[i]],
                             .refused = word[0] & 1,
                             .error = word[0] & 2,
                             .offered = join64(word + 2),
                             .first_in = join64(word + 4),
                             .last_in = join64(word + 6),
                             .first_out = join64(word + 8),
                             .last_out = join64(word + 10)};
        ts_sim_cut *cut = TS_NEW_N(s->arena, ts_sim_cut, cuts);
        for (size_t c = 0; c < cuts; c++)
            cut[c] = (ts_sim_cut){join64(word + HEADER + CUT * c), join64(word + HEADER + CUT * c + 2)};
        ev->cut = cut;
        result->refused += ev->refused;
        result->flagged += ev->error;
        const int transfers = word[1];
        judge(s, i, ev, word + head, transfers, result);
        const size_t used = head + (size_t)transfers * s->ports.lanes;
        word += used;
        left -= used;
    }
    if (left < 2 * cuts)
        return ts_fail(err, "%s: the simulator's results are cut off", path);
    long long *blocked = TS_NEW_N(s->arena, long long, cuts);
    for (size_t c = 0; c < cuts; c++, word += 2, left -= 2)
        blocked[c] = join64(word);
    result->blocked = blocked;
    return read_pages(s, word, left, result) || ts_fail(err, "%s: the simulator's results are too long or cut off", path);
}

static int mac_units(const ts_design *design)
{
    int units = 0;
    for (int p = 0; p < design->parts; p++)
        units += ts_plan_mac_units(design->part[p].plan, design->part[p].im);
    return units;
}

static void measure(const session *s, ts_sim_result *result)
{
    const ts_sim_event *first = NULL, *last = NULL;
    int processed = 0;
    double macs = 0;
    for (int i = 0; i < result->events; i++) {
        const ts_sim_event *ev = &result->event[i];
        if (ev->refused || ev->error)
            continue;
        first = first ? first : ev;
        last = ev;
        processed++;
        macs += ts_model_macs(s->design->im, ev->tokens);
    }
    if (result->events)
        result->cycles = result->event[result->events - 1].last_out - result->event[0].first_in + 1;
    if (processed > 1)
        result->interval_cycles = (double)(last->last_out - first->last_out) / (processed - 1);
    if (result->cycles > 0)
        result->mac_utilisation = macs / ((double)mac_units(s->design) * (double)result->cycles);
    result->bit_exact = result->events > 0 && result->words > 0 && result->mismatches == 0;
}

/* Arguments of the faults, for the harness and for the Verilog around the design. */
static int fault_arguments(const session *s, const char **argv)
{
    ts_arena *a = s->arena;
    int argc = 0;
    if (s->opt->link_percent)
        argv[argc++] = ts_printf(a, "+wire_pauses=%d", s->opt->link_percent);
    if (s->opt->memory_percent)
        argv[argc++] = ts_printf(a, "+memory_stalls=%d", s->opt->memory_percent);
    const ts_link_fault *link = &s->opt->link_fault;
    if (link->kind != TS_LINK_SOUND) {
        static const char *const kinds[] = {[TS_LINK_FLIP] = "flip", [TS_LINK_DROP] = "drop", [TS_LINK_HOLD] = "hold"};
        argv[argc++] = ts_printf(a, "+wire_fault=%d", link->wire);
        argv[argc++] = ts_printf(a, "+wire_word=%d", link->word);
        argv[argc++] = ts_printf(a, "+wire_kind=%s", kinds[link->kind]);
        argv[argc++] = ts_printf(a, "+wire_hold=%d", link->hold_cycles);
    }
    const ts_page_fault *page = &s->opt->page_fault;
    if (page->kind != TS_PAGE_SOUND) {
        static const char *const kinds[] = {
            [TS_PAGE_LATE] = "late", [TS_PAGE_FLIP] = "flip", [TS_PAGE_FLIP_ALWAYS] = "flip-always", [TS_PAGE_ERROR] = "error"};
        const ts_system_ring *part = &s->design->part[page->part];
        const ts_page_order order = ts_page_order_of(a, part->plan, part->im);
        const ts_page_transfer *t = &order.transfer[page->page % order.count];
        /* A late page is late with its first beat; what is spoilt is one in its middle. */
        const long long beat = page->page / order.count * order.beats + t->beat + (page->kind == TS_PAGE_LATE ? 0 : t->beats / 2);
        argv[argc++] = ts_printf(a, "+memory_fault=%d", page->part);
        argv[argc++] = ts_printf(a, "+memory_beat=%lld", beat);
        argv[argc++] = ts_printf(a, "+memory_kind=%s", kinds[page->kind]);
        argv[argc++] = ts_printf(a, "+memory_hold=%d", page->late_cycles);
    }
    const ts_part_stall *stall = &s->opt->part_stall;
    if (stall->cycles) {
        argv[argc++] = "--part-stall";
        argv[argc++] = ts_printf(a, "%d", stall->part);
        argv[argc++] = ts_printf(a, "%d", stall->transfer);
        argv[argc++] = ts_printf(a, "%d", stall->cycles);
    }
    /* Nothing moves for so long, and may take its time afterwards. */
    const int still = stall->cycles + (page->kind == TS_PAGE_LATE ? page->late_cycles : 0);
    long long patience = still;
    if (s->opt->memory_percent)
        for (int p = 0; p < s->design->parts; p++)
            patience += ts_watchdog_cycles(&s->design->part[p]) * 100 / (100 - s->opt->memory_percent);
    if (patience) {
        argv[argc++] = "--patience";
        argv[argc++] = ts_printf(a, "%lld", patience);
    }
    return argc;
}

static bool run(const session *s, const char *program, const char *base, ts_sim_result *result, ts_err *err)
{
    ts_arena *a = s->arena;
    const char *events = ts_printf(a, "%s.events", base), *results = ts_printf(a, "%s.results", base), *log = ts_printf(a, "%s.log", base);
    const char *argv[40] = {
        program, events, results, "--stalls", ts_printf(a, "%d", s->opt->stall_percent), "--seed", ts_printf(a, "%" PRIu64, s->opt->seed)};
    int argc = 7;
    if (s->opt->lone)
        argv[argc++] = "--lone";
    if (s->opt->random_init)
        argv[argc++] = "--random";
    bool must_load = s->opt->load;
    ts_memory mem[TS_MEMORY_MAX];
    for (int p = 0; p < s->design->parts; p++)
        for (int m = ts_memories(s->design->part[p].im, s->design->part[p].plan, mem) - 1; m >= 0; m--)
            must_load = must_load || mem[m].loaded;
    if (must_load)
        argv[argc++] = "--load";
    argc += fault_arguments(s, argv + argc);
    if (s->opt->token_cycles > 0 || s->opt->row_cycles > 0) {
        argv[argc++] = "--pace";
        argv[argc++] = ts_printf(a, "%.9g", s->opt->token_cycles);
        argv[argc++] = ts_printf(a, "%.9g", s->opt->row_cycles / s->ports.beats);
    }
    if (s->opt->tap) {
        argv[argc++] = "--trace";
        argv[argc++] = ts_printf(a, "%s.trace", base);
    }
    const char *later = ts_printf(a, "%s.switch", base);
    if (s->opt->weights) {
        argv[argc++] = "--switch";
        argv[argc++] = later;
        argv[argc++] = ts_printf(a, "%d", s->switch_at);
        argv[argc++] = ts_printf(a, "+memory_next=%s", later);
    }
    if (!write_events(s, events, err) || (s->opt->weights && !write_switch(s, later, err)))
        return false;
    const double start = ts_seconds();
    const int status = ts_process_run(s->design->dir, argv, log, err);
    result->run_seconds = ts_seconds() - start;
    if (status < 0)
        return false;
    if (status != 0)
        return ts_fail_as(err, status == STUCK ? TS_DIFFERS : TS_NO_TOOL, "the simulation of %s %s%s%s", s->design->dir,
                          status == STUCK ? "is stuck: this is a bug of the engine, please report it with the design and the events; "
                                          : ts_printf(a, "failed with status %d: ", status),
                          ts_process_log_tail(a, log, LOG_CHARS),
                          status == STUCK && !s->opt->tap ? "A run with a trace shows the state of every stage." : "");
    return read_results(s, results, result, err);
}

/* Events that are not refused. */
static int accepted_events(const ts_design *design, const ts_sim_options *opt)
{
    int count = 0;
    for (int e = 0; e < opt->events; e++)
        count += opt->n[e] <= design->plan.n_max;
    return count;
}

/* Transfers that a part gives: residual tokens or, the last one, results; one of a refused event. */
static long long given_transfers(const ts_design *design, const ts_sim_options *opt, int part)
{
    const ts_ports ports = ts_ports_of(design->part[part].im, design->part[part].plan);
    long long count = 0;
    for (int e = 0; e < opt->events; e++)
        count +=
            opt->n[e] > design->plan.n_max ? 1 : (long long)ports.beats * (design->part[part].im->pool == TS_POOL_NONE ? opt->n[e] : 1);
    return count;
}

/* A fault that never happens would pass for one that did no harm. */
static bool check_faults(ts_arena *arena, const ts_design *design, const ts_sim_options *opt, ts_err *err)
{
    const bool memory = opt->page_fault.kind != TS_PAGE_SOUND || opt->memory_percent;
    if (opt->memory_percent < 0 || opt->memory_percent > 95)
        return ts_fail_as(err, TS_USAGE, "pauses of external memory of %d percent: choose 0 to 95", opt->memory_percent);
    if (memory && !ts_system_is_paged(&design->system))
        return ts_fail_as(err, TS_USAGE, "%s has all its weights on chip: there is no external memory that could be late or wrong",
                          design->dir);
    if (opt->page_fault.kind != TS_PAGE_SOUND) {
        const int part = opt->page_fault.part;
        if (part < 0 || part >= design->parts)
            return ts_fail_as(err, TS_USAGE, "%s has no part %d: a page of it cannot be late or wrong", design->dir, part);
        const ts_page_order order = ts_page_order_of(arena, design->part[part].plan, design->part[part].im);
        const long long pages = (long long)order.count * accepted_events(design, opt);
        if (!order.stages)
            return ts_fail_as(err, TS_USAGE, "%s: part %d has all its weights on chip: no page of it can be late or wrong", design->dir,
                              part);
        if (opt->page_fault.page >= pages)
            return ts_fail_as(err, TS_USAGE, "page %d of part %d cannot be late or wrong: the events use %lld pages, %d each",
                              opt->page_fault.page, part, pages, order.count);
    }
    const ts_part_stall *stall = &opt->part_stall;
    if (!stall->cycles)
        return true;
    if (design->parts == 1)
        return ts_fail_as(err, TS_USAGE, "%s is one ring: no part of it can stand still while the others go on", design->dir);
    if (stall->part < 0 || stall->part >= design->parts)
        return ts_fail_as(err, TS_USAGE, "%s has no part %d that could stand still", design->dir, stall->part);
    const long long given = given_transfers(design, opt, stall->part);
    return stall->transfer < given ||
           ts_fail_as(err, TS_USAGE, "part %d never gives transfer %d behind which it should stand still: of these events it gives %lld",
                      stall->part, stall->transfer, given);
}

bool ts_simulate(ts_arena *arena, const ts_design *design, const ts_sim_options *opt, ts_sim_result *result, ts_err *err)
{
    *result = (ts_sim_result){0};
    if (opt->events < 1)
        return ts_fail_as(err, TS_USAGE, "nothing to simulate: there are no events");
    for (int e = 0; e < opt->events; e++)
        if (opt->n[e] < 1)
            return ts_fail_as(err, TS_USAGE, "event %d has no hits: the hardware is never sent an empty event", e);
    if (opt->stall_percent < 0 || opt->stall_percent > 95)
        return ts_fail_as(err, TS_USAGE, "stalls of %d percent: choose 0 to 95", opt->stall_percent);
    if (!check_faults(arena, design, opt, err))
        return false;
    if (opt->tap && design->parts > 1)
        return ts_fail_as(err, TS_USAGE, "%s: inner streams can be traced part by part only: trace %s/part0 and so on", design->dir,
                          design->dir);

    session s = {.arena = arena, .design = design, .opt = opt, .ports = design->system.ports};
    choose(&s);
    if (s.count == 0)
        return ts_fail_as(err, TS_USAGE, "nothing to trace: every event is longer than the design's %d hits", design->plan.n_max);
    progress(opt, "building the simulator");
    const double start = ts_seconds();
    const char *program = ts_sim_build(arena, design, opt, &result->rebuilt, err);
    if (!program)
        return false;
    result->build_seconds = ts_seconds() - start;

    progress(opt, "computing what the integer model says");
    const ts_emu *later = ts_emu_new(arena, opt->weights ? opt->weights->im : design->im, TS_EMU_AUTO);
    const ts_emu *emu = opt->weights && opt->after > 0 ? ts_emu_new(arena, design->im, TS_EMU_AUTO) : later;
    expect(&s, emu, later);
    progress(opt, "simulating");
    /* Beside the program; simulations of one design may run at the same time. */
    const char *base = ts_printf(arena, "%s-run-%ld", program, (long)getpid());
    bool ok = run(&s, program, base, result, err);
    if (ok) {
        measure(&s, result);
        if (opt->tap)
            result->trace_difference = ts_trace_compare(arena, design, opt, emu, s.list, s.count, ts_printf(arena, "%s.trace", base), err);
        ok = err->msg[0] == 0;
    }
    static const char *const suffixes[] = {"events", "results", "log", "trace", "switch"};
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++)
        (void)remove(ts_printf(arena, "%s.%s", base, suffixes[i]));
    for (int r = 0; opt->weights && r < design->parts; r++)
        (void)remove(ts_printf(arena, "%s.switch.%d", base, r));
    return ok;
}
