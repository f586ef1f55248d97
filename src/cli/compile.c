/* tessera compile */
#include <stdlib.h>
#include <string.h>

#include "cli/library.h"
#include "cli/verbs.h"

enum { DEVICES_MAX = 16 };

/* What the command line has as text. */
typedef struct texts {
    const char *device, *mode, *objective, *parity, *link, *memory, *host;
} texts;

static int place_of(const char *const *names, int count, const char *name)
{
    int i = 0;
    while (i < count && strcmp(names[i], name) != 0)
        i++;
    return i;
}

/* "BANDWIDTH[:NANOSECONDS]"; false: it is something else, or out of range. */
static bool parse_way(const char *text, double least, double most, double most_ns, tessera_way *way)
{
    char *end = NULL;
    *way = (tessera_way){strtod(text, &end), -1};
    bool read = end != text;
    if (read && *end == ':') {
        const char *behind = end + 1;
        way->latency_ns = strtod(behind, &end);
        read = end != behind && way->latency_ns >= 0 && way->latency_ns <= most_ns;
    }
    return read && !*end && way->bandwidth >= least && way->bandwidth <= most;
}

/* The items of a list that commas separate, in place; more than DEVICES_MAX count as one more. */
static int split(char *list, const char **item)
{
    int count = 0;
    for (char *rest = NULL, *p = strtok_r(list, ",", &rest); p && count <= DEVICES_MAX; p = strtok_r(NULL, ",", &rest)) {
        if (count < DEVICES_MAX)
            item[count] = p;
        count++;
    }
    return count;
}

static int compile(const ts_verb *verb, const texts *t, tessera_compile_options *o)
{
    static const char *const modes[] = {"auto", "monolithic", "replicated", "paged", "split", "assisted"};
    static const char *const objectives[] = {"latency", "throughput", "area"}, *const parities[] = {"pages", "none", "all"};
    enum {
        MODES = sizeof modes / sizeof *modes,
        OBJECTIVES = sizeof objectives / sizeof *objectives,
        PARITIES = sizeof parities / sizeof *parities
    };
    const int mode = t->mode ? place_of(modes, MODES, t->mode) : 0,
              objective = t->objective ? place_of(objectives, OBJECTIVES, t->objective) : 0,
              parity = t->parity ? place_of(parities, PARITIES, t->parity) : 0;
    tessera_way link, memory, host;
    const char *device[DEVICES_MAX];
    if (mode == MODES)
        return ts_cli_wrong(verb, "--mode %s: choose one of auto, monolithic, replicated, paged, split, assisted", t->mode);
    if (objective == OBJECTIVES)
        return ts_cli_wrong(verb, "--objective %s: choose latency, throughput or area", t->objective);
    if (parity == PARITIES)
        return ts_cli_wrong(verb, "--parity %s: choose none, pages or all", t->parity);
    if (t->link && !parse_way(t->link, 1, 1e7, 1e9, &link))
        return ts_cli_wrong(verb, "--link %s: give MBITS[:NANOSECONDS], bandwidth and latency, such as 10000:500", t->link);
    if (t->memory && !parse_way(t->memory, 0.001, 1e4, 1e5, &memory))
        return ts_cli_wrong(
            verb, "--memory %s: give GBYTES[:NANOSECONDS], bandwidth (GB/s) and latency of external memory, such as 12.8:300", t->memory);
    if (t->host && !parse_way(t->host, 1, 1e7, 1e9, &host))
        return ts_cli_wrong(verb, "--host %s: give MBITS[:NANOSECONDS], bandwidth and latency each way, such as 32000:500", t->host);
    char *list = strdup(t->device);
    const int devices = list ? split(list, device) : 0;
    int status;
    if (devices < 1 || devices > DEVICES_MAX) {
        status = ts_cli_wrong(verb, "--device %s: a list of 1 to %d devices, separated by commas", t->device, DEVICES_MAX);
    } else {
        const tessera_callbacks callbacks = ts_cli_callbacks(verb->name);
        tessera_report *report = NULL;
        tessera_error error;
        o->device = device;
        o->devices = devices;
        o->mode = (tessera_mode)mode;
        o->objective = (tessera_objective)objective;
        o->parity = (tessera_parity)parity;
        o->link = t->link ? &link : NULL;
        o->memory = t->memory ? &memory : NULL;
        o->host = t->host ? &host : NULL;
        tessera_compile(o, &callbacks, &report, &error);
        status = ts_cli_done(verb, &error);
        ts_cli_print(report, false);
    }
    free(list);
    return status;
}

