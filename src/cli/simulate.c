/* tessera simulate */
#include <stdio.h>
#include <string.h>

#include "cli/library.h"
#include "cli/verbs.h"

enum { WAIT_MAX = 100000000, KIND_CHARS = 16 };

/* The number of `kind` among `kinds`, of which the first one is no fault; 0 where it is none of them. */
static int find_kind(const char *const *kinds, int count, const char *kind)
{
    for (int k = 1; k < count; k++)
        if (strcmp(kind, kinds[k]) == 0)
            return k;
    return 0;
}

static bool parse_link_fault(const char *text, tessera_simulate_options *o)
{
    static const char *const kinds[] = {"", [TESSERA_LINK_FLIP] = "flip", [TESSERA_LINK_DROP] = "drop", [TESSERA_LINK_HOLD] = "hold"};
    char kind[KIND_CHARS] = "", rest = 0;
    if (sscanf(text, "%15[a-z]:%d:%d%c", kind, &o->link_wire, &o->link_word, &rest) == 3 && o->link_wire >= 0 && o->link_word >= 0)
        o->link_fault = (tessera_link_fault)find_kind(kinds, TESSERA_LINK_HOLD + 1, kind);
    return o->link_fault != TESSERA_LINK_SOUND;
}

static bool parse_page_fault(const char *text, tessera_simulate_options *o)
{
    static const char *const kinds[] = {"", [TESSERA_PAGE_LATE] = "late", [TESSERA_PAGE_FLIP] = "flip",
                                        [TESSERA_PAGE_FLIP_ALWAYS] = "flip-always", [TESSERA_PAGE_ERROR] = "error"};
    char kind[KIND_CHARS] = "", rest = 0;
    const int got = sscanf(text, "%15[-a-z]:%d:%d:%d%c", kind, &o->page_part, &o->page_number, &o->page_late, &rest);
    const int found = find_kind(kinds, TESSERA_PAGE_ERROR + 1, kind);
    if ((got == 3 || (got == 4 && found == TESSERA_PAGE_LATE && o->page_late > 0 && o->page_late <= WAIT_MAX)) && o->page_part >= 0 &&
        o->page_number >= 0)
        o->page_fault = (tessera_page_fault)found;
    return o->page_fault != TESSERA_PAGE_SOUND;
}

static bool parse_part_stall(const char *text, tessera_simulate_options *o)
{
    char rest = 0;
    const int got = sscanf(text, "%d:%d:%d%c", &o->stall_part, &o->stall_transfer, &o->stall_cycles, &rest);
    o->part_stall =
        (got == 2 || (got == 3 && o->stall_cycles > 0 && o->stall_cycles <= WAIT_MAX)) && o->stall_part >= 0 && o->stall_transfer >= 0;
    return o->part_stall;
}

int ts_verb_simulate(const ts_verb *verb, int argc, char **argv)
{
    tessera_source source = TESSERA_INIT(tessera_source);
    tessera_simulate_options o = TESSERA_INIT(tessera_simulate_options);
    const char *link = NULL, *page = NULL, *part = NULL;
    o.seed = 1;
    o.source = &source;
    const ts_arg table[] = {
        {"events", TS_ARG_TEXT, "FILE", "events, .csv or .npy, sent back to back", &source.events, 0, 0, false},
        TS_CLI_SOURCE(source, "samples, where the model's input has a fixed shape", "which columns are inputs (as compiled)"),
        {"limit", TS_ARG_INT, "K", "only the first K events", &source.limit, 1, 1e6, false},
        {"stalls", TS_ARG_INT, "PERCENT", "random pauses of the streams of hits and of results (0)", &o.stalls, 0, 99, false},
        {"link-stalls", TS_ARG_INT, "PERCENT", "random pauses of the links between devices (0)", &o.link_stalls, 0, 99, false},
        {"link-fault", TS_ARG_TEXT, "KIND:WIRE:WORD", "flip, drop or hold (10,000 cycles) a word on a link; wire 2 i: part i to i + 1",
         &link, 0, 0, false},
        {"memory-stalls", TS_ARG_INT, "PERCENT", "random pauses of the external memory that pages are in (0)", &o.memory_stalls, 0, 95,
         false},
        {"page-fault", TS_ARG_TEXT, "KIND:PART:PAGE",
         "page PAGE of a part (0: of a single ring) is late[:CYCLES], flip, flip-always or error", &page, 0, 0, false},
        {"part-stall", TS_ARG_TEXT, "PART:TRANSFER[:CYCLES]", "a part stands still (10,000 cycles) once it has given so many results",
         &part, 0, 0, false},
        {"seed", TS_ARG_INT, "S", "of the pauses (1)", &o.seed, 0, 2147483647, false},
        {"lone", TS_ARG_FLAG, NULL, "each event waits until the one before has left", &o.lone, 0, 0, false},
        {"bus", TS_ARG_FLAG, NULL, "assisted: tokens and results at the pace of the host's bus, times as the host sees them", &o.bus, 0, 0,
         false},
        {"weights", TS_ARG_TEXT, "FILE", "of tessera weights: loaded at run time, while no event is inside", &o.weights, 0, 0, false},
        {"after", TS_ARG_INT, "K", "so many events with the design's own weights before that (0)", &o.after, 0, 1e6, false},
        {"load", TS_ARG_FLAG, NULL, "write all weights at run time before the first event", &o.load, 0, 0, false},
        {NULL, TS_ARG_FLAG, NULL, NULL, NULL, 0, 0, false},
    };
    int status;
    if (!ts_args_parse(verb, table, argc, argv, &o.directory, &status))
        return status;
    if (link && !parse_link_fault(link, &o))
        return ts_cli_wrong(verb, "--link-fault %s: give KIND:WIRE:WORD, such as flip:0:100; KIND is flip, drop or hold", link);
    if (page && !parse_page_fault(page, &o))
        return ts_cli_wrong(verb,
                            "--page-fault %s: give KIND:PART:PAGE, such as flip:0:7, or late:PART:PAGE:CYCLES (at most %d); KIND is late, "
                            "flip, flip-always or error",
                            page, WAIT_MAX);
    if (part && !parse_part_stall(part, &o))
        return ts_cli_wrong(verb, "--part-stall %s: give PART:TRANSFER, such as 1:40, or PART:TRANSFER:CYCLES (at most %d)", part,
                            WAIT_MAX);
    const tessera_callbacks callbacks = ts_cli_callbacks(verb->name);
    tessera_simulation simulation = TESSERA_INIT(tessera_simulation);
    tessera_report *report;
    tessera_error error;
    tessera_simulate(&o, &callbacks, &simulation, &report, &error);
    ts_cli_print(report, false);
    status = ts_cli_done(verb, &error);
    return status == 0 && simulation.refused > 0 ? TS_CLI_REFUSED : status;
}
