#include "board/package.h"

#include <string.h>

#include "base/asset.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "board/registers.h"
#include "design/manifest.h"
#include "design/outdir.h"

const char *ts_package_target_name(ts_package_target target)
{
    static const char *const names[] = {
#define X(id, name, doc) name,
        TS_PACKAGE_TARGETS(X)
#undef X
    };
    return names[target];
}

typedef struct packing {
    ts_arena *arena;
    const ts_design *design;
    const ts_board *board;
    const char *dir; /* where it is made */
    ts_err *err;
} packing;

static bool starts(const char *name, const char *with)
{
    return strncmp(name, with, strlen(with)) == 0;
}

static bool put(const packing *p, const char *name, const void *data, size_t size)
{
    const char *path = ts_printf(p->arena, "%s/%s", p->dir, name);
    for (const char *slash = strchr(name, '/'); slash; slash = strchr(slash + 1, '/'))
        if (!ts_outdir_make(ts_printf(p->arena, "%s/%.*s", p->dir, (int)(slash - name), name), p->err))
            return false;
    return ts_file_create(path, data, size, p->err);
}

static bool put_text(const packing *p, const char *name, const char *text)
{
    return put(p, name, text, strlen(text));
}

/* Modules and templates of this program, which may be newer than the design. */
static bool put_assets(const packing *p)
{
    static const struct {
        const char *from, *to;
    } folders[] = {{"rtl/", "rtl/"}, {"src/board/templates/", "tb/"}, {"src/sim/templates/ts_sim_memory.v", "tb/ts_sim_memory.v"}};
    for (const ts_asset *a = ts_assets; a->name; a++)
        for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
            if (starts(a->name, folders[i].from) &&
                !put(p, ts_printf(p->arena, "%s%s", folders[i].to, a->name + strlen(folders[i].from)), a->data, a->size))
                return false;
    return true;
}

static bool is_asset(const char *name)
{
    for (const ts_asset *a = ts_assets; a->name; a++)
        if (strcmp(a->name, name) == 0)
            return true;
    return false;
}

/* The design's own files: images as they are, tops of parts beside the others. */
static bool put_design(const packing *p)
{
    const char *name;
    json_t *size;
    json_object_foreach(json_object_get(p->design->manifest, "files"), name, size)
    {
        const char *below = starts(name, "part") && strchr(name, '/') ? strchr(name, '/') + 1 : name, *to = NULL;
        if (starts(below, "mem/"))
            to = name;
        else if (starts(below, "rtl/") && !is_asset(below))
            to = below;
        else if (strcmp(name, "tb/ring.vh") == 0)
            to = name;
        if (!to)
            continue;
        ts_arena *scratch = ts_arena_new();
        size_t bytes;
        const char *data = ts_file_read(scratch, ts_printf(scratch, "%s/%s", p->design->dir, name), &bytes, p->err);
        const bool ok = data && put(p, to, data, bytes);
        ts_arena_free(scratch);
        if (!ok)
            return false;
    }
    return true;
}

/* ---- Targets */

static const char *makefile(ts_arena *arena, const ts_board *b)
{
    return ts_printf(
        arena,
        "# %s with open tools. Made by tessera.\n"
        "#   make sim       the self-checking bench, two clocks, in Icarus Verilog\n"
        "#   make lint      Verilator's lint\n"
        "#   make synth     Yosys: netlist.json and stat.txt, family %s\n"
        "TOP = %s\n"
        "SIM = +stalls=30 +bus=3700\n\n"
        "sim: tb.vvp\n\tvvp -n tb.vvp $(SIM) | tee sim.log\n\tgrep -q '^PASS' sim.log\n"
        "tb.vvp: $(wildcard rtl/*.v tb/*)\n\tiverilog -g2005 -y rtl -y tb -I tb -o $@ tb/board_tb.v\n"
        "lint:\n\tverilator --lint-only -Wall -Wno-DECLFILENAME -Wno-SYMRSVDWORD -Wno-WIDTHCONCAT -y rtl --top-module $(TOP) rtl/$(TOP).v\n"
        "synth: netlist.json\n"
        "netlist.json: $(wildcard rtl/*.v)\n"
        "\tyosys -q -p 'read_verilog -defer rtl/*.v; hierarchy -check -top $(TOP); synth_xilinx -family %s -noiopad -noclkbuf -top "
        "$(TOP); tee -q -o stat.txt stat; write_json netlist.json'\n"
        ".PHONY: sim lint synth\n",
        b->top, b->device->yosys_family, b->top, b->device->yosys_family);
}

