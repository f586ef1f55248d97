#define TS_FAIL_CODE TS_USAGE
#include "flow/score.h"

#include <string.h>

#include "api/call.h"
#include "api/source.h"
#include "base/text.h"

struct tessera_scores {
    ts_arena *arena;
    const ts_scoring *own;
};

typedef struct job {
    const tessera_score_options *given;
    tessera_scores **scores;
    tessera_report **report;
} job;

/* An item's results in memory. */
typedef struct taken_results {
    ts_result_arrays own;
    ts_event_arrays events;
} taken_results;

static bool take_results(const tessera_results *given, taken_results *taken, ts_err *err)
{
    tessera_results r;
    if (!TS_TAKE_OPTIONS(&r, given, tessera_results, err) || !ts_take_arrays(r.events, false, &taken->events, err))
        return false;
    if (r.outputs < 1 || !r.values)
        return ts_fail(err, "results: values of %d outputs; expected 1 or more", r.outputs);
    taken->own = (ts_result_arrays){&taken->events, r.outputs, r.values, r.refused};
    return true;
}

static bool take_baseline(const char *name, ts_baseline *baseline, ts_err *err)
{
    for (*baseline = 0; *baseline < TS_BASELINES; ++*baseline)
        if (strcmp(name, ts_baseline_name(*baseline)) == 0)
            return true;
    return ts_fail(err, "unknown baseline '%s'; there are: angles, truth, binned, classes", name);
}

/* What scores are called outlives the call. */
static const char *copy(ts_arena *arena, const char *text)
{
    return text ? ts_strdup(arena, text) : NULL;
}

static bool take_item(ts_arena *arena, const tessera_score_item *given, ts_score_item *item, ts_err *err)
{
    tessera_score_item g;
    if (!TS_TAKE_OPTIONS(&g, given, tessera_score_item, err))
        return false;
    if ((g.file != NULL) + (g.results != NULL) + (g.baseline != NULL) != 1)
        return ts_fail(err, "an item to score is one of file, results and baseline");
    *item = (ts_score_item){.label = copy(arena, g.label), .path = copy(arena, g.file), .inputs = copy(arena, g.inputs)};
    if (g.baseline)
        return take_baseline(g.baseline, &item->baseline, err);
    taken_results *taken = TS_NEW(arena, taken_results);
    item->arrays = g.results ? &taken->own : NULL;
    return !g.results || take_results(g.results, taken, err);
}

static bool take_items(ts_arena *arena, const tessera_score_options *g, ts_score_options *o, ts_err *err)
{
    if (!g->truth || !g->item || g->items < 1 || g->items > TS_SCORE_ITEMS)
        return ts_fail(err, "%s and 1 to %d results to score are needed", ts_option("truth"), TS_SCORE_ITEMS);
    ts_score_item *item = TS_NEW_N(arena, ts_score_item, g->items), *against = TS_NEW(arena, ts_score_item);
    const char *at = (const char *)g->item;
    for (int i = 0; i < g->items; i++, at += g->item->size) /* as large as they are in the caller's version */
        if (!take_item(arena, (const tessera_score_item *)(const void *)at, &item[i], err))
            return false;
    o->items = g->items;
    o->item = item;
    o->against = g->against ? against : NULL;
    return !g->against || take_item(arena, g->against, against, err);
}

static void report(const job *j, ts_arena *arena, const ts_scoring *scoring)
{
    ts_text text;
    ts_scoring_print(scoring, ts_text_open(&text));
    *j->report = ts_report_new(ts_text_close(&text, arena), ts_scoring_json(arena, scoring));
}

static bool score(void *user, const ts_notices *notices, ts_err *err)
{
    const job *j = user;
    tessera_score_options g;
    if (!TS_TAKE_OPTIONS(&g, j->given, tessera_score_options, err))
        return false;
    ts_arena *arena = ts_arena_new();
    ts_score_options o = {.notices = notices, .truth = g.truth, .subset = g.subset};
    const ts_scoring *scoring = take_items(arena, &g, &o, err) ? ts_score_items(arena, &o, err) : NULL;
    tessera_scores *made = scoring && j->scores ? TS_NEW(arena, tessera_scores) : NULL;
    if (scoring && j->report)
        report(j, arena, scoring);
    if (!made) {
        ts_arena_free(arena);
        return scoring != NULL;
    }
    *made = (tessera_scores){arena, scoring};
    *j->scores = made;
    return true;
}

tessera_code tessera_score(const tessera_score_options *options, const tessera_callbacks *callbacks, tessera_scores **scores,
                           tessera_report **report_made, tessera_error *error)
{
    if (scores)
        *scores = NULL;
    if (report_made)
        *report_made = NULL;
    return ts_call(callbacks, error, score, &(job){options, scores, report_made});
}

int tessera_scores_count(const tessera_scores *scores)
{
    return scores ? scores->own->rows : 0;
}

static tessera_estimate estimate(ts_estimate x)
{
    return (tessera_estimate){x.mean, x.error};
}

bool tessera_scores_get(const tessera_scores *scores, int index, tessera_score_row *row)
{
    if (!scores || index < 0 || index >= scores->own->rows)
        return false;
    const ts_scored_row *r = &scores->own->row[index];
    const tessera_score_row made = {
        .size = sizeof made,
        .label = r->label,
        .item = r->item,
        .min_cluster_size = r->clustering.min_cluster_size,
        .min_samples = r->clustering.min_samples,
        .columns = r->clustering.columns,
        .outputs = r->outputs,
        .events = r->score[TS_TRACKML].events,
        .ignored = r->ignored,
        .trackml = estimate(r->score[TS_TRACKML]),
        .perfect = estimate(r->score[TS_PERFECT]),
        .double_majority = estimate(r->score[TS_DOUBLE_MAJORITY]),
        .lhc = estimate(r->score[TS_LHC]),
        .compared = r->compared,
        .trackml_loss = estimate(r->loss[TS_TRACKML]),
        .perfect_loss = estimate(r->loss[TS_PERFECT]),
        .double_majority_loss = estimate(r->loss[TS_DOUBLE_MAJORITY]),
        .lhc_loss = estimate(r->loss[TS_LHC]),
        .median_difference = r->difference.median,
        .p95_difference = r->difference.p95,
        .same_class = r->same_class,
    };
    ts_give_summary(row, &made, sizeof made);
    return true;
}

int tessera_scores_events(const tessera_scores *scores)
{
    return scores ? scores->own->events : 0;
}

bool tessera_scores_candidates(const tessera_scores *scores, int index, int event, tessera_candidates *candidates)
{
    if (!scores || index < 0 || index >= scores->own->rows || event < 0 || event >= scores->own->events)
        return false;
    const ts_truth_event *e = &scores->own->event[event];
    const tessera_candidates made = {sizeof made, e->id, e->n, e->hit_id, e->particle_id, scores->own->row[index].candidate[event]};
    ts_give_summary(candidates, &made, sizeof made);
    return true;
}

void tessera_scores_free(tessera_scores *scores)
{
    if (scores)
        ts_arena_free(scores->arena);
}
