/* NAME.h: what a caller has to know. */
#include <string.h>
#include <tessera/tessera.h>

#include "base/plain.h"
#include "base/text.h"
#include "export/text.h"
#include "num/fixed.h"

/* A text from outside, as a comment may have it. */
static const char *plain(ts_arena *arena, const char *text)
{
    char *to = ts_text_plain(arena, text);
    for (char *p = to; *p; p++)
        if ((p[0] == '*' && p[1] == '/') || (p[0] == '/' && p[1] == '*') || (p[0] == '?' && p[1] == '?'))
            p[1] = '_';
    return to;
}

static void formats(FILE *f, const ts_imodel *im)
{
    const ts_fmt out = im->head_count > 0 ? im->head[im->head_count - 1].y : im->res;
    const long long in_max = (long long)ts_fmt_max(im->in.bits, true), out_max = (long long)ts_fmt_max(out.bits, out.is_signed);
    fprintf(f, "   Words       in: %d bits, %lld to %lld; out: %d bits, %lld to %lld\n", im->in.bits, -in_max, in_max, out.bits,
            out.is_signed ? -out_max : 0, out_max);
}

static void about(FILE *f, const ts_export_text *t)
{
    const ts_imodel *im = t->form->im;
    fprintf(f, "/* %s: a Transformer encoder in integers, bit for bit what its hardware computes.\n   " TS_EXPORT_MARK " %s.\n\n", t->name,
            TESSERA_VERSION);
    fprintf(f, "   Model       %s: %d layer%s, width %d, %d head%s of %d, FFN %d\n", plain(t->arena, im->name), im->layers,
            im->layers == 1 ? "" : "s", im->d, im->heads, im->heads == 1 ? "" : "s", im->d_head, im->ff);
    fprintf(f, "   Events      1 to %d hits of %d values; pooling %s: %s\n", t->form->max_hits, im->features, ts_pool_name(im->pool),
            im->pool == TS_POOL_NONE ? "a row of results a hit" : "one row of results an event");
    formats(f, im);
    fprintf(f, "   Design      %016llx, hash of its manifest\n   Build       %016llx, hash of the code and of all constants\n",
            (unsigned long long)t->model->design, (unsigned long long)t->build);
    fprintf(f, "   Memory      none but the caller's: a workspace of %lld bytes for each call that runs at the same time\n\n",
            (long long)t->form->workspace);
    if (t->model->host)
        fprintf(f,
                "   This is %s of a larger model, the share of the hardware. Hits are tokens here, and neither they nor the results are\n"
                "   what the whole model has: the host computes what is in front and behind.\n\n",
                plain(t->arena, t->model->host));
    fprintf(
        f, "   C99 and C++11. No other files, no allocation, nothing is printed, nothing is kept between calls: any number of threads may\n"
           "   call at the same time, each with a workspace of its own. Compile without -ffast-math. */\n");
}

/* How events with x, y, z give a column that they lack (data/events_csv.c); NULL: not at all. */
static const char *formula(const char *column)
{
    static const char *const known[][2] = {
        {"r", "sqrt(x * x + y * y)"},
        {"phi", "atan2(y, x)"},
        {"theta", "atan2(sqrt(x * x + y * y), z)"},
        {"eta", "asinh(z / sqrt(x * x + y * y))"},
        {"sin_phi", "y / sqrt(x * x + y * y)"},
        {"cos_phi", "x / sqrt(x * x + y * y)"},
        {"sin_theta", "sqrt(x * x + y * y) / sqrt(x * x + y * y + z * z)"},
        {"cos_theta", "z / sqrt(x * x + y * y + z * z)"},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i][0], column) == 0)
            return known[i][1];
    return NULL;
}

static void columns(FILE *f, const ts_export_text *t)
{
    const ts_inputs *in = t->model->inputs;
    if (!in)
        return;
    fprintf(f, "\n/* Values of a hit, in this order, in the units of the model's training:\n");
    for (int c = 0; c < in->features; c++) {
        const char *by = formula(in->column[c]);
        fprintf(f, "     %2d  %-16s mean %.9g, deviation %.9g%s%s\n", c, plain(t->arena, in->column[c]), in->mean[c], in->std[c],
                by ? "; of a hit at x, y, z: " : "", by ? by : "");
    }
    if (in->classification) {
        fprintf(f, "   Results: logits of %d classes.%s */\n", in->outputs,
                t->model->argmax ? " (The hardware gives the class and its logit.)" : "");
        return;
    }
    fprintf(f, "   Results:\n");
    for (int o = 0; o < in->outputs; o++)
        fprintf(f, "     %2d  %s%s\n", o, plain(t->arena, in->output[o]), o == in->outputs - 1 ? " */" : "");
}

