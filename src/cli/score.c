/* tessera score */
#include <jansson.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/plain.h"
#include "cli/progress.h"
#include "cli/verbs.h"
#include "physics/score.h"

typedef struct options {
    const char *list, *truth, *inputs, *against;
    bool subset, json;
} options;

/* One thing to score: [LABEL=]FILE[@INPUTS] or baseline:NAME[@INPUTS]. */
typedef struct item {
    const char *label, *path; /* path: NULL for a baseline */
    ts_baseline baseline;
    const char *inputs_path;   /* NULL: the header of `path` says what the columns are */
    const ts_inputs *inputs;   /* NULL: a baseline without an inputs file of its own */
    const ts_results *results; /* NULL for a baseline */
} item;

/* A line of the table: an item's candidates, made one way. */
typedef struct row {
    const item *item;
    const ts_clustering *clustering; /* NULL: the hits of a class are a candidate */
    int32_t **label;                 /* [events][n]; NULL for events left out */
    ts_score *scores;                /* [events] */
    int ignored;                     /* hits in an ignored class */
} row;

enum { MAX_ITEMS = 64, CLUSTERINGS = 3, MAX_ROWS = MAX_ITEMS * CLUSTERINGS };

typedef struct job {
    const options *o;
    int items, rows, scored; /* scored: events that count */
    item item[MAX_ITEMS];
    item float_item; /* --against; label NULL: none */
    row row[MAX_ROWS];
    row float_row[CLUSTERINGS];
    int float_rows;
    const ts_truth *truth;
    bool *used; /* [events of truth] */
} job;

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static bool parse_item(ts_arena *arena, const char *text, size_t length, const char *default_inputs, item *it, ts_err *err)
{
    static const char prefix[] = "baseline:";
    char *own = ts_printf(arena, "%.*s", (int)length, text);
    char *at = strrchr(own, '@');
    it->inputs_path = default_inputs;
    if (access(own, F_OK) == 0) { /* a file's name may have any character */
        it->path = own;
        it->label = base_name(own);
        return true;
    }
    if (at) {
        *at = 0;
        it->inputs_path = at + 1;
    }
    if (strncmp(own, prefix, sizeof prefix - 1) == 0) {
        const char *name = own + sizeof prefix - 1;
        for (ts_baseline b = 0; b < TS_BASELINES; b++)
            if (strcmp(name, ts_baseline_name(b)) == 0) {
                it->baseline = b;
                it->label = ts_baseline_describe(b);
                return true;
            }
        return ts_fail(err, "unknown baseline '%s'; there are: angles, truth, binned, classes", name);
    }
    char *equals = strchr(own, '=');
    if (equals)
        *equals = 0;
    it->path = equals ? equals + 1 : own;
    it->label = equals ? own : base_name(own);
    return (*it->path && *it->label) || ts_fail(err, "'%.*s': expected [LABEL=]FILE.csv[@INPUTS.json] or baseline:NAME", (int)length, text);
}

static bool parse_list(ts_arena *arena, job *j, ts_err *err)
{
    for (const char *p = j->o->list; p;) {
        const char *comma = access(p, F_OK) == 0 ? NULL : strchr(p, ',');
        if (j->items == MAX_ITEMS)
            return ts_fail(err, "more than %d results in one call", MAX_ITEMS);
        if (!parse_item(arena, p, comma ? (size_t)(comma - p) : strlen(p), j->o->inputs, &j->item[j->items++], err))
            return false;
        p = comma ? comma + 1 : NULL;
    }
    if (!j->o->against)
        return true;
    if (!parse_item(arena, j->o->against, strlen(j->o->against), j->o->inputs, &j->float_item, err))
        return false;
    return j->float_item.path || ts_fail(err, "--against takes a results file, not a baseline");
}

static bool load_inputs(ts_arena *arena, item *it, ts_err *err)
{
    if (it->inputs_path)
        it->inputs = ts_inputs_load(arena, it->inputs_path, err);
    else if (it->path)
        it->inputs = ts_results_inputs(arena, it->path, err);
    return it->inputs || (!it->path && !it->inputs_path);
}

