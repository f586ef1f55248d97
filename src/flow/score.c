#include "flow/score.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include "base/boundary.h"
#include "data/results.h"

typedef struct item {
    const ts_score_item *from;
    const char *label;
    const ts_inputs *inputs;   /* NULL: a baseline without an inputs file of its own */
    const ts_results *results; /* NULL for a baseline */
} item;

/* A line of the table while it is made. */
typedef struct row {
    const item *item;
    const ts_clustering *clustering; /* NULL: the hits of a class are a candidate */
    int32_t **label;                 /* [events][n]; NULL for events left out */
    ts_score *scores;                /* [events] */
    int ignored;                     /* hits in an ignored class */
} row;

enum { CLUSTERINGS = 3, ROWS_MOST = TS_SCORE_ITEMS * CLUSTERINGS };

typedef struct job {
    const ts_score_options *o;
    int rows, scored; /* scored: events that count */
    item item[TS_SCORE_ITEMS];
    item float_item; /* `against` */
    row row[ROWS_MOST];
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

static item item_of(const ts_score_item *from)
{
    const char *label = from->label    ? from->label
                        : from->path   ? base_name(from->path)
                        : from->arrays ? TS_RESULT_ARRAYS
                                       : ts_baseline_describe(from->baseline);
    return (item){.from = from, .label = label};
}

static bool is_baseline(const ts_score_item *from)
{
    return !from->path && !from->arrays;
}

static const char *name_of(const ts_score_item *from)
{
    return from->path ? from->path : TS_RESULT_ARRAYS;
}

static bool load_inputs(ts_arena *arena, item *it, ts_err *err)
{
    if (it->from->inputs)
        it->inputs = ts_inputs_load(arena, it->from->inputs, err);
    else if (it->from->path)
        it->inputs = ts_results_inputs(arena, it->from->path, err);
    else if (it->from->arrays)
        it->inputs = ts_inputs_identity(arena, 0, it->from->arrays->outputs);
    return it->inputs || (is_baseline(it->from) && !it->from->inputs);
}

static bool load_results(ts_arena *arena, job *j, item *it, ts_err *err)
{
    if (is_baseline(it->from))
        return ts_baseline_possible(it->from->baseline, j->truth, err);
    ts_notice_step(j->o->notices, "reading %s", name_of(it->from));
    it->results = it->from->path ? ts_results_read(arena, it->from->path, it->inputs, j->truth, err)
                                 : ts_results_of_arrays(arena, it->from->arrays, it->inputs, j->truth, err);
    for (int e = 0; it->results && e < j->truth->count; e++) {
        if (it->results->y[e] || j->truth->event[e].n == 0)
            continue;
        if (!j->o->subset)
            return ts_fail_as(err, TS_BAD_FILE,
                              "%s: event %lld of %s is missing (refused by the hardware, or never run?); %s scores the others only",
                              name_of(it->from), (long long)j->truth->event[e].id, j->truth->path, ts_option("subset"));
        j->used[e] = false;
    }
    return it->results != NULL;
}

static bool load(ts_arena *arena, job *j, ts_err *err)
{
    const char *mask = NULL;
    for (int i = 0; i < j->o->items; i++) {
        if (!load_inputs(arena, &j->item[i], err))
            return false;
        mask = !mask && j->item[i].inputs ? j->item[i].inputs->mask : mask;
    }
    if (j->o->against && !load_inputs(arena, &j->float_item, err))
        return false;
    ts_notice_step(j->o->notices, "reading %s", j->o->truth);
    j->truth = ts_truth_load(arena, j->o->truth, mask, err);
    if (!j->truth)
        return false;
    j->used = TS_NEW_N(arena, bool, j->truth->count);
    memset(j->used, true, (size_t)j->truth->count);
    for (int i = 0; i < j->o->items; i++)
        if (!load_results(arena, j, &j->item[i], err))
            return false;
    if (j->o->against && !load_results(arena, j, &j->float_item, err))
        return false;
    for (int e = 0; e < j->truth->count; e++)
        j->scored += j->used[e];
    return j->scored > 0 || ts_fail_as(err, TS_BAD_FILE, "no event of %s is in all the results files", j->truth->path);
}

/* What a baseline takes from an inputs file: its own, or the first of the list that has it. */
static const ts_inputs *find_inputs(const job *j, const item *it, bool bins)
{
    for (int i = -1; i < j->o->items; i++) {
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
    const bool baseline = is_baseline(it->from);
    const ts_inputs *in = !baseline ? it->inputs : find_inputs(j, it, false);
    const bool clusters = !baseline ? !in->classification : ts_baseline_clusters(it->from->baseline);
    if (!clusters) {
        rows[0] = (row){.item = it};
        return 1;
    }
    /* Baselines have columns of their own; only the two sizes are the inputs file's. */
    ts_clustering *wanted = TS_NEW_N(arena, ts_clustering, CLUSTERINGS);
    wanted[1] = wanted[2] = ts_inputs_default_clustering(arena, !baseline ? in->outputs : 1);
    wanted[0] = in ? in->cluster : wanted[1];
    if (baseline) {
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

/* A row's events, on all processors. */
typedef struct section {
    const job *j;
    row *r;
    const ts_bins *bins; /* of a baseline that is binned */
    atomic_int done, ignored;
} section;

static void score_event(void *user, int e)
{
    section *s = user;
    const job *j = s->j;
    const row *r = s->r;
    const item *it = r->item;
    const ts_truth_event *ev = &j->truth->event[e];
    if (j->used[e]) {
        const double *y = it->results ? it->results->y[e] : NULL;
        if (is_baseline(it->from))
            ts_candidates_baseline(it->from->baseline, ev, r->clustering, s->bins, r->label[e]);
        else if (r->clustering)
            ts_candidates_cluster(r->clustering, ev->n, it->inputs->outputs, y, r->label[e]);
        else if (it->results->kind == TS_RESULT_CLASS)
            atomic_fetch_add(&s->ignored, ts_candidates_classes(it->inputs, ev->n, y, r->label[e]));
        else
            ts_candidates_argmax(it->inputs, ev->n, y, r->label[e]);
        r->scores[e] = ts_score_candidates(ev, r->label[e]);
    }
    ts_notice_at(j->o->notices, (double)(atomic_fetch_add(&s->done, 1) + 1) / j->truth->count);
}

static bool score_row(ts_arena *arena, const job *j, row *r, ts_err *err)
{
    const item *it = r->item;
    const ts_truth *truth = j->truth;
    const ts_inputs *binned = is_baseline(it->from) && !r->clustering ? find_inputs(j, it, true) : NULL;
    if (is_baseline(it->from) && !r->clustering && !binned)
        return ts_fail_as(err, TS_USAGE, "baseline '%s' needs an inputs file with \"bins\" (docs/scores.md)",
                          ts_baseline_name(it->from->baseline));
    r->label = TS_NEW_N(arena, int32_t *, truth->count);
    r->scores = TS_NEW_N(arena, ts_score, truth->count);
    for (int e = 0; e < truth->count; e++)
        r->label[e] = j->used[e] ? TS_NEW_N(arena, int32_t, truth->event[e].n) : NULL;
    ts_notice_step(j->o->notices, "scoring %s", it->label);
    section s = {.j = j, .r = r, .bins = binned ? binned->bins : NULL};
    ts_parallel(truth->count, 1, true, score_event, &s);
    r->ignored = atomic_load(&s.ignored);
    return true;
}

/* The row of the float results that was made the same way, or NULL: other inputs file, or a baseline. */
static const row *float_row_of(const job *j, const row *r)
{
    if (!j->o->against || is_baseline(r->item->from))
        return NULL;
    const char *a = r->item->from->inputs, *b = j->o->against->inputs;
    const bool same = a && b ? strcmp(a, b) == 0 : a == b;
    for (int f = 0; same && f < j->float_rows; f++) {
        const ts_clustering *own = r->clustering, *other = j->float_row[f].clustering;
        if (own && other ? same_clustering(own, other) : own == other)
            return &j->float_row[f];
    }
    return NULL;
}

static bool score(ts_arena *arena, job *j, ts_err *err)
{
    for (int i = 0; i < j->o->items; i++)
        j->rows += item_rows(arena, j, &j->item[i], &j->row[j->rows]);
    if (j->o->against) {
        j->float_rows = item_rows(arena, j, &j->float_item, j->float_row);
        bool pair = false;
        for (int r = 0; r < j->rows; r++)
            pair |= float_row_of(j, &j->row[r]) != NULL;
        if (!pair)
            return ts_fail_as(err, TS_USAGE, "%s %s: no results with the same inputs file to compare it with", ts_option("against"),
                              j->o->against->path);
    }
    for (int r = 0; r < j->float_rows; r++)
        if (!score_row(arena, j, &j->float_row[r], err))
            return false;
    for (int r = 0; r < j->rows; r++)
        if (!score_row(arena, j, &j->row[r], err))
            return false;
    if (ts_score_mean(j->truth->count, j->row[0].scores, TS_TRACKML).events == 0)
        return ts_fail_as(err, TS_BAD_FILE, "%s: no event to score has a hit of a particle (particle_id other than 0, weight above 0)",
                          j->truth->path);
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

static ts_scored_row made_row(ts_arena *arena, const job *j, const row *r, const ts_scored_row *before)
{
    const item *it = r->item;
    const ts_results *results = it->results;
    const row *f = float_row_of(j, r);
    const int events = j->truth->count;
    ts_scored_row made = {.label = it->label,
                          .file = it->from->path ? base_name(it->from->path) : NULL,
                          .item = it == &j->float_item ? -1 : (int)(it - j->item),
                          .clustered = r->clustering != NULL,
                          .outputs = results ? it->inputs->outputs : 0,
                          .output = results ? it->inputs->output : NULL,
                          .winners = results && results->kind == TS_RESULT_CLASS,
                          .ignored = r->ignored,
                          .compared = f != NULL,
                          .same_class = NAN,
                          .candidate = (const int32_t *const *)r->label};
    if (r->clustering)
        made.clustering = *r->clustering;
    for (ts_metric m = 0; m < TS_METRICS; m++) {
        made.score[m] = ts_score_mean(events, r->scores, m);
        if (f)
            made.loss[m] = ts_score_loss(events, f->scores, r->scores, m);
    }
    if (f)
        made.difference = before && before->item == made.item ? before->difference : difference(arena, j, r);
    if (f && !r->clustering)
        made.same_class = agreement(j, r, f);
    return made;
}

static const ts_scoring *finish(ts_arena *arena, const job *j)
{
    const int rows = j->float_rows + j->rows;
    ts_scored_row *list = TS_NEW_N(arena, ts_scored_row, rows);
    for (int i = 0; i < rows; i++) {
        const row *r = i < j->float_rows ? &j->float_row[i] : &j->row[i - j->float_rows];
        list[i] = made_row(arena, j, r, i > 0 ? &list[i - 1] : NULL);
    }
    ts_scoring *scoring = TS_NEW(arena, ts_scoring);
    *scoring = (ts_scoring){.truth = base_name(j->truth->path),
                            .event = j->truth->event,
                            .events = j->truth->count,
                            .scored = j->scored,
                            .defined = ts_score_mean(j->truth->count, j->row[0].scores, TS_TRACKML).events,
                            .against = j->o->against ? j->float_item.label : NULL,
                            .rows = rows,
                            .row = list};
    return scoring;
}

/* Whether the options are such as can be. */
static bool check(const ts_score_options *o, ts_err *err)
{
    if (o->items < 1 || o->items > TS_SCORE_ITEMS)
        return ts_fail(err, "%d results to score; one call takes 1 to %d", o->items, TS_SCORE_ITEMS);
    return !o->against || !is_baseline(o->against) ||
           ts_fail_as(err, TS_USAGE, "%s takes a results file, not a baseline", ts_option("against"));
}

const ts_scoring *ts_score_items(ts_arena *arena, const ts_score_options *o, ts_err *err)
{
    if (!check(o, err))
        return NULL;
    job *j = TS_NEW(arena, job);
    j->o = o;
    for (int i = 0; i < o->items; i++)
        j->item[i] = item_of(&o->item[i]);
    if (o->against)
        j->float_item = item_of(o->against);
    const bool ok = load(arena, j, err) && score(arena, j, err);
    ts_notice_step_end(o->notices);
    const ts_scoring *made = ok ? finish(arena, j) : NULL;
    for (int i = 0; made && i < made->rows; i++)
        if (made->row[i].ignored > 0)
            ts_notice_note(o->notices,
                           "%s: %d hits are in an ignored class and so in no candidate; with all logits (of a run with %s) the best of "
                           "their other classes counts",
                           made->row[i].label, made->row[i].ignored, ts_option("logits"));
    return made;
}
