/* Affine forms over bases: the algebra of everything linear in the model. Products are summed in double and rounded once. */
#include <string.h>

#include "pass/recognise_value.h"

float *ts_rec_floats(rec *r, int64_t count)
{
    r->floats += count;
    return TS_NEW_N(r->arena, float, count);
}

rec_base *ts_base_new(rec *r, rec_base_kind kind, int width)
{
    rec_base *base = TS_NEW(r->arena, rec_base);
    *base = (rec_base){.kind = kind, .width = width, .node = r->node};
    return base;
}

static bool same_floats(const float *a, const float *b, int64_t count)
{
    if (a == b)
        return true;
    return a && b && memcmp(a, b, (size_t)count * sizeof *a) == 0;
}

static bool same_form(const rec_form *a, const rec_form *b)
{
    if (a == b)
        return true;
    if (!a || !b || a->rows != b->rows || a->terms != b->terms || !same_floats(a->bias, b->bias, a->rows))
        return false;
    for (int i = 0; i < a->terms; i++) {
        const rec_term *s = &a->term[i], *t = &b->term[i];
        if (s->base != t->base || !s->w != !t->w || !s->gain != !t->gain)
            return false;
        if (s->w ? !same_floats(s->w, t->w, (int64_t)a->rows * s->base->width)
                 : memcmp(s->pick, t->pick, (size_t)a->rows * sizeof *s->pick) != 0 || !same_floats(s->gain, t->gain, a->rows))
            return false;
    }
    return true;
}

/* Equal forms and bases have equal hashes. A few elements tell different weights apart; comparing does the rest. */
static uint64_t mix(uint64_t h, uint64_t x)
{
    h = (h ^ x) * 0x9E3779B97F4A7C15U;
    return h ^ h >> 29;
}

static uint64_t mix_floats(uint64_t h, const float *x, int64_t count)
{
    enum { SEEN = 16 };
    for (int64_t i = 0; x && i < count; i += count / SEEN + 1) {
        uint32_t bits;
        memcpy(&bits, &x[i], sizeof bits);
        h = mix(h, bits);
    }
    return mix(h, x != NULL);
}

static uint64_t form_hash(const rec_form *f)
{
    uint64_t h = 1;
    if (!f)
        return h;
    h = mix(mix_floats(h, f->bias, f->rows), (uint64_t)f->rows);
    for (int i = 0; i < f->terms; i++) {
        const rec_term *t = &f->term[i];
        h = mix_floats(mix(h, (uint64_t)t->base->id), t->w, (int64_t)f->rows * t->base->width);
        h = mix_floats(h, t->gain, f->rows);
        if (!t->w)
            h = mix(mix(h, (uint64_t)t->pick[0]), (uint64_t)t->pick[f->rows - 1]);
    }
    return h;
}

static uint64_t base_hash(const rec_base *b)
{
    uint64_t h = mix((uint64_t)b->kind, (uint64_t)b->width), eps;
    memcpy(&eps, &b->eps, sizeof eps);
    h = mix(mix(mix(h, eps), b->from ? (uint64_t)b->from->id + 1 : 0), (uint64_t)b->act);
    h = mix(h, (uint64_t)b->group * TS_NORM_COUNT + (uint64_t)b->norm);
    h = mix_floats(mix_floats(h, b->gain, b->width), b->bias, b->width);
    h = mix(mix(h, form_hash(b->of)), form_hash(b->q));
    return mix(mix(h, form_hash(b->k)), form_hash(b->v));
}

/* A table of chains, doubled where it gets full. */
static void add_base(rec *r, rec_base *base)
{
    if (r->bases == r->buckets) {
        const int buckets = r->buckets ? 2 * r->buckets : 64;
        rec_base **bucket = TS_NEW_N(r->arena, rec_base *, buckets);
        for (int i = 0; i < r->buckets; i++)
            for (rec_base *b = r->bucket[i], *next; b; b = next) {
                next = b->next;
                b->next = bucket[b->hash % (uint64_t)buckets];
                bucket[b->hash % (uint64_t)buckets] = b;
            }
        r->bucket = bucket;
        r->buckets = buckets;
    }
    rec_base **chain = &r->bucket[base->hash % (uint64_t)r->buckets];
    base->id = r->bases++;
    base->next = *chain;
    *chain = base;
    r->attentions += base->kind == BASE_ATTENTION;
}