static bool load_results(ts_arena *arena, job *j, item *it, ts_err *err)
{
    if (!it->path)
        return ts_baseline_possible(it->baseline, j->truth, err);
    ts_progress("reading %s", it->path);
    it->results = ts_results_read(arena, it->path, it->inputs, j->truth, err);
    for (int e = 0; it->results && e < j->truth->count; e++) {
        if (it->results->y[e] || j->truth->event[e].n == 0)
            continue;
        if (!j->o->subset)
            return ts_fail(err, "%s: event %lld of %s is missing (refused by the hardware, or never run?); --subset scores the others only",
                           it->path, (long long)j->truth->event[e].id, j->truth->path);
        j->used[e] = false;
    }
    return it->results != NULL;
}

static bool load(ts_arena *arena, job *j, ts_err *err)
{
    const char *mask = NULL;
    if (!parse_list(arena, j, err))
        return false;
    for (int i = 0; i < j->items; i++) {
        if (!load_inputs(arena, &j->item[i], err))
            return false;
        mask = !mask && j->item[i].inputs ? j->item[i].inputs->mask : mask;
    }
    if (j->float_item.path && !load_inputs(arena, &j->float_item, err))
        return false;
    ts_progress("reading %s", j->o->truth);
    j->truth = ts_truth_load(arena, j->o->truth, mask, err);
    if (!j->truth)
        return false;
    j->used = TS_NEW_N(arena, bool, j->truth->count);
    memset(j->used, true, (size_t)j->truth->count);
    for (int i = 0; i < j->items; i++)
        if (!load_results(arena, j, &j->item[i], err))
            return false;
    if (j->float_item.path && !load_results(arena, j, &j->float_item, err))
        return false;
    for (int e = 0; e < j->truth->count; e++)
        j->scored += j->used[e];
    return j->scored > 0 || ts_fail(err, "no event of %s is in all the results files", j->truth->path);
}

/* What a baseline takes from an inputs file: its own, or the first of the list that has it. */
static const ts_inputs *find_inputs(const job *j, const item *it, bool bins)
{
    for (int i = -1; i < j->items; i++) {
        const ts_inputs *in = i < 0 ? it->inputs : j->item[i].inputs;
        if (in && (bins ? in->bins != NULL : !in->classification))
            return in;
    }
    return NULL;
}

static bool same_clustering(const ts_clustering *a, const ts_clustering *b)
{
    return a->columns == b->columns && memcmp(a->column, b->column, (size_t)a->columns * sizeof *a->column) == 0 &&
           a->min_cluster_size == b->min_cluster_size && a->min_samples == b->min_samples;
}

/* An item's rows: for what is clustered, the inputs file's own clustering, then TrackFormers' (5, 2) on all outputs and (3, 2), each
   once. Returns how many. */
static int item_rows(ts_arena *arena, const job *j, const item *it, row *rows)
{
    const ts_inputs *in = it->path ? it->inputs : find_inputs(j, it, false);
    const bool clusters = it->path ? !in->classification : ts_baseline_clusters(it->baseline);
    if (!clusters) {
        rows[0] = (row){.item = it};
        return 1;
    }
    /* Baselines have columns of their own; only the two sizes are the inputs file's. */
    ts_clustering *wanted = TS_NEW_N(arena, ts_clustering, CLUSTERINGS);
    wanted[1] = wanted[2] = ts_inputs_default_clustering(arena, it->path ? in->outputs : 1);
    wanted[0] = in ? in->cluster : wanted[1];
    if (!it->path) {
        wanted[0].columns = wanted[1].columns;
        wanted[0].column = wanted[1].column;
    }
    wanted[2].min_cluster_size = 3;
    int count = 0;
    for (int w = 0; w < CLUSTERINGS; w++) {
        bool known = false;
        for (int k = 0; k < count; k++)
            known |= same_clustering(rows[k].clustering, &wanted[w]);
        if (!known)
            rows[count++] = (row){.item = it, .clustering = &wanted[w]};
    }
    return count;
}

