#include "board/package.h"

#include <string.h>

#include "base/asset.h"
#include "base/crc.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "board/package_target.h"
#include "board/registers.h"
#include "board/run_json.h"
#include "design/manifest.h"
#include "design/outdir.h"

typedef enum { RESULTS_STREAM, RESULTS_MEMORY, RESULTS_BOARD } taker;

static const struct {
    const char *name, *what;
    taker results;
    bool (*check)(const ts_board *board, ts_err *err);
    bool (*put)(const ts_packing *p);
} targets[] = {
#define TARGET(id, name, check, results, what) {name, what, RESULTS_##results, ts_package_check_##check, ts_package_put_##id},
#include "board/targets.def"
#undef TARGET
};

const char *ts_package_target_name(ts_package_target target)
{
    return targets[target].name;
}

const char *ts_package_target_what(ts_package_target target)
{
    return targets[target].what;
}

bool ts_package_check_any(const ts_board *board, ts_err *err)
{
    return true;
}

bool ts_package_check_xilinx(const ts_board *board, ts_err *err)
{
    return strncmp(board->device->yosys_family, "xc", 2) == 0 ||
           ts_fail_as(err, TS_USAGE, "%s: Vivado does not build for %s", ts_option("target"), board->device->title);
}

bool ts_package_put_RTL(const ts_packing *p)
{
    return true;
}

static bool starts(const char *name, const char *with)
{
    return strncmp(name, with, strlen(with)) == 0;
}

static bool ends(const char *name, const char *with)
{
    const size_t n = strlen(name), w = strlen(with);
    return n >= w && strcmp(name + n - w, with) == 0;
}

bool ts_packing_put(const ts_packing *p, const char *name, const void *data, size_t size)
{
    const char *path = ts_printf(p->arena, "%s/%s", p->dir, name);
    for (const char *slash = strchr(name, '/'); slash; slash = strchr(slash + 1, '/'))
        if (!ts_outdir_make(ts_printf(p->arena, "%s/%.*s", p->dir, (int)(slash - name), name), p->err))
            return false;
    return ts_file_create(path, data, size, p->err);
}

bool ts_packing_text(const ts_packing *p, const char *name, const char *text)
{
    return ts_packing_put(p, name, text, strlen(text));
}

bool ts_packing_template(const ts_packing *p, const char *template_name, const char *name)
{
    const char *path = ts_printf(p->arena, "src/board/templates/%s", template_name);
    for (const ts_asset *a = ts_assets; a->name; a++)
        if (strcmp(a->name, path) == 0)
            return ts_packing_put(p, name, a->data, a->size);
    BUG("no such template");
}

bool ts_packing_files(const ts_packing *p, const char *folder, ts_packing_file *each, void *user)
{
    json_t *files = ts_design_files(p->arena, p->dir, p->err), *size;
    const char *name;
    json_object_foreach(files, name, size) if (starts(name, folder)) each(user, name);
    json_decref(files);
    return files != NULL;
}

