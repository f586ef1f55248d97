/* What stands beside the packages of several devices: a test bench of all of them, and who is connected with whom. */
#include <string.h>

#include "base/asset.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "board/package_target.h"
#include "board/run_json.h"
#include "design/manifest.h"

static const char *makefile(ts_arena *arena, const ts_boards *boards)
{
    ts_text text;
    FILE *f = ts_text_open(&text);
    fprintf(f,
            "# %s on %d devices, simulated together. Made by tessera.\n"
            "#   make sim    the self-checking bench of all devices, every clock its own, in Icarus Verilog\n"
            "#   make fast   the same in Verilator\n"
            "SIM = +stalls=30 +clocks=1 +lane_pauses=10\nWHERE = -y tb",
            boards->system->im->name, boards->count);
    for (int k = 0; k < boards->count; k++)
        fprintf(f, " -y device%d/rtl -y device%d/tb", k, k);
    fprintf(f, "\n\n"
               "sim: tb.vvp\n\tvvp -n tb.vvp $(SIM) | tee sim.log\n\tgrep -q '^PASS' sim.log && ! grep -q FAIL sim.log\n"
               "tb.vvp: $(wildcard tb/* device*/rtl/*.v device*/tb/*)\n\tiverilog -g2005 $(WHERE) -I tb -s tb -o $@ tb/system_tb.v\n"
               "fast: sim/Vtb\n\tsim/Vtb $(SIM) | tee sim.log\n\tgrep -q '^PASS' sim.log && ! grep -q FAIL sim.log\n"
               "sim/Vtb: $(wildcard tb/* device*/rtl/*.v device*/tb/*)\n"
               "\tverilator --binary --timing -Wno-fatal -Wno-lint -j 1 --top-module tb $(WHERE) -Itb tb/system_tb.v -Mdir sim\n"
               ".PHONY: sim fast\n");
    return ts_text_close(&text, arena);
}

/* What a host must know of all of them; NULL with a message. */
static json_t *run_of(ts_arena *arena, const ts_design *design, const ts_boards *boards, ts_err *err)
{
    ts_run_board *list = TS_NEW_N(arena, ts_run_board, boards->count);
    for (int k = 0; k < boards->count; k++)
        list[k] = (ts_run_board){&boards->board[k], ts_printf(arena, "device%d", k)};
    return ts_run_json(arena, design, list, boards->count, err);
}

static json_t *description(ts_arena *arena, const ts_boards *boards, json_t *run)
{
    json_t *devices = json_array(), *links = json_array();
    for (int k = 0; k < boards->count; k++) {
        const ts_board *b = &boards->board[k];
        char build[20];
        snprintf(build, sizeof build, "%016llx", (unsigned long long)b->build);
        json_array_append_new(devices, json_pack("{s:s, s:s, s:s, s:s, s:[i, i]}", "directory", ts_printf(arena, "device%d", k), "device",
                                                 b->device->name, "top", b->top, "build", build, "parts", b->first_ring,
                                                 b->first_ring + b->rings - 1));
        for (int n = 0; n < b->links; n++)
            if (b->link[n].sends)
                json_array_append_new(links, json_pack("{s:{s:i, s:i}, s:{s:i, s:i}, s:i, s:f}", "from", "device", k, "link", n, "to",
                                                       "device", b->link[n].peer, "link", b->link[n].peer_link, "word_bits",
                                                       b->link[n].way.word_bits, "mhz", b->clock[TS_CLOCK_LINKS + n].mhz));
    }
    return json_pack("{s:i, s:s, s:s, s:o, s:o, s:o}", "tessera_manifest", TS_MANIFEST_VERSION, "package", "devices", "model",
                     boards->system->im->name, "devices", devices, "links", links, "run", run);
}

static bool put_design_file(const ts_packing *p, const char *name)
{
    ts_arena *scratch = ts_arena_new();
    size_t bytes;
    const char *data = ts_file_read(scratch, ts_printf(scratch, "%s/%s", p->design->dir, name), &bytes, p->err);
    const bool ok = data && ts_packing_put(p, name, data, bytes);
    ts_arena_free(scratch);
    return ok;
}

bool ts_package_put_system(ts_arena *arena, const ts_design *design, const ts_boards *boards, const char *dir, ts_err *err)
{
    static const char *const files[] = {"mem/hits.hex", "mem/expect.hex", "mem/load.hex", "tb/ring.vh"};
    const ts_packing p = {.arena = arena, .design = design, .dir = dir, .err = err};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (json_object_get(json_object_get(design->manifest, "files"), files[i]) && !put_design_file(&p, files[i]))
            return false;
    if (!ts_packing_template(&p, "system_tb.v", "tb/system_tb.v") || !ts_packing_template(&p, "ts_sim_lane.v", "tb/ts_sim_lane.v") ||
        !ts_packing_text(&p, "tb/devices.vh", ts_boards_bench(arena, boards)) ||
        !ts_packing_text(&p, "Makefile", makefile(arena, boards)) || !ts_run_put_emulator(&p) || !ts_run_put_simulation(&p, boards))
        return false;
    json_t *run = run_of(arena, design, boards, err);
    return run && ts_manifest_write(arena, dir, description(arena, boards, run), err);
}