static bool score_row(ts_arena *arena, const job *j, row *r, ts_err *err)
{
    const item *it = r->item;
    const ts_truth *truth = j->truth;
    const ts_inputs *binned = !it->path && !r->clustering ? find_inputs(j, it, true) : NULL;
    if (!it->path && !r->clustering && !binned)
        return ts_fail(err, "baseline '%s' needs an inputs file with \"bins\" (docs/scores.md): baseline:%s@INPUTS.json",
                       ts_baseline_name(it->baseline), ts_baseline_name(it->baseline));
    r->label = TS_NEW_N(arena, int32_t *, truth->count);
    r->scores = TS_NEW_N(arena, ts_score, truth->count);
    for (int e = 0; e < truth->count; e++)
        r->label[e] = j->used[e] ? TS_NEW_N(arena, int32_t, truth->event[e].n) : NULL;
    ts_progress("scoring %s", it->label);
    int done = 0, ignored = 0;
#pragma omp parallel for schedule(dynamic) reduction(+ : ignored)
    for (int e = 0; e < truth->count; e++) {
        const ts_truth_event *ev = &truth->event[e];
        if (j->used[e]) {
            const double *y = it->results ? it->results->y[e] : NULL;
            if (!it->path)
                ts_candidates_baseline(it->baseline, ev, r->clustering, binned ? binned->bins : NULL, r->label[e]);
            else if (r->clustering)
                ts_candidates_cluster(r->clustering, ev->n, it->inputs->outputs, y, r->label[e]);
            else if (it->results->kind == TS_RESULT_CLASS)
                ignored += ts_candidates_classes(it->inputs, ev->n, y, r->label[e]);
            else
                ts_candidates_argmax(it->inputs, ev->n, y, r->label[e]);
            r->scores[e] = ts_score_candidates(ev, r->label[e]);
        }
        int now;
#pragma omp atomic capture
        now = ++done;
        ts_progress_at((double)now / truth->count);
    }
    r->ignored = ignored;
    return true;
}

/* The row of the float results that was made the same way, or NULL: other inputs file, or a baseline. */
static const row *float_row_of(const job *j, const row *r)
{
    const char *a = r->item->inputs_path, *b = j->float_item.inputs_path;
    const bool same = r->item->path && j->float_item.path && (a && b ? strcmp(a, b) == 0 : a == b);
    for (int f = 0; same && f < j->float_rows; f++) {
        const ts_clustering *own = r->clustering, *other = j->float_row[f].clustering;
        if (own && other ? same_clustering(own, other) : own == other)
            return &j->float_row[f];
    }
    return NULL;
}

static bool score(ts_arena *arena, job *j, ts_err *err)
{
    for (int i = 0; i < j->items; i++)
        j->rows += item_rows(arena, j, &j->item[i], &j->row[j->rows]);
    if (j->float_item.path) {
        j->float_rows = item_rows(arena, j, &j->float_item, j->float_row);
        bool pair = false;
        for (int r = 0; r < j->rows; r++)
            pair |= float_row_of(j, &j->row[r]) != NULL;
        if (!pair)
            return ts_fail(err, "--against %s: no results with the same inputs file to compare it with", j->float_item.path);
    }
    for (int r = 0; r < j->float_rows; r++)
        if (!score_row(arena, j, &j->float_row[r], err))
            return false;
    for (int r = 0; r < j->rows; r++)
        if (!score_row(arena, j, &j->row[r], err))
            return false;
    if (ts_score_mean(j->truth->count, j->row[0].scores, TS_TRACKML).events == 0)
        return ts_fail(err, "%s: no event to score has a hit of a particle (particle_id other than 0, weight above 0)", j->truth->path);
    return true;
}

static ts_difference difference(ts_arena *arena, const job *j, const row *r)
{
    const ts_results *a = r->item->results, *b = j->float_item.results;
    if (a->kind != TS_RESULT_VALUES || b->kind != TS_RESULT_VALUES || a->width != b->width)
        return (ts_difference){.median = NAN, .p95 = NAN};
    const int events = j->truth->count;
    int *n = TS_NEW_N(arena, int, events);
    const double **y = TS_NEW_N(arena, const double *, events);
    for (int e = 0; e < events; e++) {
        n[e] = j->truth->event[e].n;
        y[e] = j->used[e] ? a->y[e] : NULL;
    }
    return ts_output_difference(events, n, a->width, y, (const double *const *)b->y);
}

/* Share of hits that have the same class in both; only for classifications. */
static double agreement(const job *j, const row *r, const row *other)
{
    long long same = 0, hits = 0;
    for (int e = 0; e < j->truth->count; e++)
        for (int i = 0; j->used[e] && i < j->truth->event[e].n; i++, hits++)
            same += r->label[e][i] == other->label[e][i];
    return hits ? (double)same / (double)hits : NAN;
}

