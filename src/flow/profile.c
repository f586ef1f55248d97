#include "flow/profile.h"

#include <math.h>

#include "design/report.h"
#include "flow/assisted.h"

static void print_decibel(FILE *out, double x)
{
    if (isnan(x))
        fprintf(out, " %8s", "-");
    else
        fprintf(out, " %8.1f", x);
}

static void print_row(FILE *out, const ts_profile_row *r)
{
    char name[64];
    ts_profile_name(r, name, sizeof name);
    fprintf(out, "%-36s %c%2d", name, r->fmt.is_signed ? 's' : 'u', r->fmt.bits);
    print_decibel(out, r->snr);
    print_decibel(out, r->own);
    fprintf(out, " %12.4g %12.4g %6.1f %% %12lld%s\n", r->min, r->max, 100 * r->used, r->saturated,
            r->saturated * 1000 > r->values ? "  more than 1 in 1,000" : "");
}

void ts_profile_print(const ts_profile *p, bool all, FILE *out)
{
    enum { WORST = 20 };
    fprintf(out, "%d events, %lld hits; worst first by signal to noise. alone: of this format's own rounding\n", p->events, p->hits);
    fprintf(out, "%-36s %3s %8s %8s %12s %12s %8s %12s\n", "tensor", "fmt", "SNR dB", "alone", "least", "most", "used", "saturated");
    for (int i = 0; i < p->rows && (all || i < WORST); i++)
        print_row(out, &p->row[i]);
    if (all || p->rows <= WORST)
        return;
    int saturated = 0;
    for (int i = WORST; i < p->rows; i++)
        saturated += p->row[i].saturated > 0;
    if (saturated > 0)
        fprintf(out, "others with saturated values:\n");
    for (int i = WORST; i < p->rows; i++)
        if (p->row[i].saturated > 0)
            print_row(out, &p->row[i]);
    fprintf(out, "%d tensors in all (%s shows them)\n", p->rows, ts_option("all"));
}

static void go_on(void *user, double fraction)
{
    ts_notice_at(user, fraction);
}

/* Of a compiled directory that is loaded. */
static const ts_profile *measure(ts_arena *arena, const ts_compiled *c, const ts_event_source *source, ts_err *err)
{
    ts_float_model model;
    const ts_encoder *encoder;
    ts_assist_events both;
    const ts_events *events =
        ts_load_float_model(arena, c->onnx, source->notices, &model, err) ? ts_load_events(arena, source, c->inputs, c->host, err) : NULL;
    if (!events || !ts_assist_beside(arena, c, &model, events, &encoder, &both, err))
        return NULL;
    for (int e = 0; e < events->count; e++)
        if (!ts_encoder_eval_check(encoder, both.tokens->event[e].n, true, err))
            return NULL;
    ts_notice_step(source->notices, "both models, %d events", events->count);
    const ts_profile *p = ts_profile_measure(arena, encoder, both.floating, c->design.im, both.tokens, go_on, (void *)source->notices);
    ts_notice_step_end(source->notices);
    if (p->events > 0)
        return ts_report_put(&c->design, "profile", ts_profile_json(p), err) ? p : NULL;
    ts_fail_as(err, TS_BAD_FILE, "%s: no event has a hit", events->path);
    return NULL;
}

const ts_profile *ts_profile_directory(ts_arena *arena, const char *directory, const ts_event_source *source, ts_err *err)
{
    ts_compiled c;
    if (!ts_is_directory(directory)) {
        ts_fail_as(err, TS_NO_FILE, "%s: needs a directory that a model was compiled into", directory);
        return NULL;
    }
    if (!ts_load_compiled(arena, directory, source, &c, err))
        return NULL;
    const ts_profile *p = measure(arena, &c, source, err);
    ts_design_free(&c.design);
    return p;
}
