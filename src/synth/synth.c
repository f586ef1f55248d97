#define TS_FAIL_CODE TS_NO_TOOL
#include "synth/synth.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "design/outdir.h"
#include "emit/top.h"
#include "process/process.h"
#include "synth/paths.h"

/* A shift by a variable of 6 bits, or an adder and a selection of one out of 16, or two adders and a selection of one out of 4: about
   three LUTs in a row between registers, which the vendors' speed grades of UltraScale+ bear at 250-300 MHz. */
enum { LOG_CHARS = 700, DEPTH_LIMIT = 6 };

/* What a cell counts as: docs/devices.md, "Counting". A name that ends in '*' stands for all that begin so. */
typedef struct rule {
    const char *cell;
    double lut, ff, dsp, bram36, uram;
} rule;
static const rule rules[] = {
    /* AMD: distributed RAM takes as many LUTs as the primitive is wide; shift registers one each. */
    {"LUT*", .lut = 1},
    {"SRL16E", .lut = 1},
    {"SRLC32E", .lut = 1},
    {"RAM32M16", .lut = 8},
    {"RAM64M8", .lut = 8},
    {"RAM32M", .lut = 4},
    {"RAM64M", .lut = 4},
    {"RAM32X1D", .lut = 2},
    {"RAM64X1D", .lut = 2},
    {"RAM128X1D", .lut = 4},
    {"RAM256X1D", .lut = 8},
    {"RAM32X1S", .lut = 1},
    {"RAM64X1S", .lut = 1},
    {"FD*", .ff = 1},
    {"DSP48*", .dsp = 1},
    {"RAMB36*", .bram36 = 1},
    {"RAMB18*", .bram36 = 0.5},
    {"URAM288*", .uram = 1},
    /* Lattice. */
    {"LUT4", .lut = 1},
    {"CCU2C", .lut = 2},
    {"TRELLIS_FF", .ff = 1},
    {"TRELLIS_DPR16X4", .lut = 6},
    {"MULT18X18D", .dsp = 1},
    {"DP16KD", .bram36 = 0.5},
    {"SB_LUT4", .lut = 1},
    {"SB_DFF*", .ff = 1},
    {"SB_MAC16", .dsp = 1},
    {"SB_RAM40*", .bram36 = 0.125},
    {"SB_SPRAM256KA", .uram = 1},
};

static void count_cell(const char *cell, double number, ts_resources *r)
{
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        const size_t n = strlen(rules[i].cell);
        const bool prefix = rules[i].cell[n - 1] == '*';
        if (prefix ? strncmp(cell, rules[i].cell, n - 1) != 0 : strcmp(cell, rules[i].cell) != 0)
            continue;
        r->lut += number * rules[i].lut;
        r->ff += number * rules[i].ff;
        r->dsp += number * rules[i].dsp;
        r->bram36 += number * rules[i].bram36;
        r->uram += number * rules[i].uram;
        return;
    }
}