/* Modules and benches of this program, which may be newer than the design. */
static bool put_assets(const ts_packing *p)
{
    static const struct {
        const char *from, *end, *to;
    } folders[] = {{"rtl/", "", "rtl/"},
                   {"rtl/check/", "", "tb/"},
                   {"src/board/templates/board_tb.v", "", "tb/board_tb.v"},
                   {"src/board/templates/ts_sim_lane.v", "", "tb/ts_sim_lane.v"},
                   {"src/sim/templates/ts_sim_memory.v", "", "tb/ts_sim_memory.v"}};
    for (const ts_asset *a = ts_assets; a->name; a++)
        for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
            if (starts(a->name, folders[i].from) && !strchr(a->name + strlen(folders[i].from), '/') && ends(a->name, folders[i].end) &&
                !ts_packing_put(p, ts_printf(p->arena, "%s%s", folders[i].to, a->name + strlen(folders[i].from)), a->data, a->size))
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

static bool copy(const ts_packing *p, const char *from, const char *to)
{
    ts_arena *scratch = ts_arena_new();
    size_t bytes;
    const char *data = ts_file_read(scratch, ts_printf(scratch, "%s/%s", p->design->dir, from), &bytes, p->err);
    const bool ok = data && ts_packing_put(p, to, data, bytes);
    ts_arena_free(scratch);
    return ok;
}

/* Its name without that of the part's directory, and which part it is; -1: of the whole. */
static const char *in_part(const char *name, int *part)
{
    int n = 0;
    *part = -1;
    if (sscanf(name, "part%d/%n", part, &n) == 1 && n)
        return name + n;
    *part = -1;
    return name;
}

/* The design's own files, as far as they belong to the board: images, as the top finds them; tops of parts beside the others; what the
   bench needs. Of several devices, those of this one's rings are in the parts. */
static bool put_design(const ts_packing *p)
{
    const ts_board *b = p->board;
    const bool whole = b->rings == p->design->parts;
    const char *name;
    json_t *size;
    json_object_foreach(json_object_get(p->design->manifest, "files"), name, size)
    {
        int part;
        const char *below = in_part(name, &part), *to = NULL;
        const bool mine = part < 0 ? whole : part >= b->first_ring && part < b->first_ring + b->rings;
        /* Of several rings on one of several devices, the parts' benches are none for the device. */
        const bool bench = strcmp(below, "tb/ring.vh") == 0 || strcmp(below, "mem/hits.hex") == 0 || strcmp(below, "mem/expect.hex") == 0 ||
                           strcmp(below, "mem/load.hex") == 0;
        if (!mine)
            continue;
        if (starts(below, "mem/") || bench)
            to = part < 0 || (b->rings == 1 && !whole) ? below
                 : bench                               ? NULL
                                                       : ts_printf(p->arena, "part%d/%s", part - b->first_ring, below);
        else if (starts(below, "rtl/") && !is_asset(below))
            to = below;
        if (to && !copy(p, name, to))
            return false;
    }
    return true;
}

/* What the bench of several rings on one of several devices needs, and the module that connects them. */
static bool put_chain(const ts_packing *p)
{
    const ts_board *b = p->board;
    if (b->rings == 1 || b->rings == p->design->parts)
        return true;
    for (const ts_bench_file *file = ts_bench_make(p->arena, b->system, &(ts_bench_events){0}); file->name; file++)
        if ((starts(file->name, "mem/") || ends(file->name, ".vh")) && !ts_packing_text(p, file->name, file->text))
            return false;
    return ts_packing_text(p, ts_printf(p->arena, "rtl/%s.v", b->core), ts_system_text(p->arena, b->system));
}

/* ---- All of it */

static json_t *description(const ts_board *b, ts_package_target target, json_t *run)
{
    json_t *buses = json_array(), *clocks = json_object();
    for (int i = 0; i < b->clocks; i++)
        json_object_set_new(clocks, b->clock[i].name, json_real(b->clock[i].mhz));
    for (int i = 0; i < b->buses; i++) {
        const ts_bus *bus = &b->bus[i];
        json_array_append_new(buses, json_pack("{s:s, s:s, s:s, s:s, s:i, s:i}", "name", bus->name, "what", ts_bus_kind_name(bus->kind),
                                               "side", bus->master ? "master" : "slave", "clock", b->clock[bus->clock].name, "data_bits",
                                               bus->data_bits, "number", bus->number));
    }
    char build[20];
    snprintf(build, sizeof build, "%016llx", (unsigned long long)b->build);
    return json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:o*}", "tessera_manifest", TS_MANIFEST_VERSION, "package",
                     ts_package_target_name(target), "model", b->system->im->name, "top", b->top, "device", b->device->name, "build", build,
                     "clock_mhz", clocks, "interfaces", buses, "run", run);
}

