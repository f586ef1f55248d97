#include "board/package.h"

#include "api/call.h"
#include "base/json.h"
#include "base/text.h"

const char *tessera_target_name(tessera_target target)
{
    return target >= 0 && target < (tessera_target)TS_PACKAGE_COUNT ? ts_package_target_name((ts_package_target)target) : NULL;
}

const char *tessera_target_what(tessera_target target)
{
    return target >= 0 && target < (tessera_target)TS_PACKAGE_COUNT ? ts_package_target_what((ts_package_target)target) : NULL;
}

typedef struct job {
    const tessera_package_options *options;
    tessera_report **report;
} job;

static void board_lines(FILE *f, const ts_board *b, const char *out)
{
    fprintf(f, "%s: %s for %s, aclk %g MHz, engine_clk %g MHz", out, b->top, b->device->title, b->clock[TS_CLOCK_BUS].mhz,
            b->clock[TS_CLOCK_ENGINE].mhz);
    if (b->bus_bits)
        fprintf(f, ", streams of %d bits%s", b->bus_bits, b->status_word ? ", a status word behind each event" : "");
    fputc('\n', f);
    for (int i = 0; i < b->buses; i++)
        fprintf(f, "  %-15s %s, %d bits, %s\n", b->bus[i].name, b->bus[i].master ? "master" : "slave", b->bus[i].data_bits,
                b->clock[b->bus[i].clock].name);
}

static json_t *board_json(const ts_board *b)
{
    return json_pack("{s:s, s:s, s:i}", "top", b->top, "device", b->device->name, "bus_bits", b->bus_bits);
}

static tessera_report *result(ts_arena *arena, const ts_boards *boards, const char *out)
{
    ts_text text;
    FILE *f = ts_text_open(&text);
    json_t *json = NULL;
    if (boards->count == 1) {
        board_lines(f, &boards->board[0], out);
        json = board_json(&boards->board[0]);
        fprintf(f, "simulate it: cd %s && iverilog -g2005 -y rtl -y tb -I tb -o tb.vvp tb/board_tb.v && vvp -n tb.vvp +stalls=30\n", out);
    } else {
        json_t *devices = json_array();
        for (int k = 0; k < boards->count; k++) {
            board_lines(f, &boards->board[k], ts_printf(arena, "%s/device%d", out, k));
            json_array_append_new(devices, board_json(&boards->board[k]));
        }
        json = json_pack("{s:o}", "devices", devices);
        fprintf(f, "simulate all of it: make -C %s sim\n", out);
    }
    tessera_report *report = ts_report_new(ts_text_close(&text, arena), ts_json_text(arena, json, JSON_INDENT(2)));
    json_decref(json);
    return report;
}

static bool package(void *user, const ts_notices *notices, ts_err *err)
{
    const job *j = user;
    tessera_package_options o;
    if (!TS_TAKE_OPTIONS(&o, j->options, tessera_package_options, err))
        return false;
    if (!o.directory || !o.output)
        return ts_fail_as(err, TS_USAGE, "%s: the directory of a compiled design, and where its package is written, are needed",
                          ts_option(o.directory ? "output" : "directory"));
    ts_package_options how = {.target = (ts_package_target)o.target,
                              .status_by_target = o.status == TESSERA_STATUS_AUTO,
                              .board = {.bus_bits = o.bus_bits, .bus_mhz = o.bus_mhz, .status_word = o.status == TESSERA_STATUS_WORD}};
    if (o.status < TESSERA_STATUS_AUTO || o.status > TESSERA_STATUS_WORD)
        return ts_fail_as(err, TS_USAGE, "%s: there is no status %d", ts_option("status"), o.status);
    if (how.target < 0 || how.target >= TS_PACKAGE_COUNT)
        return ts_fail_as(err, TS_USAGE, "%s: there is no target %d", ts_option("target"), o.target);
    ts_arena *arena = ts_arena_new();
    ts_design design;
    ts_boards boards;
    ts_notice_step(notices, "packaging %s", o.directory);
    bool ok = ts_design_load(arena, o.directory, &design, err);
    if (ok) {
        ts_weights weights;
        ok = ts_design_verify(arena, &design, err) && (!o.weights || ts_weights_load(arena, &design, o.weights, &weights, err));
        how.weights = o.weights ? &weights : NULL;
        ok = ok && ts_package(arena, &design, &how, o.output, &boards, err);
        ts_design_free(&design);
    }
    ts_notice_step_end(notices);
    if (ok && j->report)
        *j->report = result(arena, &boards, o.output);
    ts_arena_free(arena);
    return ok;
}

tessera_code tessera_package(const tessera_package_options *options, const tessera_callbacks *callbacks, tessera_report **report,
                             tessera_error *error)
{
    if (report)
        *report = NULL;
    return ts_call(callbacks, error, package, &(job){options, report});
}