static const char *core_file(ts_arena *arena, const packing *p)
{
    ts_text text;
    FILE *f = ts_text_open(&text);
    fprintf(f,
            "CAPI=2:\n# FuseSoC core of %s. Made by tessera.\nname: tessera:engines:%s:0.1.0\ndescription: %s on a board, AXI4-Stream and "
            "AXI4-Lite\n\nfilesets:\n"
            "  rtl:\n    file_type: verilogSource\n    files:\n",
            p->board->top, p->board->top, p->board->system->im->name);
    json_t *files = ts_design_files(arena, p->dir, p->err);
    const char *name;
    json_t *size;
    json_object_foreach(files, name, size) if (starts(name, "rtl/")) fprintf(f, "      - %s\n", name);
    fprintf(f, "  images:\n    file_type: user\n    files:\n");
    json_object_foreach(files, name, size) if (strstr(name, "mem/") && !starts(name, "rtl/"))
        fprintf(f, "      - %s : {copyto : %s}\n", name, name);
    json_decref(files);
    fprintf(f,
            "  bench:\n    file_type: verilogSource\n    files:\n      - tb/ring.vh : {is_include_file : true}\n      - tb/board.vh : "
            "{is_include_file : true}\n"
            "      - tb/registers.vh : {is_include_file : true}\n      - tb/ts_sim_memory.v\n      - tb/board_tb.v\n\n"
            "targets:\n  default: &default\n    filesets: [rtl, images]\n    toplevel: %s\n"
            "  sim:\n    <<: *default\n    filesets: [rtl, images, bench]\n    toplevel: tb\n    default_tool: icarus\n"
            "    tools:\n      icarus:\n        iverilog_options: [-g2005]\n"
            "  lint:\n    <<: *default\n    default_tool: verilator\n    tools:\n      verilator:\n        mode: lint-only\n",
            p->board->top);
    return ts_text_close(&text, arena);
}

/* ---- Vivado, out of context: commands and options as UG835 (v2022.2) has them */

static const char *clocks_xdc(ts_arena *arena, const ts_board *b)
{
    return ts_printf(
        arena,
        "# Clocks of %s, in nanoseconds. They are unrelated: paths between them have the constraints of the modules that cross.\n"
        "create_clock -name aclk -period %.3f [get_ports aclk]\n"
        "create_clock -name engine_clk -period %.3f [get_ports engine_clk]\n"
        "set_false_path -from [get_ports aresetn]\n",
        b->top, 1000 / b->bus_mhz, 1000 / b->engine_mhz);
}

static const char *build_tcl(ts_arena *arena, const ts_board *b)
{
    return ts_printf(arena,
                     "# Out-of-context synthesis and implementation of %s; made by tessera. From the package's directory:\n"
                     "#     vivado -mode batch -source vivado/build.tcl\n"
                     "# Reports and a checkpoint go to vivado/out. Never run by those who made it: no Vivado was there.\n"
                     "set out vivado/out\n"
                     "file mkdir $out\n"
                     "read_verilog [glob rtl/*.v]\n"
                     "read_xdc -mode out_of_context vivado/clocks.xdc\n"
                     "synth_design -top %s -part %s -mode out_of_context\n"
                     "foreach constraints {ts_async_fifo ts_sync ts_reset} { source rtl/$constraints.xdc.tcl }\n"
                     "report_utilization -hierarchical -file $out/utilization_synth.rpt\n"
                     "opt_design\n"
                     "place_design\n"
                     "phys_opt_design\n"
                     "route_design\n"
                     "report_timing_summary -max_paths 20 -file $out/timing.rpt\n"
                     "report_utilization -hierarchical -file $out/utilization.rpt\n"
                     "report_cdc -details -file $out/cdc.rpt\n"
                     "report_methodology -file $out/methodology.rpt\n"
                     "write_checkpoint -force $out/%s.dcp\n"
                     "set slack [get_property SLACK [get_timing_paths -max_paths 1 -nworst 1 -setup]]\n"
                     "puts \"worst slack: $slack ns\"\n"
                     "if {$slack < 0} { exit 1 }\n",
                     b->top, b->top, b->device->part, b->top);
}