static json_t *real(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

/* A name from the command line or a CSV file, which need not be valid UTF-8 as JSON strings are. */
static json_t *name_json(ts_arena *arena, const char *text)
{
    return text ? json_string(ts_text_plain(arena, text)) : json_null();
}

static json_t *estimate_json(ts_estimate x)
{
    return json_pack("{s:o, s:o}", "mean", real(x.mean), "standard_error", real(x.error));
}

static json_t *clusterer_json(ts_arena *arena, const row *r)
{
    if (!r->clustering)
        return json_pack("{s:s}", "method", "class");
    json_t *all = json_pack("{s:s, s:i, s:i}", "method", "hdbscan", "min_cluster_size", r->clustering->min_cluster_size, "min_samples",
                            r->clustering->min_samples);
    if (r->item->path) {
        json_t *columns = json_array();
        for (int c = 0; c < r->clustering->columns; c++)
            json_array_append_new(columns, name_json(arena, r->item->inputs->output[r->clustering->column[c]]));
        json_object_set_new(all, "columns", columns);
    }
    return all;
}

static json_t *row_json(ts_arena *arena, const job *j, const row *r)
{
    const int events = j->truth->count;
    json_t *all = json_pack("{s:o, s:o, s:i}", "label", name_json(arena, r->item->label), "file",
                            name_json(arena, r->item->path ? base_name(r->item->path) : NULL), "events",
                            ts_score_mean(events, r->scores, TS_TRACKML).events);
    json_object_set_new(all, "clusterer", clusterer_json(arena, r));
    if (r->item->results && r->item->results->kind == TS_RESULT_CLASS)
        json_object_set_new(all, "hits_in_ignored_classes", json_integer(r->ignored));
    for (ts_metric m = 0; m < TS_METRICS; m++)
        json_object_set_new(all, ts_metric_name(m), estimate_json(ts_score_mean(events, r->scores, m)));
    const row *f = float_row_of(j, r);
    if (f) {
        const ts_difference d = difference(arena, j, r);
        json_t *loss = json_object();
        for (ts_metric m = 0; m < TS_METRICS; m++)
            json_object_set_new(loss, ts_metric_name(m), estimate_json(ts_score_loss(events, f->scores, r->scores, m)));
        json_object_set_new(all, "loss", loss);
        json_object_set_new(all, "difference",
                            json_pack("{s:o, s:o, s:i}", "median", real(d.median), "p95", real(d.p95), "constant_outputs", d.constant));
        if (!r->clustering)
            json_object_set_new(all, "same_class", real(agreement(j, r, f)));
    }
    return all;
}

static void print_json(ts_arena *arena, const job *j)
{
    json_t *rows = json_array();
    for (int r = 0; r < j->float_rows; r++)
        json_array_append_new(rows, row_json(arena, j, &j->float_row[r]));
    for (int r = 0; r < j->rows; r++)
        json_array_append_new(rows, row_json(arena, j, &j->row[r]));
    json_t *all = json_pack("{s:o, s:i, s:o}", "truth", name_json(arena, base_name(j->truth->path)), "events", j->scored, "rows", rows);
    CHECK(all);
    ts_json_print(stdout, all, JSON_INDENT(1) | JSON_PRESERVE_ORDER);
    json_decref(all);
}

enum { LABEL_WIDTH = 32, METHOD_WIDTH = 22, CELL_WIDTH = 18 };

static void print_name(const row *r)
{
    char method[64] = "class";
    const ts_clustering *c = r->clustering;
    if (c) {
        const int used = snprintf(method, sizeof method, "HDBSCAN (%d, %d)", c->min_cluster_size, c->min_samples);
        if (r->item->path && c->columns < r->item->inputs->outputs)
            snprintf(method + used, sizeof method - (size_t)used, ", %d of %d", c->columns, r->item->inputs->outputs);
    }
    printf("%-*.*s %-*s", LABEL_WIDTH, LABEL_WIDTH, r->item->label, METHOD_WIDTH, method);
}

static void print_estimate(ts_estimate x, bool sign)
{
    char text[64];
    snprintf(text, sizeof text, isnan(x.error) ? (sign ? "%+.4f" : "%.4f") : sign ? "%+.4f +- %.4f" : "%.4f +- %.4f", x.mean, x.error);
    printf(" %*s", CELL_WIDTH, text);
}

static void print_heading(const char *what)
{
    printf("\n%-*s", LABEL_WIDTH + 1 + METHOD_WIDTH, what);
    for (ts_metric m = 0; m < TS_METRICS; m++)
        printf(" %*s", CELL_WIDTH, ts_metric_name(m));
    putchar('\n');
}

static void print_row(const job *j, const row *r)
{
    print_name(r);
    for (ts_metric m = 0; m < TS_METRICS; m++)
        print_estimate(ts_score_mean(j->truth->count, r->scores, m), false);
    putchar('\n');
}

static void print_against(ts_arena *arena, const job *j)
{
    print_heading(ts_printf(arena, "loss against %s, paired", j->float_item.label));
    for (int r = 0; r < j->rows; r++) {
        const row *f = float_row_of(j, &j->row[r]);
        if (!f)
            continue;
        print_name(&j->row[r]);
        for (ts_metric m = 0; m < TS_METRICS; m++)
            print_estimate(ts_score_loss(j->truth->count, f->scores, j->row[r].scores, m), true);
        putchar('\n');
    }
    printf("\n%-*s %*s %*s\n", LABEL_WIDTH + 1 + METHOD_WIDTH, "|difference| / std of the reference's outputs", CELL_WIDTH, "median",
           CELL_WIDTH, "95th percentile");
    for (int r = 0; r < j->rows; r++) {
        const row *own = &j->row[r], *f = float_row_of(j, own);
        if (!f || (r > 0 && own[-1].item == own->item)) /* the same outputs as the row above */
            continue;
        const ts_difference d = difference(arena, j, own);
        printf("%-*.*s", LABEL_WIDTH + 1 + METHOD_WIDTH, LABEL_WIDTH, own->item->label);
        if (isnan(d.median))
            printf(" %*s", 2 * CELL_WIDTH + 1, "needs all logits of both files");
        else
            printf(" %*.3f %% %*.3f %%", CELL_WIDTH - 2, 100 * d.median, CELL_WIDTH - 2, 100 * d.p95);
        if (d.constant)
            printf("   %d output(s) without spread left out", d.constant);
        if (!own->clustering)
            printf("   same class: %.4f of hits", agreement(j, own, f));
        putchar('\n');
    }
}

static void print_table(ts_arena *arena, const job *j)
{
    const int defined = ts_score_mean(j->truth->count, j->row[0].scores, TS_TRACKML).events;
    printf("%d of %d events of %s", defined, j->truth->count, base_name(j->truth->path));
    if (defined < j->scored)
        printf(" (%d have no hit of a particle)", j->scored - defined);
    putchar('\n');
    print_heading("candidates of");
    for (int r = 0; r < j->float_rows; r++)
        print_row(j, &j->float_row[r]);
    for (int r = 0; r < j->rows; r++)
        print_row(j, &j->row[r]);
    if (j->float_rows > 0)
        print_against(arena, j);
}

static void warn_ignored(const row *r)
{
    if (r->ignored > 0)
        fprintf(stderr,
                "tessera score: note: %s: %d hits are in an ignored class and so in no candidate; with all logits (tessera run "
                "--logits) the best of their other classes counts\n",
                r->item->label, r->ignored);
}

static bool execute(ts_arena *arena, const options *o, ts_err *err)
{
    job *j = TS_NEW(arena, job);
    j->o = o;
    if (!load(arena, j, err) || !score(arena, j, err))
        return false;
    ts_progress_end();
    for (int r = 0; r < j->float_rows; r++)
        warn_ignored(&j->float_row[r]);
    for (int r = 0; r < j->rows; r++)
        warn_ignored(&j->row[r]);
    if (o->json)
        print_json(arena, j);
    else
        print_table(arena, j);
    return true;
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
    const ts_args_result parsed = ts_args_parse(verb, table, argc, argv, &o.list, &err);
    if (parsed != TS_ARGS_OK)
        return parsed == TS_ARGS_HELP ? 0 : ts_cli_usage(verb, &err);
    ts_arena *arena = ts_arena_new();
    const bool ok = execute(arena, &o, &err);
    ts_progress_end();
    ts_arena_free(arena);
    return ok ? 0 : ts_cli_fail(verb, &err);
}
