#include <math.h>

#include "flow/score.h"

enum { LABEL_WIDTH = 32, METHOD_WIDTH = 22, CELL_WIDTH = 18 };

static void print_name(FILE *out, const ts_scored_row *r)
{
    char method[64] = "class";
    const ts_clustering *c = &r->clustering;
    if (r->clustered) {
        const int used = snprintf(method, sizeof method, "HDBSCAN (%d, %d)", c->min_cluster_size, c->min_samples);
        if (c->columns < r->outputs)
            snprintf(method + used, sizeof method - (size_t)used, ", %d of %d", c->columns, r->outputs);
    }
    fprintf(out, "%-*.*s %-*s", LABEL_WIDTH, LABEL_WIDTH, r->label, METHOD_WIDTH, method);
}

static void print_estimate(FILE *out, ts_estimate x, bool sign)
{
    char text[64];
    snprintf(text, sizeof text, isnan(x.error) ? (sign ? "%+.4f" : "%.4f") : sign ? "%+.4f +- %.4f" : "%.4f +- %.4f", x.mean, x.error);
    fprintf(out, " %*s", CELL_WIDTH, text);
}

/* A row's name and four estimates. */
static void print_row(FILE *out, const ts_scored_row *r, const ts_estimate *estimate, bool sign)
{
    print_name(out, r);
    for (ts_metric m = 0; m < TS_METRICS; m++)
        print_estimate(out, estimate[m], sign);
    fputc('\n', out);
}

/* The metrics' names behind a heading of `used` characters. */
static void print_metrics(FILE *out, int used)
{
    const int width = LABEL_WIDTH + 1 + METHOD_WIDTH;
    fprintf(out, "%*s", used < width ? width - used : 0, "");
    for (ts_metric m = 0; m < TS_METRICS; m++)
        fprintf(out, " %*s", CELL_WIDTH, ts_metric_name(m));
    fputc('\n', out);
}

static void print_difference(FILE *out, const ts_scored_row *r)
{
    const ts_difference *d = &r->difference;
    fprintf(out, "%-*.*s", LABEL_WIDTH + 1 + METHOD_WIDTH, LABEL_WIDTH, r->label);
    if (isnan(d->median))
        fprintf(out, " %*s", 2 * CELL_WIDTH + 1, "needs all logits of both files");
    else
        fprintf(out, " %*.3f %% %*.3f %%", CELL_WIDTH - 2, 100 * d->median, CELL_WIDTH - 2, 100 * d->p95);
    if (d->constant)
        fprintf(out, "   %d output(s) without spread left out", d->constant);
    if (!r->clustered)
        fprintf(out, "   same class: %.4f of hits", r->same_class);
    fputc('\n', out);
}

static void print_against(FILE *out, const ts_scoring *s)
{
    fputc('\n', out);
    print_metrics(out, fprintf(out, "loss against %s, paired", s->against));
    for (int r = 0; r < s->rows; r++)
        if (s->row[r].item >= 0 && s->row[r].compared)
            print_row(out, &s->row[r], s->row[r].loss, true);
    fprintf(out, "\n%-*s %*s %*s\n", LABEL_WIDTH + 1 + METHOD_WIDTH, "|difference| / std of the reference's outputs", CELL_WIDTH, "median",
            CELL_WIDTH, "95th percentile");
    for (int r = 0; r < s->rows; r++)
        if (s->row[r].item >= 0 && s->row[r].compared && s->row[r - 1].item != s->row[r].item) /* else the same as above */
            print_difference(out, &s->row[r]);
}

void ts_scoring_print(const ts_scoring *s, FILE *out)
{
    fprintf(out, "%d of %d events of %s", s->defined, s->events, s->truth);
    if (s->defined < s->scored)
        fprintf(out, " (%d have no hit of a particle)", s->scored - s->defined);
    fputc('\n', out);
    fputc('\n', out);
    print_metrics(out, fprintf(out, "candidates of"));
    for (int r = 0; r < s->rows; r++)
        print_row(out, &s->row[r], s->row[r].score, false);
    if (s->against)
        print_against(out, s);
}