int ts_verb_compile(const ts_verb *verb, int argc, char **argv)
{
    texts t = {NULL};
    tessera_source source = TESSERA_INIT(tessera_source);
    tessera_compile_options o = TESSERA_INIT(tessera_compile_options);
    const ts_arg table[] = {
        {"device", TS_ARG_TEXT, "NAME[,...]", "what to build for (tessera devices lists them), or a FILE.json", &t.device, 0, 0, true},
        {"mode", TS_ARG_TEXT, "MODE", "auto, monolithic, replicated, paged, split or assisted; see docs/partitioning.md (auto)", &t.mode, 0,
         0, false},
        {"objective", TS_ARG_TEXT, "O", "latency, throughput or area (latency)", &t.objective, 0, 0, false},
        {"link", TS_ARG_TEXT, "MBITS[:NS]", "between devices: bandwidth, latency (the slower of two neighbours' own; 10000:500)", &t.link,
         0, 0, false},
        {"memory", TS_ARG_TEXT, "GBYTES[:NS]", "external memory: GB/s that it keeps up, latency (80 % of the device's peak; 300)",
         &t.memory, 0, 0, false},
        {"page-buffers", TS_ARG_INT, "N", "paged: buffers of every paged stage, 1 or 2 (chosen for each)", &o.page_buffers, 1, 2, false},
        {"parity", TS_ARG_TEXT, "WHICH", "words with a parity bit: none, pages (in page buffers) or all (pages)", &t.parity, 0, 0, false},
        {"pin", TS_ARG_TEXT, "STAGE=DEV,...", "which device of the list has layers.2, layers.0.ffn, head", &o.pin, 0, 0, false},
        {"hardware", TS_ARG_TEXT, "FIRST[-LAST]", "what is built, such as layers.2-4; the host does the rest (all that can be)",
         &o.hardware, 0, 0, false},
        {"host", TS_ARG_TEXT, "MBITS[:NS]", "between host and device: bandwidth, latency, each way (the device's)", &t.host, 0, 0, false},
        {"events", TS_ARG_TEXT, "FILE", "events, .csv or .npy: calibrate, and plan for their lengths", &source.events, 0, 0, false},
        TS_CLI_SOURCE(source, "samples instead, where the model's input has a fixed shape", "which columns are inputs; needed with .csv"),
        {"calibrate", TS_ARG_INT, "N", "calibrate on the first N events (20; fewer once they have 16,000 hits)", &o.calibrate, 1, 1e6,
         false},
        {"max-tokens", TS_ARG_INT, "N", "longest event the design takes (that of FILE)", &o.max_tokens, 1, 65536, false},
        {"plan-tokens", TS_ARG_INT, "N", "plan for events of N hits (the lengths of FILE)", &o.plan_tokens, 1, 65536, false},
        {"target-ii", TS_ARG_INT, "CYCLES", "cycles a token and layer; default: the best that fits", &o.target_ii, 1, 1e6, false},
        {"clock", TS_ARG_NUMBER, "MHZ", "engine clock (the device's default)", &o.clock_mhz, 1, 2000, false},
        {"utilisation", TS_ARG_NUMBER, "SHARE", "of every resource that may be used (0.8)", &o.utilisation, 0.01, 1, false},
        {"formats", TS_ARG_TEXT, "F", "auto, packed, NAME=BITS,... or a formats.json; see docs/quantisation.md", &o.formats, 0, 0, false},
        {"loss", TS_ARG_NUMBER, "X", "auto: tracks found that may be lost, as a share (0.005)", &o.loss, 1e-5, 0.5, false},
        {"select", TS_ARG_INT, "N", "auto, packed: choose by N events; the rest test the choice (20)", &o.select, 1, 1e6, false},
        {"acc-margin", TS_ARG_INT, "BITS",
         "headroom for weights that come later (tessera weights): bits of accumulators and what goes with them (0)", &o.acc_margin, 0, 8,
         false},
        {"logits", TS_ARG_FLAG, NULL, "classifiers: output all logits, not arg-max and its value", &o.logits, 0, 0, false},
        {"o", TS_ARG_TEXT, "DIR", "where to write", &o.output, 0, 0, true},
        {NULL, TS_ARG_FLAG, NULL, NULL, NULL, 0, 0, false},
    };
    int status;
    o.source = &source;
    return ts_args_parse(verb, table, argc, argv, &o.model, &status) ? compile(verb, &t, &o) : status;
}
