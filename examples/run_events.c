/* A model becomes a design, and events go through its integer model, which gives what the hardware would: all through the installed
   library.

       cc run_events.c $(pkg-config --cflags --libs tessera) -o run_events
       ./run_events MODEL.onnx EVENTS.csv INPUTS.json DIR >RESULTS.csv

   DIR is where the design is written. docs/library.md goes through it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <tessera/tessera.h>

static tessera_error error;

/* Every call returns a code; what is wrong, and what to do, is in the error. */
static void check(tessera_code code)
{
    if (code == TESSERA_OK)
        return;
    fprintf(stderr, "run_events: %s: %s\n", tessera_code_name(code), error.message);
    exit((int)code);
}

static void on_message(void *user, tessera_message_kind kind, const char *text)
{
    (void)user;
    fprintf(stderr, "%s: %s\n", kind == TESSERA_WARNING ? "warning" : "note", text);
}

static void compile(const char *model, const tessera_source *source, const char *directory)
{
    const char *const devices[] = {"zcu102"};
    tessera_callbacks callbacks = TESSERA_INIT(tessera_callbacks);
    tessera_compile_options options = TESSERA_INIT(tessera_compile_options);
    tessera_report *report;
    callbacks.message = on_message;
    options.model = model;
    options.output = directory;
    options.device = devices;
    options.devices = 1;
    options.source = source;
    check(tessera_compile(&options, &callbacks, &report, &error));
    fputs(tessera_report_text(report), stderr);
    tessera_report_free(report);
}

/* One event: its hits in, a line of results a hit out. */
static void run(const tessera_engine *engine, const tessera_event *event)
{
    tessera_engine_info info = TESSERA_INIT(tessera_engine_info);
    tessera_arrays arrays = TESSERA_INIT(tessera_arrays);
    const int32_t hits = event->hits;
    bool refused;
    int64_t row, rows;
    int o;
    tessera_engine_describe(engine, &info);
    arrays.events = 1;
    arrays.features = event->features;
    arrays.hits = &hits;
    arrays.values = event->values;
    rows = tessera_engine_rows(engine, &arrays);
    double *results = malloc((size_t)(rows * info.outputs + 1) * sizeof *results);
    if (!results)
        exit(TESSERA_OUT_OF_MEMORY);
    check(tessera_engine_run(engine, &arrays, results, &refused, NULL, &error));
    for (row = 0; row < rows && !refused; row++) {
        printf("%" PRId64 ",%" PRId64, event->id, event->hit_id[row]);
        for (o = 0; o < info.outputs; o++)
            printf(",%.9g", results[row * info.outputs + o]);
        printf("\n");
    }
    free(results);
}

int main(int argc, char **argv)
{
    tessera_source source = TESSERA_INIT(tessera_source);
    tessera_engine_options options = TESSERA_INIT(tessera_engine_options);
    tessera_event event = TESSERA_INIT(tessera_event);
    tessera_events *events;
    tessera_engine *engine;
    int64_t i;
    if (argc != 5) {
        fprintf(stderr, "Usage: run_events MODEL.onnx EVENTS.csv INPUTS.json DIR   (tessera %s)\n", tessera_version());
        return TESSERA_USAGE;
    }
    source.events = argv[2];
    source.inputs = argv[3];
    compile(argv[1], &source, argv[4]);

    check(tessera_events_read(&source, NULL, &events, &error)); /* standardised, as the inputs file says */
    options.kind = TESSERA_INTEGER;
    options.path = argv[4];
    options.standardised = true;
    check(tessera_engine_open(&options, NULL, &engine, &error));
    for (i = 0; tessera_events_get(events, i, &event); i++)
        run(engine, &event);
    tessera_engine_free(engine);
    tessera_events_free(events);
    return 0;
}
