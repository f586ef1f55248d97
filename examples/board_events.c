/* Events through a compiled design's hardware, by any back end: cc board_events.c $(pkg-config --cflags --libs tessera-run) -lm

       board_events PACKAGE BACKEND EVENTS.csv [SECONDS [WEIGHTS]]

   PACKAGE is what `tessera package` made; BACKEND is "emulator", "sim", "uio:...", "xrt:..." (docs/host.md). Prints a line for every row of
   results, event_id,hit_id,values, or event_id,values where the model pools. Columns such as r, phi and theta are made of x, y and z,
   where the file has none, as `tessera run` does. */
#include <tessera/tessera_run.h>

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE = 1 << 16, COLUMNS = 256 };

struct event {
    long long id;
    int hits, room;
    long long *hit_id;
    double *column[COLUMNS]; /* of the model, [room] */
};

static void die(const char *what, const tessera_error *error)
{
    fprintf(stderr, "%s: %s: %s\n", what, tessera_run_code_name(error->code), error->message);
    exit((int)error->code);
}

/* Splits a line at commas; returns how many there are. */
static int split(char *line, char **field)
{
    int count = 0;
    line[strcspn(line, "\r\n")] = 0;
    for (char *at = line; at && count < COLUMNS; count++) {
        field[count] = at;
        at = strchr(at, ',');
        if (at)
            *at++ = 0;
    }
    return count;
}

/* Where the file has the column that is wanted. */
static int find(char **field, int fields, const char *name)
{
    for (int i = 0; i < fields; i++)
        if (strcmp(field[i], name) == 0)
            return i;
    fprintf(stderr, "the events have no column %s\n", name);
    exit(TESSERA_BAD_FILE);
}

/* What `tessera run` makes of positions, where a file has no such column. */
static double at_r(double x, double y, double z)
{
    return (void)z, sqrt(x * x + y * y);
}
static double at_phi(double x, double y, double z)
{
    return (void)z, atan2(y, x);
}
static double at_theta(double x, double y, double z)
{
    return atan2(sqrt(x * x + y * y), z);
}
static double at_eta(double x, double y, double z)
{
    return asinh(z / sqrt(x * x + y * y));
}
static double at_sin_phi(double x, double y, double z)
{
    return (void)z, y / sqrt(x * x + y * y);
}
static double at_cos_phi(double x, double y, double z)
{
    return (void)z, x / sqrt(x * x + y * y);
}
static double at_sin_theta(double x, double y, double z)
{
    return sqrt(x * x + y * y) / sqrt(x * x + y * y + z * z);
}
static double at_cos_theta(double x, double y, double z)
{
    return z / sqrt(x * x + y * y + z * z);
}

static const struct {
    const char *name;
    double (*of)(double x, double y, double z);
} derived[] = {{"r", at_r},
               {"phi", at_phi},
               {"theta", at_theta},
               {"eta", at_eta},
               {"sin_phi", at_sin_phi},
               {"cos_phi", at_cos_phi},
               {"sin_theta", at_sin_theta},
               {"cos_theta", at_cos_theta}};

/* A column of the file, or, below 0, -1 - i of `derived`. */
static int find_or_derive(char **field, int fields, const char *name, int position[3])
{
    for (int i = 0; i < fields; i++)
        if (strcmp(field[i], name) == 0)
            return i;
    for (int i = 0; i < (int)(sizeof derived / sizeof *derived); i++)
        if (strcmp(name, derived[i].name) == 0) {
            position[0] = find(field, fields, "x");
            position[1] = find(field, fields, "y");
            position[2] = find(field, fields, "z");
            return -1 - i;
        }
    return find(field, fields, name);
}

static double value(char **field, int at, const int position[3])
{
    if (at >= 0)
        return strtod(field[at], NULL);
    return derived[-1 - at].of(strtod(field[position[0]], NULL), strtod(field[position[1]], NULL), strtod(field[position[2]], NULL));
}

static void grow(struct event *event, int features)
{
    event->room = event->room ? 2 * event->room : 64;
    event->hit_id = realloc(event->hit_id, (size_t)event->room * sizeof *event->hit_id);
    for (int f = 0; f < features; f++)
        event->column[f] = realloc(event->column[f], (size_t)event->room * sizeof *event->column[f]);
}

/* Results of the oldest event, on standard output. */
struct run {
    tessera_runner *runner;
    tessera_run_info info;
    double *values;
    int64_t room;
    double seconds;
    long long submitted, refused;
};

