#define TS_FAIL_CODE TS_DAMAGED
#include "design/report.h"

#include <math.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "design/outdir.h"

json_t *ts_report_load(const char *dir, ts_err *err)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/" TS_REPORT, dir);
    json_t *report = ts_json_load(path, err);
    if (json_is_object(report))
        return report;
    json_decref(report);
    ts_fail(err, "%s: is not a report", path);
    err->code = TS_DAMAGED;
    ts_fail_in(err, "compile the model again");
    return NULL;
}

char *ts_report_text(ts_arena *arena, const json_t *report)
{
    return ts_json_text(arena, report, JSON_INDENT(1) | JSON_SORT_KEYS | JSON_REAL_PRECISION(10));
}

bool ts_report_write(const char *path, const json_t *report, ts_err *err)
{
    ts_arena *scratch = ts_arena_new();
    const char *text = ts_report_text(scratch, report);
    const bool ok = ts_file_write(path, text, strlen(text), err);
    ts_arena_free(scratch);
    return ok;
}

/* With the design's lock. */
static bool put(const ts_design *design, const char *member, json_t *value, ts_err *err)
{
    char path[4096];
    if (!ts_design_is_there(design))
        return ts_fail_as(err, TS_NOT_WRITTEN, "%s: another design was compiled there meanwhile; its report is left alone", design->dir);
    json_t *report = ts_report_load(design->dir, err);
    if (!report)
        return false;
    json_object_set(report, member, value);
    snprintf(path, sizeof path, "%s/" TS_REPORT, design->dir);
    const bool ok = ts_report_write(path, report, err);
    json_decref(report);
    return ok;
}

bool ts_report_put(const ts_design *design, const char *member, json_t *value, ts_err *err)
{
    int lock;
    bool ok = ts_outdir_lock(design->dir, &lock, err);
    if (ok) {
        ok = put(design, member, value, err);
        ts_outdir_unlock(lock);
    }
    json_decref(value);
    return ok;
}

