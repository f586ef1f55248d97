/* tessera score */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/notices.h"
#include "cli/verbs.h"
#include "flow/score.h"

typedef struct options {
    const char *list, *truth, *inputs, *against;
    bool subset, json;
} options;

/* [LABEL=]FILE[@INPUTS] or baseline:NAME[@INPUTS]. */
static bool parse_item(ts_arena *arena, const char *text, size_t length, const char *default_inputs, ts_score_item *it, ts_err *err)
{
    static const char prefix[] = "baseline:";
    char *own = ts_printf(arena, "%.*s", (int)length, text);
    char *at = strrchr(own, '@');
    it->inputs = default_inputs;
    if (access(own, F_OK) == 0) { /* a file's name may have any character */
        it->path = own;
        return true;
    }
    if (at) {
        *at = 0;
        it->inputs = at + 1;
    }
    if (strncmp(own, prefix, sizeof prefix - 1) == 0) {
        const char *name = own + sizeof prefix - 1;
        for (ts_baseline b = 0; b < TS_BASELINES; b++)
            if (strcmp(name, ts_baseline_name(b)) == 0) {
                it->baseline = b;
                return true;
            }
        return ts_fail_as(err, TS_USAGE, "unknown baseline '%s'; there are: angles, truth, binned, classes", name);
    }
    char *equals = strchr(own, '=');
    if (equals)
        *equals = 0;
    it->path = equals ? equals + 1 : own;
    it->label = equals ? own : NULL;
    return (*it->path && *own) ||
           ts_fail_as(err, TS_USAGE, "'%.*s': expected [LABEL=]FILE.csv[@INPUTS.json] or baseline:NAME", (int)length, text);
}

static bool parse_list(ts_arena *arena, const options *o, ts_score_item *item, int *items, ts_err *err)
{
    *items = 0;
    for (const char *p = o->list; p;) {
        const char *comma = access(p, F_OK) == 0 ? NULL : strchr(p, ',');
        if (*items == TS_SCORE_ITEMS)
            return ts_fail_as(err, TS_USAGE, "more than %d results in one call", TS_SCORE_ITEMS);
        if (!parse_item(arena, p, comma ? (size_t)(comma - p) : strlen(p), o->inputs, &item[(*items)++], err))
            return false;
        p = comma ? comma + 1 : NULL;
    }
    return true;
}

enum { LABEL_WIDTH = 32, METHOD_WIDTH = 22, CELL_WIDTH = 18 };

static void print_name(const ts_scored_row *r)
{
    char method[64] = "class";
    const ts_clustering *c = &r->clustering;
    if (r->clustered) {
        const int used = snprintf(method, sizeof method, "HDBSCAN (%d, %d)", c->min_cluster_size, c->min_samples);
        if (c->columns < r->outputs)
            snprintf(method + used, sizeof method - (size_t)used, ", %d of %d", c->columns, r->outputs);
    }
    printf("%-*.*s %-*s", LABEL_WIDTH, LABEL_WIDTH, r->label, METHOD_WIDTH, method);
}

static void print_estimate(ts_estimate x, bool sign)
{
    char text[64];
    snprintf(text, sizeof text, isnan(x.error) ? (sign ? "%+.4f" : "%.4f") : sign ? "%+.4f +- %.4f" : "%.4f +- %.4f", x.mean, x.error);
    printf(" %*s", CELL_WIDTH, text);
}

/* A row's name and four estimates. */
static void print_row(const ts_scored_row *r, const ts_estimate *estimate, bool sign)
{
    print_name(r);
    for (ts_metric m = 0; m < TS_METRICS; m++)
        print_estimate(estimate[m], sign);
    putchar('\n');
}

/* The metrics' names behind a heading of `used` characters. */
static void print_metrics(int used)
{
    const int width = LABEL_WIDTH + 1 + METHOD_WIDTH;
    printf("%*s", used < width ? width - used : 0, "");
    for (ts_metric m = 0; m < TS_METRICS; m++)
        printf(" %*s", CELL_WIDTH, ts_metric_name(m));
    putchar('\n');
}

static void print_difference(const ts_scored_row *r)
{
    const ts_difference *d = &r->difference;
    printf("%-*.*s", LABEL_WIDTH + 1 + METHOD_WIDTH, LABEL_WIDTH, r->label);
    if (isnan(d->median))
        printf(" %*s", 2 * CELL_WIDTH + 1, "needs all logits of both files");
    else
        printf(" %*.3f %% %*.3f %%", CELL_WIDTH - 2, 100 * d->median, CELL_WIDTH - 2, 100 * d->p95);
    if (d->constant)
        printf("   %d output(s) without spread left out", d->constant);
    if (!r->clustered)
        printf("   same class: %.4f of hits", r->same_class);
    putchar('\n');
}

static void print_against(const ts_scoring *s)
{
    putchar('\n');
    print_metrics(printf("loss against %s, paired", s->against));
    for (int r = 0; r < s->rows; r++)
        if (s->row[r].item >= 0 && s->row[r].compared)
            print_row(&s->row[r], s->row[r].loss, true);
    printf("\n%-*s %*s %*s\n", LABEL_WIDTH + 1 + METHOD_WIDTH, "|difference| / std of the reference's outputs", CELL_WIDTH, "median",
           CELL_WIDTH, "95th percentile");
    for (int r = 0; r < s->rows; r++)
        if (s->row[r].item >= 0 && s->row[r].compared && s->row[r - 1].item != s->row[r].item) /* else the same as above */
            print_difference(&s->row[r]);
}

static void print_table(const ts_scoring *s)
{
    printf("%d of %d events of %s", s->defined, s->events, s->truth);
    if (s->defined < s->scored)
        printf(" (%d have no hit of a particle)", s->scored - s->defined);
    putchar('\n');
    putchar('\n');
    print_metrics(printf("candidates of"));
    for (int r = 0; r < s->rows; r++)
        print_row(&s->row[r], s->row[r].score, false);
    if (s->against)
        print_against(s);
}

static bool execute(ts_arena *arena, const options *o, const ts_notices *notices, ts_err *err)
{
    ts_score_item item[TS_SCORE_ITEMS] = {{0}}, against = {0};
    ts_score_options how = {.notices = notices, .item = item, .truth = o->truth, .subset = o->subset};
    if (!parse_list(arena, o, item, &how.items, err) ||
        (o->against && !parse_item(arena, o->against, strlen(o->against), o->inputs, &against, err)))
        return false;
    how.against = o->against ? &against : NULL;
    const ts_scoring *scoring = ts_score_items(arena, &how, err);
    if (scoring && o->json)
        puts(ts_scoring_json(arena, scoring));
    else if (scoring)
        print_table(scoring);
    return scoring != NULL;
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
    ts_err err = {""};
    int status;
    if (!ts_args_parse(verb, table, argc, argv, &o.list, &status))
        return status;
    const ts_notices notices = ts_cli_notices(verb->name);
    ts_arena *arena = ts_arena_new();
    const bool ok = execute(arena, &o, &notices, &err);
    notices.step(notices.user, "");
    ts_arena_free(arena);
    return ok ? 0 : ts_cli_fail(verb, &err);
}
