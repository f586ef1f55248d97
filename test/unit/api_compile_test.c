/* tessera.h on models and designs: what inspect, compile, plan, devices, simulate and synth say, and the codes of what is refused before
   any work is done. Against the public header alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <tessera/tessera.h>

#include "scratch.h"

#define MODEL TS_SOURCE_DIR "/models/seeded.onnx"
#define EVENTS TS_SOURCE_DIR "/models/seeded.csv"
#define INPUTS TS_SOURCE_DIR "/models/seeded.inputs.json"
enum { MOST_TOKENS = 100 };

static const char *folder;
static char design[700];
static const char *const devices[] = {"zcu102", "zcu102"};
static tessera_source source;
static tessera_error error;

static void good(tessera_code code)
{
    if (code != TESSERA_OK)
        fail_msg("%d: %s", (int)code, error.message);
    assert_true(error.code == TESSERA_OK && error.message[0] == 0);
}

static void bad(tessera_code code, tessera_code wanted, const char *part)
{
    if (code != wanted || error.code != wanted || !strstr(error.message, part))
        fail_msg("%d (wanted %d): '%s' lacks '%s'", (int)code, (int)wanted, error.message, part);
    if (strstr(error.message, "--"))
        fail_msg("a name of the command line's: %s", error.message);
}

static void says(tessera_report *report, const char *text, const char *json)
{
    assert_non_null(report);
    if (!strstr(tessera_report_text(report), text) || !strstr(tessera_report_json(report), json))
        fail_msg("no '%s' or '%s' in\n%s\n%s", text, json, tessera_report_text(report), tessera_report_json(report));
    tessera_report_free(report);
}

static tessera_compile_options compile_options(void)
{
    tessera_compile_options o = TESSERA_INIT(tessera_compile_options);
    o.model = MODEL;
    o.output = design;
    o.device = devices;
    o.devices = 1;
    o.source = &source;
    o.max_tokens = MOST_TOKENS;
    o.calibrate = 2;
    return o;
}

static int setup(void **state)
{
    (void)state;
    folder = scratch_new("compile");
    source = (tessera_source)TESSERA_INIT(tessera_source);
    source.events = EVENTS;
    source.inputs = INPUTS;
    if (snprintf(design, sizeof design, "%s/design", folder) >= (int)sizeof design)
        return -1;
    const tessera_compile_options o = compile_options();
    return tessera_compile(&o, NULL, NULL, &error) == TESSERA_OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    scratch_free(folder);
    return 0;
}

/* ---- */

static void versions(void **state)
{
    (void)state;
    char text[32];
    snprintf(text, sizeof text, "%d.%d.%d", TESSERA_VERSION_MAJOR, TESSERA_VERSION_MINOR, TESSERA_VERSION_PATCH);
    assert_string_equal(text, TESSERA_VERSION);
    assert_string_equal(tessera_version(), TESSERA_VERSION);
    for (int code = 0; code <= TESSERA_INTERNAL; code++)
        assert_int_equal(strcmp(tessera_code_name((tessera_code)code), "unknown") == 0, code == 3);
    assert_string_equal(tessera_code_name((tessera_code)-1), "unknown");
}

static void models(void **state)
{
    (void)state;
    tessera_model_options o = TESSERA_INIT(tessera_model_options);
    tessera_model_info info = TESSERA_INIT(tessera_model_info);
    tessera_model *model;
    tessera_report *report;
    o.path = MODEL;
    good(tessera_model_open(&o, NULL, &model, &error));
    assert_true(tessera_model_describe(model, &info));
    assert_string_equal(info.name, "seeded");
    assert_true(info.whole && info.layers > 0 && info.heads * info.head_width > 0 && info.parameters > 1000 && !info.samples);
    good(tessera_model_report(model, &report, &error));
    says(report, "everything in the file is supported", "\"layers\"");
    good(tessera_model_graph(model, &report, &error));
    says(report, "graph seeded", "{}");
    tessera_model_free(model);

    o.path = TS_SOURCE_DIR "/models/nowhere.onnx";
    bad(tessera_model_open(&o, NULL, &model, &error), TESSERA_NO_FILE, "nowhere.onnx");
    assert_null(model);
    o.path = EVENTS;
    bad(tessera_model_open(&o, NULL, &model, &error), TESSERA_BAD_FILE, "seeded.csv");
    o.path = NULL;
    bad(tessera_model_open(&o, NULL, &model, &error), TESSERA_USAGE, "path");
    bad(tessera_model_open(NULL, NULL, &model, &error), TESSERA_USAGE, "tessera_model_options");
    o = (tessera_model_options){.path = MODEL};
    bad(tessera_model_open(&o, NULL, &model, &error), TESSERA_USAGE, "size");
    assert_false(tessera_model_describe(NULL, &info));
    tessera_model_free(NULL);
}

