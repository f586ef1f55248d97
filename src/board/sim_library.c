/* The simulated devices of a package as a library for the host library's back end "sim": what tb/sim_library.cpp must know. */
#include <math.h>

#include "base/text.h"
#include "board/bench.h"
#include "board/run_json.h"

static int ps(double mhz)
{
    return (int)lround(1e6 / mhz);
}

/* A period of one clock of every device. */
static void periods(FILE *f, const ts_boards *boards, const char *name, int clock)
{
    fprintf(f, "static const unsigned %s[] = {", name);
    for (int k = 0; k < boards->count; k++)
        fprintf(f, "%s%d", k ? ", " : "", ps(boards->board[k].clock[clock].mhz));
    fprintf(f, "};\n");
}

/* Of both ends of each link, in the order of the chain; or, of each link, of a word: as long as the slower end's. */
static void link_periods(FILE *f, const ts_boards *boards, bool ends)
{
    fprintf(f, "static const unsigned %s[] = {", ends ? "sim_link_ps" : "sim_word_ps");
    for (int k = 0; k < boards->count - 1; k++) {
        const ts_board *b = &boards->board[k], *next = b + 1;
        const int here = ps(b->clock[TS_CLOCK_LINKS + b->links - 1].mhz), there = ps(next->clock[TS_CLOCK_LINKS].mhz);
        if (ends)
            fprintf(f, "%s%d, %d", k ? ", " : "", here, there);
        else
            fprintf(f, "%s%d", k ? ", " : "", here > there ? here : there);
    }
    fprintf(f, "};\n");
}

static const char *header(ts_arena *arena, const ts_boards *boards)
{
    const int n = boards->count;
    ts_text text;
    FILE *f = ts_text_open(&text);
    fprintf(f,
            "// What tb/sim_library.cpp must know of the devices. Made by tessera.\n"
            "#define SIM_DEVICES %d\n#define SIM_HIT_BUS %d\n#define SIM_RESULT_BUS %d\n",
            n, boards->board[0].bus_bits, boards->board[n - 1].bus_bits);
    periods(f, boards, "sim_bus_ps", TS_CLOCK_BUS);
    periods(f, boards, "sim_engine_ps", TS_CLOCK_ENGINE);
    if (n > 1) {
        link_periods(f, boards, true);
        link_periods(f, boards, false);
    }
    fprintf(f, "static const unsigned long long sim_pages[] = {"); /* of each device's first loader */
    for (int k = 0; k < n; k++)
        fprintf(f, "%s0x%llxULL", k ? ", " : "", ts_board_page_base(0));
    fprintf(f, "};\n");
    return ts_text_close(&text, arena);
}

bool ts_run_put_simulation(const ts_packing *p, const ts_boards *boards)
{
    return ts_packing_template(p, "sim_library.cpp", "tb/sim_library.cpp") &&
           ts_packing_template(p, "sim_library.mk", "tb/sim_library.mk") &&
           ts_packing_text(p, "tb/sim_library.h", header(p->arena, boards)) &&
           ts_packing_text(p, "tb/devices.v", ts_boards_verilog(p->arena, boards));
}
