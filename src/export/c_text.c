/* NAME.c: the functions of templates/ that the model needs, its tables, and what runs them. */
#include <string.h>

#include "base/asset.h"
#include "base/text.h"
#include "export/text.h"
#include "num/fixed.h"

static const char *template_text(const char *name)
{
    for (const ts_asset *a = ts_assets; a->name; a++)
        if (strncmp(a->name, "src/export/templates/", 21) == 0 && strncmp(a->name + 21, name, strlen(name)) == 0 &&
            strcmp(a->name + 21 + strlen(name), ".c") == 0)
            return a->data;
    BUG("no such template");
}

static void template(FILE *f, const char *name, bool needed)
{
    if (needed)
        fprintf(f, "\n%s", template_text(name));
}

/* A template for weights of 8 or of 16 bits: WIDTH, and LOAD, which loads a vector of them, stand for what differs. */
static void template_of_width(FILE *f, const char *name, const char *width, const char *load, bool needed)
{
    if (!needed)
        return;
    const char *text = template_text(name);
    fputc('\n', f);
    while (*text)
        if (strncmp(text, "WIDTH", 5) == 0) {
            fputs(width, f);
            text += 5;
        } else if (strncmp(text, "LOAD", 4) == 0) {
            fputs(load, f);
            text += 4;
        } else {
            fputc(*text++, f);
        }
}

static long long limit(ts_fmt fmt)
{
    return (long long)ts_fmt_max(fmt.bits, fmt.is_signed);
}

static void constants(FILE *f, const ts_export_text *t)
{
    const ts_export_form *form = t->form;
    const ts_imodel *im = form->im;
    fprintf(
        f,
        "\nenum {\n    ROWS = %d, /* tokens that are computed at one time */\n    MAX_HITS = %s_MAX_HITS,\n    FEATURES = %s_FEATURES,\n",
        TS_EXPORT_ROWS, t->upper, t->upper);
    fprintf(f, "    OUTPUTS = %s_OUTPUTS,\n    LAYERS = %d,\n    D = %d, /* of the residual stream */\n", t->upper, im->layers, im->d);
    if (form->ffn)
        fprintf(f, "    FF = %d,\n", im->ff);
    if (form->attention) {
        fprintf(f, "    HEADS = %d,\n    HEAD = %d, /* channels of one */\n    INNER = HEADS * HEAD,\n", im->heads, im->d_head);
        fprintf(f, "    SCORE = %lld, /* largest values of formats: of scores */\n    EXP2_END = %d, /* from here on 2^-x is 0 */\n",
                (long long)ts_fmt_max(im->score_bits, true), form->exp2_end);
        fprintf(f, "    VALUE_BITS = %d,\n", im->v_bits);
    }
    if (form->narrow)
        fprintf(f, "    HEAD_PAIRS = (HEAD + 1) / 2,\n    KEYS = %d, /* MAX_HITS, up to whole vectors */\n    SUMMED_KEYS = %d,\n",
                form->keys, form->summed_keys);
    if (im->pool == TS_POOL_MEAN)
        fprintf(f, "    RESIDUAL_BITS = %d,\n", im->res.bits);
    fprintf(f, "    RESIDUAL = %lld, /* of the residual stream */\n    INPUT = %lld /* and of inputs */\n};\n", limit(im->res),
            limit(im->in));
    fprintf(f, "\ntypedef %s_workspace workspace;\n", t->name);
    if (form->tables)
        fprintf(f, "typedef %s table_entry; /* of activations */\n", form->wide_tables ? "int32_t" : "int16_t");
}

static void functions(FILE *f, const ts_export_text *t)
{
    const ts_export_form *form = t->form;
    const ts_imodel *im = form->im;
    const bool products = form->has[TS_WEIGHTS_8] || form->has[TS_WEIGHTS_16];
    template(f, "basics", true);
    template(f, "bit_length", form->norms || form->attention || im->pool == TS_POOL_MEAN);
    template(f, "weighted_mean", form->attention || im->pool == TS_POOL_MEAN);
    fprintf(f, "\n/* ---- Linears */\n");
    template(f, "gather", products);
    template(f, "store_sums", products);
    template(f, "load_bytes", form->has[TS_WEIGHTS_8]);
    template_of_width(f, "products", "8", "load_bytes", form->has[TS_WEIGHTS_8]);
    template_of_width(f, "linear", "8", "load_bytes", form->has[TS_WEIGHTS_8]);
    template_of_width(f, "products", "16", "load", form->has[TS_WEIGHTS_16]);
    template_of_width(f, "linear", "16", "load", form->has[TS_WEIGHTS_16]);
    template(f, "products64", form->has[TS_SUMS_64]);
    template(f, "linear64", form->has[TS_SUMS_64]);
    template(f, "finish", true);
    template(f, "look_up", form->tables);
    fprintf(f, "\n/* ---- The residual stream */\n");
    template(f, "rescale", form->project || form->ffn || im->head_count > 0);
    template(f, "add", true);
    template(f, "normalise", form->norms || (im->qk_norm && form->attention));
    template(f, "normalise_rows", form->norms);
    template(f, "normalise_heads", im->qk_norm && form->attention);
    template(f, "pool_mean", im->pool == TS_POOL_MEAN);
    template(f, "pool_max", im->pool == TS_POOL_MAX);
    template(f, "pool_first", im->pool == TS_POOL_FIRST);
}

static void attention(FILE *f, const ts_export_form *form)
{
    template(f, form->narrow ? "attention16" : "attention64", form->attention);
    template(f, form->summed_keys > 0 ? "weighted_sums" : "weighted_sums_wide", form->narrow);
    template(f, form->narrow ? "keep16" : "keep64", form->attention);
}

const char *ts_export_c(const ts_export_text *t)
{
    const ts_export_form *form = t->form;
    ts_text text;
    FILE *f = ts_text_open(&text);
    fprintf(f,
            "/* %s: a Transformer encoder in integers, bit for bit what its hardware computes. %s.h says how it is called.\n"
            "   " TS_EXPORT_MARK " */\n#include \"%s.h\"\n\n#include <string.h>\n\n#if %s_BUILD != 0x%016llx\n#error \"%s.h is of another "
            "export than this file\"\n#endif\n",
            t->name, t->name, t->name, t->upper, (unsigned long long)t->build, t->name);
    template(f, "vectors", form->has[TS_WEIGHTS_8] || form->has[TS_WEIGHTS_16] || form->narrow);
    constants(f, t);
    functions(f, t);
    fprintf(f, "\n/* ---- The model as constants */\n");
    ts_export_tables(f, t);
    attention(f, form);
    template(f, "words", true);
    ts_export_stages(f, t);
    return ts_text_close(&text, t->arena);
}