static void known_devices(void **state)
{
    (void)state;
    tessera_report *report;
    good(tessera_devices(&report, &error));
    says(report, "zcu102", "\"zcu102\"");
}

static void designs(void **state)
{
    (void)state;
    tessera_design *d;
    tessera_design_info info = TESSERA_INIT(tessera_design_info);
    tessera_prediction typical = TESSERA_INIT(tessera_prediction), longest = TESSERA_INIT(tessera_prediction);
    tessera_report *report;
    char latency[64];
    good(tessera_design_open(design, &d, &error));
    assert_true(tessera_design_describe(d, &info));
    assert_string_equal(info.model, "seeded");
    assert_string_equal(info.mode, "monolithic");
    assert_true(info.parts == 1 && info.max_tokens == MOST_TOKENS && info.clock_mhz > 0 && !info.assisted);
    good(tessera_design_predict(d, 0, &typical, &error));
    good(tessera_design_predict(d, MOST_TOKENS, &longest, &error));
    assert_int_equal(typical.tokens, info.plan_tokens);
    assert_true(typical.latency_cycles < longest.latency_cycles && longest.latency_cycles <= longest.total_cycles);
    snprintf(latency, sizeof latency, "\"latency_cycles\": %lld", (long long)longest.latency_cycles);
    good(tessera_design_report(d, MOST_TOKENS, NULL, &report, &error));
    says(report, "plan verified", latency);
    good(tessera_design_ring(d, 0, &report, &error));
    says(report, "ts_attention", "{}");
    good(tessera_design_ring(d, -1, &report, &error));
    says(report, "ring", "{}");
    bad(tessera_design_ring(d, 1, &report, &error), TESSERA_USAGE, "no part 1");
    assert_null(report);
    bad(tessera_design_predict(d, MOST_TOKENS + 1, &typical, &error), TESSERA_USAGE, "compile with max_tokens 101");
    bad(tessera_design_predict(d, -1, &typical, &error), TESSERA_USAGE, "tokens -1");
    tessera_design_free(d);

    bad(tessera_design_open(folder, &d, &error), TESSERA_NO_FILE, "not a compiled design");
    bad(tessera_design_open(NULL, &d, &error), TESSERA_USAGE, "directory");
    assert_null(d);
    tessera_design_free(NULL);
}

static void damaged(void **state)
{
    (void)state;
    char file[800];
    tessera_design *d;
    snprintf(file, sizeof file, "%.700s/model.tsm", design);
    FILE *f = fopen(file, "r+b");
    assert_non_null(f);
    fseek(f, 100, SEEK_SET);
    const int byte = fgetc(f);
    fseek(f, 100, SEEK_SET);
    fputc(byte ^ 4, f);
    fclose(f);
    bad(tessera_design_open(design, &d, &error), TESSERA_DAMAGED, "check sum");
    f = fopen(file, "r+b");
    fseek(f, 100, SEEK_SET);
    fputc(byte, f);
    fclose(f);
    good(tessera_design_open(design, &d, &error));
    tessera_design_free(d);
}