static bool same_base(const rec_base *a, const rec_base *b)
{
    return a->hash == b->hash && a->kind == b->kind && a->width == b->width && a->from == b->from && a->eps == b->eps &&
           a->norm == b->norm && a->group == b->group && a->act == b->act && a->pool == b->pool && a->heads == b->heads &&
           a->scale == b->scale && a->mask == b->mask && same_floats(a->gain, b->gain, a->width) &&
           same_floats(a->bias, b->bias, a->width) && same_form(a->of, b->of) && same_form(a->q, b->q) && same_form(a->k, b->k) &&
           same_form(a->v, b->v);
}

static const rec_base *find_base(const rec *r, const rec_base *like)
{
    for (const rec_base *old = r->buckets ? r->bucket[like->hash % (uint64_t)r->buckets] : NULL; old; old = old->next)
        if (same_base(old, like))
            return old;
    return NULL;
}

const rec_base *ts_base_share(rec *r, rec_base *base)
{
    base->hash = base_hash(base);
    const rec_base *old = find_base(r, base);
    if (old)
        return old;
    add_base(r, base);
    return base;
}

static rec_form *form_new(rec *r, int rows)
{
    rec_form *f = TS_NEW(r->arena, rec_form);
    f->rows = rows;
    f->node = r->node;
    f->frozen = TS_NEW(r->arena, const rec_base *);
    return f;
}

const rec_form *ts_form_identity(rec *r, const rec_base *base)
{
    rec_form *f = form_new(r, base->width);
    if (base->width > r->counted) { /* forms share 0, 1, 2, ... */
        r->counted = 2 * base->width;
        int *count = TS_NEW_N(r->arena, int, r->counted);
        for (int i = 0; i < r->counted; i++)
            count[i] = i;
        r->counting = count;
    }
    f->terms = 1;
    f->term[0] = (rec_term){.base = base, .pick = r->counting};
    return f;
}

const rec_form *ts_form_over(rec *r, const rec_form *f, const rec_base *base)
{
    CHECK(f->terms == 1 && f->term[0].base->width == base->width);
    rec_form *out = form_new(r, f->rows);
    const rec_base **frozen = out->frozen;
    *out = *f;
    out->frozen = frozen;
    out->term[0].base = base;
    return out;
}

const rec_base *ts_form_pure(const rec_form *f)
{
    return f->terms == 1 && !f->term[0].w && !f->term[0].gain && !f->bias ? f->term[0].base : NULL;
}

static bool picks_all(const rec_form *f, const rec_term *t)
{
    if (t->w || t->gain || f->rows != t->base->width)
        return false;
    for (int i = 0; i < f->rows; i++)
        if (t->pick[i] != i)
            return false;
    return true;
}

bool ts_form_is_identity(const rec_form *f)
{
    return ts_form_pure(f) && picks_all(f, &f->term[0]);
}

/* The weights of a term, written out. */
static const float *dense(rec *r, const rec_form *f, const rec_term *t)
{
    if (t->w)
        return t->w;
    float *w = ts_rec_floats(r, (int64_t)f->rows * t->base->width);
    for (int i = 0; i < f->rows; i++)
        w[(int64_t)i * t->base->width + t->pick[i]] = t->gain ? t->gain[i] : 1.0F;
    return w;
}

static const float *picked(rec *r, const float *from, int count, const int *row)
{
    float *out = ts_rec_floats(r, count);
    for (int i = 0; i < count; i++)
        out[i] = from[row[i]];
    return out;
}

static const float *scaled(rec *r, const float *from, int count, double scale, const double *by)
{
    float *out = ts_rec_floats(r, count);
    for (int i = 0; i < count; i++)
        out[i] = (float)((from ? (double)from[i] : 1.0) * scale * (by ? by[i] : 1.0));
    return out;
}

const rec_form *ts_form_select(rec *r, const rec_form *f, int rows, const int *row)
{
    rec_form *out = form_new(r, rows);
    out->node = f->node;
    out->terms = f->terms;
    for (int t = 0; t < f->terms; t++) {
        const rec_term *from = &f->term[t];
        const int64_t width = from->base->width;
        out->term[t] = (rec_term){.base = from->base, .w_grid = ts_grid_select(r, from->w_grid, rows, row), .x_grid = from->x_grid};
        if (from->w) {
            float *w = ts_rec_floats(r, rows * width);
            for (int i = 0; i < rows; i++)
                memcpy(w + i * width, from->w + row[i] * width, (size_t)width * sizeof *w);
            out->term[t].w = w;
        } else {
            int *pick = TS_NEW_N(r->arena, int, rows);
            for (int i = 0; i < rows; i++)
                pick[i] = from->pick[row[i]];
            out->term[t].pick = pick;
            out->term[t].gain = from->gain ? picked(r, from->gain, rows, row) : NULL;
        }
    }
    out->bias = f->bias ? picked(r, f->bias, rows, row) : NULL;
    out->grid = ts_grid_select(r, f->grid, rows, row);
    return out;
}