static void workspace(FILE *f, const ts_export_text *t)
{
    const ts_export_form *form = t->form;
    fprintf(f, "\n/* Memory of a run. Its contents are nobody else's, and need not be set before. */\ntypedef struct %s_workspace {\n",
            t->name);
    for (int i = 0; i < form->buffers; i++) {
        const ts_export_buffer *b = &form->buffer[i];
        fprintf(f, "    int%d_t %s[%lld];", b->bits, b->name, (long long)b->count);
        if (*b->what)
            fprintf(f, " /* %s */", b->what);
        fprintf(f, "\n");
    }
    fprintf(f, "} %s_workspace;\n", t->name);
}

static void declarations(FILE *f, const ts_export_text *t)
{
    const char *name = t->name, *upper = t->upper;
    const char *rows = t->form->im->pool == TS_POOL_NONE ? "count" : "1";
    fprintf(f,
            "\nenum { /* codes */\n    %s_OK = 0,\n    %s_NO_HITS = -1,\n    %s_TOO_MANY_HITS = -2, /* as the hardware refuses them */\n"
            "    %s_BAD_VALUE = -3\n};\n",
            upper, upper, upper, upper);
    fprintf(f,
            "\n/* One event. hits: [count][%s_FEATURES], %s;\n   results: [%s][%s_OUTPUTS], each a word times its unit, exactly. Returns a "
            "code; unless it is %s_OK,\n   results are as they were. */\n",
            upper, t->model->inputs ? "values as they come, which are standardised here" : "values as the model reads them", rows, upper,
            upper);
    fprintf(f, "int %s_run(const double *hits, int count, double *results, %s_workspace *workspace);\n", name, name);
    fprintf(f,
            "\n/* The same with the hardware's words. words: [count][%s_FEATURES], results: [%s][%s_OUTPUTS]. */\n"
            "int %s_run_words(const int32_t *words, int count, int32_t *results, %s_workspace *workspace);\n",
            upper, rows, upper, name, name);
    fprintf(f,
            "\n/* Words of `count` hits; of values that are standardised already; real values of rows of results. Of a value that is no "
            "finite\n"
            "   number in single precision the first two return %s_BAD_VALUE. */\n"
            "int %s_words_of(const double *hits, int count, int32_t *words);\n"
            "int %s_words_of_standardised(const float *values, int count, int32_t *words);\n"
            "void %s_reals_of(const int32_t *results, int rows, double *reals);\n",
            upper, name, name, name);
    if (t->form->im->classifier)
        fprintf(
            f,
            "\n/* The class of a row of result words: the largest, the first of equals. The hardware's value beside it is that word. */\n"
            "int %s_class(const int32_t *result);\n",
            name);
    fprintf(f,
            "\n/* What a code means; and sizeof(%s_workspace), for callers in other languages. */\nconst char *%s_message(int code);\n"
            "size_t %s_workspace_bytes(void);\n",
            name, name, name);
}

const char *ts_export_h(const ts_export_text *t)
{
    const ts_imodel *im = t->form->im;
    ts_text text;
    FILE *f = ts_text_open(&text);
    about(f, t);
    fprintf(f,
            "#ifndef %s_H\n#define %s_H\n#include <stddef.h>\n#include <stdint.h>\n\n#define %s_BUILD 0x%016llx /* %s.c checks that both "
            "belong together */\n",
            t->upper, t->upper, t->upper, (unsigned long long)t->build, t->name);
    fprintf(
        f,
        "#define %s_MAX_HITS %d\n#define %s_FEATURES %d\n#define %s_OUTPUTS %d\n#define %s_POOLED %d /* one row of results an event */\n",
        t->upper, t->form->max_hits, t->upper, im->features, t->upper, im->outputs, t->upper, im->pool != TS_POOL_NONE);
    fprintf(f, "\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n");
    workspace(f, t);
    columns(f, t);
    declarations(f, t);
    fprintf(f, "\n#ifdef __cplusplus\n}\n#endif\n\n#endif\n");
    return ts_text_close(&text, t->arena);
}