/* What options may not be, and the design that is there stays as it is. */
static void refused(void **state)
{
    (void)state;
    const tessera_compile_options sound = compile_options();
    const tessera_way narrow = {0.5, -1}, slow = {1000, 2e9};
    tessera_report *report = (tessera_report *)&error; /* is set, whatever happens */
    bad(tessera_compile(NULL, NULL, &report, &error), TESSERA_USAGE, "tessera_compile_options");
    assert_null(report);
#define TRY(member, value, code, part) \
    do { \
        tessera_compile_options o = sound; \
        o.member = value; \
        bad(tessera_compile(&o, NULL, &report, &error), code, part); \
        assert_null(report); \
    } while (0)
    TRY(model, NULL, TESSERA_USAGE, "model");
    TRY(source, NULL, TESSERA_USAGE, "tessera_source");
    TRY(devices, 0, TESSERA_USAGE, "device");
    TRY(devices, 17, TESSERA_USAGE, "1 to 16");
    TRY(mode, (tessera_mode)77, TESSERA_USAGE, "mode 77");
    TRY(objective, (tessera_objective)77, TESSERA_USAGE, "objective 77");
    TRY(parity, (tessera_parity)77, TESSERA_USAGE, "parity 77");
    TRY(loss, 0.9, TESSERA_USAGE, "loss is 0.9");
    TRY(utilisation, -1, TESSERA_USAGE, "utilisation is -1");
    TRY(page_buffers, 3, TESSERA_USAGE, "page_buffers is 3");
    TRY(max_tokens, 70000, TESSERA_USAGE, "max_tokens is 70000");
    TRY(link, &narrow, TESSERA_USAGE, "link: a bandwidth of 0.5");
    TRY(memory, &slow, TESSERA_USAGE, "memory: a bandwidth of 1000");
    TRY(host, &slow, TESSERA_USAGE, "host");
    TRY(formats, "nonsense", TESSERA_NO_FILE, "neither NAME=BITS,... nor a file");
    TRY(pin, "layers.0=7", TESSERA_USAGE, "pin: there is no device 7");
    TRY(mode, TESSERA_MODE_SPLIT, TESSERA_USAGE, "mode split");
    TRY(hardware, "layers.9", TESSERA_USAGE, "hardware layers.9");
    TRY(model, "nowhere.onnx", TESSERA_NO_FILE, "nowhere.onnx");
    TRY(output, "/proc/nowhere/design", TESSERA_NOT_WRITTEN, "/proc");
#undef TRY
    tessera_design *d;
    good(tessera_design_open(design, &d, &error));
    tessera_design_free(d);
}

static void simulation(void **state)
{
    (void)state;
    tessera_simulate_options o = TESSERA_INIT(tessera_simulate_options);
    tessera_report *report;
    o.directory = design;
    o.source = &source;
    o.stalls = 100;
    bad(tessera_simulate(&o, NULL, NULL, &report, &error), TESSERA_USAGE, "stalls is 100");
    o.stalls = 0;
    o.bus = true;
    source.limit = 1;
    bad(tessera_simulate(&o, NULL, NULL, &report, &error), TESSERA_USAGE, "bus: all of");
    source.limit = 0;
    o.directory = "nowhere";
    bad(tessera_simulate(&o, NULL, NULL, &report, &error), TESSERA_NO_FILE, "nowhere");
    bad(tessera_synth("nowhere", NULL, &report, &error), TESSERA_NO_FILE, "nowhere");
    bad(tessera_synth(NULL, NULL, &report, &error), TESSERA_USAGE, "directory");
}

/* Without an error to fill in, and with a summary that ends early. */
static void less(void **state)
{
    (void)state;
    tessera_design *d;
    struct {
        tessera_design_info info;
    } all = {TESSERA_INIT(tessera_design_info)};
    assert_int_equal(tessera_design_open("nowhere", &d, NULL), TESSERA_NO_FILE);
    good(tessera_design_open(design, &d, &error));
    all.info.size = offsetof(tessera_design_info, mode);
    all.info.mode = "as it was";
    assert_true(tessera_design_describe(d, &all.info));
    assert_string_equal(all.info.model, "seeded");
    assert_string_equal(all.info.mode, "as it was");
    assert_int_equal(all.info.parts, 0);
    tessera_design_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(versions),   cmocka_unit_test(models),  cmocka_unit_test(known_devices),
                                       cmocka_unit_test(designs),    cmocka_unit_test(damaged), cmocka_unit_test(refused),
                                       cmocka_unit_test(simulation), cmocka_unit_test(less)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