const rec_form *ts_form_scale(rec *r, const rec_form *f, double scale, const double *row_scale)
{
    if (scale == 1.0 && !row_scale)
        return f;
    rec_form *out = form_new(r, f->rows);
    out->node = f->node;
    out->terms = f->terms;
    for (int t = 0; t < f->terms; t++) {
        const rec_term *from = &f->term[t];
        const int64_t width = from->base->width;
        out->term[t] = (rec_term){.base = from->base, .w_grid = ts_grid_scale(r, from->w_grid, scale, row_scale), .x_grid = from->x_grid};
        if (!from->w) {
            out->term[t].pick = from->pick;
            out->term[t].gain = scaled(r, from->gain, f->rows, scale, row_scale);
            continue;
        }
        float *w = ts_rec_floats(r, f->rows * width);
        for (int i = 0; i < f->rows; i++)
            for (int64_t j = 0; j < width; j++)
                w[i * width + j] = (float)((double)from->w[i * width + j] * scale * (row_scale ? row_scale[i] : 1.0));
        out->term[t].w = w;
    }
    out->grid = ts_grid_scale(r, f->grid, scale, row_scale);
    out->bias = f->bias ? scaled(r, f->bias, f->rows, scale, row_scale) : NULL;
    return out;
}

const rec_form *ts_form_shift(rec *r, const rec_form *f, const double *shift)
{
    bool zero = true;
    for (int i = 0; i < f->rows; i++)
        zero &= shift[i] == 0.0;
    if (zero)
        return f;
    rec_form *out = form_new(r, f->rows);
    float *bias = ts_rec_floats(r, f->rows);
    out->terms = f->terms;
    memcpy(out->term, f->term, sizeof out->term);
    for (int i = 0; i < f->rows; i++)
        bias[i] = (float)((f->bias ? (double)f->bias[i] : 0.0) + shift[i]);
    out->bias = bias;
    return out;
}

const rec_base *ts_form_find(rec *r, const rec_form *f)
{
    if (!*f->frozen) {
        rec_base like = {.kind = BASE_LINEAR, .width = f->rows, .of = f};
        like.hash = base_hash(&like);
        *f->frozen = find_base(r, &like);
    }
    return *f->frozen;
}

/* Once something non-linear has seen the value of f, it is one thing and no longer a sum of others. */
static const rec_form *atom(rec *r, const rec_form *f)
{
    const rec_base *base = ts_form_find(r, f);
    return base ? ts_form_identity(r, base) : f;
}

static bool add_term(rec *r, rec_form *out, const rec_form *f, const rec_term *t)
{
    for (int i = 0; i < out->terms; i++) {
        rec_term *old = &out->term[i];
        if (old->base != t->base)
            continue;
        const bool picks = !old->w && !t->w && memcmp(old->pick, t->pick, (size_t)out->rows * sizeof *t->pick) == 0;
        const int64_t count = picks ? out->rows : (int64_t)out->rows * t->base->width;
        const float *a = picks ? old->gain : dense(r, out, old), *b = picks ? t->gain : dense(r, f, t);
        float *w = ts_rec_floats(r, count);
        for (int64_t j = 0; j < count; j++)
            w[j] = (a ? a[j] : 1.0F) + (b ? b[j] : 1.0F);
        const bool same_x = !old->x_grid || !t->x_grid || old->x_grid->origin == t->x_grid->origin;
        *old = (rec_term){.base = t->base,
                          .pick = picks ? t->pick : NULL,
                          .w = picks ? NULL : w,
                          .gain = picks ? w : NULL,
                          .w_grid = ts_grid_merge(r, old->w_grid, t->w_grid),
                          .x_grid = !same_x       ? NULL
                                    : old->x_grid ? old->x_grid
                                                  : t->x_grid};
        return true;
    }
    if (out->terms == REC_MAX_TERMS)
        return ts_rec_fail(r, r->node, "this sum has more than %d branches; a residual connection has two", REC_MAX_TERMS);
    out->term[out->terms++] = *t;
    return true;
}

const rec_form *ts_form_add(rec *r, const rec_form *a, const rec_form *b)
{
    if (a->grid)
        a->grid->origin->added = true;
    if (b->grid)
        b->grid->origin->added = true;
    a = atom(r, a);
    b = atom(r, b);
    rec_form *out = form_new(r, a->rows);
    for (int i = 0; i < a->terms; i++)
        if (!add_term(r, out, a, &a->term[i]))
            return NULL;
    for (int i = 0; i < b->terms; i++)
        if (!add_term(r, out, b, &b->term[i]))
            return NULL;
    if (a->bias && b->bias) {
        float *bias = ts_rec_floats(r, out->rows);
        for (int i = 0; i < out->rows; i++)
            bias[i] = a->bias[i] + b->bias[i];
        out->bias = bias;
    } else {
        out->bias = a->bias ? a->bias : b->bias;
    }
    return out;
}