/* The memory images are found from the directory that Vivado is started in. */
static bool put_vivado(const packing *p)
{
    const char *family = p->board->device->yosys_family;
    if (strncmp(family, "xc", 2) != 0)
        return ts_fail_as(p->err, TS_USAGE, "%s: Vivado does not build for %s", ts_option("target"), p->board->device->title);
    return put_text(p, "vivado/clocks.xdc", clocks_xdc(p->arena, p->board)) &&
           put_text(p, "vivado/build.tcl", build_tcl(p->arena, p->board));
}

static bool put_target(const packing *p, ts_package_target target)
{
    switch (target) {
    case TS_PACKAGE_RTL:
    case TS_PACKAGE_COUNT:
        return true;
    case TS_PACKAGE_YOSYS:
        return put_text(p, "Makefile", makefile(p->arena, p->board));
    case TS_PACKAGE_VIVADO:
        return put_vivado(p);
    case TS_PACKAGE_FUSESOC:
        return put_text(p, ts_printf(p->arena, "%s.core", p->board->top), core_file(p->arena, p));
    }
    BUG("no such target");
}

/* ---- All of it */

static json_t *description(const ts_board *b, ts_package_target target)
{
    static const char *const kinds[] = {"control", "hits", "results", "pages"};
    json_t *buses = json_array();
    for (int i = 0; i < b->buses; i++)
        json_array_append_new(buses, json_pack("{s:s, s:s, s:s, s:s, s:i}", "name", b->bus[i].name, "what", kinds[b->bus[i].kind], "side",
                                               b->bus[i].master ? "master" : "slave", "clock", "aclk", "data_bits", b->bus[i].data_bits));
    char build[20];
    snprintf(build, sizeof build, "%016llx", (unsigned long long)b->build);
    return json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:{s:f, s:f}, s:o}", "tessera_manifest", TS_MANIFEST_VERSION, "package",
                     ts_package_target_name(target), "model", b->system->im->name, "top", b->top, "device", b->device->name, "build", build,
                     "clock_mhz", "engine_clk", b->engine_mhz, "aclk", b->bus_mhz, "interfaces", buses);
}

static bool put_all(const packing *p, ts_package_target target)
{
    const ts_registers *r = ts_registers_of(p->arena, p->board);
    const struct {
        const char *name, *text;
    } files[] = {
        {ts_printf(p->arena, "rtl/%s.v", p->board->top), ts_board_verilog(p->arena, p->board)},
        {ts_printf(p->arena, "rtl/%s_registers.v", p->board->top), ts_registers_verilog(p->arena, p->board, r)},
        {ts_printf(p->arena, "%s_registers.h", p->board->top), ts_registers_c(p->arena, p->board, r)},
        {"registers.md", ts_registers_page(p->arena, p->board, r)},
        {"registers_ipbus.xml", ts_registers_ipbus(p->arena, p->board, r)},
        {"tb/board.vh", ts_board_bench(p->arena, p->board)},
        {"tb/registers.vh", ts_registers_vh(p->arena, r)},
    };
    if (!ts_outdir_make(p->dir, p->err) || !put_design(p) || !put_assets(p))
        return false;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (!put_text(p, files[i].name, files[i].text))
            return false;
    return put_target(p, target) && ts_manifest_write(p->arena, p->dir, description(p->board, target), p->err);
}

bool ts_package(ts_arena *arena, const ts_design *design, const ts_package_options *options, const char *out, ts_board *board, ts_err *err)
{
    const ts_device *device = ts_design_device(arena, design->part[0].dir ? design->part[0].dir : design->dir, design->part[0].device, err);
    const char *manifest = ts_json_text(arena, design->manifest, JSON_COMPACT | JSON_SORT_KEYS);
    ts_outdir made;
    if (!device || !ts_board_of(arena, &design->system, device, manifest, &options->board, board, err) ||
        !ts_outdir_begin(arena, out, &made, err))
        return false;
    const packing p = {arena, design, board, made.temp, err};
    if (put_all(&p, options->target))
        return ts_outdir_commit(arena, &made, err);
    ts_fail_in(err, "%s", out);
    ts_outdir_abort(&made);
    return false;
}