static void take(struct run *run)
{
    tessera_error error;
    tessera_run_result result = TESSERA_INIT(tessera_run_result);
    result.values = run->values;
    result.room = run->room;
    if (tessera_run_wait(run->runner, TESSERA_RUN_NEXT, run->seconds, &result, &error) != TESSERA_OK)
        die("a result", &error);
    struct event *event = result.user;
    if (result.status != TESSERA_RUN_DONE)
        fprintf(stderr, "event %lld: %s\n", event->id, result.status == TESSERA_RUN_REFUSED ? "refused: too many hits" : "damaged");
    run->refused += result.status == TESSERA_RUN_REFUSED;
    for (int64_t row = 0; row < result.rows; row++) {
        printf("%lld", event->id);
        if (!run->info.pooled)
            printf(",%lld", event->hit_id[row]);
        for (int o = 0; o < run->info.outputs; o++)
            printf(",%.9g", run->values[row * run->info.outputs + o]);
        printf("\n");
    }
    for (int f = 0; f < run->info.features; f++)
        free(event->column[f]);
    free(event->hit_id);
    free(event);
}

static void submit(struct run *run, struct event *event)
{
    tessera_error error;
    tessera_run_event given = TESSERA_INIT(tessera_run_event);
    given.hits = event->hits;
    given.columns = (const double *const *)event->column;
    given.user = event;
    tessera_code code;
    while ((code = tessera_run_submit(run->runner, &given, 0, NULL, &error)) == TESSERA_NOT_YET)
        take(run);
    if (code != TESSERA_OK)
        die("an event", &error);
    run->submitted++;
}

static void read_events(struct run *run, FILE *file)
{
    static char line[LINE];
    char *field[COLUMNS];
    int at[COLUMNS], position[3] = {0, 0, 0};
    const int features = run->info.features;
    if (!fgets(line, sizeof line, file))
        return;
    int fields = split(line, field);
    const int event_at = find(field, fields, "event_id"), hit_at = find(field, fields, "hit_id");
    for (int f = 0; f < features; f++)
        at[f] = find_or_derive(field, fields, run->info.column ? run->info.column[f] : "unnamed", position);
    struct event *event = NULL;
    while (fgets(line, sizeof line, file) && split(line, field) == fields) {
        const long long id = atoll(field[event_at]);
        if (event && event->id != id) {
            submit(run, event);
            event = NULL;
        }
        if (!event) {
            event = calloc(1, sizeof *event);
            event->id = id;
        }
        if (event->hits == event->room)
            grow(event, features);
        event->hit_id[event->hits] = atoll(field[hit_at]);
        for (int f = 0; f < features; f++)
            event->column[f][event->hits] = value(field, at[f], position);
        event->hits++;
    }
    if (event)
        submit(run, event);
}

int main(int argc, char **argv)
{
    tessera_error error;
    struct run run = {0};
    if (argc < 4) {
        fprintf(stderr, "board_events PACKAGE BACKEND EVENTS.csv [SECONDS [WEIGHTS]]\n");
        return TESSERA_USAGE;
    }
    tessera_run_open_options options = TESSERA_INIT(tessera_run_open_options);
    options.package = argv[1];
    options.backend = argv[2];
    options.timeout = argc > 4 ? atof(argv[4]) : 0;
    options.weights = argc > 5 ? argv[5] : NULL; /* of tessera weights */
    if (tessera_run_open(&options, &run.runner, &error) != TESSERA_OK)
        die(argv[1], &error);
    run.info.size = sizeof run.info;
    tessera_run_describe(run.runner, &run.info);
    run.seconds = run.info.timeout * 2; /* a hang is found earlier, and says more */
    run.room = run.info.pooled ? 1 : run.info.max_tokens;
    run.values = calloc((size_t)run.room * (size_t)run.info.outputs, sizeof *run.values);
    FILE *file = fopen(argv[3], "r");
    if (!file || !run.values || run.info.features > COLUMNS || run.info.sample) {
        fprintf(stderr, "%s: cannot be read, or is not for such a model\n", argv[3]);
        return TESSERA_NO_FILE;
    }
    read_events(&run, file);
    fclose(file);
    int inside;
    for (int here = tessera_run_poll(run.runner, &inside); here + inside > 0; here = tessera_run_poll(run.runner, &inside))
        take(&run);

    tessera_run_counters counters = TESSERA_INIT(tessera_run_counters);
    if (tessera_run_statistics(run.runner, 0, &counters, &error) != TESSERA_OK)
        die("statistics", &error);
    fprintf(stderr,
            "%lld events, %lld refused; device 0: %" PRIu64 " events, %" PRIu64 " errors, the last took %" PRIu64
            " cycles; latency %.3g s, worst %.3g s\n",
            run.submitted, run.refused, counters.events, counters.errors, counters.event_cycles, counters.latency_mean,
            counters.latency_worst);
    tessera_run_close(run.runner);
    free(run.values);
    return 0;
}
