#include "api/call.h"
#include "api/source.h"
#include "flow/simulation.h"

#define SAME(own, public) _Static_assert((int)(own) == (int)(public), #own " is " #public)
SAME(TS_LINK_FLIP, TESSERA_LINK_FLIP);
SAME(TS_LINK_DROP, TESSERA_LINK_DROP);
SAME(TS_LINK_HOLD, TESSERA_LINK_HOLD);
SAME(TS_PAGE_LATE, TESSERA_PAGE_LATE);
SAME(TS_PAGE_FLIP, TESSERA_PAGE_FLIP);
SAME(TS_PAGE_FLIP_ALWAYS, TESSERA_PAGE_FLIP_ALWAYS);
SAME(TS_PAGE_ERROR, TESSERA_PAGE_ERROR);

typedef struct job {
    const tessera_simulate_options *given;
    tessera_simulation *simulation;
    tessera_report **report;
} job;

static bool check(const tessera_simulate_options *g, ts_err *err)
{
    const struct {
        const char *member;
        int value, most;
    } table[] = {
        {"stalls", g->stalls, 99},
        {"link_stalls", g->link_stalls, 99},
        {"memory_stalls", g->memory_stalls, 95},
        {"seed", g->seed, INT32_MAX},
        {"link_fault", (int)g->link_fault, TESSERA_LINK_HOLD},
        {"link_wire", g->link_wire, INT32_MAX},
        {"link_word", g->link_word, INT32_MAX},
        {"page_fault", (int)g->page_fault, TESSERA_PAGE_ERROR},
        {"page_part", g->page_part, INT32_MAX},
        {"page_number", g->page_number, INT32_MAX},
        {"page_late", g->page_late, TS_SIM_WAIT_MAX},
        {"stall_part", g->stall_part, INT32_MAX},
        {"after", g->after, 1000000},
        {"stall_transfer", g->stall_transfer, INT32_MAX},
        {"stall_cycles", g->stall_cycles, TS_SIM_WAIT_MAX},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].value < 0 || table[i].value > table[i].most)
            return ts_fail_as(err, TS_USAGE, "%s is %d; expected 0 to %d", ts_option(table[i].member), table[i].value, table[i].most);
    return g->directory || ts_fail_as(err, TS_USAGE, "directory: the one that a model was compiled into is needed");
}

static void give(const ts_simulation *made, const job *j)
{
    const ts_sim_result *r = &made->result;
    const tessera_simulation own = {.size = sizeof own,
                                    .events = made->events,
                                    .refused = made->refused.count,
                                    .flagged = r->flagged,
                                    .words = r->words,
                                    .mismatches = r->mismatches,
                                    .cycles = r->cycles,
                                    .interval_cycles = r->interval_cycles,
                                    .bit_exact = r->bit_exact};
    ts_give_summary(j->simulation, &own, sizeof own);
    if (j->report)
        *j->report = ts_report_new(made->text, made->json);
}

static bool simulate(void *user, const ts_notices *notices, ts_err *err)
{
    enum { LONG_CYCLES = 10000 };
    const job *j = user;
    tessera_simulate_options g;
    ts_taken_source source;
    if (!TS_TAKE_OPTIONS(&g, j->given, tessera_simulate_options, err) || !ts_take_source(g.source, notices, &source, err) ||
        !check(&g, err))
        return false;
    const ts_simulation_options o = {
        .dir = g.directory,
        .source = source.own,
        .stalls = g.stalls,
        .link_stalls = g.link_stalls,
        .memory_stalls = g.memory_stalls,
        .seed = g.seed,
        .link = {(ts_link_fault_kind)g.link_fault, g.link_wire, g.link_word, LONG_CYCLES},
        .page = {(ts_page_fault_kind)g.page_fault, g.page_part, g.page_number, g.page_late ? g.page_late : LONG_CYCLES},
        .part = {g.stall_part, g.stall_transfer,
                 !g.part_stall    ? 0
                 : g.stall_cycles ? g.stall_cycles
                                  : LONG_CYCLES},
        .lone = g.lone,
        .load = g.load,
        .bus = g.bus,
        .weights = g.weights,
        .after = g.after};
    ts_arena *arena = ts_arena_new();
    ts_simulation made;
    const bool ok = ts_simulation_run(arena, &o, &made, err);
    if (made.text)
        give(&made, j);
    ts_arena_free(arena);
    return ok;
}

tessera_code tessera_simulate(const tessera_simulate_options *options, const tessera_callbacks *callbacks, tessera_simulation *simulation,
                              tessera_report **report, tessera_error *error)
{
    if (report)
        *report = NULL;
    return ts_call(callbacks, error, simulate, &(job){options, simulation, report});
}
