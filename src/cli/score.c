/* tessera score */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/library.h"
#include "cli/verbs.h"

enum { ITEMS_MOST = 64 };

typedef struct options {
    const char *list, *truth, *inputs, *against;
    bool subset, json;
} options;

/* [LABEL=]FILE[@INPUTS] or baseline:NAME[@INPUTS], in place. False: it is neither. */
static bool parse_item(char *own, const char *default_inputs, tessera_score_item *it)
{
    static const char prefix[] = "baseline:";
    *it = (tessera_score_item){.size = sizeof *it, .inputs = default_inputs};
    if (access(own, F_OK) == 0) { /* a file's name may have any character */
        it->file = own;
        return true;
    }
    char *at = strrchr(own, '@'), *equals;
    if (at) {
        *at = 0;
        it->inputs = at + 1;
    }
    if (strncmp(own, prefix, sizeof prefix - 1) == 0) {
        it->baseline = own + sizeof prefix - 1;
        return true;
    }
    if ((equals = strchr(own, '=')))
        *equals = 0;
    it->file = equals ? equals + 1 : own;
    it->label = equals ? own : NULL;
    return *it->file && *own;
}

static int no_item(const ts_verb *verb, const char *text, size_t length)
{
    return ts_cli_wrong(verb, "'%.*s': expected [LABEL=]FILE.csv[@INPUTS.json] or baseline:NAME", (int)length, text);
}

/* The list, of which `own` is a copy to be cut up: item [ITEMS_MOST]. False with a status where it is none. */
static bool parse_list(const ts_verb *verb, const options *o, char *own, tessera_score_item *item, int *items, int *status)
{
    *items = 0;
    for (char *p = own; p;) {
        char *comma = access(p, F_OK) == 0 ? NULL : strchr(p, ',');
        const size_t length = comma ? (size_t)(comma - p) : strlen(p);
        p[length] = 0;
        if (*items == ITEMS_MOST) {
            *status = ts_cli_wrong(verb, "more than %d results in one call", ITEMS_MOST);
            return false;
        }
        if (!parse_item(p, o->inputs, &item[(*items)++])) {
            *status = no_item(verb, o->list + (p - own), length);
            return false;
        }
        p = comma ? comma + 1 : NULL;
    }
    return true;
}

static int score(const ts_verb *verb, const options *o, char *list, char *reference)
{
    tessera_score_item item[ITEMS_MOST], against;
    tessera_score_options how = {.size = sizeof how, .item = item, .truth = o->truth, .subset = o->subset};
    int status;
    if (!parse_list(verb, o, list, item, &how.items, &status))
        return status;
    if (reference && !parse_item(reference, o->inputs, &against))
        return no_item(verb, o->against, strlen(o->against));
    how.against = reference ? &against : NULL;
    const tessera_callbacks callbacks = ts_cli_callbacks(verb->name);
    tessera_report *report;
    tessera_error error;
    tessera_score(&how, &callbacks, NULL, &report, &error);
    ts_cli_print(report, o->json);
    return ts_cli_done(verb, &error);
}

int ts_verb_score(const ts_verb *verb, int argc, char **argv)
{
    options o = {.list = NULL};
    const ts_arg table[] = {
        {"truth", TS_ARG_TEXT, "FILE.csv", "the events, with particle_id and weight", &o.truth, 0, 0, true},
        {"inputs", TS_ARG_TEXT, "FILE.json", "the model's inputs file: task, outputs, clusterer (from the results' header)", &o.inputs, 0,
         0, false},
        {"against", TS_ARG_TEXT, "FLOAT.csv", "results to compare with, hit by hit and event by event", &o.against, 0, 0, false},
        {"subset", TS_ARG_FLAG, NULL, "score only the events that all results files have", &o.subset, 0, 0, false},
        {"json", TS_ARG_FLAG, NULL, "print JSON", &o.json, 0, 0, false},
        {NULL, TS_ARG_FLAG, NULL, NULL, NULL, 0, 0, false},
    };
    int status;
    if (!ts_args_parse(verb, table, argc, argv, &o.list, &status))
        return status;
    char *list = strdup(o.list), *against = o.against ? strdup(o.against) : NULL;
    status = list && (against || !o.against) ? score(verb, &o, list, against) : TESSERA_OUT_OF_MEMORY;
    free(list);
    free(against);
    return status;
}
