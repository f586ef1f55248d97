/* The signals of the interfaces. */
#include <string.h>

#include "board/board.h"

const char *ts_bus_kind_name(ts_bus_kind kind)
{
    static const char *const names[] = {"control", "hits", "results", "pages", "link in", "link out"};
    _Static_assert(sizeof names / sizeof *names == TS_BUS_KINDS, "a name each");
    return names[kind];
}

enum { DATA = -1, KEEP = -2, ADDRESS = -3 }; /* widths that the interface says */

/* As a master has them. */
typedef struct row {
    const char *name;
    bool output;
    int bits;
} row;

static const row lite[] = {{"awvalid", true, 1},  {"awready", false, 1},     {"awaddr", true, ADDRESS}, {"awprot", true, 3},
                           {"wvalid", true, 1},   {"wready", false, 1},      {"wdata", true, DATA},     {"wstrb", true, KEEP},
                           {"bvalid", false, 1},  {"bready", true, 1},       {"bresp", false, 2},       {"arvalid", true, 1},
                           {"arready", false, 1}, {"araddr", true, ADDRESS}, {"arprot", true, 3},       {"rvalid", false, 1},
                           {"rready", true, 1},   {"rdata", false, DATA},    {"rresp", false, 2},       {NULL, false, 0}};
static const row reads[] = {{"arvalid", true, 1},   {"arready", false, 1}, {"araddr", true, ADDRESS}, {"arlen", true, 8},
                            {"arsize", true, 3},    {"arburst", true, 2},  {"rvalid", false, 1},      {"rready", true, 1},
                            {"rdata", false, DATA}, {"rresp", false, 2},   {"rlast", false, 1},       {NULL, false, 0}};
static const row hits[] = {{"tvalid", true, 1},   {"tready", false, 1}, {"tdata", true, DATA},
                           {"tkeep", true, KEEP}, {"tlast", true, 1},   {NULL, false, 0}};
static const row results[] = {{"tvalid", true, 1}, {"tready", false, 1}, {"tdata", true, DATA}, {"tkeep", true, KEEP},
                              {"tlast", true, 1},  {"tuser", true, 2},   {NULL, false, 0}};
static const row link_in[] = {{"tvalid", true, 1}, {"tdata", true, DATA}, {NULL, false, 0}}; /* what comes is always taken */
static const row link_out[] = {{"tvalid", true, 1}, {"tready", false, 1}, {"tdata", true, DATA}, {NULL, false, 0}};

int ts_bus_signals(const ts_bus *bus, ts_bus_signal signal[TS_BUS_SIGNALS_MAX])
{
    static const row *const rows[] = {[TS_BUS_CONTROL] = lite, [TS_BUS_HITS] = hits,       [TS_BUS_RESULTS] = results,
                                      [TS_BUS_PAGES] = reads,  [TS_BUS_LINK_IN] = link_in, [TS_BUS_LINK_OUT] = link_out};
    int count = 0;
    for (const row *r = rows[bus->kind]; r->name; r++) {
        CHECK(count < TS_BUS_SIGNALS_MAX);
        const int bits = r->bits == DATA      ? bus->data_bits
                         : r->bits == KEEP    ? bus->data_bits / 8
                         : r->bits == ADDRESS ? bus->address_bits
                                              : r->bits;
        signal[count++] = (ts_bus_signal){r->name, r->output == bus->master, bits};
    }
    return count;
}