/* The totals of `stat -top`: the last "Number of cells:" and the lines "CELL COUNT" below it. */
static bool read_stat(ts_arena *arena, const char *path, ts_resources *found, ts_err *err)
{
    size_t size;
    char *text = ts_file_read(arena, path, &size, err);
    if (!text)
        return false;
    char *at = NULL;
    for (char *p = text; (p = strstr(p, "Number of cells:")); p++)
        at = p;
    if (!at)
        return ts_fail(err, "%s: Yosys printed no cell counts", path);
    *found = (ts_resources){0};
    for (char *rest = NULL, *line = strtok_r(strchr(at, '\n'), "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        char cell[64];
        double number;
        if (sscanf(line, " %63s %lf", cell, &number) != 2)
            break;
        count_cell(cell, number, found);
    }
    return true;
}

static const char *synth_command(ts_arena *arena, const ts_device *device)
{
    const char *family = device->yosys_family;
    if (ts_device_is_xilinx(device))
        return ts_printf(arena, "synth_xilinx -family %s -noiopad -noclkbuf", family);
    return ts_printf(arena, "synth_%s", family);
}

static bool write_script(ts_arena *arena, const char *dir, const char *top, const ts_device *device, ts_err *err)
{
    const char *word = ts_printf(arena,
                                 "read_verilog rtl/*.v\nhierarchy -check -top "
                                 "%s\nproc\nopt_expr\nopt_clean\nmemory_dff\nopt_dff\nopt_clean\nwrite_json synth/word.json\n",
                                 top);
    const char *map =
        ts_printf(arena, "read_verilog rtl/*.v\nhierarchy -check -top %s\n%s -top %s\ntee -q -o synth/stat.txt stat -top %s\n", top,
                  synth_command(arena, device), top, top);
    return ts_file_write(ts_printf(arena, "%s/word.ys", dir), word, strlen(word), err) &&
           ts_file_write(ts_printf(arena, "%s/map.ys", dir), map, strlen(map), err);
}

/* Runs DIR/synth/SCRIPT.ys in DIR, where the memory images are found. */
static bool run_yosys(ts_arena *arena, const char *dir, const char *script, ts_err *err)
{
    const char *log = ts_printf(arena, "%s/synth/%s.log", dir, script);
    const char *const argv[] = {"yosys", "-q", ts_printf(arena, "synth/%s.ys", script), NULL};
    remove(log);
    const int status = ts_process_run(dir, argv, log, err);
    if (status == 0 || err->msg[0])
        return status == 0;
    return ts_fail(err, "yosys failed on %s/synth/%s.ys (status %d): %s", dir, script, status, ts_process_log_tail(arena, log, LOG_CHARS));
}

static void read_version(ts_arena *arena, const char *dir, char tool[64])
{
    ts_err err = {""};
    const char *const argv[] = {"yosys", "-V", NULL};
    const char *log = ts_printf(arena, "%s/version.log", dir);
    size_t size;
    remove(log);
    const char *text = ts_process_run(dir, argv, log, &err) == 0 ? ts_file_read(arena, log, &size, &err) : NULL;
    snprintf(tool, 64, "%.12s", text ? text : "Yosys"); /* without the build's hash */
    tool[strcspn(tool, "\n(")] = 0;
}

bool ts_synth(ts_arena *arena, const ts_design *design, const ts_device *device, const ts_synth_options *opt, ts_synth_result *result,
              ts_err *err)
{
    const double began = ts_seconds();
    const char *dir = ts_printf(arena, "%s/synth", design->dir), *top = ts_top_name(arena, design->im);
    if (strcmp(device->yosys_family, "versal") == 0)
        return ts_fail_as(err, TS_UNSUPPORTED, "Yosys does not know Versal, which %s is: its resources are predicted only", device->name);
    *result = (ts_synth_result){.adders.limit = design->plan.reg, .depth.limit = DEPTH_LIMIT};
    if (!ts_outdir_make(dir, err) || !write_script(arena, dir, top, device, err))
        return false;
    if (opt && opt->progress)
        opt->progress(opt->progress_user, "checking paths");
    ts_paths paths;
    if (!run_yosys(arena, design->dir, "word", err) || !ts_paths_check(arena, ts_printf(arena, "%s/word.json", dir), top, &paths, err))
        return false;
    if (opt && opt->progress)
        opt->progress(opt->progress_user, "synthesising");
    if (!run_yosys(arena, design->dir, "map", err) || !read_stat(arena, ts_printf(arena, "%s/stat.txt", dir), &result->found, err))
        return false;
    read_version(arena, dir, result->tool);
    result->latches = paths.latches;
    result->soft_multipliers = paths.multipliers > (long long)result->found.dsp ? paths.multipliers - (long long)result->found.dsp : 0;
    const char *module;
    result->adders.found = ts_paths_adders(&paths, &module);
    snprintf(result->adders.module, sizeof result->adders.module, "%s", module);
    result->depth.found = ts_paths_depth(&paths, &module);
    snprintf(result->depth.module, sizeof result->depth.module, "%s", module);
    result->seconds = ts_seconds() - began;
    return true;
}