const rec_form *ts_form_stack(rec *r, const rec_form *a, const rec_form *b)
{
    a = atom(r, a);
    b = atom(r, b);
    rec_form *out = form_new(r, a->rows + b->rows);
    const rec_form *part[2] = {a, b};
    int64_t first = 0;
    for (int p = 0; p < 2; p++) {
        int *row = TS_NEW_N(r->arena, int, out->rows); /* of the part, -1 for those of the other one */
        for (int i = 0; i < out->rows; i++)
            row[i] = i >= first && i < first + part[p]->rows ? (int)(i - first) : -1;
        for (int t = 0; t < part[p]->terms; t++) {
            const rec_term *from = &part[p]->term[t];
            const int64_t width = from->base->width;
            rec_term padded = {.base = from->base, .x_grid = from->x_grid};
            padded.w_grid = ts_grid_select(r, from->w_grid, out->rows, row);
            float *w = ts_rec_floats(r, out->rows * width);
            memcpy(w + first * width, dense(r, part[p], from), (size_t)(part[p]->rows * width) * sizeof *w);
            padded.w = w;
            if (!add_term(r, out, out, &padded))
                return NULL;
        }
        first += part[p]->rows;
    }
    if (a->bias || b->bias) {
        float *bias = TS_NEW_N(r->arena, float, out->rows);
        if (a->bias)
            memcpy(bias, a->bias, (size_t)a->rows * sizeof *bias);
        if (b->bias)
            memcpy(bias + a->rows, b->bias, (size_t)b->rows * sizeof *bias);
        out->bias = bias;
    }
    return out;
}

const rec_base *ts_form_freeze(rec *r, const rec_form *f)
{
    if (ts_form_is_identity(f))
        return f->term[0].base;
    if (!ts_form_find(r, f)) {
        rec_base *base = ts_base_new(r, BASE_LINEAR, f->rows);
        base->of = f;
        base->node = f->node;
        *f->frozen = ts_base_share(r, base);
    }
    return *f->frozen;
}

static bool linear_over(rec *r, const rec_form *f, const rec_base *root, int depth, ts_linear *lin)
{
    if (f->terms != 1 || depth == REC_MAX_CHAIN)
        return false;
    const rec_base *base = f->term[0].base;
    const int64_t rows = f->rows, inner = base->width;
    const float *w = dense(r, f, &f->term[0]);
    float *bias = ts_rec_floats(r, rows);
    if (f->bias)
        memcpy(bias, f->bias, (size_t)rows * sizeof *bias);
    *lin = (ts_linear){.in = base->width, .out = f->rows, .w = w, .b = bias};
    lin->name = ts_strdup(r->arena, ts_rec_name(f->node));
    if (depth == 0)
        lin->y_given = ts_grid_take(r, f->grid);
    if (base == root)
        lin->x_given = ts_grid_take(r, f->term[0].x_grid);
    if (base == root && depth == 0)
        lin->w_given = ts_grid_take(r, f->term[0].w_grid);
    if (base == root)
        return true;
    ts_linear first;
    if (base->kind != BASE_LINEAR || !linear_over(r, base->of, root, depth + 1, &first))
        return false;
    float *product = ts_rec_floats(r, rows * first.in);
    double *sum = TS_NEW_N(r->arena, double, first.in + 1);
    for (int64_t i = 0; i < rows; i++) {
        memset(sum, 0, (size_t)(first.in + 1) * sizeof *sum);
        for (int64_t j = 0; j < inner; j++) {
            const double factor = (double)w[i * inner + j];
            for (int64_t k = 0; k < first.in; k++)
                sum[k] += factor * (double)first.w[j * first.in + k];
            sum[first.in] += factor * (double)first.b[j];
        }
        for (int64_t k = 0; k < first.in; k++)
            product[i * first.in + k] = (float)sum[k];
        bias[i] = (float)((double)bias[i] + sum[first.in]);
    }
    lin->in = first.in;
    lin->w = product;
    lin->x_given = first.x_given;
    return true;
}

bool ts_form_linear(rec *r, const rec_form *f, const rec_base *root, ts_linear *lin)
{
    return linear_over(r, f, root, 0, lin);
}