/* The package of one device, in p->dir. */
static bool put_device(const ts_packing *p, const ts_boards *boards, ts_package_target target, const ts_weights *weights)
{
    const ts_registers *r = p->registers;
    const bool alone = p->board->rings == p->design->parts; /* else what a host must know is beside the devices' packages */
    const struct {
        const char *name, *text;
    } files[] = {
        {ts_printf(p->arena, "rtl/%s.v", p->board->top), ts_board_verilog(p->arena, p->board)},
        {ts_printf(p->arena, "rtl/%s_registers.v", p->board->top), ts_registers_verilog(p->arena, p->board, r)},
        {ts_printf(p->arena, "%s_registers.h", p->board->top), ts_registers_c(p->arena, p->board, r)},
        {ts_printf(p->arena, "%s_registers.py", p->board->top), ts_registers_python(p->arena, p->board, r)},
        {"registers.md", ts_registers_page(p->arena, p->board, r)},
        {"registers_ipbus.xml", ts_registers_ipbus(p->arena, p->board, r)},
        {ts_printf(p->arena, "tb/%s_sim.v", p->board->top), ts_board_simulated(p->arena, p->board)},
        {"tb/board.vh", ts_board_bench(p->arena, p->board)},
        {"tb/registers.vh", ts_registers_vh(p->arena, r)},
    };
    if (!ts_outdir_make(p->dir, p->err) || !put_design(p) || !put_chain(p) || !put_assets(p) ||
        (alone && (!ts_run_put_emulator(p) || !ts_run_put_simulation(p, boards))))
        return false;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (!ts_packing_text(p, files[i].name, files[i].text))
            return false;
    if ((weights && !ts_package_put_next(p, weights)) || !targets[target].put(p))
        return false;
    json_t *run = alone ? ts_run_json(p->arena, p->design, &(ts_run_board){p->board, "."}, 1, p->err) : NULL;
    return (run || !alone) && ts_manifest_write(p->arena, p->dir, description(p->board, target, run), p->err);
}

static bool put_all(ts_arena *arena, const ts_design *design, const ts_boards *boards, ts_package_target target, const ts_weights *weights,
                    const char *dir, ts_err *err)
{
    if (boards->count > 1 && !ts_outdir_make(dir, err))
        return false;
    for (int k = 0; k < boards->count; k++) {
        const ts_board *board = &boards->board[k];
        const ts_packing p = {.arena = arena,
                              .design = design,
                              .board = board,
                              .registers = ts_registers_of(arena, board),
                              .dir = boards->count > 1 ? ts_printf(arena, "%s/device%d", dir, k) : dir,
                              .err = err};
        if (!put_device(&p, boards, target, weights))
            return false;
    }
    return boards->count == 1 || ts_package_put_system(arena, design, boards, dir, err);
}

bool ts_package(ts_arena *arena, const ts_design *design, const ts_package_options *options, const char *out, ts_boards *boards,
                ts_err *err)
{
    const ts_device **device = TS_NEW_N(arena, const ts_device *, design->parts);
    for (int i = 0; i < design->parts; i++)
        if (!(device[i] = ts_design_device(arena, design->part[i].dir ? design->part[i].dir : design->dir, design->part[i].device, err)))
            return false;
    const char *manifest = ts_json_text(arena, design->manifest, JSON_COMPACT | JSON_SORT_KEYS);
    ts_outdir made;
    ts_board_options how = options->board;
    const taker results = targets[options->target].results;
    if (options->status_by_target)
        how.status_word = results == RESULTS_MEMORY || (results == RESULTS_BOARD && device[design->parts - 1]->board.processor);
    if (!ts_boards_of(arena, &design->system, device, manifest, &how, boards, err))
        return false;
    for (int k = 0; k < boards->count; k++)
        if (!targets[options->target].check(&boards->board[k], err))
            return false;
    if (options->weights && boards->count > 1)
        return ts_fail_as(err, TS_UNSUPPORTED, "%s: benches of several devices do not change weights", ts_option("weights"));
    if (!ts_outdir_begin(arena, out, &made, err))
        return false;
    uint32_t crc = TS_CRC32C;
    for (int r = 0; options->weights && r < options->weights->rings; r++) {
        boards->board[0].next_writes += options->weights->ring[r].writes;
        boards->board[0].next_crc = crc = ts_weights_crc(options->weights, r, crc);
    }
    if (put_all(arena, design, boards, options->target, options->weights, made.temp, err))
        return ts_outdir_commit(arena, &made, err);
    ts_fail_in(err, "%s", out);
    ts_outdir_abort(&made);
    return false;
}
