/* tessera profile: what the formats of a compiled model do to each of its tensors. */
#include <math.h>
#include <stdio.h>

#include "cli/notices.h"
#include "cli/progress.h"
#include "cli/verbs.h"
#include "design/report.h"
#include "flow/assisted.h"
#include "flow/session.h"
#include "search/profile.h"

typedef struct options {
    const char *dir;
    ts_event_source source;
    bool all;
} options;

static void print_decibel(double x)
{
    if (isnan(x))
        printf(" %8s", "-");
    else
        printf(" %8.1f", x);
}

static void print_row(const ts_profile_row *r)
{
    char name[64];
    ts_profile_name(r, name, sizeof name);
    printf("%-36s %c%2d", name, r->fmt.is_signed ? 's' : 'u', r->fmt.bits);
    print_decibel(r->snr);
    print_decibel(r->own);
    printf(" %12.4g %12.4g %6.1f %% %12lld%s\n", r->min, r->max, 100 * r->used, r->saturated,
           r->saturated * 1000 > r->values ? "  more than 1 in 1,000" : "");
}

static void print(const ts_profile *p, bool all)
{
    enum { WORST = 20 };
    printf("%d events, %lld hits; worst first by signal to noise. alone: of this format's own rounding\n", p->events, p->hits);
    printf("%-36s %3s %8s %8s %12s %12s %8s %12s\n", "tensor", "fmt", "SNR dB", "alone", "least", "most", "used", "saturated");
    for (int i = 0; i < p->rows && (all || i < WORST); i++)
        print_row(&p->row[i]);
    if (all || p->rows <= WORST)
        return;
    int saturated = 0;
    for (int i = WORST; i < p->rows; i++)
        saturated += p->row[i].saturated > 0;
    if (saturated > 0)
        printf("others with saturated values:\n");
    for (int i = WORST; i < p->rows; i++)
        if (p->row[i].saturated > 0)
            print_row(&p->row[i]);
    printf("%d tensors in all (--all shows them)\n", p->rows);
}

static bool profile(ts_arena *arena, const options *o, ts_err *err)
{
    if (!ts_is_directory(o->dir))
        return ts_fail_as(err, TS_NO_FILE, "%s: needs a directory that `tessera compile` made", o->dir);
    ts_compiled c;
    if (!ts_load_compiled(arena, o->dir, &o->source, &c, err))
        return false;
    ts_float_model model;
    const ts_encoder *encoder = NULL;
    ts_assist_events both = {NULL, NULL};
    const ts_events *events = ts_load_float_model(arena, c.onnx, o->source.notices, &model, err)
                                  ? ts_load_events(arena, &o->source, c.inputs, c.host, err)
                                  : NULL;
    bool ok = events && ts_assist_beside(arena, &c, &model, events, &encoder, &both, err);
    for (int e = 0; ok && e < events->count; e++)
        ok = ts_encoder_eval_check(encoder, both.tokens->event[e].n, true, err);
    if (ok) {
        ts_progress("both models, %d events", events->count);
        const ts_profile *p = ts_profile_measure(arena, encoder, both.floating, c.design.im, both.tokens, ts_progress_at);
        ts_progress_end();
        ok = p->events > 0 || ts_fail_as(err, TS_BAD_FILE, "%s: no event has a hit", events->path);
        ok = ok && ts_report_put(&c.design, "profile", ts_profile_json(p), err);
        if (ok)
            print(p, o->all);
    }
    ts_design_free(&c.design);
    return ok;
}

int ts_verb_profile(const ts_verb *verb, int argc, char **argv)
{
    const ts_notices notices = ts_cli_notices(verb->name);
    options o = {.source.limit = 20, .source.notices = &notices};
    const ts_arg table[] = {
        {"events", TS_ARG_TEXT, "FILE", "events, .csv or .npy", &o.source.events, 0, 0, false},
        {"input", TS_ARG_TEXT, "FILE.npy", "samples, where the model's input has a fixed shape", &o.source.samples, 0, 0, false},
        {"inputs", TS_ARG_TEXT, "FILE.json", "which columns are inputs (as compiled)", &o.source.inputs, 0, 0, false},
        {"lengths", TS_ARG_TEXT, "FILE.npy", "true tokens of each .npy event", &o.source.lengths, 0, 0, false},
        {"mask", TS_ARG_TEXT, "FILE.npy", "padding of .npy events, nonzero = padding", &o.source.mask, 0, 0, false},
        {"standardised", TS_ARG_FLAG, NULL, "take values as they are, not as (value - mean) / std of the inputs file",
         &o.source.standardised, 0, 0, false},
        {"limit", TS_ARG_INT, "K", "only the first K events (20)", &o.source.limit, 1, 1e6, false},
        {"all", TS_ARG_FLAG, NULL, "print all tensors, not the worst twenty", &o.all, 0, 0, false},
        {NULL, TS_ARG_FLAG, NULL, NULL, NULL, 0, 0, false},
    };
    ts_err err = {""};
    int status;
    if (!ts_args_parse(verb, table, argc, argv, &o.dir, &status))
        return status;
    ts_arena *arena = ts_arena_new();
    const bool ok = profile(arena, &o, &err);
    ts_progress_end();
    ts_arena_free(arena);
    return ok ? 0 : ts_cli_fail(verb, &err);
}