static double get(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

static void cell(FILE *out, double value)
{
    if (isnan(value))
        fprintf(out, "%12s", "-");
    else
        fprintf(out, "%12.10g", round(2 * value) / 2);
}

static void cycles_row(FILE *out, const char *what, double cycles, double clock)
{
    if (!isnan(cycles))
        fprintf(out, "  %-34s %10.0f cycles %10.1f us\n", what, cycles, cycles / clock);
}

static const char *const resources[] = {
#define X(name, title) #name,
    TS_RESOURCES(X)
#undef X
};
enum { RESOURCES = sizeof resources / sizeof *resources };

static void print_resources(FILE *out, const json_t *report)
{
    const json_t *predicted = json_object_get(json_object_get(report, "predicted"), "resources");
    const json_t *yosys = json_object_get(predicted, "yosys"), *device = json_object_get(predicted, "device");
    const json_t *found = json_object_get(json_object_get(report, "synthesised"), "resources");
    const json_t *has = json_object_get(report, "device_has");
    if (!yosys)
        return;
    fprintf(out, "  resources%12s%12s%12s%12s\n", "yosys", "device", "of the part", found ? "synthesised" : "");
    for (int i = 0; i < RESOURCES; i++) {
        fprintf(out, "  %-9s", resources[i]);
        cell(out, get(yosys, resources[i]));
        cell(out, get(device, resources[i]));
        const double share = 100 * get(device, resources[i]) / get(has, resources[i]);
        if (isfinite(share))
            fprintf(out, "%10.0f %%", share);
        else
            fprintf(out, "%12s", "-");
        if (found)
            cell(out, get(found, resources[i]));
        fputc('\n', out);
    }
}

/* Time lost to external memory. */
static void print_pages(FILE *out, const json_t *parts)
{
    size_t p, s;
    const json_t *part, *stage;
    json_array_foreach(parts, p, part)
    {
        fprintf(out, "    pages");
        if (json_array_size(parts) > 1 || get(part, "part") > 0)
            fprintf(out, " of part %.0f", get(part, "part"));
        fprintf(out, ": tokens waited");
        json_array_foreach(json_object_get(part, "stages"), s, stage)
        {
            fprintf(out, "%s %.0f cycles for %s%s", s ? "," : "", get(stage, "stall_cycles"),
                    json_string_value(json_object_get(stage, "stage")), json_is_true(json_object_get(stage, "late")) ? " (LATE)" : "");
            if (!isnan(get(stage, "predicted_stall_cycles")))
                fprintf(out, " (predicted %.0f)", get(stage, "predicted_stall_cycles"));
        }
        if (get(part, "fetched_again") > 0)
            fprintf(out, "; %.0f fetched again", get(part, "fetched_again"));
        if (json_is_true(json_object_get(part, "given_up")))
            fprintf(out, "; one used although it was damaged, its event flagged");
        fprintf(out, "\n");
    }
}

static void print_predicted(FILE *out, const json_t *event)
{
    const double latency = get(event, "predicted_cycles"), total = get(event, "predicted_total_cycles");
    if (!isnan(latency))
        fprintf(out, "; predicted %8.0f (%+.2f %%)", latency, 100 * (latency / get(event, "latency_cycles") - 1));
    if (!isnan(total))
        fprintf(out, "; from the first hit in %8.0f, predicted %8.0f (%+.2f %%)", get(event, "total_cycles"), total,
                100 * (total / get(event, "total_cycles") - 1));
}

static void print_simulated(FILE *out, const json_t *simulated, double clock)
{
    const json_t *events = json_object_get(simulated, "per_event");
    if (!simulated)
        return;
    fprintf(out, "  simulated: %.0f event(s), %.0f refused, %.0f flagged as damaged, %s\n", get(simulated, "events"),
            get(simulated, "refused"), get(simulated, "flagged"),
            json_is_true(json_object_get(simulated, "bit_exact")) ? "bit-exact with the integer model" : "NOT bit-exact");
    if (!json_is_true(json_object_get(simulated, "bit_exact")))
        fprintf(out, "    %.0f output word(s) differ\n", get(simulated, "mismatches"));
    size_t i;
    const json_t *event;
    json_array_foreach(events, i, event)
    {
        if (i == 8 && json_array_size(events) > 10) {
            fprintf(out, "    ... and %zu more\n", json_array_size(events) - i);
            break;
        }
        if (json_is_true(json_object_get(event, "flagged"))) {
            fprintf(out, "    %5.0f hits: flagged as damaged on the way, not compared\n", get(event, "tokens"));
            continue;
        }
        if (isnan(get(event, "latency_cycles"))) {
            fprintf(out, "    %5.0f hits: refused, longer than the design's longest event\n", get(event, "tokens"));
            continue;
        }
        fprintf(out, "    %5.0f hits: latency %8.0f cycles, %7.1f us", get(event, "tokens"), get(event, "latency_cycles"),
                get(event, "latency_cycles") / clock);
        print_predicted(out, event);
        fputc('\n', out);
    }
    json_array_foreach(json_object_get(simulated, "with_bus"), i, event)
    {
        fprintf(out, "    %5.0f tokens over the bus and back: %8.0f cycles, %7.1f us", get(event, "tokens"), get(event, "latency_cycles"),
                get(event, "latency_cycles") / clock);
        print_predicted(out, event);
        fputc('\n', out);
        if (i == 7)
            break;
    }
    cycles_row(out, "interval of waiting events", get(simulated, "interval_cycles"), clock);
    cycles_row(out, "as predicted for their lengths", get(simulated, "predicted_interval_cycles"), clock);
    const json_t *worst = json_object_get(simulated, "worst_prediction");
    if (worst)
        fprintf(out, "    the prediction that is furthest off: %s, %+.2f %%\n", json_string_value(json_object_get(worst, "what")),
                get(worst, "percent"));
    json_array_foreach(json_object_get(simulated, "parts"), i, event)
    {
        fprintf(out, "    part %zu: %8.0f cycles an event", i, get(event, "mean_latency_cycles"));
        if (i > 0)
            fprintf(out, ", tokens waited at its entry in %.0f cycles", get(event, "cycles_with_tokens_waiting_at_its_entry"));
        fputc('\n', out);
    }
    print_pages(out, json_object_get(simulated, "pages"));
    if (!isnan(get(simulated, "mac_utilisation")))
        fprintf(out, "  %-34s %10.1f %% of all multiply slots, back to back\n", "multipliers busy",
                100 * get(simulated, "mac_utilisation"));
}

static void print_parts(FILE *out, const json_t *parts, double clock)
{
    size_t i;
    const json_t *part;
    json_array_foreach(parts, i, part)
    {
        const json_t *predicted = json_object_get(part, "predicted"), *cuts = json_object_get(part, "cuts"),
                     *has = json_object_get(part, "device_has");
        const json_t *need = json_object_get(json_object_get(predicted, "resources"), "device");
        fprintf(out, "  part %zu, cuts %.0f to %.0f, %s: interval %.0f cycles, %.1f us;", i, json_number_value(json_array_get(cuts, 0)),
                json_number_value(json_array_get(cuts, 1)), json_string_value(json_object_get(part, "device")),
                get(predicted, "interval_cycles"), get(predicted, "interval_cycles") / clock);
        for (int r = 0; r < RESOURCES; r++)
            if (get(has, resources[r]) > 0)
                fprintf(out, " %s %.0f %%", resources[r], 100 * get(need, resources[r]) / get(has, resources[r]));
        fputc('\n', out);
    }
}

static void print_alternatives(FILE *out, const json_t *list)
{
    size_t i;
    const json_t *a;
    json_array_foreach(list, i, a)
    {
        const double parts = get(a, "parts"), clock = get(a, "clock_mhz");
        fprintf(out, "  %s %s",
                json_is_true(json_object_get(a, "chosen")) ? "chosen: " : "weighed:", json_string_value(json_object_get(a, "mode")));
        fprintf(out, parts > 1 ? ", %.0f rings: " : ": ", parts);
        if (json_is_true(json_object_get(a, "fits")))
            fprintf(out, "latency %.1f us, interval %.1f us; ", get(a, "latency_cycles") / clock, get(a, "interval_cycles") / clock);
        fprintf(out, "%s\n", json_string_value(json_object_get(a, "why")));
    }
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text && *text ? text : "nothing";
}

static void bus_row(FILE *out, const char *what, double count, double bytes, double cycles, double clock)
{
    fprintf(out, "    %-32s %10.0f cycles %10.1f us   %.0f x %.0f bytes\n", what, cycles, cycles / clock, count, bytes);
}

void ts_report_print_measured(FILE *out, const json_t *measured)
{
    if (measured)
        fprintf(out, "  %-11s %.3f ms in front, %.3f ms behind, an event (mean of %.0f, on this machine)\n", "host took",
                get(measured, "front_ms"), get(measured, "back_ms"), get(measured, "events"));
}

void ts_report_print_host(FILE *out, const json_t *host, double clock_mhz)
{
    const json_t *bus = json_object_get(host, "bus"), *p = json_object_get(host, "predicted");
    if (!host)
        return;
    fprintf(out, "  %-11s %s", "hardware", text_of(host, "hardware"));
    if (!isnan(get(host, "tokens")))
        fprintf(out, ", %.0f tokens", get(host, "tokens"));
    fprintf(out, "\n  %-11s in front: %s\n  %-11s behind: %s\n", "host", text_of(host, "front"), "", text_of(host, "back"));
    if (json_object_get(host, "why"))
        fprintf(out, "  %-11s %s\n", "why", text_of(host, "why"));
    if (p) {
        fprintf(out, "  %-11s %.10g Mbit/s and %.10g ns each way: %s\n", "its bus", get(bus, "mbits"), get(bus, "ns"),
                text_of(bus, "what"));
        bus_row(out, "tokens to the hardware", get(p, "tokens"), get(p, "token_bytes"), get(p, "to_hardware_cycles"), clock_mhz);
        bus_row(out, "results from the hardware", get(p, "results"), get(p, "result_bytes"), get(p, "from_hardware_cycles"), clock_mhz);
        cycles_row(out, "  first sent to last result back", get(p, "latency_cycles"), clock_mhz);
        cycles_row(out, "  interval of waiting events", get(p, "interval_cycles"), clock_mhz);
    }
    ts_report_print_measured(out, json_object_get(host, "measured"));
}

/* paging may be NULL. */
static void print_waits(FILE *out, const json_t *paging, double clock)
{
    json_t *stalls = json_object_get(paging, "stall_cycles"), *cycles;
    const char *stage;
    cycles_row(out, "  the first event after a reset", get(paging, "first_latency_cycles"), clock);
    json_object_foreach(stalls, stage, cycles)
    {
        char row[64];
        snprintf(row, sizeof row, "  waits for pages of %s", stage);
        cycles_row(out, row, json_number_value(cycles), clock);
    }
}

void ts_report_print(FILE *out, const json_t *report)
{
    const json_t *predicted = json_object_get(report, "predicted");
    const double clock = get(report, "clock_mhz");
    fprintf(out, "%s on %s, %s, %.0f MHz\n", json_string_value(json_object_get(report, "model")),
            json_string_value(json_object_get(report, "device")), json_string_value(json_object_get(report, "mode")), clock);
    if (predicted) {
        fprintf(out, "  predicted for %.0f hits\n", get(predicted, "tokens"));
        cycles_row(out, "  last hit in to last result out", get(predicted, "latency_cycles"), clock);
        cycles_row(out, "  first hit in to last result out", get(predicted, "total_cycles"), clock);
        cycles_row(out, "  interval of waiting events", get(predicted, "interval_cycles"), clock);
        print_waits(out, json_object_get(predicted, "paging"), clock);
        fprintf(out, "  %-34s %10.0f, %.1f %% busy\n", "  multiply slots", get(predicted, "mac_units"),
                100 * get(predicted, "mac_utilisation"));
        print_resources(out, report);
        print_parts(out, json_object_get(report, "parts"), clock);
        ts_report_print_host(out, json_object_get(report, "host"), clock);
        print_alternatives(out, json_object_get(report, "alternatives"));
    }
    print_simulated(out, json_object_get(report, "simulated"), clock);
}
